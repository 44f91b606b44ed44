#!/usr/bin/env python3
"""Writes the golden values of the baselines beside STIM, of the prediction heads and of the tasks.

    PYTHON tests/golden/generate_baselines.py   any interpreter that has torch; seconds on one thread, seed 20251124

Inputs and parameters are f32, so that both types hold them; results and gradients are f64 and computed in f64. B rows, k
behaviours kept, oldest first, padding in FRONT with made-up contents that must not matter. Sizes are in the metadata.

baselines:
    batch.valid [B, k] u8                             rows: full; padded; one behaviour; none; full with repeated items;
                                                      full and all alike
    batch.hour, .region [B] i32; batch.behaviour_hour, _weekday, _item, _category, _region [B, k] i32
    batch.age [B, k] days; batch.review [B, M, k] u8
    batch.keys [B, k, d_k]; batch.hour_part, .week_part, .location_part, .item_part [B, width]
    MODEL.PATH                                        parameters, as the C++ module names them
    MODEL.out, .d_out [B, width]
    MODEL.gradient.PATH, .keys (0 in padding), .request [B, sum of widths]     of sum(out * d_out)
  MODEL as in golden_baselines.MODELS.
click_heads:
    features [B, F]; dnn.PATH, mmoe.PATH parameters; dnn.out, mmoe.out, dnn.d_out, mmoe.d_out [B, 2];
    dnn.gradient.PATH, mmoe.gradient.PATH and .features
    tasks.logits [N, 2], tasks.labels [N, 2]; tasks.FORM.probabilities, .losses [N, 2], .loss [1] and .gradient [N, 2] of
    the loss, FORM product or own_tower; the weights of the two tasks are in the metadata

Run it again, and commit the files, when a definition changes; never to make a test pass.
"""
import os

import torch

import golden_baselines as base
import golden_stim as stim
import safetensors_file

SEED = 20251124
HERE = os.path.dirname(os.path.abspath(__file__))
G = torch.Generator().manual_seed(SEED)
B, K, D = 6, 7, 4
PARTS = dict(hour=2, week=2, location=3, item=4)
FEATURES, EXPERTS, TASKS = 5, 3, 2
CTR_WEIGHT, CTCVR_WEIGHT = 0.75, 1.5


def draw(*shape, spread=1.0):
    return (spread * torch.randn(shape, generator=G, dtype=torch.float64)).float()


def whole(low, high, *shape):
    return torch.randint(low, high, shape, generator=G, dtype=torch.int32)


def parameters(shapes):
    return {p: draw(*s, spread=1.2 / s[-1] ** 0.5 if len(s) > 1 else 0.3) for p, s in shapes.items()}


def make_batch():
    there = (K, K - 3, 1, 0, K, K)
    b = dict(valid=torch.tensor([[0] * (K - n) + [1] * n for n in there], dtype=torch.uint8), hour=whole(0, 24, B),
             region=whole(1, 4, B), behaviour_hour=whole(0, 24, B, K), behaviour_weekday=whole(0, 7, B, K),
             behaviour_item=whole(0, 40, B, K), behaviour_category=whole(0, 3, B, K), behaviour_region=whole(0, 4, B, K),
             age=torch.exp(draw(B, K, spread=3)), review=whole(0, 2, B, base.MATERIALS, K).to(torch.uint8), keys=draw(B, K, D))
    b["behaviour_item"][4] = torch.tensor([3, 0, 3, 9, 0, 9, 9])
    for name in ("behaviour_hour", "behaviour_weekday", "behaviour_item", "behaviour_category", "behaviour_region"):
        b[name][5] = b[name][5, 0]
    b["behaviour_hour"][:, -1] = (b["hour"] + 1) % 24  # something near everywhere
    b["behaviour_region"][:2, -1] = b["region"][:2]
    return b | {name + "_part": draw(B, width) for name, width in PARTS.items()}


def rows_of(b, request, keys):
    """One Row a sample; keys of padding are never touched."""
    for i in range(B):
        at = [j for j in range(K) if b["valid"][i, j]]
        of = lambda name: [b[name][i, j].item() for j in at]
        yield base.Row(request[i], [keys[i, j] for j in at], at, K, b["hour"][i].item(), b["region"][i].item(),
                       of("behaviour_item"), of("behaviour_category"), of("behaviour_region"), of("behaviour_hour"),
                       of("behaviour_weekday"), of("age"), [[b["review"][i, m, j].item() for j in at] for m in range(base.MATERIALS)])


def with_gradients(p, inputs, f):
    """f(parameters, inputs) -> out; out, d_out and gradients of parameters and inputs."""
    leaf = lambda t: t.detach().double().requires_grad_()
    p, inputs = {k: leaf(v) for k, v in p.items()}, {k: leaf(v) for k, v in inputs.items()}
    out = f(p, inputs)
    d_out = draw(*out.shape)
    (out * d_out.double()).sum().backward()
    zero = lambda t: torch.zeros_like(t) if t.grad is None else t.grad
    return {"out": out, "d_out": d_out} | {"gradient." + k: zero(v) for k, v in (p | inputs).items()}


def save(name, tensors, metadata):
    path = os.path.join(HERE, name + ".safetensors")
    safetensors_file.write(path, tensors, dict(metadata, seed=SEED))
    print(f"{name}: {len(tensors)} tensors, {os.path.getsize(path)} bytes")


def baselines_file():
    b = make_batch()
    tensors = {"batch." + k: v for k, v in b.items()}
    inputs = dict(request=torch.cat([b[n + "_part"] for n in PARTS], 1), keys=b["keys"])
    for name, (model, shapes) in base.MODELS.items():
        p = parameters(shapes(sum(PARTS.values()), D, K))
        if "gap.bias" in p:  # every hidden unit has its kink among the gaps: the bias of a straight line would cancel
            p["gap.bias"] = -0.37 * p["gap.weight"][:, 0]
        f = lambda p, x: torch.stack([model(p, row, D) for row in rows_of(b, x["request"], x["keys"])])
        tensors |= {f"{name}.{k}": v for k, v in (p | with_gradients(p, inputs, f)).items()}
    save("baselines", tensors, dict(heads=base.HEADS, hidden=base.HIDDEN, age=base.AGE, gap_hidden=base.GAP_HIDDEN,
                                    materials=base.MATERIALS, near=base.NEAR))


def heads_file():
    x, tensors = draw(B, FEATURES), {}
    tensors["features"] = x
    dnn = parameters(stim.dnn_shapes("network", (FEATURES, 4, 3, TASKS)))
    mmoe = parameters({"gate.weight": (TASKS * EXPERTS, FEATURES)} | {
        k: s for e in range(EXPERTS) for k, s in stim.dnn_shapes(f"expert.{e}", (FEATURES, 4, 3)).items()} | {
        k: s for t in range(TASKS) for k, s in stim.dnn_shapes(f"tower.{t}", (3, 2, 1)).items()})
    for name, p, f in (("dnn", dnn, base.dnn_head), ("mmoe", mmoe, lambda p, x: base.mmoe_head(p, x, EXPERTS, TASKS))):
        got = with_gradients(p, dict(features=x), lambda p, x: f(p, x["features"]))
        tensors |= {f"{name}.{k}": v for k, v in (p | got).items()}
    logits, labels = draw(8, TASKS, spread=3), torch.tensor([[1, 1], [1, 0], [0, 0], [1, 1], [0, 0], [1, 0], [0, 0], [1, 1]]).float()
    tensors |= {"tasks.logits": logits, "tasks.labels": labels}
    for form in ("product", "own_tower"):
        leaf = logits.double().requires_grad_()
        p = base.task_probabilities(leaf, form == "product")
        losses = base.task_losses(p, labels.double())
        loss = CTR_WEIGHT * losses[:, 0].mean() + CTCVR_WEIGHT * losses[:, 1].mean()
        loss.backward()
        tensors |= {f"tasks.{form}.{k}": v for k, v in dict(probabilities=p, losses=losses, loss=loss[None], gradient=leaf.grad).items()}
    save("click_heads", tensors, dict(ctr_weight=CTR_WEIGHT, ctcvr_weight=CTCVR_WEIGHT, experts=EXPERTS))


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    stim.margins.clear()
    baselines_file()
    heads_file()
    assert min(stim.margins) > 1e-5, f"a hidden layer came within {min(stim.margins):.1e} of the kink of ReLU: another seed"


if __name__ == "__main__":
    main()

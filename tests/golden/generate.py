#!/usr/bin/env python3
"""Writes the golden values that the C++ tests compare with: tests/golden/*.safetensors.

    PYTHON tests/golden/generate.py        any interpreter that has torch; a minute on one thread, seed 20240607

Everything is computed in f64 from inputs that f32 holds exactly; the f32 run says how much of a difference is rounding.
The same PyTorch on the same machine writes the same bytes; elsewhere the last digits of the f64 values may differ.
Run it again, and commit the files, when a definition changes; never to make a test pass.
"""
import math
import os

import torch
import torch.nn.functional as F

import safetensors_file
from golden_batches import make_batches
from golden_models import Model, Options, initial

SEED = 20240607
HERE = os.path.dirname(os.path.abspath(__file__))
STEPS, PEAK, LEAST, WARMUP, DECAY, CLIP = 10, 5e-3, 5e-4, 3, 0.05, 1.0


def save(name, tensors, metadata):
    path = os.path.join(HERE, name + ".safetensors")
    safetensors_file.write(path, tensors, dict(metadata, seed=SEED))
    print(f"{name}: {len(tensors)} tensors, {os.path.getsize(path)} bytes")


# --- operations ------------------------------------------------------------------------------------------------------


class Operations:
    """Collects inputs (f32), results and gradients (f64) under "<case>.<what>"."""

    def __init__(self):
        self.generator = torch.Generator().manual_seed(SEED)
        self.out = {}

    def draw(self, *shape, spread=1.0, middle=0.0):
        return (middle + spread * torch.randn(shape, generator=self.generator, dtype=torch.float64)).float()

    def case(self, name, f, **inputs):
        """y = f(inputs), and the gradients of sum(y * dy) for a drawn dy."""
        leaves = {k: v.double().requires_grad_() for k, v in inputs.items()}
        y = f(**leaves)
        dy = self.draw(*y.shape)
        (y * dy.double()).sum().backward()
        for k, v in inputs.items():
            self.out[f"{name}.{k}"], self.out[f"{name}.d{k}"] = v, leaves[k].grad
        self.out[f"{name}.y"], self.out[f"{name}.dy"] = y.detach(), dy

    def ids(self, name, values):
        self.out[name] = torch.tensor(values, dtype=torch.int32)


def rotated(x, position):
    """x [T, H, D]: the pair (i, i + D/2) turned by position * 10000^(-2i/D), with plain 2 x 2 matrices."""
    half = x.shape[-1] // 2
    columns = [None] * (2 * half)
    for i in range(half):
        angle = torch.tensor(position, dtype=x.dtype) * 10000.0 ** (-i / half)
        c, s = angle.cos()[:, None], angle.sin()[:, None]
        columns[i], columns[half + i] = x[..., i] * c - x[..., half + i] * s, x[..., i] * s + x[..., half + i] * c
    return torch.stack(columns, -1)


def packed_attention(q, k, v, lengths, rows):
    """Attention of PyTorch over each sequence alone, then the asked rows."""
    begin, out = 0, []
    for n in lengths:
        asked = [r for r in rows if begin <= r < begin + n]
        for r in asked:
            one = lambda t, a, b: t[a:b].transpose(0, 1)[None]
            at = rows.index(r)
            y = F.scaled_dot_product_attention(one(q, at, at + 1), one(k, begin, r + 1), one(v, begin, r + 1))
            out.append(y[0].transpose(0, 1))
        begin += n
    return torch.cat(out)


def operations():
    o = Operations()
    scale = lambda: o.draw(24, middle=1, spread=.3)
    o.case("rms_norm", lambda x, w: F.rms_norm(x, (24,), w, 1e-5), x=o.draw(5, 24, spread=2), w=scale())
    o.case("layer_norm", lambda x, w, b: F.layer_norm(x, (24,), w, b, 1e-5), x=o.draw(5, 24, middle=.5), w=scale(),
           b=o.draw(24))
    o.case("swiglu", lambda x: F.silu(x[:, :19]) * x[:, 19:], x=o.draw(3, 38, spread=3))
    o.case("gelu", lambda x: F.gelu(x, approximate="tanh"), x=o.draw(65, spread=2.5))
    position = [0, 1, 2, 3, 0, 1, 0, 30, 7]
    o.ids("rope.position", position)
    o.case("rope", lambda x: rotated(x, position), x=o.draw(9, 2, 12))
    lengths, tokens = [4, 0, 1, 5], 10
    o.ids("attention.lengths", lengths)
    cases = ("attention.some", [0, 2, 4, 7, 9], 2, 24), ("attention.all", list(range(tokens)), 3, 8)
    for name, rows, heads, width in cases:
        o.ids(name + ".rows", rows)
        o.case(name, lambda q, k, v: packed_attention(q, k, v, lengths, rows), q=o.draw(len(rows), heads, width),
               k=o.draw(tokens, heads, width), v=o.draw(tokens, heads, width))
    target = [3, 0, 12, 3, 7, 1]
    o.ids("linear_cross_entropy.target", target)
    o.case("linear_cross_entropy", lambda h, w: F.cross_entropy(h @ w.T, torch.tensor(target), reduction="none"),
           h=o.draw(6, 10), w=o.draw(13, 10))
    adam(o)
    save("operations", o.out, {})


def adam(o):
    """Five steps of torch.optim on given gradients: dense with and without decay and clipping, and rows of a table."""
    rates = [1e-2 / (1 + i) for i in range(5)]
    start, gradients = o.draw(7, 3), o.draw(5, 7, 3, spread=.5)
    o.out["adam.rates"] = torch.tensor(rates, dtype=torch.float64)
    o.out["adam.p"], o.out["adam.g"] = start, gradients
    for name, kind, decay in (("adam", torch.optim.Adam, 0.0), ("adamw", torch.optim.AdamW, 0.1)):
        p = start.double().requires_grad_()
        optimizer, norms = kind([p], weight_decay=decay), []
        for rate, g in zip(rates, gradients.double()):
            optimizer.param_groups[0]["lr"] = rate
            p.grad = g.clone()
            norms.append(torch.nn.utils.clip_grad_norm_([p], CLIP if decay else math.inf))
            optimizer.step()
        o.out[name + ".after"], o.out[name + ".norms"] = p.detach(), torch.stack(norms)
    # SparseAdam adds eps before the bias correction and AdamW after it: with an eps of nothing the two are one.
    table, ids, rows = o.draw(6, 4), [[1, 4, 1], [4, 0, 0], [5, 5, 5], [1, 0, 2], [4, 2, 1]], o.draw(5, 3, 4)
    p = table.double().requires_grad_()
    optimizer = torch.optim.SparseAdam([p], eps=1e-30)
    for rate, at, g in zip(rates, ids, rows.double()):
        optimizer.param_groups[0]["lr"] = rate
        p.grad = torch.sparse_coo_tensor(torch.tensor([at]), g, (6, 4), check_invariants=True)
        optimizer.step()
    o.ids("adam_rows.ids", ids)
    o.out["adam_rows.p"], o.out["adam_rows.g"], o.out["adam_rows.after"] = table, rows, p.detach()


# --- models ----------------------------------------------------------------------------------------------------------


def rate(step):
    cosine = LEAST + (PEAK - LEAST) * 0.5 * (1 + math.cos(math.pi * step / STEPS))
    return cosine * min(1.0, (step + 1) / WARMUP)


def training(model, batches):
    """Losses and gradient norms of STEPS steps that go round the batches."""
    optimizer = torch.optim.AdamW(model.p.values(), weight_decay=DECAY)
    losses, norms = [], []
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = rate(step)
        loss = model.nll(batches[step % len(batches)]).mean()
        optimizer.zero_grad()
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.p.values(), CLIP))
        optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses), torch.stack(norms)


def run(options, weights, batches, dtype):
    """Everything to be compared, in one precision."""
    model = Model(options, weights, dtype)
    probabilities, nll = model.probabilities(batches[0]), model.nll(batches[0])
    assert torch.allclose(probabilities.sum(1), torch.ones((), dtype=dtype), atol=1e-6)
    gradients = torch.autograd.grad(nll.mean(), list(model.p.values()))
    losses, norms = training(Model(options, weights, dtype), batches)
    return dict(zip((f"gradient.{path}" for path in model.p), gradients), nll=nll.detach(),
                probabilities=probabilities.detach(), losses=losses, norms=norms)


def worst(a, b):
    """Largest difference relative to the value and its tensor's root mean square."""
    return ((a.double() - b).abs() / (b.abs() + b.square().mean().sqrt() + 1e-300)).max().item()


def model(name, options, batches, generator):
    weights = initial(options, generator)
    exact, single = run(options, weights, batches, torch.float64), run(options, weights, batches, torch.float32)
    rounding = max(worst(single[k], exact[k]) for k in exact)
    assert rounding < 1e-5, rounding  # a tolerance of 1e-4 in the tests leaves room for another order of sums
    tensors = dict(weights, **exact)
    tensors.update({"f32.nll": single["nll"], "f32.losses": single["losses"]})
    for i, batch in enumerate(batches):
        tensors.update({f"batch.{i}.{column}": values for column, values in batch.columns().items()})
    print(f"  losses {' '.join('%.4f' % v for v in exact['losses'])} | f32 off by {rounding:.1e} | norms "
          f"{exact['norms'].min():.2f} to {exact['norms'].max():.2f}")
    save(name, tensors, dict(options.metadata(), batches=len(batches), steps=STEPS, peak=PEAK, least=LEAST,
                             warmup=WARMUP, weight_decay=DECAY, clip=CLIP))


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    operations()
    batches, generator = make_batches(SEED), torch.Generator().manual_seed(SEED + 1)
    model("spacetime_gr", Options(24, "llama", "plain"), batches, generator)
    model("spacetime_gr_gpt", Options(12, "gpt", "plain"), batches, generator)
    model("spacetime_gr_pointer", Options(12, "llama", "pointer"), batches, generator)


if __name__ == "__main__":
    main()

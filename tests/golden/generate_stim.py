#!/usr/bin/env python3
"""Writes the golden values of STIM (Hu et al., "Dynamic Forgetting and Spatio-Temporal Periodic Interest Modeling for
Local-Life Service Recommendation"): stim_mask, stim_query_moe, stim_hmin and stim .safetensors.

    PYTHON tests/golden/generate_stim.py        any interpreter that has torch; seconds on one thread, seed 20250801

Inputs and parameters are f32, so that both types hold them; results and gradients are f64 and computed in f64.
u8 tensors are flags or letters. Names begin with the part, as "mask."; below, [] are shapes, B rows, k behaviours
kept, 3 materials (hour, week, geohash, in this order), 5 queries, H heads. Sizes and constants are in the metadata.

Conventions of all files. Behaviours are ordered from the oldest to the newest; padding is in FRONT, and what stands
there (flags, keys, times) must not matter. Position time: t = behaviours back from the newest, which has t = 0 (so
t = k - 1 - index). A review point has its own level already (t = t_last), also where it is the newest behaviour.
"X.gradient.P" is the gradient of sum(X.out * X.d_out) with respect to P, except in stim, where it is that of the loss.

stim_mask: one curve a material.
    mask.valid [B, k] u8, mask.review [B, 3, k] u8    rows: full; padded, the newest a review, flags on padding; full,
                                                      no reviews of one material and nothing but reviews of another;
                                                      one behaviour; nothing but padding; random
    mask.elapsed [B, k]                               days before the request, the t of elapsed time
    mask.r_init, .r_final, .s, .i [3]                 by material
    mask.d_out [B, 3, k]
    mask.FORM.TIME.curve [B, 3, k]                    R(t) before scaling, 0 for padding
    mask.FORM.TIME.out [B, 3, k]                      min-max over valid behaviours; padding 0; a constant curve 1
    mask.FORM.TIME.gradient.NAME [3]                  NAME: r_init, r_final, s, i
  with FORM exponential, power, logarithm, or exponential_logistic (a logistic function after the scaling, padding
  still 0; no curve) and TIME position, elapsed. With x = t / s before the first review and, after the n-th,
  x = (t - t_last)(1 + n i) / s: exp(-x), (1 + c x)^m, a - b ln(x + c), times R_n after a review; never cut at 0.

stim_query_moe: X is hour, week, location and item one after another.
    moe.x_hour, .x_week, .x_location, .x_item [B, width]; moe.holiday [B] u8; moe.alpha [1]
    moe.expert.E.L.weight [out, in], .bias [out]      E: time, location, item (of X); hour, week (of the time expert)
    moe.gate.G.L.weight, .bias                        G: hour, week, location, item (of their part); ends in a sigmoid
                                                      L: 0, 1, 2 (hidden widths 8 and 4, ReLU after 0 and 1)
    moe.out [B, 5, d_q], moe.d_out                    queries: sum; hour x item; week x item; location x item;
                                                      time x location, time being T = weighted hour + weighted week
    moe.gradient.P                                    of every parameter, and of x_hour, x_week, x_location, x_item

stim_hmin: temperature 1, one softmax for all heads.
    hmin.q [B, 5, d_q], hmin.keys [B, k, d_k], hmin.mask [B, 3, k]
    hmin.valid [B, k] u8                              one row has none valid: its output is 0
    hmin.query.L.weight, .bias                        L: 0, 1 (hidden width 32), one for all queries
    hmin.head.h.L.weight, .bias                       h: 0 .. H - 1, likewise
    hmin.out [B, 5 x 3 x H x d_k], hmin.d_out         query slowest, then material, head, key
    hmin.gradient.P                                   of every parameter, and of q, keys, mask (0 at padding)

stim: the whole, from numbers to logit; its own parameters and gradients, and what lies between.
    batch.item, .category, .user, .hour, .weekday, .cell [B] i32    the target, the user and the request (Monday 0);
                                                      cell is the row of the request's geohash in its table
    batch.geohash [B, 6] u8                           the request's geohash6 in letters; row 0 is the paper's example
    batch.holiday [B] u8, batch.numeric [B, 2], batch.label [B] u8
    batch.behaviour_item, ._category, ._hour, ._weekday [B, k] i32, .behaviour_geohash [B, k, 6] u8
    batch.valid [B, k] u8
    batch.review [B, 3, k] u8                         same group as the request, from the hours, weekdays and geohashes
    embedding.item, .category, .user, .hour, .weekday, .cell [rows, width]
    curve.r_init, .r_final, .s, .i [3]                trained like the rest; position time, exponential
    mask_layer.NAME.weight [k, k], .bias [k]          NAME: hour, week, geohash; M' = weight M + bias, no activation;
                                                      M is the mask with 0 at padding
    moe.*, hmin.*                                     parameters as above
    head.L.weight, .bias                              L: 0, 1 (hidden width 4), output 1
    between.keys [B, k, d_k]                          item, category of each behaviour one after another
    between.x_hour, .x_week, .x_location, .x_item     rows of embedding.hour, .weekday, .cell; item then category
    between.mask, between.mask_layer [B, 3, k], between.q [B, 5, d_q], between.hmin [B, 5 x 3 x H x d_k]
    between.head_input [B, .]                         hmin, x_hour, x_week, x_location, x_item, user, numeric
    logit [B], loss [1]                               mean binary cross-entropy of the logits
    gradient.P                                        of every parameter
    losses [4]                                        before each of three AdamW steps, and after them; rate, betas, eps
                                                      and decoupled decay (of every parameter): metadata

Run it again, and commit the files, when a definition changes; never to make a test pass.
"""
import os

import torch
import torch.nn.functional as F

import golden_stim as stim
import safetensors_file

SEED = 20250801
HERE = os.path.dirname(os.path.abspath(__file__))
RATE, BETAS, EPS, DECAY = 1e-2, (0.9, 0.999), 1e-8, 0.01
GENERATOR = torch.Generator().manual_seed(SEED)


def draw(*shape, spread=1.0, middle=0.0):
    return (middle + spread * torch.randn(shape, generator=GENERATOR, dtype=torch.float64)).float()


def whole(below, *shape):
    return torch.randint(below, shape, generator=GENERATOR, dtype=torch.int32)


def parameters(shapes):
    """Weights of the size that keeps a layer's output at the size of its input, other vectors small."""
    return {p: draw(*s, spread=1.4 / s[1] ** 0.5 if len(s) == 2 else 0.3) for p, s in shapes.items()}


def flags(rows):
    return torch.tensor(rows, dtype=torch.uint8)


def save(name, tensors, metadata):
    path = os.path.join(HERE, name + ".safetensors")
    safetensors_file.write(path, tensors, dict(metadata, seed=SEED))
    print(f"{name}: {len(tensors)} tensors, {os.path.getsize(path)} bytes")


def worst(a, b):
    return ((a.double() - b.double()).abs().max() / (b.double().abs().max() + 1e-300)).item()


def run(f, inputs, d_out, dtype):
    """out = f(inputs), and the gradients of sum(out * d_out) by the names of the inputs."""
    leaves = {k: v.detach().clone().to(dtype).requires_grad_() for k, v in inputs.items()}
    out = f(leaves)
    (out * d_out.to(dtype)).sum().backward()
    zero = lambda v: torch.zeros_like(v) if v.grad is None else v.grad
    return dict({"gradient." + k: zero(v) for k, v in leaves.items()}, out=out.detach())


def both(prefix, f, inputs, d_out):
    """In f64, after a look at f32: where rounding decides on a side of a kink, a golden value says nothing."""
    stim.margins.clear()
    exact, single = run(f, inputs, d_out, torch.float64), run(f, inputs, d_out, torch.float32)
    rounding = max(worst(single[k], exact[k]) for k in exact)
    assert rounding < 2e-5, (prefix, rounding)
    assert not stim.margins or min(stim.margins) > 1e-5, min(stim.margins)
    print(f"  {prefix} f32 off by {rounding:.1e}, nearest kink {min(stim.margins, default=1):.1e}")
    return {prefix + k: v for k, v in exact.items()}


# --- parts -----------------------------------------------------------------------------------------------------------


def mask_rows():
    k = 8
    valid = flags([[1] * k, [0] * 3 + [1] * 5, [1] * k, [0] * 7 + [1], [0] * k, [0, 0] + [1] * 6])
    review = whole(2, 6, 3, k).to(torch.uint8)
    review[0] = flags([[0, 1, 0, 0, 1, 0, 1, 0], [1, 0, 0, 0, 0, 1, 1, 0], [0, 0, 1, 0, 0, 0, 0, 0]])
    review[1] = flags([[1, 1, 1, 0, 0, 1, 0, 1], [1, 0, 1, 1, 0, 0, 0, 1], [0, 1, 0, 1, 1, 1, 1, 1]])
    review[2, 0], review[2, 1] = 0, 1
    review[3, 0, -1], review[3, 1, -1], review[3, 2, -1] = 0, 1, 0
    ages = torch.rand((6, k), generator=GENERATOR, dtype=torch.float64) * 6
    return valid, review, ages.flip(-1).cumsum(-1).flip(-1).float()


def mask_file():
    valid, review, elapsed = mask_rows()
    p = {"r_init": torch.tensor([.4, .35, .45]), "r_final": torch.tensor([.9, .85, .95]),
         "s": torch.tensor([5., 8., 20.]), "i": torch.tensor([2., 1.5, .5])}
    d_out = draw(6, 3, 8)
    out = {"mask.valid": valid, "mask.review": review, "mask.elapsed": elapsed, "mask.d_out": d_out}
    out |= {"mask." + n: v for n, v in p.items()}
    for time in ("position", "elapsed"):
        times = lambda dtype: elapsed.to(dtype) if time == "elapsed" else stim.positions(valid, dtype)
        for form in stim.FORMS:
            for after in ("", "_logistic")[:2 if form == "exponential" else 1]:
                f = lambda q: stim.masks(valid, review, times(q["s"].dtype), q, form, bool(after))[1]
                out |= both(f"mask.{form}{after}.{time}.", f, p, d_out)
            exact = {n: v.double() for n, v in p.items()}
            out[f"mask.{form}.{time}.curve"] = stim.masks(valid, review, times(torch.float64), exact, form)[0]
    check_mask(out)
    save("stim_mask", out, dict(power_c=stim.POWER_C, power_m=stim.POWER_M, log_a=stim.LOG_A, log_b=stim.LOG_B,
                                log_c=stim.LOG_C))


def check_mask(out):
    """Row 0, week: reviews at positions back 1, 2 and 7 of a curve with .35, .85, 8 and 1.5, by hand."""
    e = lambda x: 2.718281828459045 ** -x
    levels, first, second = (.85, .6, .35), (1 + 1.5) / 8, (1 + 3) / 8
    hand = [levels[2]] + [levels[1] * e(second * u) for u in (4, 3, 2, 1, 0)] + [levels[0], 1]
    got = out["mask.exponential.position.curve"][0, 1].tolist()
    assert max(abs(a - b) for a, b in zip(hand, got)) < 1e-6, (hand, got)  # .35 and .85 are f32
    low, high = min(hand), max(hand)
    scaled = out["mask.exponential.position.out"][0, 1].tolist()
    assert max(abs((a - low) / (high - low) - b) for a, b in zip(hand, scaled)) < 1e-6
    assert first != second and out["mask.exponential.position.out"][4].abs().max() == 0
    assert (out["mask.exponential.position.out"][3, :, -1] == 1).all()


def moe_file():
    widths, d_q, rows = dict(hour=3, week=2, location=3, item=4), 5, 4
    x = {f"x_{part}": draw(rows, w) for part, w in widths.items()}
    p = parameters(stim.query_shapes("", *widths.values(), d_q))
    p["alpha"], holiday, d_out = torch.tensor([.7]), flags([0, 1, 0, 1]), draw(rows, 5, d_q)
    f = lambda v: stim.query_moe(v, "", {part: v["x_" + part] for part in widths}, holiday.to(v["x_hour"].dtype))
    out = both("moe.", f, p | x, d_out) | {"moe." + k: v for k, v in (p | x).items()}
    save("stim_query_moe", out | {"moe.holiday": holiday, "moe.d_out": d_out}, dict(d_q=d_q))


def hmin_file():
    rows, k, d_q, d_k, heads = 3, 5, 5, 4, 2
    valid = flags([[1] * k, [0, 0, 1, 1, 1], [0] * k])
    data = dict(q=draw(rows, 5, d_q), keys=draw(rows, k, d_k), mask=draw(rows, 3, k, middle=.5))
    p, d_out = parameters(stim.hmin_shapes("", d_q, d_k, heads)), draw(rows, 5 * 3 * heads * d_k)
    f = lambda v: stim.hmin(v, "", v["q"], v["keys"], v["mask"], valid, heads).flatten(1)
    out = both("hmin.", f, p | data, d_out) | {"hmin." + name: v for name, v in (p | data).items()}
    save("stim_hmin", out | {"hmin.valid": valid, "hmin.d_out": d_out}, dict(heads=heads))


# --- the whole -------------------------------------------------------------------------------------------------------

K, D_Q, HEADS = 6, 4, 2
TABLES = dict(item=(9, 3), category=(4, 2), user=(5, 2), hour=(24, 2), weekday=(7, 2), cell=(6, 3))
CELLS = ("wmpp2u", "wmpp2v", "wx4g0b", "w3gvd1", "u33dc0", "wtw3sj")


def letters(cells):
    return torch.tensor([[ord(c) for c in cell] for cell in cells], dtype=torch.uint8)


def make_batch():
    rows, lengths = 5, (K, 4, 1, 0, 5)
    valid = flags([[0] * (K - n) + [1] * n for n in lengths])
    b = {name: whole(TABLES[name][0], rows) for name in TABLES}
    b["hour"][0], b["weekday"][0], b["cell"][0] = 12, 1, 0  # the paper's example: a Tuesday at 12:00 in wmpp2u
    past = {name: whole(TABLES[name][0], rows, K) * valid for name in ("item", "category", "hour", "weekday", "cell")}
    request = lambda r: (b["hour"][r].item(), b["weekday"][r].item(), CELLS[b["cell"][r]])
    behaviour = lambda r, l: (past["hour"][r, l].item(), past["weekday"][r, l].item(), CELLS[past["cell"][r, l]])
    review = torch.zeros(rows, 3, K, dtype=torch.uint8)
    for r in range(rows):
        for l in range(K):
            alike = zip(stim.groups(*request(r)), stim.groups(*behaviour(r, l)))
            review[r, :, l] = flags([valid[r, l].item() and x == y for x, y in alike])
    where = letters([CELLS[c] for c in past.pop("cell").flatten().tolist()]).reshape(rows, K, 6) * valid[..., None]
    b |= {"behaviour_" + name: v.int() for name, v in past.items()}
    return b | dict(valid=valid, review=review, behaviour_geohash=where, numeric=draw(rows, 2),
                    geohash=letters([CELLS[c] for c in b["cell"].tolist()]), holiday=flags([0, 1, 0, 1, 0]),
                    label=flags([1, 0, 1, 0, 0]))


def model_parameters():
    width = {name: w for name, (_, w) in TABLES.items()}
    item = width["item"] + width["category"]
    shapes = {"embedding." + name: shape for name, shape in TABLES.items()}
    shapes |= {f"mask_layer.{m}.{what}": (K, K)[:n] for m in stim.MATERIALS for what, n in (("weight", 2), ("bias", 1))}
    shapes |= stim.query_shapes("moe.", width["hour"], width["weekday"], width["cell"], item, D_Q)
    shapes |= stim.hmin_shapes("hmin.", D_Q, item, HEADS)
    context = width["hour"] + width["weekday"] + width["cell"] + item + width["user"] + 2
    shapes |= stim.dnn_shapes("head", (5 * 3 * HEADS * item + context, 4, 1))
    p = parameters(shapes)
    curve = dict(r_init=[.4] * 3, r_final=[.9] * 3, s=[4., 6., 5.], i=[2., 1., .5])
    return p | {"curve." + n: torch.tensor(v) for n, v in curve.items()}


def forward(p, b):
    dtype, row = p["embedding.item"].dtype, lambda name, ids: p["embedding." + name][ids.long()]
    pair = lambda prefix: torch.cat([row("item", b[prefix + "item"]), row("category", b[prefix + "category"])], -1)
    x = dict(hour=row("hour", b["hour"]), week=row("weekday", b["weekday"]), location=row("cell", b["cell"]),
             item=pair(""))
    mask = stim.masks(b["valid"], b["review"], stim.positions(b["valid"], dtype),
                      {n: p["curve." + n] for n in stim.CURVE})[1]
    layered = torch.stack([mask[:, m] @ p[f"mask_layer.{name}.weight"].T + p[f"mask_layer.{name}.bias"]
                           for m, name in enumerate(stim.MATERIALS)], 1)
    keys, q = pair("behaviour_"), stim.query_moe(p, "moe.", x, b["holiday"].to(dtype))
    pooled = stim.hmin(p, "hmin.", q, keys, layered, b["valid"], HEADS).flatten(1)
    head = torch.cat([pooled, *x.values(), row("user", b["user"]), b["numeric"].to(dtype)], -1)
    logit = stim.dnn(p, "head", head)[:, 0]
    between = dict(keys=keys, mask=mask, mask_layer=layered, q=q, hmin=pooled, head_input=head)
    return logit, between | {"x_" + part: v for part, v in x.items()}


def train(start, b, dtype):
    p = {k: v.detach().clone().to(dtype).requires_grad_() for k, v in start.items()}
    logit, between = forward(p, b)
    loss = lambda: F.binary_cross_entropy_with_logits(forward(p, b)[0], b["label"].to(dtype))
    optimizer, losses = torch.optim.AdamW(p.values(), RATE, BETAS, EPS, weight_decay=DECAY), []
    for _ in range(3):
        optimizer.zero_grad(set_to_none=False)
        losses.append(loss())
        losses[-1].backward()
        if len(losses) == 1:
            gradients = {"gradient." + k: v.grad.clone() for k, v in p.items()}
        optimizer.step()
    losses.append(loss())
    out = {"logit": logit, "loss": losses[0][None], "losses": torch.stack(losses)}
    return {k: v.detach() for k, v in (out | gradients | {"between." + k: v for k, v in between.items()}).items()}


def whole_file():
    b, p = make_batch(), model_parameters()
    stim.margins.clear()
    exact, single = train(p, b, torch.float64), train(p, b, torch.float32)
    rounding = max(worst(single[k], exact[k]) for k in exact)
    assert rounding < 2e-4 and min(stim.margins) > 1e-5, (rounding, min(stim.margins))
    print(f"  stim losses {' '.join('%.6f' % v for v in exact['losses'])} | f32 off by {rounding:.1e}, nearest kink "
          f"{min(stim.margins):.1e}")
    save("stim", p | exact | {"batch." + k: v for k, v in b.items()},
         dict(heads=HEADS, d_q=D_Q, rate=RATE, beta1=BETAS[0], beta2=BETAS[1], eps=EPS, weight_decay=DECAY))


def paper_example():
    """The numbers are of no consequence, only who shares a group; still, the paper's do not all fit its lists."""
    got = stim.groups(12, 1, "wmpp2u")
    print("Tuesday 12:00, wmpp2u: hour group %d (midday), week group %d (weekday), geohash group %d (w + k-z)" % got)
    print("  the paper says 2, 1 and 2: its second geohash group must be w + k-z, though its list names that one third")
    assert got == (2, 1, 3)


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    paper_example()
    mask_file()
    moe_file()
    hmin_file()
    whole_file()


if __name__ == "__main__":
    main()

"""STIM's parts in PyTorch, written from the formulas: one row, one material, one query and one head at a time.

Parameters are a dict of path -> tensor; a DNN at a path has layers `path.0`, `path.1`, ... of `weight` [out, in] and
`bias` [out], with ReLU between them.
"""
import torch

MATERIALS = ("hour", "week", "geohash")
QUERIES, MATERIAL_COUNT = 5, len(MATERIALS)
CURVE = ("r_init", "r_final", "s", "i")
POWER_C, POWER_M = 0.7, -0.8               # (1 + c x)^m
LOG_A, LOG_B, LOG_C = 1.1, 0.25, 1.3       # a - b ln(x + c)
FORMS = dict(exponential=lambda x: torch.exp(-x), power=lambda x: (1 + POWER_C * x) ** POWER_M,
             logarithm=lambda x: LOG_A - LOG_B * torch.log(x + LOG_C))


# --- groups, as the paper has them -----------------------------------------------------------------------------------


def hour_group(hour):
    return 1 if 3 <= hour <= 10 else 2 if 11 <= hour <= 16 else 3


def week_group(weekday):
    """weekday: Monday 0."""
    return 1 if weekday < 5 else 2


def geohash_group(cell):
    return 1 if cell[0] != "w" else 2 if cell[1] <= "j" else 3


def groups(hour, weekday, cell):
    return hour_group(hour), week_group(weekday), geohash_group(cell)


# --- forgetting mask -------------------------------------------------------------------------------------------------


def curve(valid, review, t, p, form):
    """One row and material, walked from the newest behaviour to the oldest: the retention of each valid one, or None.

    p: r_init, r_final, s, i as scalars. A review point has its own level already: R_i at t = t_last."""
    reviews = sum(1 for v, r in zip(valid, review) if v and r)
    out, i, last, level, rate = [None] * len(valid), 0, 0, 1, 1 / p["s"]
    for at in reversed(range(len(valid))):
        if not valid[at]:
            continue
        if review[at]:
            i, last = i + 1, t[at]
            level = p["r_final"]
            if reviews > 1:
                level = level - (p["r_final"] - p["r_init"]) * (i - 1) / (reviews - 1)
            rate = (1 + i * p["i"]) / p["s"]
        out[at] = level * FORMS[form]((t[at] - last) * rate)
    return out


def scaled(retention, logistic):
    """Min-max over the valid behaviours; 1 where they are all alike; 0 for padding."""
    known = [r for r in retention if r is not None]
    if not known:
        return torch.zeros(len(retention))
    zero = torch.zeros_like(known[0])
    low, high = torch.stack(known).amin(), torch.stack(known).amax()
    one = lambda r: (r - low) / (high - low) if high > low else torch.ones_like(r)
    squash = torch.sigmoid if logistic else lambda x: x
    return torch.stack([zero if r is None else squash(one(r)) for r in retention])


def masks(valid, review, t, p, form="exponential", logistic=False):
    """valid [B, k], review [B, 3, k], t [B, k], p: path -> [3]. Retention and mask, [B, 3, k] each; 0 for padding."""
    curves, out = [], []
    for b in range(len(valid)):
        for m in range(MATERIAL_COUNT):
            r = curve(valid[b].tolist(), review[b, m].tolist(), t[b], {n: p[n][m] for n in CURVE}, form)
            curves.append(torch.stack([t.new_zeros(()) if v is None else v for v in r]))
            out.append(scaled(r, logistic).to(t.dtype))
    shape = (len(valid), MATERIAL_COUNT, valid.shape[1])
    return torch.stack(curves).reshape(shape), torch.stack(out).reshape(shape)


def positions(valid, dtype):
    """[B, k] behaviours back from the newest one, which is 0."""
    k = valid.shape[1]
    return torch.arange(k - 1, -1, -1, dtype=dtype).expand(valid.shape).clone()


# --- networks --------------------------------------------------------------------------------------------------------

margins = []  # how near the hidden layers came to the kink of ReLU


def dnn(p, path, x):
    layer = 0
    while f"{path}.{layer}.weight" in p:
        if layer:
            margins.append(x.detach().abs().min().item())
            x = x.relu()
        x = x @ p[f"{path}.{layer}.weight"].T + p[f"{path}.{layer}.bias"]
        layer += 1
    return x


def dnn_shapes(path, widths):
    """path -> shape, of a DNN with these widths from input to output."""
    out = {}
    for layer, (inner, outer) in enumerate(zip(widths, widths[1:])):
        out[f"{path}.{layer}.weight"], out[f"{path}.{layer}.bias"] = (outer, inner), (outer,)
    return out


def query_shapes(prefix, hour, week, loc, item, d_q):
    whole, shapes = hour + week + loc + item, {prefix + "alpha": (1,)}
    experts = dict(time=whole, location=whole, item=whole, hour=d_q, week=d_q)
    for name, inner in experts.items():
        shapes |= dnn_shapes(f"{prefix}expert.{name}", (inner, 8, 4, d_q))
    for name, inner in dict(hour=hour, week=week, location=loc, item=item).items():
        shapes |= dnn_shapes(f"{prefix}gate.{name}", (inner, 8, 4, d_q))
    return shapes


def query_moe(p, prefix, x, holiday):
    """x: part -> [B, width] for hour, week, location, item; holiday [B]. The five queries, [B, 5, d_q]."""
    whole = torch.cat([x["hour"], x["week"], x["location"], x["item"]], -1)
    expert = lambda name, v: dnn(p, f"{prefix}expert.{name}", v)
    gate = lambda name: torch.sigmoid(dnn(p, f"{prefix}gate.{name}", x[name]))
    h_time = expert("time", whole)
    hour = gate("hour") * expert("hour", h_time)
    week = (gate("week") + p[prefix + "alpha"] * holiday[:, None]) * expert("week", h_time)
    location, item = gate("location") * expert("location", whole), gate("item") * expert("item", whole)
    time = hour + week
    return torch.stack([time + location + item, hour * item, week * item, location * item, time * location], 1)


def hmin_shapes(prefix, d_q, d_k, heads):
    shapes = dnn_shapes(prefix + "query", (d_q, 32, d_k))
    for h in range(heads):
        shapes |= dnn_shapes(f"{prefix}head.{h}", (d_k, 32, d_k))
    return shapes


def unit(x):
    return x / x.square().sum(-1, keepdim=True).sqrt()


def hmin(p, prefix, queries, keys, mask, valid, heads):
    """queries [B, 5, d_q], keys [B, k, d_k], mask [B, 3, k]; [B, 5, 3, heads, d_k], 0 where nothing is valid."""
    rows = []
    for b in range(len(keys)):
        at = [l for l in range(keys.shape[1]) if valid[b, l]]
        if not at:
            rows.append(keys.new_zeros(QUERIES, MATERIAL_COUNT, heads, keys.shape[2]))
            continue
        kept = keys[b, at]
        deep = [dnn(p, f"{prefix}head.{h}", kept) for h in range(heads)]
        cosine = [unit(kept) @ unit(dnn(p, prefix + "query", queries[b, q])) for q in range(QUERIES)]
        weight = lambda q, m: torch.softmax(cosine[q] * mask[b, m, at], 0)
        rows.append(torch.stack([torch.stack([torch.stack([weight(q, m) @ d for d in deep])
                                              for m in range(MATERIAL_COUNT)]) for q in range(QUERIES)]))
    return torch.stack(rows)

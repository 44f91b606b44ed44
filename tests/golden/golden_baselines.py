"""The baselines that stand beside STIM in PyTorch, written from their formulas: one sample, one head, one behaviour at a
time.

Parameters are a dict of path -> tensor. A sample is a Row: its request as one vector, the keys of the behaviours there are
(padding already gone), and what is known of them as Python numbers.
"""
import collections
import math

import torch

from golden_stim import dnn, margins

Row = collections.namedtuple("Row", "request keys places kept hour region items categories regions hours weekdays ages "
                                    "review")
HEADS, HIDDEN, AGE, AGE_BUCKETS, GAP_HIDDEN, MATERIALS, NEAR = 2, 5, 3, 16, 4, 2, 1


def clock(a, b):
    return min(abs(a - b), 24 - abs(a - b))


def layer(p, path, x):
    y = p[path + ".weight"] @ x
    return y + p[path + ".bias"] if path + ".bias" in p else y


def linear_shapes(path, outer, inner, bias):
    return {path + ".weight": (outer, inner)} | ({path + ".bias": (outer,)} if bias else {})


# --- attention of one request ----------------------------------------------------------------------------------------


def attention_shapes(prefix, request, key, heads=HEADS, value=True, width=None):
    width = width or key // heads
    shapes = {prefix + "query.weight": (heads * width, request), prefix + "key.weight": (heads * width, key)}
    return shapes | ({prefix + "value.weight": (key, key)} if value else {})


def of_head(p, path, h, heads):
    w = p[path + ".weight"]
    return w[h * len(w) // heads:(h + 1) * len(w) // heads]


def weights(p, prefix, request, keys, h, heads, bias=None):
    """Softmax over keys (a list of vectors) of head h."""
    q = of_head(p, prefix + "query", h, heads) @ request
    scores = [q @ (of_head(p, prefix + "key", h, heads) @ k) / math.sqrt(len(q)) for k in keys]
    if bias is not None:
        scores = [s + b for s, b in zip(scores, bias)]
    return torch.softmax(torch.stack(scores), 0)


def attend(p, prefix, request, keys, heads=HEADS, bias=lambda h: None):
    """Heads one after another; zeros over nothing."""
    if not len(keys):
        return request.new_zeros(p[prefix + "value.weight"].shape[0])
    out = []
    for h in range(heads):
        w = weights(p, prefix, request, keys, h, heads, bias(h))
        out.append(sum(a * (of_head(p, prefix + "value", h, heads) @ k) for a, k in zip(w, keys)))
    return torch.cat(out)


# --- the models: one row, and shapes(request, key, kept) -------------------------------------------------------------


def gsu_pooling(p, x, d):
    return sum(x.keys) / len(x.keys) if len(x.keys) else x.request.new_zeros(d)


def din(p, x, d):
    q, out = layer(p, "query", x.request), x.request.new_zeros(d)
    for k in x.keys:
        hidden = layer(p, "hidden", torch.cat([q, k, q - k, q * k]))
        margins.append(hidden.detach().abs().min().item())
        out = out + layer(p, "score", hidden.relu()) * k
    return out


def din_shapes(r, d, k):
    return linear_shapes("query", d, r, True) | linear_shapes("hidden", HIDDEN, 4 * d, True) | \
        linear_shapes("score", 1, HIDDEN, True)


def gru(p, path, inputs, d, share):
    h, states = p[path + ".candidate.bias"].new_zeros(d), []
    for x, a in zip(inputs, share):
        u_h, r_h, c_h = layer(p, path + ".from_state", h).split(d)
        u, r = torch.sigmoid(layer(p, path + ".update", x) + u_h), torch.sigmoid(layer(p, path + ".reset", x) + r_h)
        c = torch.tanh(layer(p, path + ".candidate", x) + r * c_h)
        u = a * u
        h = (1 - u) * h + u * c
        states.append(h)
    return states


def dien(p, x, d):
    if not len(x.keys):
        return x.request.new_zeros(d)
    h = gru(p, "extractor", x.keys, d, [1.0] * len(x.keys))
    q = layer(p, "query", x.request)
    return gru(p, "evolution", h, d, torch.softmax(torch.stack([v @ q for v in h]), 0))[-1]


def dien_shapes(r, d, k):
    shapes = linear_shapes("query", d, r, True)
    for path in ("extractor", "evolution"):
        for gate in (".update", ".reset", ".candidate"):
            shapes |= linear_shapes(path + gate, d, d, True)
        shapes |= linear_shapes(path + ".from_state", 3 * d, d, False)
    return shapes


def sim(p, x, d):
    """Age buckets: doubling hours, the first below one hour."""
    if not len(x.keys):
        return x.request.new_zeros(HEADS * (d + AGE))
    z = []
    for k, days in zip(x.keys, x.ages):
        bucket = 0
        while bucket < AGE_BUCKETS - 1 and days * 24 >= 2 ** (bucket + 1) - 1:
            bucket += 1
        z.append(torch.cat([k, p["ages.weight"][bucket]]))
    return torch.cat([sum(a * v for a, v in zip(weights(p, "", x.request, z, h, HEADS), z)) for h in range(HEADS)])


def sim_shapes(r, d, k):
    return {"ages.weight": (AGE_BUCKETS, AGE)} | attention_shapes("", r, d + AGE, value=False, width=d // HEADS)


def twin_v2(p, x, d):
    clusters = collections.defaultdict(list)
    for item, category, k in zip(x.items, x.categories, x.keys):
        again = item != 0 and x.items.count(item) > 1
        clusters[("item", item) if again else ("category", category)].append(k)
    means = [sum(c) / len(c) for c in clusters.values()]
    sizes = [math.log(len(c)) for c in clusters.values()]
    return attend(p, "", x.request, means, bias=lambda h: sizes)


def interest_clock(p, x, d):
    out = x.request.new_zeros(d)
    for hour in range(24):
        there = [k for k, h in zip(x.keys, x.hours) if h == hour]
        if there:
            out = out + math.exp(-clock(hour, x.hour) ** 2 / 2) / math.sqrt(2 * math.pi) * sum(there) / len(there)
    return out


def long_interest_clock(p, x, d):
    gaps = [layer(p, "gap", x.request.new_tensor([clock(h, x.hour) / 12])) for h in x.hours]
    margins.extend(g.detach().abs().min().item() for g in gaps)
    return attend(p, "", x.request, x.keys, bias=lambda h: [layer(p, "score", g.relu())[h] for g in gaps])


def long_interest_clock_shapes(r, d, k):
    return attention_shapes("", r, d) | linear_shapes("gap", GAP_HIDDEN, 1, True) | linear_shapes("score", HEADS, GAP_HIDDEN, False)


def fim(p, x, d):
    out = []
    for view in range(MATERIALS + 1):
        seen = [j for j in range(len(x.keys)) if view == 0 or x.review[view - 1][j]]
        series = x.request.new_zeros(x.kept, d)
        for j in seen:
            series[x.places[j]] = x.keys[j]
        w = torch.complex(p["real"][view], p["imaginary"][view])  # [d, F]
        filtered = [series[:, i] + torch.fft.irfft(w[i] * torch.fft.rfft(series[:, i]), n=x.kept) for i in range(d)]
        filtered = torch.stack(filtered, 1)
        out.append(attend(p, "", x.request, [filtered[x.places[j]] for j in seen]))
    return torch.cat(out)


def st_pil(p, x, d):
    days = [[k for k, w in zip(x.keys, x.weekdays) if w == day] for day in range(7)]
    near = [clock(h, x.hour) <= NEAR for h in x.hours]
    same = [g != 0 and g == x.region for g in x.regions]
    chosen = lambda flags: [k for k, f in zip(x.keys, flags) if f]
    sequences = [chosen(near), chosen(same), chosen([a and b for a, b in zip(near, same)])]
    interests = [attend(p, "near.", x.request, s, 1) for s in sequences if s]
    if len(x.keys):
        interests.append(attend(p, "daily.", x.request, [sum(c) / len(c) for c in days if c], 1))
    return attend(p, "levels.", x.request, interests, 1)


def st_pil_shapes(r, d, k):
    return {n: s for path in ("daily.", "near.", "levels.") for n, s in attention_shapes(path, r, d, 1).items()}


def multi_head_attention(p, x, d):
    return p["out.weight"] @ attend(p, "attention.", x.request, x.keys)


MODELS = dict(
    gsu_pooling=(gsu_pooling, lambda r, d, k: {}),
    din=(din, din_shapes),
    dien=(dien, dien_shapes),
    sim=(sim, sim_shapes),
    twin_v2=(twin_v2, lambda r, d, k: attention_shapes("", r, d)),
    interest_clock=(interest_clock, lambda r, d, k: {}),
    long_interest_clock=(long_interest_clock, long_interest_clock_shapes),
    fim=(fim, lambda r, d, k: attention_shapes("", r, d) | {n: (MATERIALS + 1, d, k // 2 + 1) for n in ("real", "imaginary")}),
    st_pil=(st_pil, st_pil_shapes),
    multi_head_attention=(multi_head_attention, lambda r, d, k: attention_shapes("attention.", r, d) |
                          linear_shapes("out", d, d, False)),
)

# --- heads and tasks -------------------------------------------------------------------------------------------------


def dnn_head(p, x):
    return torch.stack([dnn(p, "network", v) for v in x])


def mmoe_head(p, x, experts, tasks):
    rows = []
    for v in x:
        known = [dnn(p, f"expert.{e}", v) for e in range(experts)]
        logits = []
        for t in range(tasks):
            gate = torch.softmax(p["gate.weight"][t * experts:(t + 1) * experts] @ v, 0)
            logits.append(dnn(p, f"tower.{t}", sum(g * k for g, k in zip(gate, known))))
        rows.append(torch.cat(logits))
    return torch.stack(rows)


def task_probabilities(logits, product):
    ctr, second = torch.sigmoid(logits[:, 0]), torch.sigmoid(logits[:, 1])
    return torch.stack([ctr, ctr * second if product else second], 1)


def task_losses(probabilities, labels):
    return -(labels * probabilities.log() + (1 - labels) * torch.log1p(-probabilities))

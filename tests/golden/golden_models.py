"""The models once more, in PyTorch, one sequence and one asking action at a time: no packing, no padding."""
import math

import torch

from golden_batches import CATEGORIES, GEO_LEVELS, GEO_ROWS, PLACES, relations

BINS = dict(recency=20, hour=26, weekday=2, distance=16, follow=4)
TIME = dict(month=12, day=31, weekday=7, hour=24)


class Options:
    layers, heads, ffn, positions, eps = 2, 2, 12, 32, 1e-5
    pointer_heads, pointer_width = 3, 5

    def __init__(self, width, decoder, head):
        self.width, self.decoder, self.head = width, decoder, head

    def metadata(self):
        return dict(width=self.width, decoder=self.decoder, head=self.head, layers=self.layers, heads=self.heads,
                    feed_forward=self.ffn, positions=self.positions, places=PLACES, categories=CATEGORIES,
                    geo_rows=GEO_ROWS, pointer_heads=self.pointer_heads, pointer_width=self.pointer_width)


def shapes(o):
    """path -> (shape, spread, middle) of every parameter."""
    d, around = o.width, {}
    table = lambda path, *shape: around.__setitem__(path, (shape, 0.5, 0.0))
    linear = lambda path, out, inner: around.__setitem__(path + ".weight", ((out, inner), 1 / math.sqrt(inner), 0.0))
    vector = lambda path, n, middle: around.__setitem__(path, ((n,), 0.3, middle))
    for name, rows in TIME.items():
        table(f"encoder.time.{name}.weight", rows, d // 4)
    for level in range(GEO_LEVELS):
        table(f"encoder.geo.level.{level}.weight", GEO_ROWS, d // GEO_LEVELS)
    table("encoder.place.weight", PLACES, d)
    table("encoder.category.weight", CATEGORIES, d)
    vector("encoder.fusion", 3, 0.0)
    gpt = o.decoder == "gpt"
    if gpt:
        table("decoder.position.weight", o.positions, d)
    norms, linears = ["decoder.norm"], []
    for i in range(o.layers):
        at = f"decoder.blocks.{i}."
        norms += [at + "norm1", at + "norm2"]
        linears += [(at + "attn.qkv", 3 * d, d), (at + "attn.out", d, d)]
        linears += [(at + "ffn.up", o.ffn, d)] if gpt else [(at + "ffn.gate_up", 2 * o.ffn, d)]
        linears += [(at + "ffn.down", d, o.ffn)]
    for path, out, inner in linears:
        linear(path, out, inner)
        if gpt:
            vector(path + ".bias", out, 0.0)
    for path in norms:
        vector(path + ".weight", d, 1.0)
        if gpt:
            vector(path + ".bias", d, 0.0)
    linear("head.vocabulary", PLACES, d)
    if o.head == "pointer":
        linear("head.query", o.pointer_heads * o.pointer_width, d)
        linear("head.key", o.pointer_heads * o.pointer_width, d)
        linear("head.gate", 1 + o.pointer_heads, d)
        vector("head.gate.bias", 1 + o.pointer_heads, 0.0)
        for name, bins in BINS.items():
            table(f"head.{name}", bins, o.pointer_heads)
    return around


def initial(o, generator):
    """Weights that f32 holds exactly, so that every precision starts from the same point."""
    draw = lambda shape: torch.randn(shape, generator=generator, dtype=torch.float64)
    return {path: (middle + spread * draw(shape)).float() for path, (shape, spread, middle) in shapes(o).items()}


class Model:
    def __init__(self, o, weights, dtype):
        self.o = o
        self.p = {path: w.to(dtype, copy=True).requires_grad_() for path, w in weights.items()}

    def through(self, path, x):
        y = x @ self.p[path + ".weight"].T
        return y + self.p[path + ".bias"] if path + ".bias" in self.p else y

    def normed(self, path, x):
        if self.o.decoder == "gpt":
            x = x - x.mean(-1, keepdim=True)
            bias = self.p[path + ".bias"]
        else:
            bias = 0
        return x / (x.square().mean(-1, keepdim=True) + self.o.eps).sqrt() * self.p[path + ".weight"] + bias

    def tokens(self, s):
        """Actions of one sequence -> [2n, D]: context, place, context, place, …"""
        e = lambda name, ids: self.p[f"encoder.{name}.weight"][torch.tensor(ids)]
        share = torch.softmax(self.p["encoder.fusion"], 0) * 3
        rows = []
        for a in s:
            rows.append(torch.cat([e(f"time.{name}", a["when"][i]) for i, name in enumerate(TIME)]))
            where = torch.cat([e(f"geo.level.{i}", a["geo"][i]) for i in range(GEO_LEVELS)])
            rows.append(share[0] * e("place", a["place"]) + share[1] * e("category", a["category"]) + share[2] * where)
        return torch.stack(rows)

    def turned(self, x, position=None):
        """Rotary embedding as a product of complex numbers; x [T, H, d] at positions [T], or 0, 1, …"""
        half = x.shape[-1] // 2
        pairs = torch.view_as_complex(torch.stack([x[..., :half], x[..., half:]], -1).contiguous())
        speed = 10000.0 ** (-torch.arange(half, dtype=torch.float64) / half)
        position = torch.arange(x.shape[0]) if position is None else position
        angle = position.to(torch.float64)[:, None] * speed
        turn = torch.polar(torch.ones_like(angle), angle).to(pairs.dtype)
        y = torch.view_as_real(pairs * turn[:, None])
        return torch.cat([y[..., 0], y[..., 1]], -1)

    def attended(self, path, x):
        T, D = x.shape
        q, k, v = self.through(path + ".qkv", x).reshape(T, 3, self.o.heads, D // self.o.heads).unbind(1)
        if self.o.decoder == "llama":
            q, k = self.turned(q), self.turned(k)
        out = []
        for t in range(T):  # a token and all up to it
            score = torch.einsum("hd,jhd->hj", q[t], k[:t + 1]) / math.sqrt(D // self.o.heads)
            out.append(torch.einsum("hj,jhd->hd", torch.softmax(score, -1), v[:t + 1]).reshape(D))
        return self.through(path + ".out", torch.stack(out))

    def fed(self, path, x):
        if self.o.decoder == "gpt":
            y = self.through(path + ".up", x)
            y = 0.5 * y * (1 + torch.tanh(math.sqrt(2 / math.pi) * (y + 0.044715 * y ** 3)))
        else:
            gate, up = self.through(path + ".gate_up", x).chunk(2, -1)
            y = gate / (1 + torch.exp(-gate)) * up
        return self.through(path + ".down", y)

    def states(self, s):
        """Hidden states at the contexts of one sequence, [n, D]."""
        x = self.tokens(s)
        if self.o.decoder == "gpt":
            x = x + self.p["decoder.position.weight"][:x.shape[0]]
        for i in range(self.o.layers):
            at = f"decoder.blocks.{i}."
            x = x + self.attended(at + "attn", self.normed(at + "norm1", x))
            x = x + self.fed(at + "ffn", self.normed(at + "norm2", x))
        return self.normed("decoder.norm", x)[0::2]

    def distribution(self, s, h, i):
        """p(place) of action i of sequence s with states h, [P]."""
        p = torch.softmax(self.through("head.vocabulary", h[i]), 0)
        past = [j for j in range(i) if s[j]["place"] != 0]
        if self.o.head == "plain" or not past:
            return p
        gates = torch.softmax(self.through("head.gate", h[i]), 0)
        heads, width = self.o.pointer_heads, self.o.pointer_width
        asking = self.through("head.query", h[i]).reshape(heads, width)
        keys = [self.through("head.key", h[j]).reshape(heads, width) for j in past]
        bins = [relations(s, i, j) for j in past]
        related = [sum(self.p[f"head.{name}"][at[name]] for name in BINS) for at in bins]
        score = torch.stack([(asking * key).sum(1) / math.sqrt(width) + b for key, b in zip(keys, related)])
        share = (torch.softmax(score, 0) * gates[1:]).sum(1)
        return (gates[0] * p).index_add(0, torch.tensor([s[j]["place"] for j in past]), share)

    def probabilities(self, batch):
        rows = []
        for s, asked in zip(batch.sequences, batch.selected):
            if asked:
                h = self.states(s)
                rows += [self.distribution(s, h, i) for i in asked]
        return torch.stack(rows)

    def nll(self, batch):
        target = torch.tensor([t for rows in batch.target for t in rows])
        return -torch.log(self.probabilities(batch).gather(1, target[:, None])[:, 0])

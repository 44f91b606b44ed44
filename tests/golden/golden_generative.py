"""Spacetime-GR whole (3.2) once more, in PyTorch: one sequence at a time, candidates by a dense mask and equal positions."""
import math

import torch

from golden_models import TIME, Model

GEO_PARTS = 12
SIZES = dict(texts=6, blocks=5, inners=6, categories=4, types=3, geo_rows=3)


class Options:
    """What golden_models.Model asks for, and what is new."""
    decoder, layers, heads, ffn, positions, eps = "llama", 2, 2, 6, 32, 1e-5
    width, embedding = 24, 4

    def __init__(self, fusion, head, vector_width):
        self.fusion, self.head, self.vector_width = fusion, head, vector_width

    def metadata(self):
        return dict(SIZES, width=self.width, layers=self.layers, heads=self.heads, feed_forward=self.ffn, positions=self.positions,
                    embedding=self.embedding, fusion=self.fusion, head=self.head, vector_width=self.vector_width)


def shapes(o):
    """path -> (shape, spread, middle) of every parameter."""
    d, around = o.width, {}
    table = lambda name, rows, width=d: around.__setitem__(f"encoder.{name}.weight", ((rows, width), 0.5, 0.0))
    linear = lambda path, out, inner: around.__setitem__(path + ".weight", ((out, inner), 1 / math.sqrt(inner), 0.0))
    vector = lambda path, n, middle: around.__setitem__(path, ((n,), 0.3, middle))
    for name, rows in TIME.items():
        table("time." + name, rows, d // 4)
    for level in range(GEO_PARTS):
        table(f"geo.level.{level}", SIZES["geo_rows"], d // GEO_PARTS)
    for name, rows in dict(text="texts", block="blocks", inner="inners", category="categories", type="types").items():
        table(name, SIZES[rows])
    for name, parts in dict(fuse_u=2, fuse_inner=3).items():
        if o.fusion == "fixed":
            vector(f"encoder.{name}.scalars", parts, 0.0)
        else:
            linear(f"encoder.{name}.gate", parts, parts * d)
            vector(f"encoder.{name}.gate.bias", parts, 0.0)
    if o.vector_width:
        linear("encoder.project", d, o.vector_width)
    for i in range(o.layers):
        at = f"decoder.blocks.{i}."
        linear(at + "attn.qkv", 3 * d, d)
        linear(at + "attn.out", d, d)
        linear(at + "ffn.gate_up", 2 * o.ffn, d)
        linear(at + "ffn.down", d, o.ffn)
        vector(at + "norm1.weight", d, 1.0)
        vector(at + "norm2.weight", d, 1.0)
    vector("decoder.norm.weight", d, 1.0)
    if o.head == "typed":
        linear("head.block", SIZES["blocks"], d)
        linear("head.inner", SIZES["inners"], d)
    else:
        linear("head.vocabulary", SIZES["blocks"] + SIZES["inners"], d)
    linear("user", o.embedding, d)
    linear("place", o.embedding, d)
    linear("classifier", 1, d)
    vector("classifier.bias", 1, 0.0)
    return around


def initial(o, generator):
    """Weights that f32 holds exactly."""
    draw = lambda shape: torch.randn(shape, generator=generator, dtype=torch.float64)
    return {path: (middle + spread * draw(shape)).float() for path, (shape, spread, middle) in shapes(o).items()}


class Generative(Model):
    """Tokens are pairs (kind, what): "text", "block" and "type" with an id, "context" with (when, where), "inner" with (inner,
    category, where, vector)."""

    def __init__(self, o, weights, vectors):
        super().__init__(o, weights, torch.float64)
        self.vectors = None if vectors is None else vectors.double()

    def at(self, name, row):
        return self.p[f"encoder.{name}.weight"][row]

    def where(self, rows):
        return torch.cat([self.at(f"geo.level.{i}", row) for i, row in enumerate(rows)])

    def fused(self, name, parts):
        """Normalised dynamic weights: they add up to the number of parts."""
        if self.o.fusion == "fixed":
            score = self.p[f"encoder.{name}.scalars"]
        else:
            score = self.through(f"encoder.{name}.gate", torch.cat(parts))
        share = len(parts) * torch.exp(score) / torch.exp(score).sum()
        return sum(w * part for w, part in zip(share, parts))

    def token(self, kind, what):
        if kind == "context":
            when = torch.cat([self.at("time." + name, row) for name, row in zip(TIME, what[0])])
            return self.fused("fuse_u", [when, self.where(what[1])])
        if kind == "inner":
            inner, category, where, vector = what
            own = self.fused("fuse_inner", [self.at("inner", inner), self.at("category", category), self.where(where)])
            return own if self.vectors is None else own + self.through("encoder.project", self.vectors[vector])
        return self.at(kind, what)

    def states(self, tokens, sees=None, position=None):
        """[T, D] of tokens; sees [T, T]: which token looks at which, causal when nothing is said."""
        T, D, H = len(tokens), self.o.width, self.o.heads
        sees = torch.ones(T, T).tril().bool() if sees is None else sees
        position = torch.arange(T) if position is None else position
        x = torch.stack([self.token(*t) for t in tokens])
        for i in range(self.o.layers):
            at = f"decoder.blocks.{i}."
            q, k, v = self.through(at + "attn.qkv", self.normed(at + "norm1", x)).reshape(T, 3, H, D // H).unbind(1)
            score = torch.einsum("ihd,jhd->hij", self.turned(q, position), self.turned(k, position)) / math.sqrt(D // H)
            share = torch.softmax(score.masked_fill(~sees, -math.inf), -1)
            x = x + self.through(at + "attn.out", torch.einsum("hij,jhd->ihd", share, v).reshape(T, D))
            x = x + self.fed(at + "ffn", self.normed(at + "norm2", x))
        return self.normed("decoder.norm", x)

    def log_p(self, h, what, target):
        """log P of a block or of an inner after the hidden state h."""
        if self.o.head == "typed":
            score = self.through("head." + what, h)
        else:
            score, target = self.through("head.vocabulary", h), target + (SIZES["blocks"] if what == "inner" else 0)
        return torch.log(torch.softmax(score, 0)[target])

    # The stages.

    def pretraining(self, sequences):
        """Sum of -log P over the asked (row, what, target) of sequences (tokens, asks)."""
        return -sum(self.log_p(h[row], what, target) for tokens, asks in sequences for h in [self.states(tokens)] for row, what, target in asks)

    def cosines(self, requests):
        """Of users, from the state of the request's u, and of places alone, from that of their last token."""
        out = []
        for user, candidates in requests:
            u = self.p["user.weight"] @ self.states(user)[-1]
            for candidate in candidates:
                p = self.p["place.weight"] @ self.states(candidate)[-1]
                out.append((u @ p) / (u.norm() * p.norm()))
        return torch.stack(out)

    def beside(self, user, candidates):
        """States of all tokens of a user and of its candidates: each of them sees the user and itself, all begin at one position."""
        owner, position = [-1] * len(user), list(range(len(user)))
        for c, candidate in enumerate(candidates):
            owner += [c] * len(candidate)
            position += [len(user) + i for i in range(len(candidate))]
        owner = torch.tensor(owner)
        sees = torch.ones(len(owner), len(owner)).tril().bool() & ((owner[None] == -1) | (owner[None] == owner[:, None]))
        h = self.states(user + sum(candidates, []), sees, torch.tensor(position))
        return [h[owner == c] for c in range(-1, len(candidates))]

    def click_logits(self, requests):
        out = []
        for user, candidates in requests:
            out += [self.p["classifier.weight"][0] @ h[-1] + self.p["classifier.bias"][0] for h in self.beside(user, candidates)[1:]]
        return torch.stack(out)

    def log_probabilities(self, requests):
        """log P(block) + log P(inner | block) of every candidate, each as a sequence of its own."""
        out = []
        for user, candidates in requests:
            for (_, block), (_, inner) in candidates:
                h = self.states(user + [("block", block)])
                out.append(self.log_p(h[-2], "block", block) + self.log_p(h[-1], "inner", inner[0]))
        return torch.stack(out)

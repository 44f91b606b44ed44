#!/usr/bin/env python3
"""Golden values of Spacetime-GR whole: generative_typed.safetensors (fixed fusion, a head for each kind of token) and
generative_joint.safetensors (gated fusion, one head, vectors of places).

    PYTHON tests/golden/generate_generative.py        any interpreter that has torch; seconds

    model.<path>                     weights, by the paths of the C++ model
    vectors [V, width]               of places, where the model reads them
    train.*, users.*                 sequences: lengths, kinds (of TokenKind), and by kind texts, contexts [., 16], blocks, inners [., 15],
                                     types; train.asks [A, 3]: packed row, question, target
    candidates [C, 16]               block, then an inner token; counts [R], clicked [C] i32, u8
    cosine, click, policy, reference [C]    cosines, log-odds, log-probabilities of the model and of the frozen reference (the same
                                     model with every weight times .75)
    loss.<stage>                     pretrain, embed, rank, dpo, s_dpo: sums over all terms
    gradient.<stage> [P]             of a loss with respect to all weights, one after another in the order of their paths; not of
                                     every stage in every file

Everything is computed in f64 from inputs that f32 holds exactly; gradients are stored as f32. Run it again, and commit the
files, when a definition changes; never to make a test pass.
"""
import os
import random

import torch

import safetensors_file
from generate_alignment import BETA, TEMPERATURE, dpo, nce, s_dpo
from golden_generative import GEO_PARTS, SIZES, Generative, Options, initial
from golden_models import TIME

SEED = 20261125
HERE = os.path.dirname(os.path.abspath(__file__))
KINDS, QUESTIONS = ["text", "context", "block", "inner", "type"], ["block", "inner"]
VECTORS, REFERENCE = 4, 0.75


class Data:
    """Made-up sequences and requests."""

    def __init__(self):
        rng = self.rng = random.Random(SEED)
        self.sequences = [self.sequence(3, [1, 1, 0, 1]), self.sequence(0, [0, 1, 1], whole_end=True), self.sequence(1, [1]), self.sequence(2, [0, 0, 1])]
        users = [self.profile(2) + self.actions(3), self.profile(0) + self.actions(2), self.profile(1), self.profile(4) + self.actions(1)]
        self.counts, self.clicked = [4, 3, 2, 5], [0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1]
        self.requests = [(user + [self.context()], [self.place() for _ in range(n)]) for user, n in zip(users, self.counts)]
        assert sum(self.counts) == len(self.clicked) and rng

    def where(self):
        return [self.rng.randrange(SIZES["geo_rows"]) for _ in range(GEO_PARTS)]

    def context(self):
        return "context", ([self.rng.randrange(rows) for rows in TIME.values()], self.where())

    def place(self):
        below = lambda name: self.rng.randrange(SIZES[name])
        return [("block", below("blocks")), ("inner", (below("inners"), below("categories"), self.where(), self.rng.randrange(VECTORS)))]

    def profile(self, n):
        return [("text", self.rng.randrange(SIZES["texts"])) for _ in range(n)]

    def action(self):
        return [self.context()] + self.place() + [("type", self.rng.randrange(SIZES["types"]))]

    def actions(self, n):
        return sum((self.action() for _ in range(n)), [])

    def sequence(self, profile, interest, whole_end=False):
        """Tokens and asks: block and inner of the interest-based actions. What ends a sequence is asked for, not read."""
        tokens, asks = self.profile(profile), []
        for i, wanted in enumerate(interest):
            action = self.action()
            if wanted:
                asks += [(len(tokens), "block", action[1][1]), (len(tokens) + 1, "inner", action[2][1][0])]
            tokens += action if whole_end or i + 1 < len(interest) else action[:2]
        return tokens, asks


def columns(prefix, sequences):
    tokens = [t for s in sequences for t in s]
    of = lambda kind: [what for k, what in tokens if k == kind]
    inner = lambda i: [i[0], i[1], *i[2], i[3]]
    values = dict(lengths=[len(s) for s in sequences], kinds=[KINDS.index(k) for k, _ in tokens], texts=of("text"), blocks=of("block"),
                  types=of("type"), contexts=[when + where for when, where in of("context")], inners=[inner(i) for i in of("inner")])
    return {prefix + name: torch.tensor(v, dtype=torch.int32) for name, v in values.items()}


def inputs(data):
    out = dict(columns("train.", [tokens for tokens, _ in data.sequences]), **columns("users.", [user for user, _ in data.requests]))
    asks, first = [], 0
    for tokens, own in data.sequences:
        asks += [(first + row, QUESTIONS.index(what), target) for row, what, target in own]
        first += len(tokens)
    candidates = [[block, i[0], i[1], *i[2], i[3]] for _, own in data.requests for (_, block), (_, i) in own]
    out.update({"train.asks": torch.tensor(asks, dtype=torch.int32), "candidates": torch.tensor(candidates, dtype=torch.int32),
                "counts": torch.tensor(data.counts, dtype=torch.int32), "clicked": torch.tensor(data.clicked, dtype=torch.uint8)})
    return out


def write(name, options, data, kept, generator):
    weights = initial(options, generator)
    vectors = torch.randn((VECTORS, options.vector_width), generator=generator).float() if options.vector_width else None
    model, scaled = (Generative(options, {path: factor * w.double() for path, w in weights.items()}, vectors) for factor in (1, REFERENCE))
    cosine, click, policy = model.cosines(data.requests), model.click_logits(data.requests), model.log_probabilities(data.requests)
    reference, wanted = scaled.log_probabilities(data.requests).detach(), torch.tensor(data.clicked, dtype=torch.float64)
    p = 1 / (1 + torch.exp(-click))
    losses = dict(pretrain=model.pretraining(data.sequences), embed=nce(cosine, data.counts, data.clicked).sum(),
                  rank=-(wanted * torch.log(p) + (1 - wanted) * torch.log(1 - p)).sum(), dpo=dpo(policy, reference, data.counts, data.clicked),
                  s_dpo=s_dpo(policy, reference, data.counts, data.clicked))
    out = dict(inputs(data), cosine=cosine, click=click, policy=policy, reference=reference)
    out.update({"model." + path: w for path, w in weights.items()})
    out.update({"loss." + stage: loss for stage, loss in losses.items()})
    if vectors is not None:
        out["vectors"] = vectors
    paths = sorted(weights)
    for stage in kept:
        gradients = torch.autograd.grad(losses[stage], [model.p[path] for path in paths], allow_unused=True, retain_graph=True, materialize_grads=True)
        out["gradient." + stage] = torch.cat([g.reshape(-1) for g in gradients]).float()
    path = os.path.join(HERE, name + ".safetensors")
    safetensors_file.write(path, out, dict(options.metadata(), seed=SEED, temperature=TEMPERATURE, beta=BETA, reference=REFERENCE, stages=" ".join(kept)))
    print(f"{name}: {os.path.getsize(path)} bytes, {sum(w.numel() for w in weights.values())} weights, " + ", ".join(f"{s} {l:.4f}" for s, l in losses.items()))


def main():
    torch.set_num_threads(1)
    data, generator = Data(), torch.Generator().manual_seed(SEED)
    write("generative_typed", Options("fixed", "typed", 0), data, ["pretrain", "rank", "dpo"], generator)
    write("generative_joint", Options("gated", "joint", 3), data, ["pretrain", "embed", "s_dpo"], generator)


if __name__ == "__main__":
    main()

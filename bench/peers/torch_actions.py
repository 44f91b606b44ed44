#!/usr/bin/env python3
"""Times training steps of Spacetime-GR on actions in PyTorch, as fast as PyTorch can be made to take them.

    PYTHON bench/peers/torch_actions.py [--compile] [--head joint|typed] [--updates dense|lazy] [--batch 2] [--steps 6] [--threads 2] [--device cpu] [sizes]

The model is that of bench/actions.cpp (Spacetime-GR, 3.2.1): u = w1 time + w2 geo; inner = w3 place + w4 category + w5 geo; tables
of blocks, inners, types and profile pieces; a Llama decoder without biases; a softmax over blocks and inners together (joint) or each
alone (typed), for the tokens with a loss only. Sequences are of one length, so there is no padding and attention is plain causal.
What was done for speed: the twelve geo tables are one table, as are the four of time, so that each is one look-up; tokens are
interleaved by one stack; q, k, v and both inputs of the gate are one product each; no batch is made while the clock runs; fused AdamW.
With --updates lazy the large tables have sparse gradients and SparseAdam, which leaves rows alone that were not looked up.
Prints a line of JSON.  Needs torch.
"""
import argparse
import json
import resource
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

TYPES, CATEGORIES, GEO_ROWS, TEXTS, GEO_PARTS = 6, 400, 2049, 512, 12
TIME_ROWS = (12, 31, 7, 24)
INTEREST_PERCENT = 78


def weight(*shape):
    return nn.Parameter(torch.empty(*shape).normal_(std=0.02))


class Block(nn.Module):
    def __init__(self, d, heads, f):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.RMSNorm(d, eps=1e-5), nn.RMSNorm(d, eps=1e-5)
        self.qkv, self.out, self.gate_up, self.down = weight(3 * d, d), weight(d, d), weight(2 * f, d), weight(d, f)

    def forward(self, x, cos, sin):
        b, t, d = x.shape
        q, k, v = F.linear(self.norm1(x), self.qkv).view(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(turn(q, cos, sin), turn(k, cos, sin), v, is_causal=True)
        x = x + F.linear(y.transpose(1, 2).reshape(b, t, d), self.out)
        gate, up = F.linear(self.norm2(x), self.gate_up).chunk(2, -1)
        return x + F.linear(F.silu(gate) * up, self.down)


def turn(x, cos, sin):
    """Rotary positions: halves of the head are the two coordinates."""
    a, b = x.chunk(2, -1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


class Encoder(nn.Module):
    def __init__(self, a):
        super().__init__()
        d, sparse = a.width, a.updates == "lazy"
        self.table = nn.ModuleDict({name: nn.Embedding(rows, d, sparse=sparse) for name, rows in
                                    dict(text=TEXTS, block=a.blocks, inner=a.inners, category=CATEGORIES, kind=TYPES).items()})
        self.table["time"] = nn.Embedding(sum(TIME_ROWS), d // len(TIME_ROWS), sparse=sparse)
        self.table["geo"] = nn.Embedding(GEO_PARTS * GEO_ROWS, d // GEO_PARTS, sparse=sparse)
        for table in self.table.values():
            nn.init.normal_(table.weight, std=0.02)
        self.fuse_u, self.fuse_inner = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(3))

    def forward(self, b):
        u, inner = F.softmax(self.fuse_u, 0) * 2, F.softmax(self.fuse_inner, 0) * 3
        context = u[0] * self.table["time"](b["when"]).flatten(2) + u[1] * self.table["geo"](b["user_where"]).flatten(2)
        place = inner[0] * self.table["inner"](b["inner"]) + inner[1] * self.table["category"](b["category"]) \
            + inner[2] * self.table["geo"](b["place_where"]).flatten(2)
        actions = torch.stack([context, self.table["block"](b["block"]), place, self.table["kind"](b["type"])], 2)
        return torch.cat([self.table["text"](b["text"]), actions.flatten(1, 2)], 1)[:, :-2]  # no place and type of the last action


class Decoder(nn.Module):
    """The decoder and the loss."""

    def __init__(self, a):
        super().__init__()
        self.blocks = nn.ModuleList(Block(a.width, a.heads, a.feed_forward) for _ in range(a.layers))
        self.norm = nn.RMSNorm(a.width, eps=1e-5)
        self.joint = a.head == "joint"
        self.head = nn.ParameterList([weight(a.blocks + a.inners, a.width)] if self.joint else [weight(a.blocks, a.width), weight(a.inners, a.width)])
        half = a.width // a.heads // 2
        angle = torch.arange(a.profile + 4 * a.actions - 2)[:, None] * 10000 ** (-torch.arange(half) / half)
        self.register_buffer("cos", angle.cos())
        self.register_buffer("sin", angle.sin())

    def forward(self, x, b):
        for block in self.blocks:
            x = block(x, self.cos, self.sin)
        h = self.norm(x).flatten(0, 1)
        if self.joint:
            return F.cross_entropy(F.linear(h[b["rows"]], self.head[0]), b["target"])
        n = len(b["rows"]) // 2
        return sum(F.cross_entropy(F.linear(h[b["rows"][i * n:(i + 1) * n]], w), b["target"][i * n:(i + 1) * n]) for i, w in enumerate(self.head)) / 2


def batch(a, g):
    """The tokens of one step: blocks are asked for at u, places in them at the block."""
    draw = lambda high, *shape: torch.randint(0, high, (a.batch, *shape), generator=g)
    n = a.actions
    b = dict(text=draw(TEXTS, a.profile), block=1 + draw(a.blocks - 1, n), inner=1 + draw(a.inners - 1, n), category=draw(CATEGORIES, n), type=draw(TYPES, n),
             when=torch.stack([draw(rows, n) for rows in TIME_ROWS], -1) + torch.tensor((0, *TIME_ROWS[:-1])).cumsum(0),
             user_where=draw(GEO_ROWS, n, GEO_PARTS) + GEO_ROWS * torch.arange(GEO_PARTS), place_where=draw(GEO_ROWS, n, GEO_PARTS) + GEO_ROWS * torch.arange(GEO_PARTS))
    asked = torch.tensor([i for i in range(n) if (i + 1) * INTEREST_PERCENT // 100 > i * INTEREST_PERCENT // 100])
    u = (torch.arange(a.batch)[:, None] * (a.profile + 4 * n - 2) + a.profile + 4 * asked).flatten()
    b["rows"] = torch.cat([u, u + 1])
    b["target"] = torch.cat([b["block"][:, asked].flatten(), b["inner"][:, asked].flatten() + (a.blocks if a.head == "joint" else 0)])
    return b


def main():
    P = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    P.add_argument("--compile", action="store_true")
    P.add_argument("--head", choices=["joint", "typed"], default="joint")
    P.add_argument("--updates", choices=["dense", "lazy"], default="dense")
    P.add_argument("--device", default="cpu", help="cpu or cuda")
    P.add_argument("--clip", choices=["off", "on"], default="off", help="clip the gradient to norm 1")
    for name, value in dict(batch=2, steps=6, threads=2, layers=12, width=768, heads=32, feed_forward=2048, blocks=100000, inners=300000, actions=128, profile=16).items():
        P.add_argument("--" + name.replace("_", "-"), type=int, default=value)
    a = P.parse_args()
    torch.set_num_threads(a.threads)
    torch.set_default_device(a.device)
    torch.manual_seed(0)
    encoder, decoder = Encoder(a), Decoder(a)
    dense = [p for p in decoder.parameters()] + [encoder.fuse_u, encoder.fuse_inner]
    tables = [t.weight for t in encoder.table.values()]
    if a.updates == "dense":
        loss_of = lambda b: decoder(encoder(b), b)
        optimizers = [torch.optim.AdamW(dense + tables, lr=1e-4, weight_decay=0, fused=True)]
    else:
        loss_of = decoder.forward
        optimizers = [torch.optim.AdamW(dense, lr=1e-4, weight_decay=0, fused=True), torch.optim.SparseAdam(tables, lr=1e-4)]
    forward = torch.compile(loss_of, dynamic=False) if a.compile else loss_of
    g = torch.Generator("cpu").manual_seed(1)
    seconds, first = [], None
    for _ in range(a.steps + 2):
        with torch.device("cpu"):
            host = batch(a, g)
        start = time.perf_counter()
        b = {name: x.to(a.device) for name, x in host.items()}
        loss = forward(b) if a.updates == "dense" else forward(encoder(b), b)
        for o in optimizers:
            o.zero_grad(set_to_none=True)
        loss.backward()
        if a.clip == "on":
            nn.utils.clip_grad_norm_([p for o in optimizers for group in o.param_groups for p in group["params"]], 1)
        for o in optimizers:
            o.step()
        value = loss.item()
        seconds.append(time.perf_counter() - start)
        first = first or value
    seconds = sorted(seconds[2:])
    median = seconds[len(seconds) // 2]
    print(json.dumps(dict(ms_per_step=round(1e3 * median, 1), least_ms=round(1e3 * seconds[0], 1), actions_per_s=round(a.batch * a.actions / median, 1),
                          peak_rss_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024e-6), tokens=a.batch * (a.profile + 4 * a.actions - 2),
                          losses=len(b["rows"]), head=a.head, updates=a.updates, first_loss=round(first, 4))))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Repeats a training in PyTorch from the same weights and batches, and compares the losses.

    PYTHON bench/peers/torch_losses.py DUMP.safetensors [--tolerance 1e-3] [--threads 2]

DUMP holds the initial weights under their paths and, for step s = 0, 1, ...: "step.s.place", "category", "month",
"day", "weekday", "hour", "geo.0" ... "geo.11" [A] i32, "lengths" [S], "selected" [Q], "target" [Q] i32, "lr" [1] f64
and "loss" [1] f64, ours. Metadata, each with an option that goes before it: "heads" (32), "weight_decay" (0: Adam),
"clip" (1.0, the largest gradient norm; 0 for none). Spacetime-GR only: Llama decoder, softmax over all places, no
dropout. Prints a line a step, and the largest relative difference; exit status 1 when that is above the tolerance.
Needs torch.
"""
import argparse
import json
import math
import struct
import sys

import torch
import torch.nn.functional as F

TYPES = {"F64": torch.float64, "F32": torch.float32, "I64": torch.int64, "I32": torch.int32, "U8": torch.uint8}
WHEN = ("month", "day", "weekday", "hour")


def read(path):
    """A safetensors file -> (tensors, metadata)."""
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        data = bytearray(f.read())
    metadata, tensors = header.pop("__metadata__", {}), {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        raw = torch.frombuffer(data[begin:end], dtype=torch.uint8) if end > begin else torch.empty(0, dtype=torch.uint8)
        tensors[name] = raw.view(TYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors, metadata


def rms(x, weight):
    return F.rms_norm(x, weight.shape, weight, 1e-5)


def turn(x):
    """Rotary embedding of x [T, H, d], the first half of d paired with the second."""
    half = x.shape[-1] // 2
    speed = 10000.0 ** (-torch.arange(half, dtype=torch.float64) / half)
    angle = torch.arange(x.shape[0], dtype=torch.float64)[:, None] * speed
    cos, sin = angle.cos().to(x.dtype)[:, None], angle.sin().to(x.dtype)[:, None]
    a, b = x[..., :half], x[..., half:]
    return torch.cat((a * cos - b * sin, a * sin + b * cos), -1)


class Model:
    def __init__(self, weights, heads):
        self.p = {path: w.clone().requires_grad_() for path, w in weights.items()}
        self.heads = heads
        self.layers = len({path.split(".")[2] for path in weights if path.startswith("decoder.blocks.")})

    def tokens(self, b):
        """[2A, D]: context and place of each action in turn."""
        look = lambda name, ids: F.embedding(ids, self.p[f"encoder.{name}.weight"])
        u = torch.cat([look(f"time.{name}", b[name]) for name in WHEN], -1)
        where = torch.cat([look(f"geo.level.{i}", b[f"geo.{i}"]) for i in range(12)], -1)
        share = torch.softmax(self.p["encoder.fusion"], 0) * 3
        place = share[0] * look("place", b["place"]) + share[1] * look("category", b["category"]) + share[2] * where
        return torch.stack((u, place), 1).flatten(0, 1)

    def attention(self, at, x, lengths):
        T, D = x.shape
        qkv = F.linear(x, self.p[at + ".qkv.weight"]).view(T, 3, self.heads, D // self.heads)
        out = []
        for one in qkv.split([2 * n for n in lengths]):
            q, k, v = turn(one[:, 0]), turn(one[:, 1]), one[:, 2]
            y = F.scaled_dot_product_attention(*(t.transpose(0, 1)[None] for t in (q, k, v)), is_causal=True)
            out.append(y[0].transpose(0, 1).reshape(-1, D))
        return F.linear(torch.cat(out), self.p[at + ".out.weight"])

    def loss(self, b):
        x, lengths = self.tokens(b), b["lengths"].tolist()
        for i in range(self.layers):
            at = f"decoder.blocks.{i}."
            x = x + self.attention(at + "attn", rms(x, self.p[at + "norm1.weight"]), lengths)
            gate, up = F.linear(rms(x, self.p[at + "norm2.weight"]), self.p[at + "ffn.gate_up.weight"]).chunk(2, -1)
            x = x + F.linear(F.silu(gate) * up, self.p[at + "ffn.down.weight"])
        h = rms(x[2 * b["selected"].long()], self.p["decoder.norm.weight"])
        return F.cross_entropy(F.linear(h, self.p["head.vocabulary.weight"]), b["target"].long())


def arguments():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("dump")
    a.add_argument("--tolerance", type=float, default=1e-3)
    a.add_argument("--threads", type=int, default=2)
    a.add_argument("--heads", type=int)
    a.add_argument("--weight-decay", type=float)
    a.add_argument("--clip", type=float)
    return a.parse_args()


def main():
    a = arguments()
    torch.set_num_threads(a.threads)
    tensors, metadata = read(a.dump)
    setting = lambda option, key, default: option if option is not None else float(metadata.get(key, default))
    heads, clip = int(setting(a.heads, "heads", 32)), setting(a.clip, "clip", 1.0)
    steps = {}
    for name in [n for n in tensors if n.startswith("step.")]:
        _, step, column = name.split(".", 2)
        steps.setdefault(int(step), {})[column] = tensors.pop(name)
    if not steps:
        sys.exit(f"{a.dump} holds no steps")
    model = Model(tensors, heads)
    optimizer = torch.optim.AdamW(model.p.values(), weight_decay=setting(a.weight_decay, "weight_decay", 0.0))
    worst = 0.0
    for s in sorted(steps):
        optimizer.param_groups[0]["lr"] = steps[s]["lr"].item()
        loss = model.loss(steps[s])
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.p.values(), clip if clip > 0 else math.inf)
        optimizer.step()
        ours, theirs = steps[s]["loss"].item(), loss.item()
        apart = abs(ours - theirs) / abs(theirs)
        worst = apart if not apart <= worst else worst  # a NaN stays
        print(f"step {s:3d}  ours {ours:.6f}  torch {theirs:.6f}  relative difference {apart:.1e}  "
              f"gradient norm {norm.item():.4f}", flush=True)
    print(f"largest relative difference over {len(steps)} steps: {worst:.1e}")
    sys.exit(0 if worst <= a.tolerance else 1)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Times training steps of STIM in PyTorch on random behaviours, as fast as PyTorch can be made to take them.

    PYTHON bench/peers/torch_stim.py [--compile] [--batch 1024] [--m 20000] [--kept 50] [--width 64] [--steps 12] [--threads 2]

The model is that of bench/stim_step.cpp: tables of places 100,000, categories 500, cells 20,000, hours, weekdays and users
50,000, 16 wide; keys of five embeddings; forgetting masks of three materials with a layer each; five queries of a mixture of
experts; interest unit with two heads; a network 128, 64, 1; binary cross-entropy; AdamW over everything, decay .01.
Hard search: the newest k behaviours of the item's category, the newest others fill up, in time order.
What was done for speed: the behaviours' five tables are one table, so keys are one look-up and need no concatenation; the hours of a week are one more table of keys; first
layers of the heads side by side; second layers after the pooling, which is linear; networks of one shape stacked into batched
products; fused AdamW; a search of one comparison over m and work on the hits alone. Prints two lines, without and with the
search:  step median X s, least Y s, Z samples/s.  Needs torch.
"""
import argparse
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

ROWS = dict(item=100000, category=500, cell=20000, hour=24, weekday=7)
USERS, E, NUMBERS, MATERIALS, QUERIES, HEADS, HIDDEN, DQ = 50000, 16, 2, 3, 5, 2, 32, 16
HOUR_GROUP = torch.tensor([2, 2, 2] + [0] * 8 + [1] * 6 + [2] * 7, dtype=torch.int32)


class Stack(nn.Module):
    """n networks of one shape side by side: x [n, B, in] -> [n, B, out]."""

    def __init__(self, n, *widths):
        super().__init__()
        self.weight = nn.ParameterList(nn.Parameter(torch.randn(n, i, o) * i ** -0.5) for i, o in zip(widths, widths[1:]))
        self.bias = nn.ParameterList(nn.Parameter(torch.zeros(n, 1, o)) for o in widths[1:])

    def forward(self, x):
        for i, (w, b) in enumerate(zip(self.weight, self.bias)):
            x = torch.baddbmm(b, F.relu(x) if i else x, w)
        return x


def network(*widths):
    layers = []
    for i, o in zip(widths, widths[1:]):
        layers += [nn.Linear(i, o), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Stim(nn.Module):
    def __init__(self, k, d):
        super().__init__()
        self.table = nn.Parameter(torch.randn(sum(ROWS.values()), E) * 0.02)
        self.register_buffer("first", torch.tensor([0, *ROWS.values()])[:-1].cumsum(0))
        self.user = nn.Parameter(torch.randn(USERS, E) * 0.02)
        self.key = nn.Linear(5 * E, d)
        self.mask_weight = nn.Parameter(torch.eye(k).repeat(MATERIALS, 1, 1))
        self.mask_bias = nn.Parameter(torch.zeros(MATERIALS, 1, k))
        self.whole = Stack(3, 5 * E, 8, 4, DQ)      # experts of time, location and item
        self.sub = Stack(2, DQ, 8, 4, DQ)           # hour and week
        self.gate = Stack(3, E, 8, 4, DQ)           # of hour, week and location
        self.item_gate = network(2 * E, 8, 4, DQ)
        self.query = network(DQ, HIDDEN, d)
        self.head1 = nn.Linear(d, HEADS * HIDDEN)
        self.head2 = nn.Parameter(torch.randn(HEADS, HIDDEN, d) * HIDDEN ** -0.5)
        self.head2_bias = nn.Parameter(torch.zeros(HEADS, d))
        self.out = network(MATERIALS * QUERIES * HEADS * d + 6 * E + NUMBERS, 128, 64, 1)
        self.register_buffer("time", torch.arange(k - 1, -1, -1, dtype=torch.float32))

    def masks(self, review, valid):
        """review [B, 3, k], valid [B, k], oldest first -> [B, 3, k]: Rinit .4, Rfinal .9, S 20, I 2."""
        v = valid[:, None]
        r = review & v
        back = r.flip(-1)
        i = back.int().cumsum(-1).flip(-1).float()
        n = r.sum(-1, keepdim=True).float()
        last = torch.where(r, self.time, 0.0).flip(-1).cummax(-1).values.flip(-1)
        level = 0.9 - 0.5 * (i - 1) / (n - 1).clamp(min=1)
        kept = torch.exp((last - self.time) * (1 + 2 * i) / 20)
        R = torch.where(i > 0, level * kept, kept)
        low = R.masked_fill(~v, 9.0).amin(-1, True)
        high = R.masked_fill(~v, -9.0).amax(-1, True)
        m = torch.where(high > low, (R - low) / (high - low), 1.0) * v
        return torch.baddbmm(self.mask_bias, m.transpose(0, 1), self.mask_weight).transpose(0, 1)

    def keys(self, behaviour):
        """What the layer makes of the 168 hours of a week is computed once each."""
        w, first = self.key.weight, sum(list(ROWS.values())[:3])
        hours, days = self.table[first:first + 24] @ w[:, 3 * E:4 * E].T, self.table[first + 24:first + 31] @ w[:, 4 * E:].T
        week = (days[:, None] + hours + self.key.bias).flatten(0, 1)
        rest = F.linear(F.embedding(behaviour[..., :3] + self.first[:3], self.table).flatten(2), w[:, :3 * E])
        return rest + F.embedding(behaviour[..., 4] * 24 + behaviour[..., 3], week)

    def queries(self, hour, week, cell, item):
        whole = torch.cat([hour, week, cell, item], -1)
        h_time, location, item_value = self.whole(whole.expand(3, -1, -1)).unbind(0)
        h_hour, h_week = self.sub(h_time.expand(2, -1, -1)).unbind(0)
        g_hour, g_week, g_cell = torch.sigmoid(self.gate(torch.stack([hour, week, cell]))).unbind(0)
        h, w, l = g_hour * h_hour, g_week * h_week, g_cell * location
        i = torch.sigmoid(self.item_gate(item)) * item_value
        t = h + w
        return torch.stack([t + l + i, h * i, w * i, l * i, t * l], 1), whole

    def forward(self, b):
        one = F.embedding(b["request"] + self.first, self.table)
        item, category, cell, hour, week = one.unbind(1)
        keys = self.keys(b["behaviour"])                                                              # [B, k, d]
        Q, whole = self.queries(hour, week, cell, torch.cat([item, category], -1))
        Q = F.normalize(self.query(Q), dim=-1)
        valid, n = b["valid"], len(keys)
        scale = keys.square().sum(-1).clamp(min=1e-20).rsqrt()                                         # on cosines, not on keys
        S = (torch.bmm(Q, keys.transpose(1, 2)) * scale[:, None])[:, :, None] * self.masks(b["review"], valid)[:, None]
        w = F.softmax(S.masked_fill(~valid[:, None, None], -1e9), -1).flatten(1, 2)                    # [B, 15, k]
        pooled = torch.bmm(w, F.relu(self.head1(keys))).view(-1, HEADS, HIDDEN)
        o = torch.baddbmm(self.head2_bias[:, None], pooled.transpose(0, 1), self.head2).transpose(0, 1).reshape(n, -1)
        user = F.embedding(b["user"], self.user)
        return self.out(torch.cat([o, whole, user, b["numbers"]], -1)).squeeze(-1)


def search(category, target, k):
    """category [B, m], oldest first; target [B]: ascending places [B, k] of the newest k of that category, newest others
    filling up. One pass over m; the others needed lie among the last k."""
    B, m = category.shape
    row, column = (category == target[:, None]).nonzero(as_tuple=True)
    count = torch.bincount(row, minlength=B)
    end = count.cumsum(0)
    place = end[:, None] - torch.arange(k, 0, -1)                      # the last k hits of every row
    have = torch.arange(k, 0, -1) <= count[:, None]
    hits = torch.where(have, column[place.clamp(min=0)] if len(column) else place, -1)
    tail = torch.arange(m - k, m).expand(B, k)
    free = category[:, m - k:] != target[:, None]
    rank = free.flip(1).cumsum(1).flip(1)                              # 1 for the newest
    fill = free & (rank <= (k - count.clamp(max=k))[:, None])
    both = torch.cat([torch.where(fill, tail, -1), hits], 1)
    return both.sort(1).values[:, k:]


def search_topk(category, target, k):
    """The same by keys and topk."""
    m = category.shape[1]
    key = (category == target[:, None]).to(torch.int32) * m + torch.arange(m, dtype=torch.int32)
    return key.topk(k, dim=1).values.remainder(m).sort(dim=1).values


def data(a, g):
    B, m = a.batch, a.m
    draw = lambda high, *shape: torch.randint(0, high, shape, generator=g, dtype=torch.int32)
    raw = {name: draw(rows, B, m) for name, rows in ROWS.items()}
    one = torch.stack([draw(rows, B) for rows in ROWS.values()], 1)
    fixed = dict(request=one.long(), user=draw(USERS, B).long(), numbers=torch.rand(B, NUMBERS, generator=g),
                 valid=torch.ones(B, a.kept, dtype=torch.bool))
    return raw, one, fixed, (torch.rand(B, generator=g) < 0.1).float()


def kept_batch(raw, one, fixed, at):
    """The behaviours at `at` [B, k] and their review flags."""
    found = {name: column.gather(1, at) for name, column in raw.items()}
    hour = HOUR_GROUP[found["hour"]] == HOUR_GROUP[one[:, 3]][:, None]
    week = (found["weekday"] >= 5) == (one[:, 4] >= 5)[:, None]
    cell = found["cell"] % 3 == one[:, 2:3] % 3
    return dict(fixed, behaviour=torch.stack(list(found.values()), 2).long(), review=torch.stack([hour, week, cell], 1))


def report(what, batch, times):
    times = sorted(times)
    print(f"{what}: step median {times[len(times) // 2]:.4f} s, least {times[0]:.4f} s, {batch / times[len(times) // 2]:.0f} samples/s", flush=True)


def main():
    P = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    P.add_argument("--compile", action="store_true")
    P.add_argument("--batch", type=int, default=1024)
    P.add_argument("--m", type=int, default=20000)
    P.add_argument("--kept", type=int, default=50)
    P.add_argument("--width", type=int, default=64)
    P.add_argument("--steps", type=int, default=12)
    P.add_argument("--threads", type=int, default=2)
    P.add_argument("--topk", action="store_true", help="search by topk")
    P.add_argument("--check", action="store_true", help="compare the two searches instead")
    a = P.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    raw, one, fixed, click = data(a, torch.Generator().manual_seed(1))
    find = search_topk if a.topk else search
    if a.check:
        same = torch.equal(search(raw["category"], one[:, 1], a.kept), search_topk(raw["category"], one[:, 1], a.kept))
        print("the searches agree" if same else "THE SEARCHES DIFFER")
        raise SystemExit(not same)
    net = Stim(a.kept, a.width)
    loss_of = lambda b: F.binary_cross_entropy_with_logits(net(b), click)
    forward = torch.compile(loss_of, dynamic=False) if a.compile else loss_of
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.01, fused=True)
    whole, step = [], []
    for _ in range(a.steps + 3):
        start = time.perf_counter()
        batch = kept_batch(raw, one, fixed, find(raw["category"], one[:, 1], a.kept))
        found = time.perf_counter()
        loss = forward(batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        end = time.perf_counter()
        step.append(end - found)
        whole.append(end - start)
    report("model", a.batch, step[3:])
    report("with search", a.batch, whole[3:])


if __name__ == "__main__":
    main()

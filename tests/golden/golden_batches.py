"""Invented check-ins for the golden models, and the relations of the history pointer worked out one pair at a time."""
import datetime
import math
import random

import torch

GEO_LEVELS, GEO_ROWS, CATEGORIES = 12, 7, 6
KNOWN = 15           # place tokens 1..15 have a row of their own
PLACES = KNOWN + 1   # and 0 is unknown


def f32(value):
    return torch.tensor(value, dtype=torch.float32).item()


def haversine(a, b):
    """Kilometres between two (latitude, longitude)."""
    p, q = math.radians(a[0]), math.radians(b[0])
    turn = math.radians(b[1] - a[1])
    h = math.sin((q - p) / 2) ** 2 + math.cos(p) * math.cos(q) * math.sin(turn / 2) ** 2
    return 12742 * math.asin(math.sqrt(h))


def octave(value, shift, bins):
    """floor(log2(value)) + shift inside 0..bins - 1; 0 for what has no logarithm."""
    return 0 if value <= 0 else min(max(math.floor(math.log2(value)) + shift, 0), bins - 1)


def off_edge(km):
    """The project measures distances roughly: keep away from where an octave ends, unless the bins end before."""
    return not 2 ** -5.2 < km < 2 ** 11 or abs(math.log2(km) - round(math.log2(km))) > 0.07


class World:
    """Places in one city, one a continent away, and two on both sides of the date line."""

    def __init__(self, rng):
        self.where = [(51.5, -0.12), (-16.8, 179.93), (-16.75, -179.8)]
        self.where += [(40.7, -74.0), (40.70008, -74.00005), (40.703, -74.001)]
        while len(self.where) < KNOWN + 3:
            at = (f32(rng.uniform(40.55, 40.9)), f32(rng.uniform(-74.2, -73.7)))
            if all(off_edge(haversine(at, other)) for other in self.where):
                self.where.append(at)
        self.where = [(f32(a), f32(b)) for a, b in self.where]
        self.category = [rng.randrange(CATEGORIES) for _ in self.where]
        self.cells = [[rng.randrange(GEO_ROWS) for _ in range(GEO_LEVELS)] for _ in self.where]

    def action(self, spot, utc):
        """One action as a dict of columns; spots past the known ones have the token 0."""
        lat, lon = self.where[spot]
        local = utc + (-4 * 3600 if abs(lon) < 100 else 12 * 3600)
        t = datetime.datetime.fromtimestamp(local, datetime.timezone.utc)
        when = [t.month - 1, t.day - 1, t.weekday(), t.hour]
        return dict(place=spot + 1 if spot < KNOWN else 0, category=self.category[spot], utc=utc, local=local,
                    latitude=lat, longitude=lon, when=when, geo=self.cells[spot])


def edge_of_recency(utc, times):
    return any(utc > t and math.log2((utc - t) / 3600).is_integer() for t in times)


def sequence(world, rng, length, spots=None, shortest=0, longest=15):
    """A history that comes back to few places; gaps of 2^shortest to 2^longest minutes, and one of none."""
    pool = spots or rng.sample(range(3, len(world.where)), 6)
    utc, actions, times = rng.randrange(1333238400, 1360800000), [], []
    for i in range(length):
        utc += 0 if i == 2 else int(60 * 2 ** rng.uniform(shortest, longest))
        while edge_of_recency(utc, times):
            utc += 1
        times.append(utc)
        actions.append(world.action(rng.choice(pool), utc))
    return actions


class Batch:
    """sequences: lists of actions; selected: for each sequence the indexes asked for."""

    def __init__(self, sequences, selected, hidden=()):
        self.sequences, self.selected = sequences, selected
        # What is asked for at an unknown place is some place all the same, and so it is where the place was hidden.
        self.target = [[s[i]["place"] or 1 + (7 * i) % KNOWN for i in rows] for s, rows in zip(sequences, selected)]
        for s, i in hidden:
            sequences[s][i]["place"] = 0

    def columns(self):
        flat = [a for s in self.sequences for a in s]
        begin = [sum(len(s) for s in self.sequences[:k]) for k in range(len(self.sequences))]
        i32, column = torch.int32, lambda name, dtype: torch.tensor([a[name] for a in flat], dtype=dtype)
        out = {name: column(name, i32) for name in ("place", "category", "when", "geo")}
        out.update({name: column(name, torch.int64) for name in ("utc", "local")})
        out.update({name: column(name, torch.float32) for name in ("latitude", "longitude")})
        out["lengths"] = torch.tensor([len(s) for s in self.sequences], dtype=i32)
        out["selected"] = torch.tensor([b + i for b, rows in zip(begin, self.selected) for i in rows], dtype=i32)
        out["target"] = torch.tensor([t for rows in self.target for t in rows], dtype=i32)
        return out


def relations(s, i, j):
    """Bins of asking action i and past action j of sequence s: recency, hour, weekday, distance, follow."""
    asking, past, before = s[i], s[j], s[i - 1]
    hours = (asking["utc"] - past["utc"]) / 3600
    apart = (asking["when"][3] - past["when"][3]) % 24
    weekends = [a["when"][2] in (5, 6) for a in (asking, past)]
    km = haversine((before["latitude"], before["longitude"]), (past["latitude"], past["longitude"]))
    assert off_edge(km) or km == 0
    follow = 0
    if j > 0:
        follow = int(s[j - 1]["place"] == before["place"]) + 2 * int(s[j - 1]["category"] == before["category"])
    return dict(recency=octave(hours, 6, 20), hour=min(apart, 24 - apart) + 13 * (weekends[0] == weekends[1]),
                weekday=int(asking["when"][2] == past["when"][2]), distance=octave(km, 5, 16), follow=follow)


def make_batches(seed):
    """Three batches: asked for are first actions, a single one, one with an unknown past; one sequence is not asked."""
    rng = random.Random(seed)
    world = World(rng)
    mixed = sequence(world, rng, 6, shortest=3, longest=7)
    mixed[0] = world.action(KNOWN, mixed[0]["utc"])  # nothing but an unknown place before action 1
    long = sequence(world, rng, 14, [3, 4, 5, 6, 7, KNOWN + 1], longest=11)
    first = Batch([mixed, sequence(world, rng, 1), long, sequence(world, rng, 4), sequence(world, rng, 5, [0, 9])],
                  [[1, 3, 5], [0], [0, 2, 4, 5, 6, 7, 8, 10, 11, 12, 13], [], [4]], hidden=[(0, 5)])
    away = sequence(world, rng, 8, [1, 2, 3, KNOWN + 2], shortest=9)
    second = Batch([sequence(world, rng, 3, longest=2), away], [[1, 2], [1, 2, 3, 4, 5, 6, 7]])
    third = Batch([sequence(world, rng, 12, longest=4), sequence(world, rng, 2), sequence(world, rng, 5, shortest=12)],
                  [list(range(6, 12)), [1], [1, 4]])
    return [first, second, third]

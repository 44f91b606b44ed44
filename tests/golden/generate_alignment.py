"""Golden values of the losses of embedding fine-tuning and alignment (Spacetime-GR, 3.2.2 and 3.2.3), by plain PyTorch loops
over requests: alignment.safetensors.

    python3 tests/golden/generate_alignment.py

    counts [R] i32, clicked [C] u8        requests one after another; some have one class, one has no candidate
    similarity, policy, reference [C]     cosines; log-probabilities of the model and of the frozen reference
    nce [Q], nce.gradient                 InfoNCE at temperature .1 (metadata); gradient of its sum
    dpo, s_dpo (scalars), dpo.gradient, s_dpo.gradient [C], margins [P]    at beta (metadata)

Values are f64. Run it again, and commit the file, when a definition changes; never to make a test pass.
"""
import os

import torch
import torch.nn.functional as F

import safetensors_file

SEED, TEMPERATURE, BETA = 20261124, 0.1, 0.7
HERE = os.path.dirname(os.path.abspath(__file__))


def requests(counts, clicked):
    """(clicked, others) of each request that has both, as lists of candidates."""
    first = 0
    for n in counts:
        candidates = range(first, first + n)
        yes, no = [c for c in candidates if clicked[c]], [c for c in candidates if not clicked[c]]
        first += n
        if yes and no:
            yield yes, no


def nce(s, counts, clicked):
    terms = []
    for yes, no in requests(counts, clicked):
        e = torch.exp(s / TEMPERATURE)
        terms.append(-torch.log(e[yes].sum() / (e[yes].sum() + e[no].sum())))
    return torch.stack(terms)


def dpo(policy, reference, counts, clicked):
    total = 0
    for yes, no in requests(counts, clicked):
        for j in yes:
            for k in no:
                total = total - F.logsigmoid(BETA * (policy[j] - reference[j]) - BETA * (policy[k] - reference[k]))
    return total


def s_dpo(policy, reference, counts, clicked):
    total = 0
    for yes, no in requests(counts, clicked):
        for j in yes:
            others = sum(torch.exp(BETA * (policy[k] - reference[k]) - BETA * (policy[j] - reference[j])) for k in no)
            total = total - F.logsigmoid(-torch.log(others))
    return total


def margins(policy, reference, counts, clicked):
    reward = BETA * (policy - reference)
    return torch.stack([reward[j] - reward[no].mean() for yes, no in requests(counts, clicked) for j in yes])


def with_gradient(f, x):
    x = x.clone().requires_grad_()
    y = f(x)
    y.sum().backward()
    return y.detach(), x.grad


def main():
    generator = torch.Generator().manual_seed(SEED)
    counts = [4, 3, 0, 2, 5, 1, 6]
    clicked = [1, 0, 0, 0, 0, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    assert sum(counts) == len(clicked)
    draw = lambda: torch.randn(len(clicked), generator=generator, dtype=torch.float64).float().double()
    similarity, policy, reference = torch.tanh(draw()).float().double(), -4 + draw(), -4 + draw()
    out = dict(counts=torch.tensor(counts, dtype=torch.int32), clicked=torch.tensor(clicked, dtype=torch.uint8),
               similarity=similarity, policy=policy, reference=reference, margins=margins(policy, reference, counts, clicked))
    out["nce"], out["nce.gradient"] = with_gradient(lambda s: nce(s, counts, clicked), similarity)
    for name, f in (("dpo", dpo), ("s_dpo", s_dpo)):
        out[name], out[name + ".gradient"] = with_gradient(lambda p: f(p, reference, counts, clicked), policy)
    safetensors_file.write(os.path.join(HERE, "alignment.safetensors"), out, dict(seed=SEED, temperature=TEMPERATURE, beta=BETA))


if __name__ == "__main__":
    main()

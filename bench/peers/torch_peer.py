"""Geometric Brownian motion in place, and the reverse SDE of the eight-mode mixture in matmul form,
in PyTorch on one thread."""

import math

import timing

import torch

torch.set_num_threads(1)
torch.set_grad_enabled(False)

MU, SIGMA = 0.05, 0.2
MODES, RADIUS, WIDTH, T_MIN = 8, 4.0, 0.3, 1e-3
BETA_MIN, BETA_MAX = 0.1, 20.0


def gbm(dtype, paths=100_000, steps=100):
    h = 1.0 / steps
    z = torch.empty(paths, dtype=dtype)

    def simulate():
        torch.manual_seed(1)
        x = torch.ones(paths, dtype=dtype)
        for _ in range(steps):
            z.normal_()
            z.mul_(SIGMA * math.sqrt(h)).add_(1 + MU * h)
            x.mul_(z)
        return float(x.mean())

    assert abs(simulate() - math.exp(MU)) < 0.01
    return simulate


def mixture(dtype, paths=8192, steps=100, *, heun=False):
    """The reverse SDE by Euler-Maruyama, or the flow by Heun's method. A score is two matrix
    products with a softmax between them."""
    angle = torch.arange(MODES, dtype=torch.float64) * (2 * math.pi / MODES)
    means = (RADIUS * torch.stack([angle.cos(), angle.sin()], dim=1)).to(dtype)
    square = (means**2).sum(dim=1)
    h = (1 - T_MIN) / steps

    def beta(t):
        return BETA_MIN + t * (BETA_MAX - BETA_MIN)

    def score(x, t):
        s = math.exp(-(t * BETA_MIN + t * t / 2 * (BETA_MAX - BETA_MIN)) / 2)
        variance = s * s * WIDTH**2 + 1 - s * s
        # |x|^2 is the same for all modes and drops out of the softmax.
        logits = torch.addmm(square, x, means.T, beta=-0.5 * s * s / variance, alpha=s / variance)
        weights = torch.softmax(logits, dim=1)
        return torch.addmm(x, weights, means, beta=-1 / variance, alpha=s / variance)

    def flow(x, t):
        return score(x, t).add_(x).mul_(-0.5 * beta(t))

    def simulate():
        torch.manual_seed(1)
        x = torch.randn(paths, 2, dtype=dtype)
        for k in range(steps):
            t = 1 - k * h
            if heun:
                slope = flow(x, t)
                slope.add_(flow(x.sub(slope, alpha=h), t - h))
                x.sub_(slope, alpha=h / 2)
            else:
                s = score(x, t)
                x.mul_(1 + 0.5 * beta(t) * h).add_(s, alpha=beta(t) * h)
                x.add_(torch.randn_like(x), alpha=math.sqrt(beta(t) * h))
        return float(x.norm(dim=1).mean())

    assert abs(simulate() - RADIUS) < 0.1
    return simulate


timing.run([
    ("gbm/PyTorch", 100_000 * 100, gbm(torch.float64)),
    ("gbm_float/PyTorch", 100_000 * 100, gbm(torch.float32)),
    ("mixture_reverse_sde/PyTorch", 8192 * 100, mixture(torch.float64)),
    ("mixture_reverse_sde_float/PyTorch", 8192 * 100, mixture(torch.float32)),
    ("mixture_flow_heun/PyTorch", 8192 * 100, mixture(torch.float64, heun=True)),
    ("mixture_flow_heun_float/PyTorch", 8192 * 100, mixture(torch.float32, heun=True)),
])

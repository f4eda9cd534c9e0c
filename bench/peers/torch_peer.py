"""Geometric Brownian motion in place, and the reverse SDE of the eight-mode mixture in matmul form,
in PyTorch on one thread; the same by torchsde and by k-diffusion where they are installed (pip)."""

import importlib
import importlib.util
import math
import sys
import types

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


def modes(dtype):
    """The means of the modes, and their squares."""
    angle = torch.arange(MODES, dtype=torch.float64) * (2 * math.pi / MODES)
    means = (RADIUS * torch.stack([angle.cos(), angle.sin()], dim=1)).to(dtype)
    return means, (means**2).sum(dim=1)


def mixture(dtype, paths=8192, steps=100, *, heun=False):
    """The reverse SDE by Euler-Maruyama, or the flow by Heun's method. A score is two matrix
    products with a softmax between them."""
    means, square = modes(dtype)
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


def torchsde_gbm(torchsde, paths=100_000, steps=100):
    """What `sdeint` does by default: its Brownian interval, times in double precision."""

    class Sde:
        noise_type, sde_type = "diagonal", "ito"

        def f(self, t, x):
            return MU * x

        def g(self, t, x):
            return SIGMA * x

    start, times = torch.ones(paths, 1, dtype=torch.float64), torch.tensor([0, 1], dtype=torch.float64)

    def simulate():
        torch.manual_seed(1)
        end = torchsde.sdeint(Sde(), start, times, dt=1 / steps, method="euler")[-1]
        return float(end.mean())

    assert abs(simulate() - math.exp(MU)) < 0.01
    return simulate


def k_diffusion_mixture(sampling, sample, dtype, paths=8192, steps=100):
    """Its own schedule and steps; the denoiser as two matrix products with a softmax between."""
    means, square = modes(dtype)
    sigmas = sampling.get_sigmas_karras(steps, 0.01, 80).to(dtype)

    def denoise(x, sigma):
        noise = float(sigma[0]) ** 2  # the same for all paths
        variance = WIDTH**2 + noise
        weights = torch.softmax(
            torch.addmm(square, x, means.T, beta=-0.5 / variance, alpha=1 / variance), dim=1)
        return torch.addmm(x, weights, means, beta=WIDTH**2 / variance, alpha=noise / variance)

    def simulate():
        torch.manual_seed(1)
        x = sample(denoise, 80 * torch.randn(paths, 2, dtype=dtype), sigmas, disable=True)
        return float(x.norm(dim=1).mean())

    assert abs(simulate() - RADIUS) < 0.1
    return simulate


def module(name):
    """The module, or None, with a line that says so, where it cannot be had. A package's own
    __init__ is not run: k-diffusion's asks for all that its training needs."""
    package = name.split(".")[0]
    try:
        if package != name:
            found = importlib.util.find_spec(package)
            if found is None:
                raise ImportError(f"No module named '{package}'")
            sys.modules[package] = types.ModuleType(package)
            sys.modules[package].__path__ = list(found.submodule_search_locations)
        return importlib.import_module(name)
    except ImportError as error:
        print(f"without {package}: {error}")
        return None


benchmarks = [
    ("gbm/PyTorch", 100_000 * 100, gbm(torch.float64)),
    ("gbm_float/PyTorch", 100_000 * 100, gbm(torch.float32)),
    ("mixture_reverse_sde/PyTorch", 8192 * 100, mixture(torch.float64)),
    ("mixture_reverse_sde_float/PyTorch", 8192 * 100, mixture(torch.float32)),
    ("mixture_flow_heun/PyTorch", 8192 * 100, mixture(torch.float64, heun=True)),
    ("mixture_flow_heun_float/PyTorch", 8192 * 100, mixture(torch.float32, heun=True)),
]
if torchsde := module("torchsde"):
    benchmarks.append(("gbm/torchsde", 100_000 * 100, torchsde_gbm(torchsde)))
if sampling := module("k_diffusion.sampling"):
    benchmarks += [
        ("mixture_reverse_sde/k-diffusion", 8192 * 100,
         k_diffusion_mixture(sampling, sampling.sample_euler_ancestral, torch.float64)),
        ("mixture_flow_heun/k-diffusion", 8192 * 100,
         k_diffusion_mixture(sampling, sampling.sample_heun, torch.float64)),
    ]
timing.run(benchmarks)

"""Normals and geometric Brownian motion in NumPy, the latter in its best form: blocks that stay in
the cache, in place."""

import timing

import numpy as np

PATHS, STEPS, BLOCK = 8192, 100, 4096
MU, SIGMA, H = 0.05, 0.2, 1.0 / 100


def normals(dtype):
    generator = np.random.Generator(np.random.PCG64(1))
    out = np.empty(4096, dtype)
    return lambda: generator.standard_normal(out=out, dtype=dtype)


def gbm(dtype):
    growth, spread = dtype(1 + MU * H), dtype(SIGMA * H**0.5)
    x, z = np.empty(BLOCK, dtype), np.empty(BLOCK, dtype)

    def simulate():
        generator = np.random.Generator(np.random.PCG64(1))
        total = 0.0
        for _ in range(0, PATHS, BLOCK):
            x.fill(1)
            for _ in range(STEPS):
                generator.standard_normal(out=z, dtype=dtype)
                np.multiply(z, spread, out=z)
                np.add(z, growth, out=z)
                np.multiply(x, z, out=x)
            total += float(x.sum())
        return total / PATHS

    assert abs(simulate() - np.exp(MU)) < 0.02
    return simulate


timing.run([
    ("normals/NumPy", 4096, normals(np.float64)),
    ("normals_float/NumPy", 4096, normals(np.float32)),
    ("gbm/NumPy", PATHS * STEPS, gbm(np.float64)),
    ("gbm_float/NumPy", PATHS * STEPS, gbm(np.float32)),
])

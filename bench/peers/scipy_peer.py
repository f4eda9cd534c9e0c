"""The Lorenz system to t = 10 in SciPy, as odes.hpp has it; the right-hand side is Python."""

import timing

import numpy as np
from scipy.integrate import solve_ivp


def lorenz(t, x):
    return 10 * (x[1] - x[0]), x[0] * (28 - x[2]) - x[1], x[0] * x[1] - 8 / 3 * x[2]


def solve(method):
    start = np.ones(3)
    return lambda: solve_ivp(lorenz, (0, 10), start, method=method, rtol=1e-9, atol=1e-9,
                             t_eval=[10]).y


timing.run([
    ("lorenz_dopri5/SciPy RK45", 1, solve("RK45")),
    ("lorenz_dopri5/SciPy LSODA", 1, solve("LSODA")),
])

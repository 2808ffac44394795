"""Prints the best float32 matrix product rate that NumPy's BLAS reaches here, in GFLOP/s.

Run with OPENBLAS_NUM_THREADS (or the like) set to the number of threads that may be used.
"""

from __future__ import annotations

import time

import numpy as np

SIDES = (512, 1024, 2048)
REPEATS = 10


def best_rate() -> float:
    """Returns the best of several products of several sizes."""
    return max(rate(side) for side in SIDES for _ in range(REPEATS))


def rate(side: int) -> float:
    """Times one product of two square matrices."""
    left, right = np.random.default_rng(0).random((2, side, side), dtype=np.float32)
    out = np.empty_like(left)
    start = time.perf_counter()
    np.matmul(left, right, out=out)
    return 2 * side**3 / (time.perf_counter() - start) / 1e9


if __name__ == "__main__":
    print(best_rate())

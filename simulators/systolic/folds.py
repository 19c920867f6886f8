"""How a layer is folded onto the array, and how many cycles the folds take.

A product of (M, K) by (K, N) occupies the rows with S_r, the columns with S_c, and runs over time T:

    os: S_r = M, S_c = N, T = K      ws: S_r = K, S_c = N, T = M      is: S_r = K, S_c = M, T = N

It takes ceil(S_r / R) x ceil(S_c / C) folds (Samajdar et al., SCALE-Sim, 2018, section III).
"""

from __future__ import annotations

import numba
import numpy as np

OS, WS, IS = range(3)


@numba.njit(cache=True, nogil=True, inline="always")
def ceil_divide(a: float, b: float) -> float:
    """ceil(a / b) of whole numbers below 2**53, exactly: a quotient that is not whole is at least 1/b away from one."""
    return np.ceil(a / b)


@numba.njit(cache=True, nogil=True)
def spans(dataflow: int, m: float, n: float, k: float) -> tuple[float, float, float]:
    """S_r, S_c and T of a product."""
    if dataflow == OS:
        return m, n, k
    if dataflow == WS:
        return k, n, m
    return k, m, n


@numba.njit(cache=True, nogil=True)
def fold_cycles(dataflow: int, s_r: float, s_c: float, t: float, rows: float, columns: float, partial: bool) -> float:
    """Cycles of all folds one after the other, without any stall.

    A fold of r x c PEs takes r + c + T - 2 cycles (skew in, work, skew out), and r more to load what stays (ws, is).  With
    ``partial`` r and c are what the fold uses, else the whole array, as in SCALE-Sim.
    """
    f_r, f_c = ceil_divide(s_r, rows), ceil_divide(s_c, columns)
    used_rows, used_columns = (s_r, s_c) if partial else (f_r * rows, f_c * columns)
    loads = 1.0 if dataflow == OS else 2.0
    return f_c * loads * used_rows + f_r * used_columns + f_r * f_c * (t - 2.0)


@numba.njit(cache=True, nogil=True)
def overlapped_cycles(dataflow: int, s_r: float, s_c: float, t: float, rows: float, columns: float) -> float:
    """Cycles if PEs hold two sets of what stays, so that a fold is loaded or drained while its neighbour works.

    A fold then takes as long as the longer of its work, T, and its rows, r; skew, load and drain show once per layer.
    """
    f_r, f_c = ceil_divide(s_r, rows), ceil_divide(s_c, columns)
    last = s_r - (f_r - 1.0) * rows
    first_r, last_c = min(rows, s_r), s_c - (f_c - 1.0) * columns
    work = f_c * ((f_r - 1.0) * max(t, rows) + max(t, last))
    return work + last + last_c - 2.0 + (0.0 if dataflow == OS else first_r)

"""What a bank of SRAM costs, from a table made with CACTI 7.

``data/sram.csv`` has banks of 0.25 to 2048 KB with one port of 16, 64 or 256 bits at four nodes.  Between two sizes every
figure is a power law through its neighbours (a straight line in log KB and log figure).  Beyond the table nothing is
extrapolated: a figure is NaN there, and ``outside`` says by how many doublings the size is out.

CACTI picks another organisation where its own objective says so, so that a larger bank sometimes reads cheaper or faster
than a smaller one.  A search would dig for these spots; the tables here hold the running maximum over size, which is never
below CACTI's figure.
"""

from __future__ import annotations

import csv
import math
from functools import cache
from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from archgym.errors import UnknownNameError

Table = NDArray[np.float64]

FILE = Path(__file__).parent / "data" / "sram.csv"
NODES = (45, 32, 28, 22)
WIDTHS = (16, 64, 256)
FIGURES = ("read_pJ", "write_pJ", "leak_mW", "area_mm2", "access_ns", "cycle_ns")
READ_PJ, WRITE_PJ, LEAK_MW, AREA_MM2, ACCESS_NS, CYCLE_NS = range(len(FIGURES))
SMALLEST_KB, LARGEST_KB = 0.25, 2048.0
SIZES = 14  # powers of two from the smallest to the largest


@cache
def sweep(node_nm: int) -> Table:
    """The table as it came from CACTI, ``(3 widths, 6 figures, 14 sizes)``, NaN where CACTI found no bank.

    Raises:
        UnknownNameError: a node that the table does not have.
    """
    if node_nm not in NODES:
        raise UnknownNameError("node", node_nm, NODES, "systolic")
    figures = np.full((len(WIDTHS), len(FIGURES), SIZES), np.nan)
    with FILE.open(newline="") as file:
        for row in csv.DictReader(file):
            if int(row["node_nm"]) == node_nm and row["read_pJ"]:
                size = round(math.log2(float(row["KB"]) / SMALLEST_KB))
                figures[WIDTHS.index(int(row["width_bits"])), :, size] = [float(row[name]) for name in FIGURES]
    figures.flags.writeable = False
    return figures


@cache
def table(node_nm: int) -> Table:
    """What the kernels read, shaped as ``sweep``: no figure falls with size."""
    figures = np.fmax.accumulate(sweep(node_nm), axis=2)
    figures.flags.writeable = False
    return figures


@njit(cache=True, nogil=True)
def outside(kb, figures):
    """Doublings by which a bank of ``kb`` is below the smallest or above the largest of ``(6, 14)`` figures; 0 inside."""
    if not kb > 0.0:
        return np.inf
    first = 0
    while np.isnan(figures[0, first]):
        first += 1
    position = math.log2(kb / SMALLEST_KB)
    return max(first - position, position - (SIZES - 1), 0.0)


@njit(cache=True, nogil=True)
def figure(kb, row):
    """One figure of a bank of ``kb``: ``row`` is ``(14,)``.  NaN outside the table."""
    if not SMALLEST_KB <= kb <= LARGEST_KB:
        return np.nan
    position = math.log2(kb / SMALLEST_KB)
    below = int(position)
    share = position - below
    return row[below] if share == 0.0 else row[below] * (row[below + 1] / row[below]) ** share


@njit(cache=True, nogil=True)
def _figures(kb, figures, out):
    for bank in range(len(kb)):
        for kind in range(figures.shape[0]):
            out[bank, kind] = figure(kb[bank], figures[kind])


def banks(kb: ArrayLike, width_bits: int, node_nm: int) -> Table:
    """Figures of many banks as in the table, not calibrated.

    Args:
        kb: sizes, any shape.
        width_bits: 16, 64 or 256.
        node_nm: 45, 32, 28 or 22.

    Returns:
        The shape of ``kb`` with a last axis of six ``FIGURES``; NaN outside the table.

    Raises:
        UnknownNameError: a width or a node that the table does not have.
    """
    if width_bits not in WIDTHS:
        raise UnknownNameError("word width", width_bits, WIDTHS, "systolic")
    sizes = np.asarray(kb, np.float64)
    found = np.empty((sizes.size, len(FIGURES)))
    _figures(sizes.ravel(), table(node_nm)[WIDTHS.index(width_bits)], found)
    return found.reshape(*sizes.shape, len(FIGURES))

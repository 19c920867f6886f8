"""A simulator that prices a whole batch at once: tiles of a matrix product, by NumPy over columns of values."""

from archgym import Constraint, DesignSpace, Metric, Parameter, Simulator

EDGE, WORD_BYTES, BUFFER_WORDS = 4096, 2, 2**22
SIZES = tuple(16 << step for step in range(9))
LEAST_MB = 3 * EDGE**2 * WORD_BYTES / 1e6  # every matrix once


def words(columns):
    """Words of a buffer that holds a tile of each matrix, (N,)."""
    m, n, k = (columns[name] for name in ("tile_m", "tile_n", "tile_k"))
    return m * k + k * n + m * n


def excess(columns):
    """Words that do not fit, (N,)."""
    return words(columns) - BUFFER_WORDS


class Tiling(Simulator):
    """The product of two square matrices with 4096 rows, in tiles: A and B are read again for every tile of C in their way."""

    name, version, workload = "tiling", "1", "square-4096"
    space = DesignSpace(
        parameters=(Parameter("tile_m", SIZES), Parameter("tile_n", SIZES), Parameter("tile_k", SIZES)),
        constraints=(Constraint("buffer", excess, "a tile of each matrix fits into 8 MiB"),),
    )
    metrics = (
        Metric("traffic_mb", "min", (LEAST_MB, 1e6), "between memory and buffer"),
        Metric("buffer_kib", "min", (1, BUFFER_WORDS * WORD_BYTES / 1024), "size of the buffer"),
    )

    def _evaluate(self, columns, fidelity):
        reads = EDGE**3 * (1 / columns["tile_m"] + 1 / columns["tile_n"])
        sums = EDGE**2 * (2 * EDGE / columns["tile_k"] - 1)  # parts of C are written, and read again for the next part
        return {"traffic_mb": (reads + sums) * WORD_BYTES / 1e6, "buffer_kib": words(columns) * WORD_BYTES / 1024}

"""The contract, and what is known about the model."""
# ruff: noqa: D103 - a test's name says what it holds

import numpy as np
from tiling import EDGE, LEAST_MB, SIZES, Tiling

from archgym.testing import check_simulator


def price(**design: int) -> dict[str, float]:
    """Metrics of one design."""
    simulator = Tiling()
    return simulator.evaluate(simulator.space.encode(design)).row(0)


def test_it_keeps_the_contract() -> None:
    check_simulator(Tiling())


def test_whole_matrices_are_moved_once() -> None:
    assert SIZES[-1] == EDGE
    columns = {name: np.array([EDGE]) for name in ("tile_m", "tile_n", "tile_k")}
    assert Tiling()._evaluate(columns, "full")["traffic_mb"][0] == LEAST_MB


def test_twice_the_tile_is_half_the_reads() -> None:
    small, large = price(tile_m=256, tile_n=256, tile_k=16), price(tile_m=512, tile_n=512, tile_k=16)
    reads_mb = EDGE**3 * (2 / 256) * 2 / 1e6
    assert np.isclose(small["traffic_mb"] - large["traffic_mb"], reads_mb / 2)

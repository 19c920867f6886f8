"""Heterogeneous ASICs of NVDLA-, ShiDianNao- and row-stationary-style units that run several neural networks together."""

from pathlib import Path

from archgym.kernels import fresh_cache

fresh_cache(Path(__file__).parent)  # before any kernel below is imported

from simulators.asic.simulator import ASIC  # noqa: E402

__all__ = ["ASIC"]

"""DRAM memory controller: a DDR3 or DDR4 rank behind a configurable controller, driven by a trace."""

from pathlib import Path

from archgym.kernels import fresh_cache

fresh_cache(Path(__file__).parent)  # before any kernel below is imported

from simulators.dram.simulator import DRAM  # noqa: E402

__all__ = ["DRAM"]

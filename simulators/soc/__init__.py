"""Systems on chip for augmented and virtual reality: processors, accelerators, memories and buses under a task graph."""

from pathlib import Path

from archgym.kernels import fresh_cache

fresh_cache(Path(__file__).parent)  # before any kernel below is imported

from simulators.soc.simulator import SoC  # noqa: E402

__all__ = ["SoC"]

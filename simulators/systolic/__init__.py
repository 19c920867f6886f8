"""Systolic-array DNN accelerator: SCALE-Sim's numbers exactly, and a physical model with energy and area."""

from pathlib import Path

from archgym.kernels import fresh_cache

fresh_cache(Path(__file__).parent)

from simulators.systolic.layers import Layer, Network  # noqa: E402
from simulators.systolic.simulator import Systolic  # noqa: E402

__all__ = ["Layer", "Network", "Systolic"]

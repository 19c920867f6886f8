"""Simulators that do what simulators should not: hang, crash their process, leak, take their time."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym import Columns, Metric
from archgym.errors import ArgumentError
from simulators.synthetic import Synthetic

KINDS = ("none", "hang", "exit", "segv", "leak", "hog", "raise")
LEAK_BYTES = 48_000_000


class Troubled(Synthetic):
    """A sphere of four parameters with trouble at some designs.

    Arguments: ``trouble``, one of ``KINDS``; ``once``, a file that the first trouble makes and that keeps any other away;
    ``pause``, seconds that each design takes.  Trouble is where the first two parameters are at level 0; "leak" is everywhere.
    """

    name = "troubled"
    metrics = (Metric("distance", "min", (0.0, 1e6)), Metric("area", "min", (0.0, 1e6)))

    def __init__(self, workload: str = "sphere", trouble: str = "none", once: str = "", pause: float = 0.0) -> None:
        if trouble not in KINDS:
            raise ArgumentError(f"trouble must be one of {KINDS}, got {trouble!r}")
        super().__init__(workload, parameters=4, levels=6)
        self.trouble, self.once, self.pause = trouble, once, pause
        self.arguments = MappingProxyType({"workload": workload, "trouble": trouble, "once": once, "pause": pause})
        self._held: list[NDArray[np.uint8]] = []

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(self.arguments.values())

    def _evaluate(self, columns: Columns, fidelity: str) -> Mapping[str, NDArray[np.float64]]:
        time.sleep(self.pause * len(columns["x0"]))
        if self.trouble == "leak":
            self._hold(LEAK_BYTES)
        elif ((columns["x0"] == 0) & (columns["x1"] == 0)).any() and self._due():
            self._misbehave()
        return super()._evaluate(columns, fidelity)

    def _due(self) -> bool:
        if not self.once:
            return True
        try:
            Path(self.once).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def _misbehave(self) -> None:
        if self.trouble == "hang":
            while True:
                time.sleep(0.05)
        elif self.trouble == "exit":
            os._exit(7)
        elif self.trouble == "segv":
            ctypes.string_at(0)
        elif self.trouble == "hog":
            self._hold(4_000_000_000)
        elif self.trouble == "raise":
            raise SystemError("the model is beside itself")

    def _hold(self, size: int) -> None:
        self._held.append(np.ones(size, np.uint8))  # written to, so that the pages are really there

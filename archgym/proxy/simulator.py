"""Simulators that answer from a proxy: one in place of the real simulator, one beside it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.errors import ContractError, ProxyError
from archgym.metrics import Metric, Metrics, Status
from archgym.proxy.model import Proxy
from archgym.proxy.saving import read_manifest
from archgym.registry import make_simulator
from archgym.simulator import Simulator
from archgym.space import Columns, Designs
from archgym.wrappers import Wrapper

OUT_OF_RANGE = Metric("out_of_range", "info", (0.0, 1.0), "1 where the design is far from what the proxy was trained on")
FIDELITY = "proxy"
COST = 0.001
"""Budget units of one prediction beside the real simulator: a thousand are charged like one simulated design."""


class ProxySimulator(Wrapper):
    """Stands in for the simulator that a proxy was trained on: same space, constraints, equivalent designs and bounds.

    It has the metrics that the proxy predicts, and ``out_of_range``.  Its version names the proxy, so trials, tasks and
    tables of it are never taken for those of the simulator; it knows no optimum.

    Args:
        proxy: trained or loaded.
        folder: where it is saved; what ``resume`` needs to build this simulator again.
    """

    def __init__(self, proxy: Proxy, folder: str | os.PathLike[str] | None = None) -> None:
        super().__init__(proxy.simulator)
        self.proxy, self.folder = proxy, None if folder is None else str(folder)
        self.version = f"{self.inner.version}+proxy.{proxy.digest[:12]}"
        predicted = tuple(metric for metric in self.inner.metrics if metric.name in proxy.names)
        self.metrics = (*predicted, OUT_OF_RANGE)
        self.arguments = MappingProxyType({**self.inner.arguments, "proxy": self.folder})
        self.fidelities = MappingProxyType({"full": 1.0})
        self.summaries, self.deterministic = None, True
        self.lanes, self.in_order = 1, True  # predictions are made in whole batches

    def __reduce__(self) -> tuple[Any, ...]:
        if self.folder is None:
            raise ContractError("a ProxySimulator can be sent to another process only if its proxy is saved: give it folder=")
        return load_proxy_simulator, (self.folder,)

    @property
    def has_equivalents(self) -> bool:
        """As the real simulator."""
        return self.inner.has_equivalents

    explain = Simulator.explain  # a proxy only knows the outcome

    def evaluate(self, designs: ArrayLike, fidelity: str = "full") -> Metrics:
        """As ``Simulator.evaluate``, with predictions."""
        return Simulator.evaluate(self, designs, fidelity)

    def _price(self, designs: Designs, fidelity: str, columns: Columns | None = None) -> Metrics:
        return self._collect(self._predicted(designs), len(designs), fidelity)

    def _evaluate(self, columns: Columns, fidelity: str) -> Mapping[str, NDArray[Any]]:
        return self._predicted(self.space.encode(columns))

    def _predicted(self, designs: Designs) -> dict[str, NDArray[np.float64]]:
        far = self.proxy.out_of_range(designs).astype(np.float64)
        return {**self.proxy.predict(designs), OUT_OF_RANGE.name: far}


class WithProxy(Wrapper):
    """The real simulator with one fidelity more, "proxy", that a proxy answers, in whole batches and hence in one lane.

    Attributes:
        proxy: what answers; may be replaced at any time.
    """

    def __init__(self, inner: Simulator, proxy: Proxy | None = None) -> None:
        super().__init__(inner)
        self.proxy = proxy
        self.fidelities = MappingProxyType({**inner.fidelities, FIDELITY: COST})
        self.lanes, self.in_order = 1, True

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.inner, self.proxy)

    @property
    def has_equivalents(self) -> bool:
        """As the real simulator."""
        return self.inner.has_equivalents

    def evaluate(self, designs: ArrayLike, fidelity: str = "full") -> Metrics:
        """As the real simulator; at fidelity "proxy" metrics that are not predicted are NaN.

        Raises:
            ProxyError: fidelity "proxy" before there is one.
        """
        if fidelity != FIDELITY:
            return self.inner.evaluate(designs, fidelity)
        if self.proxy is None:
            raise ProxyError(f"{self.name}: fidelity {FIDELITY!r} needs a proxy, and there is none yet")
        array = self.space.check(designs, who=self.name)
        result = self._screen(array, self.space.decode(array) if self.space.constraints else None)
        valid = result.status == Status.OK
        for name, values in self.proxy.predict(array[valid]).items():
            result.columns[name][valid] = values
        return result


def load_proxy_simulator(
    folder: str | os.PathLike[str], name: str | None = None, arguments: Mapping[str, Any] | None = None
) -> ProxySimulator:
    """The stand-in for a simulator from a saved proxy.

    Args:
        folder: where the proxy is.
        name: the simulator it must belong to; any if not given.
        arguments: of the simulator, where they are stated; others are what they were in training.

    Raises:
        ProxyError: files that do not fit, or a proxy of another simulator, version, workload or space.
    """
    recorded = read_manifest(Path(folder))["simulator"]
    if name is not None and name != recorded["name"]:
        raise ProxyError(f"{folder}: this proxy was trained on simulator {recorded['name']}, not {name}")
    built = make_simulator(recorded["name"], **{**recorded["arguments"], **(arguments or {})})
    return ProxySimulator(Proxy.load(folder, built), folder)

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import archgym
from archgym.metrics import Metrics
from archgym.proxy import Proxy
from archgym.simulator import Simulator
from archgym.space import Designs

pytest.importorskip("skl2onnx")
pytest.importorskip("onnxruntime")

METRICS = ("latency_ns", "power_mw")
Trials = tuple[Simulator, Designs, Metrics]


@pytest.fixture(scope="session")
def trials() -> Trials:
    simulator = archgym.make_simulator("dram", workload="stream", requests=300)
    designs = simulator.space.sample(1500, seed=3)
    return simulator, designs, simulator.evaluate(designs)


@pytest.fixture(scope="session")
def proxies(trials: Trials) -> dict[str, Proxy]:
    quick = {"forest": {"n_estimators": 20}, "boosting": {"max_iter": 20}, "mlp": {"max_iter": 10}}
    return {name: Proxy(name, **quick.get(name, {})).fit(trials, METRICS) for name in ("kernel", *quick)}


@pytest.fixture(scope="session")
def proxy(proxies: dict[str, Proxy]) -> Proxy:
    return proxies["kernel"]


@pytest.fixture
def saved(proxy: Proxy, tmp_path: Path) -> Path:
    proxy.save(tmp_path / "proxy")
    return tmp_path / "proxy"


@pytest.fixture(scope="session")
def fresh(trials: Trials) -> Designs:
    return np.asarray(trials[0].space.sample(300, seed=4))

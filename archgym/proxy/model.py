"""``Proxy``: learns what a simulator says and answers in microseconds."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.errors import ProxyError
from archgym.manifest import describe_simulator, installed_packages
from archgym.proxy.assembly import Scaling, assemble, calibrated
from archgym.proxy.coverage import coverage
from archgym.proxy.equivalence import Canonical
from archgym.proxy.models import fit_model
from archgym.proxy.report import judge
from archgym.proxy.saving import check_simulator, read_file, read_manifest, write_proxy
from archgym.proxy.session import Session
from archgym.proxy.training import TrainingSet, training_set
from archgym.proxy.tuning import tuned
from archgym.registry import make_simulator
from archgym.simulator import Simulator

HELD_OUT = 0.2
PREDICTOR, COVERAGE = "model.onnx", "coverage.onnx"
_LIBRARIES = ("scikit-learn", "skl2onnx", "onnx", "onnxruntime", "scipy")


class Proxy:
    """Predicts the metrics of one simulator on one workload.

    Args:
        model: "kernel" (a Gaussian process over levels), "forest", "boosting", "mlp", or a regressor of scikit-learn.
        tune: whether cross-validation over classes of equivalent designs chooses the settings.
        seed: of everything random.
        settings: of the model's scikit-learn class, where they differ from the defaults here.

    Attributes:
        simulator: that it was trained on; its ``canonical`` maps designs before they are predicted.
        names: metrics that it predicts.
        record: the manifest's content: identity, training, report.
    """

    simulator: Simulator
    names: tuple[str, ...]
    record: dict[str, Any]

    def __init__(self, model: str | Any = "kernel", tune: bool = False, seed: int = 0, **settings: Any) -> None:
        self.model, self.tune, self.seed, self.settings = model, tune, seed, settings

    def fit(self, data: Any, metrics: Sequence[str] | None = None, held_out: float = HELD_OUT) -> Proxy:
        """Trains on a part, judges on the rest, then trains on everything.

        Args:
            data: a ``Dataset``, or (simulator, designs (N, D), metrics): ``Metrics`` or columns of N numbers.
            metrics: what to predict; by default all that the simulator wants small or large and that vary.
            held_out: share of the classes of equivalent designs that the report is about.

        Raises:
            ProxyError: data that cannot be learned from; the message says why.
            UnknownNameError: no such metric or model.
            MissingExtraError: a library of ``archgym[proxy]`` is not installed.
        """
        if not 0 < held_out < 1:
            raise ProxyError(f"held_out must be a share between 0 and 1, got {held_out}")
        everything = training_set(data, metrics)
        self.simulator, self.names = everything.simulator, everything.names
        part, rest = everything.split(held_out, self.seed)
        scaling = Scaling.of(part.values)
        settings = {**self.settings, **(tuned(self.model, part, scaling, self.seed, self.settings) if self.tune else {})}
        first = self._fit_model(part, scaling, settings, None)
        half = rest.split(0.5, self.seed) if len(rest) > 1 else (rest, rest)
        factors = calibrated(first, scaling, half[0])
        self._predictor = assemble(first, self.simulator.space, scaling, factors)
        self._start(self._predictor, None)
        report = self._judge(rest, half[1])
        scaling = Scaling.of(everything.values)
        self._predictor = assemble(
            self._fit_model(everything, scaling, settings, first), self.simulator.space, scaling, factors
        )
        self._coverage, limit = coverage(self.simulator.space, everything.designs, self.seed)
        self._start(self._predictor, self._coverage)
        self.record = self._describe(everything, settings, limit, report, factors is not None)
        return self

    @property
    def report(self) -> dict[str, dict[str, Any]]:
        """Metric -> errors on held-out classes; fields as in ``archgym.proxy.report.judge``, missing ones are unknown."""
        return dict(self.record["report"])

    @property
    def digest(self) -> str:
        """SHA-256 of what it predicts with."""
        return hashlib.sha256(self._predictor).hexdigest()

    @property
    def knows_std(self) -> bool:
        """Whether the model says how sure it is."""
        return bool(self.record["model"]["std"])

    def predict(self, designs: ArrayLike, std: bool = False) -> dict[str, NDArray[np.float64]]:
        """Predicts.

        Args:
            designs: (N, D) level indices.
            std: whether to tell standard deviations too, as columns ``METRIC_std``.

        Returns:
            metric -> (N,) float64, within the physical bounds that the simulator declares.

        Raises:
            DesignError: the array is wrong.
            ProxyError: the model knows no standard deviation.
        """
        if std and not self.knows_std:
            raise ProxyError(
                f"the model {self.record['model']['name']} does not tell standard deviations; kernel and forest do"
            )
        wanted = ["values", "std"] if std else ["values"]
        levels, inverse = self._canonical(designs)
        if not len(levels):
            return {name: np.zeros(0) for name in [*self.names, *(f"{name}_std" for name in self.names if std)]}
        outputs = self._session.run(levels, wanted)
        # The trained precision is single; bounds are compared in double.
        values = np.minimum(np.maximum(outputs[0].astype(np.float64), self._lows), self._highs)
        table = np.concatenate([values, outputs[1].astype(np.float64)], axis=1) if std else values
        columns = table.T if inverse is None else table.T[:, inverse]
        named = [*self.names, *(f"{name}_std" for name in self.names)] if std else self.names
        return dict(zip(named, columns, strict=True))

    def distance(self, designs: ArrayLike) -> NDArray[np.float64]:
        """(N,) distance of each design to the nearest training design (``archgym.proxy.coverage``)."""
        levels, inverse = self._canonical(designs)
        if not len(levels):
            return np.zeros(0)
        (found,) = self._cover.run(levels, ["distance"])
        distances = found.astype(np.float64)
        return distances if inverse is None else distances[inverse]

    def out_of_range(self, designs: ArrayLike) -> NDArray[np.bool_]:
        """(N,) whether a design is farther from the training data than those are from each other."""
        return np.asarray(self.distance(designs) > self.record["coverage"]["near"] + 1e-4)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Writes ``proxy.json``, ``model.onnx`` and ``coverage.onnx``.

        Raises:
            ProxyError: the folder holds a proxy already or cannot be written.
        """
        write_proxy(Path(folder), self.record, {PREDICTOR: self._predictor, COVERAGE: self._coverage})

    @classmethod
    def load(cls, folder: str | os.PathLike[str], simulator: Simulator | None = None) -> Proxy:
        """Reads a saved proxy.

        Args:
            folder: where it is.
            simulator: which it is to stand in for; built from the manifest by default.

        Raises:
            ProxyError: files that are missing, damaged, foreign or edited; another simulator, version, workload or space.
        """
        path = Path(folder)
        manifest = read_manifest(path)
        recorded = manifest["simulator"]
        problem = make_simulator(recorded["name"], **recorded["arguments"]) if simulator is None else simulator
        check_simulator(path, manifest, problem)
        proxy = cls(manifest["model"]["name"], manifest["model"]["tuned"], manifest["model"]["seed"])
        proxy.simulator, proxy.names = problem, tuple(entry["name"] for entry in manifest["predicts"])
        proxy.record = {key: value for key, value in manifest.items() if key not in ("format", "files", "digest")}
        proxy._predictor = read_file(path, manifest, PREDICTOR)
        proxy._coverage = read_file(path, manifest, COVERAGE)
        proxy._start(proxy._predictor, proxy._coverage)
        return proxy

    def _start(self, predictor: bytes, cover: bytes | None) -> None:
        dimensions = self.simulator.space.dimensions
        self._session = Session(predictor, PREDICTOR, dimensions, ("values",))
        if cover is not None:
            self._cover = Session(cover, COVERAGE, dimensions, ("distance",))
            self._canonical = Canonical(self.simulator)
        bounds = [self.simulator.metric(name).bounds for name in self.names]
        self._lows, self._highs = np.array(bounds, np.float64).T

    def _fit_model(self, part: TrainingSet, scaling: Scaling, settings: dict[str, Any], like: Any) -> Any:
        space, targets = self.simulator.space, scaling.forward(part.values)
        return fit_model(self.model, space, part.designs, targets, part.weights, self.seed, settings, like)

    def _judge(self, rest: TrainingSet, half: TrainingSet) -> dict[str, Any]:
        known = "std" in self._session.outputs
        found = {}
        predicted, again = self._raw(rest, False), self._raw(half, known)
        for i, name in enumerate(self.names):
            metric = self.simulator.metric(name)
            found[name] = judge(metric, rest.values[:, i], predicted[0][:, i], weights=rest.weights)
            if known:  # calibrated on the other half
                judged = judge(metric, half.values[:, i], again[0][:, i], again[1][:, i], half.weights)
                found[name].update({key: judged[key] for key in ("rms_z", "within_1", "within_2")})
        return found

    def _raw(self, part: TrainingSet, std: bool) -> list[NDArray[np.float64]]:
        outputs = self._session.run(part.designs.astype(np.int64), ["values", "std"] if std else ["values"])
        return [output.astype(np.float64) for output in outputs]

    def _describe(
        self, everything: TrainingSet, settings: dict[str, Any], near: float, report: dict[str, Any], std: bool
    ) -> dict[str, Any]:
        described = describe_simulator(self.simulator)
        name = self.model if isinstance(self.model, str) else type(self.model).__name__
        return {
            **{key: described[key] for key in ("simulator", "workload", "space")},
            "predicts": [self.simulator.metric(name).record() for name in self.names],
            "model": {
                "name": name,
                "settings": {k: repr(v) for k, v in settings.items()},
                "tuned": self.tune,
                "seed": self.seed,
                "std": std,
            },
            "training": {
                "trials": everything.trials,
                "failed": everything.failed,
                "classes": len(everything),
                "held_out": HELD_OUT,
            },
            "coverage": {"near": near},
            "report": report,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "packages": {**installed_packages(), **_versions()},
        }


def _versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found

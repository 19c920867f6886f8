from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import archgym
from archgym.errors import MixedDataError, ProxyError, UnknownNameError
from archgym.metrics import Metrics, Status
from archgym.proxy import Proxy
from archgym.proxy.saving import manifest_digest
from archgym.simulator import Simulator
from archgym.space import Designs

Trials = tuple[Simulator, Designs, Metrics]


def test_too_few_rows(trials: Trials) -> None:
    with pytest.raises(ProxyError, match=r"5 trials hold \d different designs .* needs at least 20"):
        Proxy().fit((trials[0], trials[1][:5], trials[2].take(range(5))))


def test_one_design_many_times_is_one_design(trials: Trials) -> None:
    rows = np.zeros(500, int)
    with pytest.raises(ProxyError, match="500 trials hold 1 different designs"):
        Proxy().fit((trials[0], trials[1][rows], trials[2].take(rows)))


def test_a_constant_metric(trials: Trials) -> None:
    with pytest.raises(ProxyError, match=r"num_rd: the same value in all 1500 trials.*leave it out"):
        Proxy().fit(trials, ["latency_ns", "num_rd"])


def test_only_failures(trials: Trials) -> None:
    failed = trials[2].take(range(len(trials[1])))
    failed.status[:] = Status.FAILED
    with pytest.raises(ProxyError, match="none of the 1500 trials is OK"):
        Proxy().fit((trials[0], trials[1], failed))


def test_values_that_are_not_finite(trials: Trials) -> None:
    columns = {"latency_ns": np.where(np.arange(1500) == 7, np.nan, trials[2]["latency_ns"])}
    with pytest.raises(ProxyError, match="latency_ns: 1 trials that are marked OK are not finite"):
        Proxy().fit((trials[0], trials[1], columns), ["latency_ns"])


def test_columns_of_another_length(trials: Trials) -> None:
    with pytest.raises(ProxyError, match="latency_ns: expected 1500 values"):
        Proxy().fit((trials[0], trials[1], {"latency_ns": np.ones(3)}))


def test_an_unknown_metric(trials: Trials) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'latency_ns'"):
        Proxy().fit(trials, ["latency"])


def test_something_that_is_no_data() -> None:
    with pytest.raises(ProxyError, match="learns from a Dataset or from"):
        Proxy().fit([1, 2, 3])


def test_runs_of_two_workloads(tmp_path: Path) -> None:
    for workload in ("stream", "random"):
        simulator = archgym.make_simulator("dram", workload=workload, requests=300)
        archgym.search("random_walk", simulator, budget=40, log=tmp_path / workload)
    with pytest.raises(MixedDataError, match=r"differ in workload"):
        Proxy().fit(archgym.Dataset.open(tmp_path))
    version = archgym.make_simulator("dram", workload="stream", requests=300)
    version.version = "2"
    archgym.search("random_walk", version, budget=40, log=tmp_path / "newer")
    with pytest.raises(MixedDataError, match=r"differ in simulator version"):
        Proxy().fit(archgym.Dataset.open(tmp_path / "stream", tmp_path / "newer"))


@pytest.mark.parametrize("share", [0, 1, -0.5])
def test_a_share_that_is_none(trials: Trials, share: float) -> None:
    with pytest.raises(ProxyError, match="share between 0 and 1"):
        Proxy().fit(trials, held_out=share)


@pytest.mark.parametrize("name", ["model.onnx", "coverage.onnx"])
def test_a_truncated_file(saved: Path, name: str) -> None:
    path = saved / name
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ProxyError, match=rf"{name} is not the file that was saved with this proxy: it was truncated"):
        Proxy.load(saved)


def test_a_missing_file(saved: Path) -> None:
    (saved / "model.onnx").unlink()
    with pytest.raises(ProxyError, match=r"model.onnx cannot be read: No such file"):
        Proxy.load(saved)


@pytest.mark.parametrize("content", [b"", b"not onnx at all", b"\x80\x04K\x01."])
def test_a_foreign_file_with_a_forged_manifest(saved: Path, content: bytes) -> None:
    _exchange(saved, content)
    with pytest.raises(ProxyError, match=r"model.onnx cannot be read as an ONNX model|is an ONNX model, but not"):
        Proxy.load(saved)


def test_an_onnx_file_of_something_else(saved: Path) -> None:
    _exchange(saved, (saved / "coverage.onnx").read_bytes())
    with pytest.raises(ProxyError, match=r"model.onnx is an ONNX model, but not that of this proxy: .*got .*distance"):
        Proxy.load(saved)


def test_a_manifest_edited_by_hand(saved: Path) -> None:
    path = saved / "proxy.json"
    path.write_text(path.read_text().replace('"version": "1"', '"version": "2"'))
    with pytest.raises(ProxyError, match="was changed after the proxy had been saved"):
        Proxy.load(saved)


@pytest.mark.parametrize(("text", "message"), [("{", "cannot be read"), ("[]", "lacks format"), ('{"format": 1}', "lacks")])
def test_a_manifest_that_is_none(saved: Path, text: str, message: str) -> None:
    (saved / "proxy.json").write_text(text)
    with pytest.raises(ProxyError, match=message):
        Proxy.load(saved)


def test_a_folder_without_a_proxy(tmp_path: Path) -> None:
    with pytest.raises(ProxyError, match="holds no proxy"):
        Proxy.load(tmp_path)


def test_a_folder_that_holds_one_already(saved: Path, proxy: Proxy) -> None:
    with pytest.raises(ProxyError, match="already holds a proxy"):
        proxy.save(saved)


@pytest.mark.parametrize(
    ("arguments", "difference"),
    [
        ({"workload": "random"}, r"workload stream \(\w{12}\), not random"),
        ({"space": "integer"}, r"space dram-grid \(\w{12}\), not dram-integer"),
        ({"requests": 400}, r"workload stream .* not stream"),
        ({"memory": "ddr4-2400"}, r"memory='ddr3-1600', not 'ddr4-2400'"),
    ],
)
def test_another_problem_is_refused_by_name(saved: Path, arguments: dict[str, object], difference: str) -> None:
    other = archgym.make_simulator("dram", **{"workload": "stream", "requests": 300, **arguments})
    with pytest.raises(ProxyError, match=difference):
        Proxy.load(saved, other)


def test_another_version_is_refused_by_name(saved: Path) -> None:
    newer = archgym.make_simulator("dram", workload="stream", requests=300)
    newer.version = "2"
    with pytest.raises(ProxyError, match="trained on version 1, not 2"):
        Proxy.load(saved, newer)


def test_nothing_is_unpickled() -> None:
    folder = Path(archgym.__file__).parent / "proxy"
    sources = "".join(path.read_text() for path in folder.glob("*.py"))
    assert not [word for word in ("pickle.", "joblib", "eval(", "exec(", "allow_pickle") if word in sources]


def _exchange(folder: Path, content: bytes) -> None:
    """Puts another file in the place of the model, and makes the manifest vouch for it."""
    import hashlib

    manifest = json.loads((folder / "proxy.json").read_text())
    manifest["files"]["model.onnx"] = hashlib.sha256(content).hexdigest()
    manifest["digest"] = manifest_digest(manifest)
    (folder / "proxy.json").write_text(json.dumps(manifest))
    (folder / "model.onnx").write_bytes(content)

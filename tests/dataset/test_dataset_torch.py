"""Trials as a torch dataset."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest
from made_up import BOX, Blunt, blunt

from archgym import Dataset, make_simulator
from archgym.errors import DataError, MissingExtraError, UnknownNameError


def with_failures() -> Dataset:
    columns = {"latency_ns": [1.0, np.nan, 3.0], "area_mm2": [4.0, 5.0, 6.0]}
    return Dataset.from_arrays(Blunt(), BOX.sample(3, 0), columns)


def test_a_loader_gives_designs_and_targets() -> None:
    torch = pytest.importorskip("torch", reason="needs torch (extra rl)")
    dataset = blunt(20)
    data = dataset.to_torch(["area_mm2"])
    assert isinstance(data, torch.utils.data.Dataset) and len(data) == 20
    inputs, targets = next(iter(torch.utils.data.DataLoader(data, batch_size=20)))
    found = dataset.arrays()
    assert np.array_equal(inputs.numpy(), BOX.one_hot(found.designs))
    assert targets.shape == (20, 1) and targets.dtype == torch.float32
    assert np.array_equal(targets.numpy()[:, 0], found.metrics["area_mm2"].astype(np.float32))


@pytest.mark.parametrize(("encoding", "width"), [("one_hot", 12), ("unit", 3), ("levels", 3)])
def test_encodings(encoding: str, width: int) -> None:
    pytest.importorskip("torch", reason="needs torch (extra rl)")
    inputs, targets = blunt(20).to_torch(encoding=encoding)[:]
    assert inputs.shape == (20, width) and targets.shape == (20, 2)
    assert (float(inputs.max()) <= 1) == (encoding != "levels")


def test_negatives_stay_in_when_asked() -> None:
    pytest.importorskip("torch", reason="needs torch (extra rl)")
    assert with_failures().to_torch()[:][1].tolist() == [[1.0, 4.0], [3.0, 6.0]]
    _, _, ok = with_failures().to_torch(negatives=True)[:]
    assert ok.tolist() == [True, False, True]
    with pytest.raises(DataError, match="none of these 1 trials is OK"):
        with_failures().select(status="FAILED").to_torch()


def test_what_cannot_be_done_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownNameError, match=r"no encoding named 'onehot'\. Did you mean 'one_hot'"):
        blunt(3).to_torch(encoding="onehot")
    real = builtins.__import__

    def refuse(name: str, *arguments: Any, **keywords: Any) -> Any:
        if name.partition(".")[0] == "torch":
            raise ImportError(name)
        return real(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtraError, match="needs torch"):
        blunt(3).to_torch()


def test_the_target_of_a_dram_trial_is_its_metric() -> None:
    pytest.importorskip("torch", reason="needs torch (extra rl)")
    simulator = make_simulator("dram", workload="random", requests=100)
    designs = simulator.space.sample(5, 0)
    metrics = simulator.evaluate(designs)
    _, targets = Dataset.from_arrays(simulator, designs, metrics).to_torch(["power_mw", "latency_ns"])[:]
    assert np.allclose(targets[:, 1], metrics["latency_ns"]) and np.allclose(targets[:, 0], metrics["power_mw"])

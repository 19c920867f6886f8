"""No simulator, agent or run draws from a global random state."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from described import NEEDED

from archgym import Dataset, list_agents, list_simulators, make_simulator, search
from archgym.errors import MissingExtraError
from archgym.testing import no_global_rng


@pytest.mark.parametrize("name", list_simulators())
def test_simulators(name: str) -> None:
    with no_global_rng():
        simulator = make_simulator(name, **NEEDED.get(name, {}))
        assert len(simulator.evaluate(simulator.space.sample(16, 0))) == 16


@pytest.mark.parametrize("agent", list_agents())
def test_runs_with_a_log(agent: str, tmp_path: Path) -> None:
    try:
        with no_global_rng():
            search(agent, "synthetic", budget=100, log=tmp_path / "run")
            assert len(Dataset.open(tmp_path)) == 100
    except MissingExtraError as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("seed", [0, 1])
def test_global_states_do_not_move_a_run(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    result = search("genetic", "synthetic", budget=100)
    random.seed(seed + 10)
    np.random.seed(seed + 10)
    again = search("genetic", "synthetic", budget=100)
    assert result.best_score == again.best_score and result.best_design == again.best_design


def test_the_guard_itself_raises_and_restores() -> None:
    draws = [lambda: random.random(), lambda: np.random.rand(), lambda: np.random.seed(0), lambda: random.shuffle([1, 2])]
    for draw in draws:
        with pytest.raises(RuntimeError, match="draws from a global state"), no_global_rng():
            draw()
        draw()


def test_the_guard_sees_through_functions_that_were_imported_before() -> None:
    imported = random.random
    with pytest.raises(RuntimeError, match="a global random state moved"), no_global_rng():
        imported()
    with no_global_rng():
        assert np.random.default_rng(0).random() < 1 and random.Random(0).random() < 1

"""Every registered simulator, on every workload that comes with it, keeps the contract."""

from __future__ import annotations

from functools import cache

import pytest
from described import NEEDED, SMALL

from archgym import Cached, Faulty, Simulator, list_simulators, list_workloads, make_simulator
from archgym.testing import PROBLEMS, Check, in_another_process, simulator_checks
from archgym.testing.problems import ODD_PROBLEMS, NothingValid
from archgym.testing.simulator_checks import same

CHEAP = {"asic": {"accuracy": "surrogate"}}
"""Arguments that spare these tests minutes of work; everything else is at its default."""


@cache
def make(name: str, **arguments: object) -> Simulator:
    """A simulator at its defaults, but for ``CHEAP`` and what it needs."""
    return make_simulator(name, **{**NEEDED.get(name, {}), **CHEAP.get(name, {}), **arguments})


CASES = [
    pytest.param(name, workload, id=f"{name}-{workload}")
    for name in list_simulators()
    for workload in list_workloads(SMALL if name == "command" else name)
]


@pytest.mark.parametrize("check", simulator_checks(designs=32), ids=str)
@pytest.mark.parametrize(("name", "workload"), CASES)
def test_registered_simulators(name: str, workload: str, check: Check[Simulator]) -> None:
    check.run(make(name, workload=workload))


@pytest.mark.parametrize("name", list_simulators())
def test_defaults_make_a_simulator_with_its_registered_name(name: str) -> None:
    simulator = make(name)
    assert simulator.name == name and simulator.workload
    assert make(name, workload=simulator.workload).workload_digest == simulator.workload_digest


def _metrics(name: str, arguments: dict[str, object]) -> dict[str, bytes]:
    simulator = make_simulator(name, **arguments)
    result = simulator.evaluate(simulator.space.sample(32, 1))
    return {metric: values.tobytes() for metric, values in result.columns.items()}


@pytest.mark.parametrize("name", list_simulators())
def test_another_process_gets_the_same_bytes(name: str) -> None:
    arguments = dict(make(name).arguments)
    assert in_another_process(_metrics, name, arguments) == _metrics(name, arguments)


@pytest.mark.parametrize("problem", [kind for kind in (*PROBLEMS, *ODD_PROBLEMS) if kind is not NothingValid])
def test_the_kits_own_problems(problem: type[Simulator]) -> None:
    for check in simulator_checks():
        check.run(problem())


@pytest.mark.parametrize("name", list_simulators())
def test_wrapped_simulators(name: str) -> None:
    simulator = make(name)
    designs = simulator.space.sample(32, 2)
    assert not same(Cached(simulator).evaluate(designs), simulator.evaluate(designs))
    spoilt = Faulty(simulator, share=0.5)
    assert not same(Cached(spoilt).evaluate(designs), spoilt.evaluate(designs))

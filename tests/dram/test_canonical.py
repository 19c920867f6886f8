"""Designs with one representative have one set of metrics, and the rules find what cannot differ."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archgym
from simulators.dram import fast, workloads
from simulators.dram.canonical import can_pull_in
from simulators.dram.memory import load_memory
from simulators.dram.simulator import DRAM

REQUESTS = 400
KINDS = [
    {"workload": name, "space": space, "memory": memory}
    for name in ("random", "cloud-1", "read-write", "bursty", "dnn-tiles", "pointer-chase")
    for space in ("grid", "integer")
    for memory in ("ddr3-1600", "ddr4-2400")
]


def raw(simulator: DRAM, designs: np.ndarray) -> np.ndarray:
    """Outcomes of exactly the given designs: nothing is mapped onto a representative first."""
    trace, memory = simulator.trace, simulator.memory
    return fast.simulate(
        simulator.controllers(simulator.space.decode(designs)),
        memory.timing,
        trace.cycles * simulator.player_period_ps,
        simulator.player_period_ps,
        trace.writes,
        memory.bank(trace.addresses),
        memory.row(trace.addresses),
        trace.addresses,
    )


@pytest.mark.parametrize("arguments", KINDS, ids=lambda a: "-".join(a.values()))
def test_equal_representatives_give_equal_outcomes(arguments: dict[str, str]) -> None:
    simulator = DRAM(**arguments, requests=REQUESTS)
    designs = simulator.space.sample(600, seed=1)
    representatives = simulator.canonical(designs)
    moved = (designs != representatives).any(axis=1)
    assert moved.mean() > 0.3
    np.testing.assert_array_equal(raw(simulator, designs), raw(simulator, representatives))


@given(
    n=st.integers(0, 7),
    m=st.integers(0, 7),
    rest=st.tuples(
        st.integers(0, 3), st.integers(0, 2), st.integers(0, 2), st.integers(0, 1), st.integers(0, 1), st.integers(0, 2)
    ),
    workload=st.sampled_from(["random", "read-write", "bursty"]),
)
@settings(max_examples=150, deadline=None)
def test_small_buffers_and_few_transactions(n: int, m: int, rest: tuple[int, ...], workload: str) -> None:
    simulator = DRAM(workload, requests=120, seed=3)
    page, scheduler, buffer, queue, refresh, arbiter = rest
    design = np.array([[page, scheduler, buffer, n, queue, refresh, 1, 2, arbiter, m]], np.int32)
    np.testing.assert_array_equal(raw(simulator, design), raw(simulator, simulator.canonical(design)))


@pytest.mark.parametrize("workload", ["random", "read-write", "bursty"])
def test_representatives_are_their_own(workload: str) -> None:
    simulator = DRAM(workload, requests=REQUESTS)
    once = simulator.canonical(simulator.space.sample(20_000, seed=2))
    np.testing.assert_array_equal(simulator.canonical(once), once)


def test_few_classes_are_left_of_the_grid() -> None:
    simulator = DRAM("random")
    grid = simulator.space.unrank(np.arange(simulator.space.size))
    classes = np.unique(simulator.space.rank(simulator.canonical(grid)))
    assert len(classes) == 6_445  # without these rules 442,368; the two identities of the reference alone leave 21,760


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"RefreshPolicy": "NoRefresh", "RefreshMaxPostponed": 8}, {"RefreshMaxPostponed": 1}),
        ({"Arbiter": "Simple", "MaxActiveTransactions": 64}, {"MaxActiveTransactions": 1}),
        ({"SchedulerBuffer": "ReadWrite"}, {"SchedulerBuffer": "Shared"}),
        ({"Scheduler": "FrFcfsGrp", "PagePolicy": "Open"}, {"Scheduler": "FrFcfs"}),
        ({"RespQueue": "Reorder", "Arbiter": "Reorder"}, {"Arbiter": "Fifo"}),
        ({"PagePolicy": "Closed", "Scheduler": "FrFcfs"}, {"Scheduler": "Fifo"}),
        ({"Arbiter": "Fifo", "MaxActiveTransactions": 8, "RequestBufferSize": 32}, {"RequestBufferSize": 8}),
    ],
)
def test_each_rule(changes: dict[str, object], expected: dict[str, object]) -> None:
    simulator = DRAM("random")
    base = {"RequestBufferSize": 64, "Arbiter": "Fifo", "MaxActiveTransactions": 128}
    design = simulator.space.encode({**base, **changes})
    found = simulator.space.describe(simulator.canonical(design))
    assert {name: found[name] for name in expected} == expected


def test_writes_keep_what_only_writes_can_tell_apart() -> None:
    simulator = DRAM("read-write", requests=REQUESTS)
    columns = {"SchedulerBuffer": "ReadWrite", "Scheduler": "FrFcfsGrp", "PagePolicy": "Open", "RequestBufferSize": 8}
    found = simulator.space.describe(simulator.canonical(simulator.space.encode(columns)))
    assert (found["SchedulerBuffer"], found["Scheduler"]) == ("ReadWrite", "FrFcfsGrp")


def test_only_traces_with_pauses_can_pull_in() -> None:
    memory = load_memory("ddr3-1600")
    assert not can_pull_in(workloads.generate("random"), memory, 1250)
    assert can_pull_in(workloads.generate("bursty"), memory, 1250)


def test_a_batch_simulates_each_class_once(monkeypatch: pytest.MonkeyPatch) -> None:
    simulator = archgym.make_simulator("dram", workload="random", requests=100)
    rows: list[int] = []
    original = fast.simulate_prepared

    def counted(controllers: np.ndarray, *rest: object, **keywords: object) -> np.ndarray:
        rows.append(len(controllers))
        return original(controllers, *rest, **keywords)

    monkeypatch.setattr(fast, "simulate_prepared", counted)
    designs = simulator.space.sample(2_000, seed=0)
    classes = len(np.unique(simulator.space.rank(simulator.canonical(designs))))
    simulator.evaluate(designs)
    assert rows == [classes]

"""The literal engine against the micro-experiments: printed numbers and command lists."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulators.dram import energy, layout, reference
from simulators.dram.literal import engine
from simulators.dram.literal.commands import COMMAND_NAMES, PREA
from simulators.dram.memory import load_memory

MICRO = Path(__file__).parents[2].parent / "shared" / "reference" / "dram" / "micro"
CASES = sorted(MICRO.glob("*.json"))
needs_cases = pytest.mark.skipif(not CASES, reason="the micro-experiments of the reference program are not here")
MEMORY = load_memory("ddr3-1600")
DESIGN = {
    "PagePolicy": "Open",
    "Scheduler": "Fifo",
    "SchedulerBuffer": "Bankwise",
    "RequestBufferSize": 8,
    "RespQueue": "Fifo",
    "RefreshPolicy": "NoRefresh",
    "RefreshMaxPostponed": 1,
    "RefreshMaxPulledin": 1,
    "Arbiter": "Simple",
    "MaxActiveTransactions": 8,
}
Lines = list[tuple[int, str, int]]


def encode(**changes: Any) -> np.ndarray:
    return reference.encode({name: [value] for name, value in {**DESIGN, **changes}.items()})[0]


def arguments(lines: Lines, player_mhz: int = 800) -> tuple[Any, ...]:
    period_ps = round(1e6 / player_mhz)
    addresses = np.array([address for _, _, address in lines], np.int64)
    return (
        MEMORY.timing,
        np.array([cycle for cycle, _, _ in lines], np.int64) * period_ps,
        period_ps,
        np.array([kind == "write" for _, kind, _ in lines], np.uint8),
        MEMORY.bank(addresses),
        MEMORY.row(addresses),
        addresses,
    )


def record(lines: Lines, player_mhz: int = 800, **changes: Any) -> engine.Recording:
    return engine.record(encode(**changes), *arguments(lines, player_mhz))


def lines_of(case: dict[str, Any]) -> Lines:
    if case["trace"] is None:  # cases 30 and 31 state their rule in words
        return [(6200, "read", (i % 7) * 65536) for i in range(400)]
    return [(cycle, kind, int(address, 16)) for cycle, kind, address in case["trace"]]


@needs_cases
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_micro_experiment(path: Path) -> None:
    case = json.loads(path.read_text())
    recording = record(lines_of(case), case["trace_clk_mhz"], **case["config"])

    derived = energy.derive(recording.outcome[None], MEMORY)
    printed = {name: float(f"{column[0]:.2f}") for name, column in derived.items()}
    assert printed == {name: value for name, value in case["reference"].items() if name != "total_time_cycles"}
    assert recording.outcome[layout.TOTAL_PS] == case["reference"]["total_time_cycles"] * 1250

    names = [COMMAND_NAMES[command] for command in recording.command]
    assert Counter(names) == case["command_counts"]
    issued = [list(item) for item in zip(recording.time_ps // 1250, names, np.maximum(recording.bank, 0), strict=True)]
    assert issued[: len(case["commands"])] == case["commands"]
    assert case["commands_truncated"] or len(issued) == len(case["commands"])


def test_all_micro_experiments_are_there() -> None:
    assert len(CASES) in (0, 42)


def test_one_read_costs_activation_latency_and_burst() -> None:
    recording = record([(0, "read", 0)])
    assert recording.outcome[layout.TOTAL_PS] == (10 + 10 + 4) * 1250
    assert recording.arrival_ps.tolist() == recording.acceptance_ps.tolist() == recording.first_command_ps.tolist() == [0]
    assert recording.cas_ps.tolist() == [12_500]
    assert recording.ready_ps.tolist() == recording.delivery_ps.tolist() == [30_000]
    assert recording.outcome[layout.LATENCY_SUM_PS] == recording.outcome[layout.LATENCY_MAX_PS] == 30_000
    assert recording.outcome[layout.SERVED] == 0  # with the simple arbiter the run ends before the last release


def test_the_arbiter_sees_requests_on_edges_of_the_memory_clock() -> None:
    recording = record([(1, "read", 0)], player_mhz=1000)
    assert recording.arrival_ps.tolist() == [1250]
    assert recording.outcome[layout.LATENCY_SUM_PS] == 30_000


@pytest.mark.parametrize("arbiter", ["Simple", "Fifo", "Reorder"])
def test_the_times_of_a_request_follow_one_another(arbiter: str) -> None:
    rng = np.random.default_rng(7)
    lines = [(4 * i, "write" if rng.random() < 0.4 else "read", int(rng.integers(1 << 20)) * 64) for i in range(300)]
    recording = record(
        lines, Scheduler="FrFcfsGrp", RespQueue="Reorder", RefreshPolicy="AllBank", Arbiter=arbiter, PagePolicy="Closed"
    )
    steps = ["arrival", "admission", "acceptance", "first_command", "cas", "ready", "delivery"]
    times = [getattr(recording, f"{step}_ps") for step in steps]
    for earlier, later in itertools.pairwise(times):
        assert (earlier <= later).all()
    assert recording.outcome[layout.TOTAL_PS] == recording.delivery_ps.max()
    assert (np.diff(recording.time_ps) >= 1250).all()
    assert ((recording.request == -1) == (recording.command >= PREA)).all()
    cas = recording.request[(recording.command >= 2) & (recording.command < PREA)]
    assert sorted(cas.tolist()) == list(range(300))


def test_recording_and_simulation_agree_and_repeat() -> None:
    lines = [(3 * i, "read", 65536 * (i % 5)) for i in range(200)]
    controllers = np.array([encode(), encode(PagePolicy="ClosedAdaptive"), encode(Arbiter="Fifo"), encode()])
    outcomes = engine.simulate(controllers, *arguments(lines))
    for controller, outcome in zip(controllers, outcomes, strict=True):
        assert (engine.record(controller, *arguments(lines)).outcome == outcome).all()
    assert (engine.simulate(controllers, *arguments(lines)) == outcomes).all()


def test_a_heap_that_is_too_small_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [(50 * i, "read", 65536 * (i % 5)) for i in range(300)]
    controllers = np.array([encode(RefreshPolicy="AllBank", Arbiter="Reorder")])
    expected = engine.simulate(controllers, *arguments(lines))
    monkeypatch.setattr(engine, "HEAP_ENTRIES", engine.HEAP_MARGIN)
    assert (engine.simulate(controllers, *arguments(lines)) == expected).all()


@pytest.mark.parametrize("changes", [{"RequestBufferSize": 0}, {"Arbiter": "Fifo", "MaxActiveTransactions": 0}])
def test_a_controller_that_can_hold_nothing_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        record([(0, "read", 0)], **changes)

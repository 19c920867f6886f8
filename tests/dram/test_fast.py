"""The fast engine: its heap, its links, batches and threads, and the micro-experiments."""

from __future__ import annotations

import heapq
import json
import multiprocessing
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulators.dram import energy, fast, fast_heap, fast_tables, layout, reference
from simulators.dram.memory import load_memory
from simulators.dram.simulator import DRAM

MICRO = Path(__file__).parents[2].parent / "shared" / "reference" / "dram" / "micro"
CASES = sorted(MICRO.glob("*.json"))
MEMORY = load_memory("ddr3-1600")
LEVELS = ((0, 1, 2, 3), (0, 1, 2), (0, 1, 2), (1, 2, 8, 64), (0, 1), (0, 1), (0, 1, 4), (0, 1, 4), (0, 1, 2), (1, 2, 8, 64))


def controllers(count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack([rng.choice(levels, count) for levels in LEVELS], axis=1).astype(np.int64)


def arguments(
    cycles: Any, addresses: Any, writes: Any = None, player_mhz: float = 800, memory: Any = MEMORY
) -> tuple[Any, ...]:
    period_ps = round(1e6 / player_mhz)
    address = np.asarray(addresses, np.int64)
    write = np.zeros(len(address), np.uint8) if writes is None else np.asarray(writes, np.uint8)
    lines = np.asarray(cycles, np.int64) * period_ps
    return memory.timing, lines, period_ps, write, memory.bank(address), memory.row(address), address


def random_arguments(requests: int, seed: int = 0, gap: int = 20) -> tuple[Any, ...]:
    rng = np.random.default_rng(seed)
    cycles = np.cumsum(rng.integers(0, gap, requests))
    return arguments(cycles, rng.integers(0, 1 << 19, requests) * 64, rng.random(requests) < 0.3)


def entries(heap: np.ndarray) -> list[tuple[int, int]]:
    return [tuple(pair) for pair in heap[2 : 2 + 2 * heap[fast_heap.ENTRIES]].reshape(-1, 2).tolist()]


# ---- the heap


def test_equal_times_leave_the_heap_by_its_mechanics_and_not_by_age() -> None:
    heap = np.zeros(64, np.int64)
    for tag, time in enumerate((1, 5, 5, 5)):
        fast_heap.push(heap, time, tag)
    # The root goes, the last entry takes its place and does not move: it is not later than its children.
    assert [fast_heap.pop(heap) for _ in range(4)] == [0, 3, 2, 1]


def test_an_entry_moves_up_past_strictly_later_ones_only() -> None:
    heap = np.zeros(64, np.int64)
    for tag, time in enumerate((7, 7, 3, 3)):
        fast_heap.push(heap, time, tag)
    assert entries(heap) == [(3, 2), (3, 3), (7, 0), (7, 1)]


def test_a_moved_entry_prefers_the_left_child() -> None:
    heap = np.zeros(64, np.int64)
    for tag, time in enumerate((1, 2, 2, 9)):
        fast_heap.push(heap, time, tag)
    assert fast_heap.pop(heap) == 0
    assert entries(heap) == [(2, 1), (9, 3), (2, 2)]


def test_times_leave_the_heap_in_order() -> None:
    rng = np.random.default_rng(3)
    heap, expected = np.zeros(1024, np.int64), []
    for tag in range(400):
        if rng.random() < 0.6 or not expected:
            time = int(rng.integers(100))
            fast_heap.push(heap, time, tag)
            heapq.heappush(expected, time)
        else:
            assert heap[fast_heap.FIRST_TIME] == heapq.heappop(expected)
            fast_heap.pop(heap)
    assert heap[fast_heap.ENTRIES] == len(expected)


# ---- the tables


def test_links_point_to_the_next_request_of_bank_row_and_address() -> None:
    bank, row, address = np.array([0, 1, 0, 0, 1]), np.array([5, 5, 6, 5, 5]), np.array([8, 9, 10, 8, 11])
    trace = fast_tables.make_trace(np.arange(5), np.zeros(5, np.uint8), bank, row, address).reshape(-1, fast_tables.STATIC)
    assert trace[:5, fast_tables.NEXT_IN_BANK].tolist() == [2, 4, 3, 5, 5]
    assert trace[:5, fast_tables.NEXT_HIT].tolist() == [3, 4, 5, 5, 5]
    assert trace[:5, fast_tables.NEXT_FIFO_HIT].tolist() == [5, 4, 5, 5, 5]
    assert trace[:5, fast_tables.SAME_ADDRESS].tolist() == [-1, -1, -1, 0, -1]
    assert trace[6:].reshape(-1)[:3].tolist() == [0, 1, 5]  # first request of banks 0, 1 and 2


def test_distances_are_those_of_the_memory() -> None:
    rules = fast_tables.make_rules(MEMORY.timing, 1250, 0)
    distance = rules[: fast_tables.OTHER_GROUP].reshape(8, 8)
    assert distance[fast_tables.ACT, fast_tables.ACT] == 5
    assert distance[fast_tables.RD, fast_tables.WR] == 8
    assert distance[fast_tables.WRA, fast_tables.RD] == 18
    assert distance[fast_tables.PRE, fast_tables.ACT] == 1


@pytest.mark.parametrize(("player_ps", "now", "seen"), [(1250, 3, 4), (1000, 4, 5), (1000, 3, 4), (3333, 3, 6), (500, 2, 3)])
def test_the_player_answers_at_its_next_edge(player_ps: int, now: int, seen: int) -> None:
    rules = fast_tables.make_rules(MEMORY.timing, player_ps, 4)
    edge_ps = (now * 1250 // player_ps + 1) * player_ps
    assert -(-edge_ps // 1250) == seen
    assert fast_tables.next_edge(now << 4, rules) == seen << 4


# ---- batches and threads


def test_a_batch_equals_its_designs_one_by_one() -> None:
    prepared = fast.prepare(*random_arguments(300))
    batch = controllers(40)
    together = fast.simulate_prepared(batch, prepared, parallel=False)
    for controller, outcome in zip(batch, together, strict=True):
        assert (fast.simulate_prepared(controller[None], prepared, parallel=False)[0] == outcome).all()


def test_threads_change_nothing() -> None:
    prepared = fast.prepare(*random_arguments(300, seed=1))
    batch = controllers(101)
    serial = fast.simulate_prepared(batch, prepared, parallel=False)
    for _ in range(3):
        assert (fast.simulate_prepared(batch, prepared, parallel=True) == serial).all()


def test_one_prepared_trace_serves_several_threads_at_once() -> None:
    prepared = fast.prepare(*random_arguments(300, seed=2))
    batch = controllers(50)
    expected = fast.simulate_prepared(batch, prepared, parallel=False)
    results: list[np.ndarray] = []
    workers = [
        threading.Thread(target=lambda: results.append(fast.simulate_prepared(batch, prepared, parallel=False)))
        for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(results) == 4
    assert all((result == expected).all() for result in results)


def test_the_order_of_designs_and_what_ran_before_do_not_matter() -> None:
    first, second = random_arguments(200, seed=3), random_arguments(250, seed=4, gap=3000)
    batch = controllers(30)
    expected = fast.simulate(batch, *first, parallel=False)
    prepared = fast.prepare(*first)
    fast.simulate(batch, *second, parallel=False)
    assert (fast.simulate_prepared(batch[::-1], prepared, parallel=False)[::-1] == expected).all()
    assert (fast.simulate_prepared(batch, prepared, parallel=False) == expected).all()


def test_no_design_gives_no_outcome_and_inputs_stay_as_they_are() -> None:
    inputs = random_arguments(20)
    copies = [np.copy(argument) for argument in inputs]
    batch = controllers(5)
    kept = batch.copy()
    fast.simulate(batch, *inputs)
    assert (batch == kept).all()
    assert all((argument == copy).all() for argument, copy in zip(inputs, copies, strict=True))
    for parallel in (False, True):
        assert fast.simulate(batch[:0], *inputs, parallel=parallel).shape == (0, layout.NUM_OUTCOMES)


# ---- what is refused


def test_a_trace_without_requests_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one request"):
        fast.prepare(*arguments([], []))


@pytest.mark.parametrize(("column", "arbiter"), [(layout.REQUEST_BUFFER_SIZE, 0), (layout.MAX_ACTIVE_TRANSACTIONS, 1)])
def test_a_controller_that_can_hold_nothing_is_refused(column: int, arbiter: int) -> None:
    batch = controllers(3)
    batch[1, column], batch[1, layout.ARBITER] = 0, arbiter
    with pytest.raises(ValueError, match="at least 1"):
        fast.simulate(batch, *arguments([0], [0]))


def test_time_stamps_that_cannot_be_counted_are_refused() -> None:
    with pytest.raises(ValueError, match="time stamps"):
        fast.prepare(*arguments([0] * 99 + [1 << 52], [0] * 100))


def test_a_memory_that_the_shortcuts_do_not_cover_is_refused() -> None:
    timing, *rest = arguments([0], [0])
    slow = timing.copy()
    slow[layout.WR] += 1
    with pytest.raises(ValueError, match="WTR_L"):
        fast.prepare(slow, *rest)


# ---- known results


def test_one_read_costs_activation_latency_and_burst() -> None:
    controller = np.array([[0, 0, 0, 8, 0, 0, 1, 1, 0, 8]])
    outcome = fast.simulate(controller, *arguments([0], [0]))[0]
    assert outcome[layout.TOTAL_PS] == outcome[layout.LATENCY_SUM_PS] == outcome[layout.LATENCY_MAX_PS] == 24 * 1250
    assert outcome[layout.NUM_ACT] == outcome[layout.NUM_RD] == 1
    assert outcome[layout.SERVED] == outcome[layout.IDLE_PS] == 0


def test_a_late_request_keeps_its_distance_from_the_start() -> None:
    for start in (0, 1, 100, 1 << 20):
        controller = np.array([[0, 0, 0, 8, 0, 0, 1, 1, 1, 8]])
        outcome = fast.simulate(controller, *arguments([start], [0]))[0]
        assert outcome[layout.TOTAL_PS] == (start + 24) * 1250
        assert outcome[layout.IDLE_PS] == start * 1250


def test_a_log_that_is_full_is_read_and_shortened() -> None:
    # Thousands of refreshes between few requests: far more runs of the controller than the log of this trace can hold.
    controller = np.array([[1, 2, 2, 4, 1, 1, 2, 8, 1, 4]])
    inputs = arguments([0, 5, 40_000_000, 40_000_003], [0, 1 << 16, 0, 1 << 16])
    outcome = fast.simulate(controller, *inputs)[0]
    intervals = 40_000_000 // 6240
    assert outcome[layout.NUM_REF] == intervals + 8  # eight are pulled in
    assert outcome[layout.NUM_RD] == 4


@pytest.mark.skipif(not CASES, reason="the micro-experiments of the reference program are not here")
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_micro_experiment(path: Path) -> None:
    case = json.loads(path.read_text())
    lines = case["trace"] or [(6200, "read", hex((i % 7) * 65536)) for i in range(400)]  # 30 and 31 state their rule in words
    cycles, kinds, addresses = zip(*lines, strict=True)
    inputs = arguments(cycles, [int(a, 16) for a in addresses], [kind == "write" for kind in kinds], case["trace_clk_mhz"])
    controller = reference.encode({name: [value] for name, value in case["config"].items()})
    outcome = fast.simulate(controller, *inputs)
    printed = {name: float(f"{column[0]:.2f}") for name, column in energy.derive(outcome, MEMORY).items()}
    assert printed == {name: value for name, value in case["reference"].items() if name != "total_time_cycles"}
    assert outcome[0, layout.TOTAL_PS] == case["reference"]["total_time_cycles"] * 1250
    counts = case["command_counts"]
    assert outcome[0, layout.NUM_ACT] == counts.get("ACT", 0)
    assert outcome[0, layout.NUM_REF] == counts.get("REFA", 0)
    assert outcome[0, layout.ISSUED_PREA] == counts.get("PREA", 0)
    assert outcome[0, layout.ISSUED_RDA] == counts.get("RDA", 0)


def test_a_forked_process_runs_too() -> None:
    simulator = DRAM("random", requests=200)
    designs = simulator.space.sample(40, seed=0)
    expected = simulator.evaluate(designs)["energy_pj"]  # starts the thread pool, which no fork survives
    with multiprocessing.get_context("fork").Pool(1) as pool:
        found = pool.apply(_energies, (simulator, designs))
    np.testing.assert_array_equal(found, expected)


def _energies(simulator: DRAM, designs: np.ndarray) -> np.ndarray:
    return simulator.evaluate(designs)["energy_pj"]

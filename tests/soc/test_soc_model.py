"""Properties of the model, on graphs and platforms drawn at random."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from platforms import LIBRARY, content, problem, widened, wild, working

from archgym import Status
from simulators.soc import graph, model, rules
from simulators.soc.layout import (
    AREA,
    AREA_DRAM,
    AREA_REST,
    BUS_KIND,
    BUSES,
    CYCLE,
    ENDLESS,
    ENERGY,
    LATENCY,
    MAPPING,
    MEMORIES,
    MEMORY_KIND,
    OK,
    OUTCOMES,
    PE_KIND,
    PHASES,
    POWER,
    SERIAL_LATENCY,
)
from simulators.soc.problem import Problem, make_problem
from simulators.soc.rates import set_rates

SEEDS = st.integers(0, 2**32 - 1)
NAMES = st.sampled_from(graph.names())


def simulate(rows: np.ndarray, of: Problem) -> np.ndarray:
    outcomes, fates, _, violations = model.simulate(rows, of)
    assert (fates == OK).all() and (violations == 0).all()
    return outcomes


def drawn(rng: np.random.Generator) -> Problem:
    made = content(rng, int(rng.integers(1, 40)), int(rng.integers(0, 20)))
    return make_problem(graph.from_content(made, "drawn"), LIBRARY)


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_any_graph_runs_on_any_platform_that_works(seed: int) -> None:
    rng = np.random.default_rng(seed)
    of = drawn(rng)
    outcomes = simulate(working(rng, of, 8), of)
    assert np.isfinite(outcomes).all()
    assert (outcomes[:, PHASES] <= of.tasks + 2).all()
    assert (outcomes[:, [LATENCY, POWER, AREA, ENERGY]] > 0).all()
    assert (outcomes[:, LATENCY] <= outcomes[:, SERIAL_LATENCY] * of.tasks).all()


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_nothing_hangs_and_everything_has_a_fate(seed: int) -> None:
    rng = np.random.default_rng(seed)
    made = graph.from_content(content(rng, int(rng.integers(2, 30)), 6, back=int(rng.integers(1, 5))), "drawn")
    of = make_problem(made, LIBRARY)
    rows = np.concatenate([wild(rng, of, 100), working(rng, of, 10)])
    outcomes, fates, places, violations = model.simulate(rows, of)
    assert ((fates >= OK) & (fates <= ENDLESS)).all()
    assert np.isnan(outcomes[fates != OK]).all() and np.isfinite(outcomes[fates == OK]).all()
    assert (violations[(fates != OK) & (fates != ENDLESS)] > 0).all()
    assert (places[fates != OK] >= 0).all()
    reasons = rules.reasons(fates, places, rows, made)
    assert sorted(reasons) == np.flatnonzero(fates != OK).tolist() and all(len(reason) > 20 for reason in reasons.values())
    assert (fates[-10:] == (CYCLE if made.cycle else OK)).all()


@settings(max_examples=80, deadline=None)
@given(SEEDS, NAMES)
def test_adding_bandwidth_never_slows_a_running_task(seed: int, name: str) -> None:
    """Whoever runs beside it: the rates of a phase can only rise."""
    rng = np.random.default_rng(seed)
    of = problem(name)
    rows = working(rng, of, 4)
    for slow, fast in zip(rows, widened(rows, rng), strict=True):
        notes = [model.trace(platform, of)[2] for platform in (slow, fast)]
        workers = [task for task in range(of.tasks) if of.graphs["work"][0][task] > 0]
        crowd = rng.permutation(workers)[: rng.integers(1, 8)]
        for work in notes:
            work["running"][: len(crowd)] = crowd
            set_rates(of.graphs[0], work, len(crowd))
        before, after = (work["rate"][crowd] for work in notes)
        assert (after >= before * (1 - 1e-12)).all()
        assert (before <= notes[0]["solo"][crowd] * (1 + 1e-12)).all()


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_adding_bandwidth_never_slows_a_chain_and_costs_no_energy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    of = problem("hpvm_cava")
    rows = working(rng, of, 16)
    before, after = simulate(rows, of), simulate(widened(rows, rng), of)
    assert (after[:, LATENCY] <= before[:, LATENCY] * (1 + 1e-12)).all()
    np.testing.assert_allclose(after[:, ENERGY], before[:, ENERGY], rtol=1e-12)
    np.testing.assert_array_equal(after[:, AREA], before[:, AREA])


@settings(max_examples=40, deadline=None)
@given(SEEDS, NAMES)
def test_energy_of_an_instruction_is_independent_of_bus_widths(seed: int, name: str) -> None:
    """But for what a wider bus does to the order of tasks, and so to the size of memories."""
    rng = np.random.default_rng(seed)
    of = problem(name)
    rows = working(rng, of, 8)
    for slow, fast in zip(rows, widened(rows, rng), strict=True):
        notes = [model.trace(platform, of)[2] for platform in (slow, fast)]
        if (notes[0]["most"] == notes[1]["most"]).all():
            np.testing.assert_array_equal(notes[0]["cost"][: of.tasks], notes[1]["cost"][: of.tasks])
    before, after = simulate(rows, of), simulate(widened(rows, rng), of)
    assert (after[:, SERIAL_LATENCY] <= before[:, SERIAL_LATENCY] * (1 + 1e-12)).all()


@settings(max_examples=60, deadline=None)
@given(SEEDS, NAMES)
def test_area_is_the_sum_of_the_blocks(seed: int, name: str) -> None:
    rng = np.random.default_rng(seed)
    of = problem(name)
    rows = working(rng, of, 8)
    outcomes = simulate(rows, of)
    role = of.graphs["role"][0][: of.tasks]
    for row, outcome in zip(rows, outcomes, strict=True):
        _, traced, work = model.trace(row, of)
        np.testing.assert_array_equal(traced, outcome)
        busy = {int(row[MAPPING + task]) for task in range(of.tasks) if role[task] in (0, 3)}
        area = sum(of.pes[row[PE_KIND + pe], 2] for pe in busy)
        for memory in range(MEMORIES):
            if work["most"][memory] >= 0:
                dram = int(of.memories[row[MEMORY_KIND + memory], 1])
                sizes = -(-max(int(work["most"][memory]), 2048) // of.size_step)
                area += of.table[dram, 2, sizes - 1]
        assert outcome[AREA] == pytest.approx(area, rel=1e-12)
        assert outcome[AREA] == pytest.approx(outcome[AREA_DRAM] + outcome[AREA_REST], rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(SEEDS, NAMES)
def test_phases_add_up(seed: int, name: str) -> None:
    rng = np.random.default_rng(seed)
    of = problem(name)
    work_of = of.graphs["work"][0][: of.tasks]
    for row in working(rng, of, 8):
        _, outcome, work = model.trace(row, of)
        phases = int(work["phases"])
        last = of.graphs["end"][0][0]
        assert outcome[LATENCY] == work["finish"][last]
        assert work["length"][:phases].sum() == pytest.approx(work["finish"][: of.tasks].max(), rel=1e-12)
        assert work["energy"][:phases].sum() == pytest.approx(outcome[ENERGY], rel=1e-12)
        assert outcome[POWER] >= outcome[ENERGY] / work["length"][:phases].sum() * (1 - 1e-12)
        logged = int(work["first"][phases])
        done = np.bincount(work["log_task"][:logged], work["log_work"][:logged], of.tasks)
        # The clock is rounded: a short task late in a run may do a little more than its work.
        assert (done <= work_of * (1 + 1e-9)).all() and (done >= 0.99 * work_of).all()
        for phase in range(phases):  # no processing element runs two tasks
            tasks = work["log_task"][work["first"][phase] : work["first"][phase + 1]]
            assert len(set(row[MAPPING + tasks].tolist())) == len(tasks)


@settings(max_examples=30, deadline=None)
@given(SEEDS, NAMES)
def test_idle_slots_cost_nothing(seed: int, name: str) -> None:
    """A memory and a bus more, that nobody uses, at the end of the slots."""
    rng = np.random.default_rng(seed)
    of = problem(name)
    rows = working(rng, of, 16)
    more = rows.copy()
    free = (rows[:, MEMORY_KIND + MEMORIES - 1] < 0) & (rows[:, BUS_KIND + BUSES - 1] < 0)
    more[free, MEMORY_KIND + MEMORIES - 1] = 7
    more[free, BUS_KIND + BUSES - 1] = 3
    np.testing.assert_array_equal(simulate(more, of), simulate(rows, of))


def test_every_fate_has_a_status_and_a_reason() -> None:
    fates = np.arange(ENDLESS + 1).astype(np.int8)
    rows = np.repeat(working(np.random.default_rng(0), problem("hpvm_cava"), 1), len(fates), axis=0)
    reasons = rules.reasons(fates, np.zeros(len(fates), np.int64), rows, graph.load("hpvm_cava"))
    assert sorted(reasons) == list(range(1, ENDLESS + 1)) and len(set(reasons.values())) == ENDLESS
    statuses = [Status(status) for status in rules.statuses(fates)]
    assert statuses == [Status.OK] + [Status.INVALID] * (ENDLESS - 1) + [Status.FAILED]


def test_threads_do_not_change_results() -> None:
    of = problem("audio_decoder")
    rows = working(np.random.default_rng(0), of, 3_000)
    for one, many in zip(model.simulate(rows, of, parallel=False), model.simulate(rows, of), strict=True):
        np.testing.assert_array_equal(one, many)


def test_platforms_of_another_shape_are_refused() -> None:
    of = problem("hpvm_cava")
    rows = working(np.random.default_rng(0), of, 2)
    with pytest.raises(ValueError, match=r"platforms must be \(N, 54\), got \(2, 53\)"):
        model.simulate(rows[:, :-1], of)
    assert model.simulate(rows[:0], of)[0].shape == (0, OUTCOMES)

"""What holds for the whole simulator, on any task graph and any design of the space ``soc``."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from platforms import content

from archgym import Status
from simulators.soc import SoC, model
from simulators.soc.budgets import Budget
from simulators.soc.explain import explain
from simulators.soc.layout import LATENCY, MAPPING, ONLY_TASK, Floats, Platforms
from simulators.soc.synthetic import KINDS

SEEDS = st.integers(0, 2**31)
QUICK = settings(max_examples=25, deadline=None)
DRAWN = st.tuples(st.sampled_from(KINDS), st.integers(5, 40), st.integers(0, 10**6)).map(lambda each: "{}-{}-{}".format(*each))


@given(DRAWN, SEEDS)
@QUICK
def test_every_design_of_any_graph_is_valid_and_within_what_its_parts_allow(name: str, seed: int) -> None:
    soc = SoC(name)
    metrics = soc.evaluate(soc.space.sample(64, seed))
    assert metrics.ok.all() and not metrics.reasons
    assert all(np.isfinite(values).all() and (values >= 0).all() for values in metrics.columns.values())
    # A task is complete at 99 % and may save the rest; nothing runs faster than one after the other on as many elements.
    assert (metrics["latency_ms"] >= 0.99 * metrics["serial_latency_ms"] / 8).all()
    assert (metrics["phases"] <= len(soc.graph.tasks) + 2).all()


@given(DRAWN, SEEDS)
@QUICK
def test_area_and_energy_are_the_sums_of_their_parts(name: str, seed: int) -> None:
    soc = SoC(name)
    design = soc.space.sample(1, seed)
    metrics, explained = soc.evaluate(design).row(0), explain(soc, design)
    _, energy, area = explained.breakdowns
    assert np.isclose(area.total, metrics["area_mm2"], rtol=1e-12)
    assert np.isclose(metrics["area_dram_mm2"] + metrics["area_rest_mm2"], metrics["area_mm2"], rtol=1e-12)
    assert np.isclose(energy.total, metrics["energy_mj"], rtol=1e-9)


@given(SEEDS)
@QUICK
def test_every_status_has_a_reason_and_nothing_hangs_on_any_graph(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    rng = np.random.default_rng(seed)
    made = content(rng, int(rng.integers(3, 12)), int(rng.integers(0, 12)), int(rng.integers(0, 3)))
    made["accelerators"] = made["accelerators"] or [
        {"task": "t0", "cycles": 10, "energy_fj": 1.0, "area_um2": 1.0, "loop_iterations": 1}
    ]
    soc = SoC(write(tmp_path_factory, made), space=("soc", "limited")[seed % 2])
    metrics = soc.evaluate(soc.space.sample(64, seed))
    for row, status in enumerate(metrics.status):
        assert (status == Status.OK) == (row not in metrics.reasons)
        assert (metrics.violation[row] > 0) == (status == Status.INVALID)
    if soc.graph.cycle:
        assert not metrics.ok.any()
        assert seed % 2 or all(f"{soc.graph.cycle[0]} -> " in reason for reason in metrics.reasons.values())


def write(folders: pytest.TempPathFactory, made: dict[str, object]) -> str:
    path = folders.mktemp("graphs") / "drawn.json"
    path.write_text(json.dumps(made))
    return str(path)


def alone(both: SoC, part: SoC, platforms: Platforms) -> Floats:
    """Latency of one of two workloads on the blocks, wires and mapping of a chip for both, (N,)."""
    names = [task.name for task in both.graph.tasks]
    tasks = part.graph.tasks
    chosen = [names.index("source" if task.name == part.graph.root else f"{part.workload}.{task.name}") for task in tasks]
    rows = [platforms[:, :MAPPING], platforms[:, MAPPING + np.array(chosen)]]
    rows.append(platforms[:, MAPPING + len(names) + np.array(chosen)])
    pes = both.problem.pes.copy()
    theirs = {-1: -1, **{task: index for index, task in enumerate(chosen)}}
    pes[:, ONLY_TASK] = [theirs.get(int(task), -2) for task in pes[:, ONLY_TASK]]
    outcomes, _, _, _ = model.simulate(np.concatenate(rows, axis=1), replace(part.problem, pes=pes))
    return np.asarray(outcomes[:, LATENCY])


def ratios(pair: tuple[str, str]) -> Floats:
    """Latency of two workloads together over the longer one alone, on the same 3000 chips."""
    both = SoC("+".join(pair))
    designs = both.space.sample(3000, seed=1)
    platforms = both.platforms(designs)
    least = np.maximum(*(alone(both, SoC(name), platforms) for name in pair))
    return np.asarray(both.evaluate(designs)["latency_ms"] / 1e3 / least)


@pytest.mark.parametrize("pair", [("edge", "cava"), ("chain-10-0", "chain-12-1")])
def test_two_workloads_take_at_least_as_long_as_either(pair: tuple[str, str]) -> None:
    """But for the last hundredth, which a task need not do if another one ends a phase just then."""
    found = ratios(pair)
    assert (found >= 0.99).all()
    assert (found >= 1 - 1e-12).mean() > 0.99


@pytest.mark.parametrize("pair", [("audio", "cava"), ("audio", "edge"), ("fork-join-20-0", "series-parallel-20-1")])
def test_where_tasks_compete_nearly_all_do(pair: tuple[str, str]) -> None:
    """More work can change who goes first, and now and then for the better (Graham's anomaly of list scheduling, 1969)."""
    found = ratios(pair)
    assert (found >= 1 - 1e-12).mean() > 0.99
    assert (found >= 0.99).mean() > 0.999 and found.min() > 0.8


def test_two_workloads_on_one_processor_take_the_sum() -> None:
    both, parts = SoC("edge+cava"), [SoC("edge"), SoC("cava")]
    time = [soc.evaluate(soc.space.encode({"n_pe": 1, "bus0_width": 128, "mem0_width": 128})) for soc in (both, *parts)]
    latency = [metrics["latency_ms"][0] for metrics in time]
    assert np.isclose(latency[0], latency[1] + latency[2], rtol=0.02)


@given(SEEDS)
@QUICK
def test_a_looser_budget_is_never_farther(seed: int) -> None:
    rng = np.random.default_rng(seed)
    limits = rng.uniform(0.5, 2.0, 3) * [5e-3, 0.04, 1e-6]
    soc = SoC("audio")
    outcomes = model.simulate(soc.platforms(soc.space.sample(64, seed)), soc.problem)[0]
    tight, loose = Budget(*limits).distance(outcomes), Budget(*(1.5 * limits)).distance(outcomes)
    assert (loose <= tight).all()

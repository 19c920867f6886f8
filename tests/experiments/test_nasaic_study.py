"""The NASAIC study: methods spend what they may, parts of the space are held, tables say what was found."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))
pytest.importorskip("scipy", reason="the studies need the experiments extra")
pytest.importorskip("torch", reason="the controller needs the extra rl")

from nasaic_methods import BASELINES, PLACEHOLDER, REWARD, drive, perform
from nasaic_problem import Problem, Recorder, Restricted, networks_of, specs_of, units_of
from nasaic_runs import Planned, execute, plan, summarise
from nasaic_tables import accuracies, answers_table, chance, hardware, middle, statistics_table, verdict_on, verdicts
from nasaic_units import RESTRICTIONS, chips, macs, pairs, units_verdict

import archgym

W1 = Problem("W1")
IMPOSSIBLE = Problem("W1", arguments={"latency_spec": 2.0})


@pytest.fixture(scope="module")
def done() -> dict[str, list[Any]]:
    """Phases of each baseline and of NASAIC after 60 designs."""
    return {method: perform(method, W1, 60, 3) for method in (*BASELINES, "nasaic")}


@pytest.mark.parametrize("method", [*BASELINES, "nasaic"])
def test_every_method_spends_exactly_its_budget(done: dict[str, list[Any]], method: str) -> None:
    assert sum(len(phase.designs) for phase in done[method]) == 60
    assert summarise(done[method], 60)["designs"] == 60


@pytest.mark.parametrize("method", ["genetic", "ppo"])
def test_agents_spend_exactly_their_budget(method: str) -> None:
    pytest.importorskip("stable_baselines3")
    assert sum(len(phase.designs) for phase in perform(method, W1, 30, 0)) == 30


def test_nasaic_is_what_the_command_line_runs(done: dict[str, list[Any]]) -> None:
    result = archgym.search("nasaic", W1.simulator(), objective=REWARD, budget=60, seed=3)
    (phase,) = done["nasaic"]
    assert phase.metrics.row(phase.best()) == result.best_metrics


def test_nas_then_asic_searches_one_part_after_the_other(done: dict[str, list[Any]]) -> None:
    first, second = done["nas_then_asic"]
    networks = [first.space.index(name) for name in networks_of(first.space)]
    units = [first.space.index(name) for name in units_of(first.space)]
    assert not first.answers and second.answers
    assert first.metrics["accuracy_evaluated"].all(), "specs are ignored"
    assert len(np.unique(first.designs[:, units], axis=0)) == 1
    assert first.space.describe(first.designs[0])["unit2_pes"] == PLACEHOLDER["pes"]
    best = first.designs[np.argmax(first.metrics["accuracy"])]
    assert (second.designs[:, networks] == best[networks]).all()
    assert len(np.unique(second.designs[:, units], axis=0)) > 20 and second.metrics.ok.all()


def test_asic_then_nas_keeps_hardware_that_meets_the_specs(done: dict[str, list[Any]]) -> None:
    first, second = done["asic_then_nas"]
    units = [first.space.index(name) for name in units_of(first.space)]
    (kept,) = np.unique(second.designs[:, units], axis=0)
    same = np.flatnonzero((first.designs[:, units] == kept).all(axis=1))
    assert first.metrics["penalty"][same].min() == first.metrics["penalty"].min()
    met = np.flatnonzero(first.metrics["penalty"] == 0)
    apart = np.sum([(first.metrics[name] / spec - 1) ** 2 for name, spec in specs_of(W1).items()], axis=0)
    assert set(same) & {met[np.argmin(apart[met])]}
    assert not first.rated and summarise(done["asic_then_nas"], 60)["first"] > 30, "hits of the first half do not count"


def test_monte_carlo_draws_valid_designs(done: dict[str, list[Any]]) -> None:
    (phase,) = done["monte_carlo"]
    assert phase.space.contains(phase.designs).all()
    again, other = (perform("monte_carlo", W1, 60, seed)[0].designs for seed in (3, 4))
    assert np.array_equal(again, phase.designs) and not np.array_equal(other, phase.designs)


def test_a_restricted_simulator_fixes_and_ties() -> None:
    inner = W1.simulator()
    tied = RESTRICTIONS["homogeneous"]["tied"]
    restricted = Restricted(inner, {"network2_height": 2, "network1_stem": 32}, tied)
    rng = np.random.default_rng(0)
    designs = restricted.space.sample(300, rng)
    columns = inner.space.decode(restricted.whole(designs))
    assert (columns["network2_height"] == 2).all() and (columns["network1_stem"] == 32).all()
    for target, source in tied.items():
        assert (columns[target] == columns[source]).all()
    assert set(restricted.space.names) == set(inner.space.names) - set(tied) - {"network2_height", "network1_stem"}
    assert np.array_equal(restricted.space.contains(designs), inner.space.contains(restricted.whole(designs)))
    here, there = restricted.evaluate(designs), inner.evaluate(restricted.whole(designs))
    assert np.array_equal(here.status, there.status)
    assert np.array_equal(here["energy_nj"], there["energy_nj"], equal_nan=True)
    copy = pickle.loads(pickle.dumps(restricted))
    assert np.array_equal(copy.whole(designs), restricted.whole(designs)) and copy.arguments == restricted.arguments


def test_with_fixed_hardware_all_designs_are_valid() -> None:
    inner = W1.simulator()
    units = {name: PLACEHOLDER[name.split("_")[1]] for name in units_of(inner.space)}
    restricted = Restricted(inner, units)
    assert not restricted.space.constraints
    assert restricted.evaluate(restricted.space.sample(50, 0)).ok.all()


def test_a_recorder_remembers_in_order() -> None:
    recorder = Recorder(W1.simulator())
    designs = recorder.space.default.repeat(3, axis=0)
    designs[:, 0] = (1, 0, 1)
    for row in designs:
        recorder.evaluate(row[None])
    phase = recorder.phase(agent_seconds=1.5)
    assert np.array_equal(phase.designs, recorder.canonical(designs)) and len(phase.metrics) == 3
    assert phase.agent_seconds == 1.5 and recorder.inner.misses == 2


def test_the_answer_is_the_most_accurate_design_that_meets_the_specs(done: dict[str, list[Any]]) -> None:
    (phase,) = done["monte_carlo"]
    summary = summarise(done["monte_carlo"], 60)
    met = np.flatnonzero(phase.metrics["specs_met"] == 1)
    assert summary["answer"]["meets"] and verdict_on(summary["answer"]) == "yes"
    assert summary["answer"]["metrics"]["accuracy"] == phase.metrics["accuracy"][met].max() == summary["reached"][-1]
    assert summary["first"] == met[0] + 1
    assert summary["accuracies"] <= len(met)
    known = [value for value in summary["reached"] if value is not None]
    assert known == sorted(known)


def test_where_nothing_meets_the_specs_the_least_violating_design_is_named() -> None:
    phases = perform("monte_carlo", IMPOSSIBLE, 40, 0)
    summary = summarise(phases, 40)
    answer = summary["answer"]
    assert not answer["meets"] and answer["metrics"]["penalty"] == phases[0].metrics["penalty"].min() > 0
    assert verdict_on(answer).startswith("no: least-violating design, penalty ")
    assert summary["first"] is None and summary["accuracies"] == 0 and summary["reached"] == [None] * 4
    record = {"workload": "W1", "method": "monte_carlo", **summary}
    assert "least-violating design" in answers_table([record], "W1", "surrogate")
    assert "0 of 1" in statistics_table([record], "W1")


@pytest.mark.parametrize("method", ["nas_then_asic", "asic_then_nas", "nasaic"])
def test_impossible_specs_end_every_method_with_an_answer(method: str) -> None:
    summary = summarise(perform(method, IMPOSSIBLE, 24, 0), 24)
    assert summary["designs"] == 24 and not summary["answer"]["meets"] and len(summary["answer"]["design"]) == 19


def record(method: str, accuracy: float | None, seed: int = 0, **changed: Any) -> dict[str, Any]:
    """What a run of W1 left behind; None for one that met no specs."""
    metrics = {"accuracy": accuracy or 0.0, "accuracy_1": 0.9, "accuracy_2": 0.8, "penalty": 0.0 if accuracy else 0.25}
    metrics |= {"latency_cycles": 7e5, "energy_nj": 1e9, "area_um2": 2e9}
    design = {"unit1_template": "dla", "unit1_pes": 576, "unit1_bandwidth": 56}
    return {
        "method": method,
        "workload": "W1",
        "seed": seed,
        "answer": {"design": design, "metrics": metrics, "meets": accuracy is not None},
        "marks": [6, 60],
        "reached": [None, accuracy],
        "reached_rated": [None, accuracy],
        "first": 17 if accuracy else None,
        "accuracies": 5,
        "agent_seconds": 1.0,
        "simulator_seconds": 2.0,
    } | changed


def test_tables_give_medians_ranges_and_shares() -> None:
    runs = [record("nasaic", value, seed) for seed, value in enumerate((0.81, 0.83, 0.85, None))]
    runs += [record("nas_then_asic", None), record("asic_then_nas", 0.82)]
    assert accuracies(runs) == [0.81, 0.83, 0.85, 0.82]
    assert middle(runs[:4])["answer"]["metrics"]["accuracy"] == 0.81
    lines = {line.split(" | ")[0]: line for line in statistics_table(runs, "W1").splitlines()}
    assert lines["| NASAIC"].startswith("| NASAIC | 3 of 4 | 19% .. 99% | - | 83.00% | 81.00% .. 85.00% | - | 17 | 5 |")
    assert "| 0 of 1 | 0% .. 98% | - | - | - | 0.88 | - |" in lines["| NAS then ASIC"]
    assert chance(runs[:4], runs[5:]) == 0.5
    said = verdicts(runs, ["W1"])
    assert "NASAIC meets all specs in every seed: does not hold (3 of 4)." in said
    assert "NAS then ASIC: holds, the baseline meets the specs in no seed." in said
    assert "ASIC then NAS: holds in the median at equal designs (+1.00 points" in said
    assert "largest median accuracy: NASAIC, 83.00%" in said


def test_answers_stand_beside_the_papers_rows() -> None:
    text = answers_table([record("nasaic", 0.85)], "W1", "surrogate")
    assert "| here, surrogate | NASAIC | dla 576 56 | 90.00% | 80.00% | 7e+05 | 1e+09 | 2e+09 | yes |" in text
    assert text.count("paper, recalled") == 3 and "dla 576 56; shi 1792 8 | 92.85% | 83.74%" in text
    assert "paper" not in answers_table([record("nasaic", 0.85, workload="W3")], "W3", "surrogate"), "too weakly recalled"


def test_hardware_in_the_papers_form() -> None:
    design = W1.simulator().space.describe(W1.simulator().space.default[0])
    assert hardware(design) == "dla 32 8; dla 32 8"


def test_equal_runs_have_equal_keys_and_the_controllers_settings_count_where_it_plays() -> None:
    default, tuned = (plan(["nasaic", "genetic"], ["W1"], "surrogate", 60, 1, c) for c in ({}, {"entropy": 0.03}))
    assert default[0].key != tuned[0].key and default[1].key == tuned[1].key
    assert default[0].identity.startswith("surrogate-")


def test_a_run_is_a_line_of_json_and_seed_0_keeps_its_designs(tmp_path: Path) -> None:
    runs = [Planned("monte_carlo", "W3", "surrogate", 20, seed) for seed in (0, 1)]
    records = [execute(run, tmp_path) for run in runs]
    assert json.loads(json.dumps(records)) == records
    assert [path.stem for path in tmp_path.iterdir()] == [runs[0].key]
    with np.load(tmp_path / f"{runs[0].key}.npz") as kept:
        assert kept["designs"].shape == (20, 20) and kept["energy_nj"].min() > 0


def test_chips_use_all_of_the_total() -> None:
    assert [len(chips(form, 2048)) for form in ("single", "homogeneous", "heterogeneous")] == [3, 3, 147]
    for form in ("single", "homogeneous", "heterogeneous"):
        for chip in chips(form, 3072):
            assert sum(unit[1] for unit in chip) == 3072 and sum(unit[2] for unit in chip) == 64
            assert form != "heterogeneous" or chip[0][0] != chip[1][0]


def test_pairs_are_near_the_energy_spec() -> None:
    simulator = W1.simulator()
    for pair in pairs("W1", 3):
        assert 0.45 <= 7.2 * macs(simulator, pair) / 2e9 <= 1.1


def test_two_equal_units_are_searched_as_one() -> None:
    phase = drive("nasaic", W1.simulator(), REWARD, 22, 0, **RESTRICTIONS["homogeneous"])
    columns = phase.space.decode(phase.designs)
    assert (columns["unit1_pes"] == columns["unit2_pes"]).all() and (columns["unit1_pes"] <= 2048).all()
    assert phase.metrics.ok.all()


def test_the_verdict_on_forms_counts_totals() -> None:
    rows = [
        {"workload": "W3", "total": total, "form": form, "met": met, "pairs": 9, "penalty": 0.1}
        for total, counts in ((1024, (3, 0, 2)), (2048, (1, 1, 4)))
        for form, met in zip(("single", "homogeneous", "heterogeneous"), counts, strict=True)
    ]
    said = units_verdict(rows)
    assert "more pairs than single at 2,048 PEs, for fewer at 1,024 PEs." in said
    assert "more pairs than homogeneous at 1,024, 2,048 PEs, for fewer at no total." in said

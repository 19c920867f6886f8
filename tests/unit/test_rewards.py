"""ArchGym's reward formulas: worked values, quirks, and that they stay finite."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from archgym import Columns, DesignSpace, Metric, Metrics, Parameter, Simulator, Status, make_objective
from archgym.errors import ObjectiveError, UnknownNameError
from archgym.rewards import CAP, printed_number


class Memory(Simulator):
    """Declares the metrics that the rewards look at."""

    name, version = "memory", "1"
    space = DesignSpace((Parameter("x", (0, 1)),))
    metrics = (Metric("latency_ns", "min"), Metric("power_mw", "min"))

    def _evaluate(self, columns: Columns, fidelity: str) -> Mapping[str, np.ndarray]:
        raise NotImplementedError


def reward(text: str, latency_ns: list[float], power_mw: list[float]) -> list[float]:
    metrics = Metrics.empty(Memory().metric_names, len(latency_ns))
    metrics.columns["latency_ns"][:], metrics.columns["power_mw"][:] = latency_ns, power_mw
    return make_objective(text, Memory()).score(metrics).tolist()


def test_power_is_one_over_the_distance_to_one_watt() -> None:
    assert reward("archgym-power", [1, 1, 1], [1500, 500, 3000]) == [2, 2, 0.5]


def test_latency_is_relative_to_a_tenth_of_a_millisecond() -> None:
    assert reward("archgym-latency", [200_000, 50_000], [1, 1]) == pytest.approx([1, 2])


def test_both_is_the_product_of_the_capped_parts() -> None:
    assert reward("archgym-both", [200_000, 100_000], [1500, 1000]) == pytest.approx([2, CAP * CAP])


def test_the_target_itself_is_capped_not_infinite() -> None:
    assert reward("archgym-power", [1, 1], [1000, 1000.1]) == [CAP, CAP]
    assert reward("archgym-latency", [100_000], [1]) == [CAP]


def test_beating_the_target_is_punished_like_missing_it() -> None:
    fast, near = reward("archgym-latency", [1_000, 110_000], [1, 1])
    assert fast < near


def test_bad_designs_score_below_every_reward() -> None:
    metrics = Metrics.empty(Memory().metric_names, 3)
    metrics.columns["latency_ns"][:] = metrics.columns["power_mw"][:] = [1e12, np.nan, np.nan]
    metrics.status[1:] = [Status.INVALID, Status.FAILED]
    metrics.violation[1] = 1.0
    for text in ("archgym-power", "archgym-latency", "archgym-both", "archgym-latency:printed"):
        scores = make_objective(text, Memory()).score(metrics)
        assert np.isfinite(scores).all() and scores[0] > 0 > scores[1] > scores[2]


def test_the_printed_number_loses_its_unit() -> None:
    nanoseconds = np.array([0.5, 7.0, 7.25, 3000.0, 3001.0, 0.0])
    assert printed_number(nanoseconds).tolist() == [500, 7, 7250, 3, 3001, 0]


def test_printed_mostly_tells_the_unit() -> None:
    whole, broken = reward("archgym-latency:printed", [100_000.0, 100_000.25], [1, 1])
    assert whole == pytest.approx(0.1 / (0.1 - 100 / 1e9)) and broken == CAP


def test_names_and_options_are_checked() -> None:
    assert make_objective("archgym-both:printed", Memory()).text == "archgym-both:printed"
    with pytest.raises(UnknownNameError, match="Did you mean 'archgym-power'"):
        make_objective("archgym-powr", Memory())
    with pytest.raises(ObjectiveError, match="option 'printed' or none, got 'raw'"):
        make_objective("archgym-power:raw", Memory())


class Silent(Memory):
    """Has no power."""

    metrics = (Metric("latency_ns", "min"),)


def test_a_simulator_without_the_metric_is_named() -> None:
    with pytest.raises(UnknownNameError, match="memory: no metric named 'power_mw'"):
        make_objective("archgym-both", Silent())
    assert make_objective("archgym-latency", Silent()).used[0].name == "latency_ns"


class Accelerator(Memory):
    """Declares the metrics that the Timeloop rewards look at."""

    metrics = (Metric("energy_pj", "min"), Metric("area_mm2", "min"), Metric("cycles", "min"))


def timeloop(text: str, *rows: tuple[float, float, float]) -> list[float]:
    metrics = Metrics.empty(Accelerator().metric_names, len(rows))
    for name, values in zip(metrics.columns, zip(*rows, strict=True), strict=True):
        metrics.columns[name][:] = values
    return make_objective(f"archgym-timeloop-{text}", Accelerator()).score(metrics).tolist()


E, A, C = 20_444.2e6, 1.7255, 6_308_563.2
"""The targets in the metrics' units."""


def test_timeloop_costs_are_relative_to_the_targets() -> None:
    row = (1.5 * E, 3 * A, 2 * C)
    assert timeloop("energy", row) == pytest.approx([-0.5])
    assert timeloop("area", row) == pytest.approx([-2])
    assert timeloop("latency", row) == pytest.approx([-1])
    assert timeloop("joint", row) == pytest.approx([-3.501])


def test_timeloop_baseline() -> None:
    """The release's own baseline is 30, 15 and 20 % away from what was asked."""
    baseline = (29_206e6, 2.03, 7_885_704.0)
    assert timeloop("joint", baseline) == pytest.approx([-(1 / 0.7 - 1 + 1 / 0.85 - 1 + 1 / 0.8 - 1 + 0.001)])


def test_timeloop_costs_saturate_at_the_targets() -> None:
    met = [(E, A, C), (E / 9, A / 9, C / 9)]
    for kind in ("energy", "area", "latency"):
        assert timeloop(kind, *met) == [-1e-5, -1e-5]
        assert timeloop(f"{kind}:rl", *met) == pytest.approx([1e5, 1e5])
    assert timeloop("joint", *met) == [-0.001, -0.001]
    assert timeloop("joint:rl", *met) == pytest.approx([1e5, 1e5])


def test_timeloop_rl_is_one_over_the_cost() -> None:
    assert timeloop("joint:rl", (1.5 * E, 3 * A, 2 * C)) == pytest.approx([1 / 3.5])
    assert timeloop("area:rl", (E, 1.5 * A, C)) == pytest.approx([2])


@pytest.mark.parametrize("text", ["energy", "area", "latency", "joint", "energy:rl", "joint:rl"])
def test_timeloop_invalid_designs_cost_1500_and_none_costs_more(text: str) -> None:
    metrics = Metrics.empty(Accelerator().metric_names, 5)
    for target, values in zip((E, A, C), metrics.columns.values(), strict=True):
        values[:] = [target, 2 * target, 1e9 * target, np.nan, np.nan]
    metrics.status[3:], metrics.violation[3] = [Status.INVALID, Status.FAILED], 7.0
    scores = make_objective(f"archgym-timeloop-{text}", Accelerator()).score(metrics)
    assert scores[3] == scores[4] == -1500
    assert scores[0] > scores[1] > scores[2] >= scores[3]


def test_timeloop_names_options_and_metrics_are_checked() -> None:
    assert make_objective("archgym-timeloop-joint:rl", Accelerator()).text == "archgym-timeloop-joint:rl"
    assert [m.name for m in make_objective("archgym-timeloop-joint", Accelerator()).used] == [
        "energy_pj",
        "area_mm2",
        "cycles",
    ]
    with pytest.raises(ObjectiveError, match="option 'rl' or none, got 'printed'"):
        make_objective("archgym-timeloop-area:printed", Accelerator())
    with pytest.raises(UnknownNameError, match="Did you mean 'archgym-timeloop-area'"):
        make_objective("archgym-timeloop-aera", Accelerator())
    with pytest.raises(UnknownNameError, match="memory: no metric named 'energy_pj'"):
        make_objective("archgym-timeloop-energy", Memory())

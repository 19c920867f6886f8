"""What each section says about runs whose outcome is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from summaries import synthetic_summaries, synthetic_tasks

from archgym.report import anytime, costs, efficiency, fronts, importance, lottery, overview, pairwise
from archgym.report.page import sections
from archgym.report.panels import Section, plain, section_record
from archgym.report.reading import Material
from archgym.report.scopes import ALL, ranked_tasks
from archgym.report.study import DEFAULT, Study


@pytest.fixture(scope="module")
def study() -> Study:
    return Study(synthetic_summaries(6 * 21 * 6 * 3, tickets=20, seeds=3, objectives=2, workloads=3), synthetic_tasks())


def test_the_lottery_shows_every_ticket_once(study: Study) -> None:
    for figure in lottery.lottery_section(study).figures:
        for series in figure.series:
            assert series.columns["ticket"].count(DEFAULT) == 1 and len(set(series.columns["ticket"])) == 21
            assert sorted(series.columns["mark"])[-2:] == ["best", "default"]
            best = series.columns["mark"].index("best")
            assert series.columns["quantile"][best] == min(np.delete(series.columns["quantile"], 0))


def test_the_ticket_curve_ends_at_a_fifth_and_has_exact_bands(study: Study) -> None:
    figures = lottery.curve_section(study).figures
    assert figures
    for series in (series for figure in figures for series in figure.series):
        k, value, low, high = (np.asarray(series.columns[name]) for name in ("k", "value", "low", "high"))
        assert k.tolist() == [1, 2, 3, 4] and (low <= value).all() and (value <= high).all()
        assert value[1] == pytest.approx(1 - (1 - value[0]) ** 2)


def test_failed_runs_lose_in_the_ticket_curve() -> None:
    runs = synthetic_summaries(300, tickets=10, seeds=3, agents=1, workloads=1, objectives=1, fail=1.0)
    good = dict(synthetic_summaries(1, workloads=1, objectives=1, fail=0)[0], seed=99)
    figures = lottery.curve_section(Study([*runs, good], synthetic_tasks())).figures
    assert [series.columns["value"][0] for figure in figures for series in figure.series] == [0.0, 0.0]


def test_one_ticket_per_agent_is_no_lottery_and_the_page_says_so() -> None:
    study = Study(synthetic_summaries(36, tickets=0, seeds=2, objectives=1, workloads=3), synthetic_tasks())
    made = {section.key: section for section in sections(study, Material("x", study.runs))}
    for key in ("lottery", "tickets", "variance", "importance"):
        assert made[key].skip and not made[key].figures, key
    assert made["anytime"].figures and made["designs"].figures


def test_random_walk_has_no_share_of_tickets(study: Study) -> None:
    (figure, *_) = lottery.variance_section(study).figures
    columns = figure.series[0].columns
    low = dict(zip(columns["agent"], columns["low"], strict=True))
    assert figure.path == (ALL,)
    assert low["random_walk"] < 0.02 < low["ppo"]


def test_anytime_curves_fall_and_random_search_is_the_closed_form(study: Study) -> None:
    (figure,) = [figure for figure in anytime.anytime_section(study).figures if figure.path == (ALL, "A random ticket")]
    for series in figure.series:
        assert (np.diff(series.columns["value"]) <= 1e-12).all()
        if series.role == "reference":
            assert series.columns["value"] == pytest.approx(1 / (np.asarray(series.columns["designs"]) + 1))
        else:
            low, value, high = (np.asarray(series.columns[name]) for name in ("low", "value", "high"))
            assert (low <= value + 1e-12).all() and (value <= high + 1e-12).all()


def test_few_runs_get_no_band() -> None:
    study = Study(synthetic_summaries(12, tickets=0, seeds=2, objectives=1, workloads=1, fail=0), synthetic_tasks())
    (figure,) = anytime.anytime_section(study).figures
    assert all("low" not in series.columns for series in figure.series)


def test_ranks_share_ties() -> None:
    ranks = anytime.mid_ranks(np.array([[0.0, 0.0, 0.5, np.nan]]))
    assert ranks[0, :3].tolist() == [1.5, 1.5, 3.0] and np.isnan(ranks[0, 3])


def test_designs_needed_by_hand() -> None:
    times, budgets = np.array([10.0, np.inf, 30.0]), np.full(3, 100.0)
    assert efficiency.expected_designs(times, budgets) == 70
    assert efficiency.expected_designs(np.array([np.inf]), np.array([5.0])) == np.inf


def test_every_curve_of_sample_efficiency_has_its_table(study: Study) -> None:
    section = efficiency.efficiency_section(study)
    assert [figure.path for figure in section.figures] == [table.path for table in section.tables]
    for figure, table in zip(section.figures, section.tables, strict=True):
        shares = {row[0]: row[2] for row in table.rows}
        for series in figure.series:
            assert series.columns["value"][-1] == pytest.approx(shares[series.name])


def test_the_parameter_that_matters_most_ranks_first(study: Study) -> None:
    figures = {figure.path: figure for figure in importance.importance_section(study).figures}
    columns = figures["ppo", ALL].series[0].columns
    assert columns["hyperparameter"][0] == "learning_rate" and columns["share"][0] > 0.4
    assert (np.asarray(columns["low"]) <= np.asarray(columns["high"])).all()
    assert "random_walk" not in {path[0] for path in figures} or figures["random_walk", ALL].series[0].columns["low"][0] < 0.3


def test_pairs_add_up_to_one_and_better_agents_win(study: Study) -> None:
    for figure in pairwise.pairwise_section(study).figures:
        columns = figure.series[0].columns
        chance = {(r, c): x for r, c, x in zip(columns["row"], columns["column"], columns["chance"], strict=True)}
        assert all(chance[a, b] + chance[b, a] == pytest.approx(1) for a, b in chance)
    together = pairwise.pairwise_section(study).figures[0].series[0].columns
    found = dict(zip(zip(together["row"], together["column"], strict=True), together["chance"], strict=True))
    assert found["genetic", "random_walk"] > 0.7
    single = pairwise.pairwise_section(study).figures[-1].series[0].columns
    assert set(single["mark"]) <= {"", "*", "="}


def test_the_front_is_not_dominated_and_costs_are_the_sums(study: Study) -> None:
    figure = fronts.front_section(study).figures[0]
    (front,) = [series for series in figure.series if series.role == "front"]
    x, y = (np.asarray(values) for values in front.columns.values())
    assert len(x) and (np.diff(x) > 0).all() and (np.diff(y) < 0).all()
    table = costs.cost_section(study).tables[0]
    assert sum(row[1] for row in table.rows) == len(study.runs)
    assert sum(row[3] for row in table.rows) == pytest.approx(sum(run["agent_seconds"] for run in study.runs))


def test_the_best_designs_are_distinct_and_the_best(study: Study) -> None:
    for figure in fronts.designs_section(study).figures:
        names = figure.options["parameters"]
        designs = [tuple(row) for s in figure.series for row in zip(*(s.columns[name] for name in names), strict=True)]
        assert len(designs) == len(set(designs)) <= fronts.MOST_DESIGNS


def test_the_summary_names_ceilings_and_failures(study: Study) -> None:
    text = " ".join(overview.words(study))
    assert "6 agents searched 6 tasks of dram with 1,000 designs per run" in text
    assert "ceiling tasks): dram stream" in text
    assert f"{int(study.failed.sum())} run" in text and study.failed.any()
    assert ranked_tasks(study) and all(study.problems[problem].workload != "stream" for problem in ranked_tasks(study))


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("count", [1, 7, 60])
def test_any_number_of_runs_gives_a_page(known: bool, count: int) -> None:
    study = Study(synthetic_summaries(count, tickets=1, seeds=2, known=known, fail=0.2), {})
    for section in sections(study, Material("x", study.runs)):
        check_section(section)


def check_section(section: Section) -> None:
    """Every section has something to show or says why not; nothing it shows is ragged."""
    record = section_record(section)
    assert record["skip"] or record["figures"] or record["tables"]
    for figure in record["figures"]:
        assert len(figure["path"]) == len(section.selectors) and figure["series"]
        for series in figure["series"]:
            assert len({len(column) for column in series["columns"].values()}) == 1
    for table in record["tables"]:
        assert {len(row) for row in table["rows"]} <= {len(table["columns"])}


def test_numbers_are_rounded_and_never_nan() -> None:
    values: dict[str, Any] = {"a": np.array([1 / 3, np.nan, np.inf, 2.0]), "b": (np.float64(0.5), True, "x", None)}
    assert plain(values) == {"a": [0.33333, None, None, 2], "b": [0.5, True, "x", None]}

"""One unit, two equal ones or two different ones, at equal totals: which chip runs a pair of networks best."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from nasaic_problem import Problem, networks_of
from nasaic_runs import Planned, plan, run_all
from nasaic_tables import accuracies, chance, hardware, middle, verdict_on
from numpy.typing import NDArray

from archgym import Designs, Metrics, Simulator

TEMPLATES = ("dla", "shi", "rs")
TOTALS = (1024, 2048, 3072, 4096)
BANDWIDTH = 64
FORMS = ("single", "homogeneous", "heterogeneous")

RESTRICTIONS: dict[str, dict[str, Any]] = {
    "single": {"arguments": {"units": 1}},
    "homogeneous": {"tied": {f"unit2_{part}": f"unit1_{part}" for part in ("template", "pes", "bandwidth")}},
    "heterogeneous": {},
}
"""How a search is kept to a form; two free units may be equal too."""

PAIRS = 30
NEAR = (0.45, 1.1)
"""Pairs are drawn whose energy, at about ``PER_MAC`` nJ a MAC, is between these parts of the energy spec."""

PER_MAC = 7.2

Chip = tuple[tuple[str, int, int], ...]
"""Template, processing elements and bandwidth of each unit."""


def chips(form: str, total: int) -> list[Chip]:
    """All chips of a form that use all of ``total`` elements and of the bandwidth; different units split both in eighths."""
    if form == "single":
        return [((template, total, BANDWIDTH),) for template in TEMPLATES]
    if form == "homogeneous":
        return [((template, total // 2, BANDWIDTH // 2),) * 2 for template in TEMPLATES]
    return [
        ((first, total * i // 8, BANDWIDTH * j // 8), (second, total - total * i // 8, BANDWIDTH - BANDWIDTH * j // 8))
        for first, second in itertools.combinations(TEMPLATES, 2)
        for i in range(1, 8)
        for j in range(1, 8)
    ]


def pairs(workload: str, count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Random networks whose size puts the energy spec within reach but not out of question."""
    simulator = Problem(workload).simulator()
    limit = simulator.problem.limits["energy_nj"].spec  # type: ignore[attr-defined]
    rng, names = np.random.default_rng(seed), networks_of(simulator.space)
    found: list[dict[str, Any]] = []
    while len(found) < count:
        design = simulator.space.describe(simulator.space.sample(1, rng)[0])
        chosen = {name: design[name] for name in names}
        if NEAR[0] <= PER_MAC * macs(simulator, chosen) / limit <= NEAR[1]:
            found.append(chosen)
    return found


def macs(simulator: Simulator, networks: dict[str, Any]) -> int:
    """Multiply-accumulates of all networks of a design."""
    total = 0
    for index, space in enumerate(simulator.problem.networks, start=1):  # type: ignore[attr-defined]
        description = space.description([networks[f"network{index}_{choice.name}"] for choice in space.choices])
        total += description.macs()
    return total


def encode(simulator: Simulator, networks: dict[str, Any], chosen: Sequence[Chip]) -> Designs:
    """Designs of some networks on each of the chips, (N, D)."""
    rows = []
    for chip in chosen:
        units = {
            f"unit{index}_{part}": value
            for index, unit in enumerate(chip, start=1)
            for part, value in zip(("template", "pes", "bandwidth"), unit, strict=True)
        }
        rows.append({**networks, **units})
    return simulator.space.encode(rows)


def compare(workload: str, count: int = PAIRS) -> list[dict[str, Any]]:
    """For each form and total: of ``count`` pairs, how many meet the specs on the best chip, and the mean least penalty."""
    rows = []
    networks = pairs(workload, count)
    for total in TOTALS:
        for form in FORMS:
            simulator = Problem(workload).simulator(units=1 if form == "single" else 2)
            every = chips(form, total)
            least = np.array([_least(simulator.evaluate(encode(simulator, pair, every))) for pair in networks])
            rows.append(
                {
                    "workload": workload,
                    "total": total,
                    "form": form,
                    "met": int((least == 0).sum()),
                    "pairs": count,
                    "penalty": float(least.mean()),
                }
            )
    return rows


def _least(metrics: Metrics) -> float:
    penalties: NDArray[np.float64] = metrics["penalty"][metrics.ok]
    return float(penalties.min()) if len(penalties) else float("inf")


def units_table(rows: Sequence[dict[str, Any]]) -> str:
    """Markdown: pairs that meet the specs and mean least penalty, by workload, total and form."""
    lines = [
        "| workload | total PEs | " + " | ".join(f"{form}: meet | penalty" for form in FORMS) + " |",
        "| --- | ---: |" + " ---: |" * (2 * len(FORMS)),
    ]
    for workload, total in dict.fromkeys((row["workload"], row["total"]) for row in rows):
        mine = {row["form"]: row for row in rows if (row["workload"], row["total"]) == (workload, total)}
        cells = " | ".join(f"{mine[form]['met']} of {mine[form]['pairs']} | {mine[form]['penalty']:.3f}" for form in FORMS)
        lines.append(f"| {workload} | {total:,} | {cells} |")
    return "\n".join(lines)


def units_verdict(rows: Sequence[dict[str, Any]]) -> str:
    """Markdown list: on how many totals two different units meet the specs for more pairs than the other forms."""
    lines = []
    for workload in dict.fromkeys(row["workload"] for row in rows):
        for other in FORMS[:2]:
            found = {(row["total"], row["form"]): row["met"] for row in rows if row["workload"] == workload}
            totals = sorted({total for total, _ in found})
            more = [total for total in totals if found[total, "heterogeneous"] > found[total, other]]
            fewer = [total for total in totals if found[total, "heterogeneous"] < found[total, other]]
            lines.append(
                f"* {workload}: two different units meet the specs for more pairs than {other} {_listed(more)}, "
                f"for fewer {_listed(fewer)}."
            )
    return "\n".join(lines)


def _listed(totals: Sequence[int]) -> str:
    return f"at {', '.join(f'{total:,}' for total in totals)} PEs" if totals else "at no total"


def search_forms(
    workloads: Sequence[str], budget: int, seeds: int, controller: Mapping[str, Any], results: Path, workers: int
) -> list[dict[str, Any]]:
    """NASAIC on chips of each form within 4,096 elements and 64 GB/s: records of ``nasaic_runs.execute``, with ``form``."""
    planned: list[tuple[str, Planned]] = [
        (form, replace(run, **restriction))
        for form, restriction in RESTRICTIONS.items()
        for run in plan(["nasaic"], workloads, "surrogate", budget, seeds, controller)
    ]
    records = run_all([run for _, run in planned], results, workers, "nasaic, forms")
    return [{**record, "form": form} for (form, _), record in zip(planned, records, strict=True)]


def forms_table(records: Sequence[Mapping[str, Any]]) -> str:
    """Markdown: what NASAIC found on chips of each form; accuracies are the surrogate's."""
    lines = [
        "| workload | form | seeds that meet the specs | accuracy (surrogate), median | range | two free units are ahead "
        "| middle answer | meets the specs |",
        "| --- | --- | ---: | ---: | ---: | ---: | --- | --- |",
    ]
    for workload, form in dict.fromkeys((record["workload"], record["form"]) for record in records):
        mine, free = (_of(records, workload, each) for each in (form, "heterogeneous"))
        met = accuracies(mine)
        spread = f"{np.median(met):.2%} | {min(met):.2%} .. {max(met):.2%}" if met else "- | -"
        ahead = "-" if form == "heterogeneous" else f"{chance(free, mine):.2f}"
        answer = middle(mine)["answer"]
        found = f"{hardware(answer['design'])} | {verdict_on(answer)}"
        lines.append(f"| {workload} | {form} | {len(met)} of {len(mine)} | {spread} | {ahead} | {found} |")
    return "\n".join(lines)


def forms_verdict(records: Sequence[Mapping[str, Any]]) -> str:
    """Markdown list: by how much two free units are ahead in the search."""
    lines = []
    for workload in dict.fromkeys(record["workload"] for record in records):
        for form in FORMS[:2]:
            free, other = _of(records, workload, "heterogeneous"), _of(records, workload, form)
            if not accuracies(other) or not accuracies(free):
                met = f"{len(accuracies(free))} and {len(accuracies(other))} seeds"
                lines.append(f"* {workload}, searched, two free units and {form}: {met} met the specs.")
                continue
            gap = 100 * float(np.median(accuracies(free)) - np.median(accuracies(other)))
            lines.append(
                f"* {workload}, searched, two free units against {form}: {gap:+.2f} points of (surrogate) accuracy in the "
                f"median, ahead with chance {chance(free, other):.2f}."
            )
    return "\n".join(lines)


def _of(records: Sequence[Mapping[str, Any]], workload: str, form: str) -> list[Mapping[str, Any]]:
    return [record for record in records if record["workload"] == workload and record["form"] == form]

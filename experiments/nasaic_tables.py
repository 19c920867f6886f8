"""Tables of the NASAIC study: answers in the paper's form beside the paper's own rows, statistics per method, verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from inference import share_interval, superiority
from nasaic_runs import RATED

Records = Sequence[Mapping[str, Any]]

SUCCESSIVE = ("nas_then_asic", "asic_then_nas")

LABELS = {
    "nas_then_asic": "NAS then ASIC",
    "asic_then_nas": "ASIC then NAS",
    "monte_carlo": "Monte Carlo",
    "nasaic": "NASAIC",
    "nasaic_short": "NASAIC, short episodes",
}
"""How methods are called in tables, where not by the agent's name."""

PAPER = {
    "W1": (
        ("NAS then ASIC", "dla 2112 48; shi 1984 16", 0.9417, 0.8394, 9.45e5, 3.56e9, 4.71e9, "no", "M+"),
        ("ASIC then NAS", "dla 1088 24; shi 2368 40", 0.9198, 0.8372, 5.8e5, 1.94e9, 3.82e9, "yes", "M; hardware, area M+"),
        ("NASAIC", "dla 576 56; shi 1792 8", 0.9285, 0.8374, 7.77e5, 1.43e9, 2.03e9, "yes", "M+"),
    ),
    "W2": (
        ("NAS then ASIC", "dla 2368 56; shi 1728 8", 0.9417, 0.7650, 9.31e5, 3.55e9, 4.83e9, "no", "M; hardware, area M+"),
        ("ASIC then NAS", "dla 2112 24; shi 1536 40", 0.9253, 0.7207, 9.69e5, 2.90e9, 3.86e9, "yes", "M; hardware, area M+"),
        ("NASAIC", "dla 2112 40; shi 1184 24", 0.9262, 0.7572, 6.48e5, 2.50e9, 3.34e9, "yes", "M; hardware, area M+"),
    ),
}
"""Table I of the paper as recalled: method, hardware, two accuracies, latency, energy, area, meets, certainty."""

HEAD = "hardware (template, PEs, GB/s) | accuracy 1 | accuracy 2 | cycles | nJ | um2 | meets the specs"


def label(method: str) -> str:
    """A method's name in tables."""
    return LABELS.get(method, method)


def hardware(design: Mapping[str, Any]) -> str:
    """Units of a design in the paper's short form, for example ``dla 576 56; shi 1792 8``."""
    units = sorted({name.split("_")[0] for name in design if name.startswith("unit")})
    return "; ".join(" ".join(str(design[f"{unit}_{part}"]) for part in ("template", "pes", "bandwidth")) for unit in units)


def verdict_on(answer: Mapping[str, Any]) -> str:
    """Whether an answer meets the specs; if not, that it is the least-violating design, and by how much."""
    return "yes" if answer["meets"] else f"no: least-violating design, penalty {answer['metrics']['penalty']:.2g}"


def middle(records: Records) -> Mapping[str, Any]:
    """The run whose answer is the middle one of all seeds, the lower of two."""
    return sorted(records, key=_worth)[(len(records) - 1) // 2]


def _worth(record: Mapping[str, Any]) -> float:
    metrics = record["answer"]["metrics"]
    return float(metrics["accuracy"] if record["answer"]["meets"] else -metrics["penalty"])


def answers_table(records: Records, workload: str, kind: str) -> str:
    """Markdown: middle answer of each method in the form of the paper's Table I, and the paper's rows as recalled."""
    lines = [f"| source | method | {HEAD} |", "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | --- |"]
    for method, mine in by_method(records, workload).items():
        answer = middle(mine)["answer"]
        found = answer["metrics"]
        accuracies = [f"{found[f'accuracy_{i}']:.2%}" if answer["meets"] else "-" for i in (1, 2)]
        numbers = " | ".join(f"{found[name]:.3g}" for name in ("latency_cycles", "energy_nj", "area_um2"))
        cells = f"{hardware(answer['design'])} | {' | '.join(accuracies)} | {numbers} | {verdict_on(answer)}"
        lines.append(f"| here, {kind} | {label(method)} | {cells} |")
    for method, units, first, second, latency, energy, area, meets, certainty in PAPER.get(workload, ()):
        numbers = f"{first:.2%} | {second:.2%} | {latency:.3g} | {energy:.3g} | {area:.3g} | {meets}"
        lines.append(f"| paper, recalled ({certainty}) | {method} | {units} | {numbers} |")
    return "\n".join(lines)


def by_method(records: Records, workload: str) -> dict[str, list[Mapping[str, Any]]]:
    """Runs of a workload by method, in the order of the records."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        if record["workload"] == workload:
            found.setdefault(record["method"], []).append(record)
    return found


def accuracies(records: Records) -> list[float]:
    """Accuracy of the answers that meet the specs."""
    return [record["answer"]["metrics"]["accuracy"] for record in records if record["answer"]["meets"]]


def statistics_table(records: Records, workload: str) -> str:
    """Markdown: per method how many seeds met the specs, accuracy there, what it took, and the chance against NASAIC."""
    groups = by_method(records, workload)
    marks = next(iter(groups.values()))[0]["marks"]
    reached = " | ".join(f"accuracy at {mark:,} designs" for mark in marks[:-1])
    lines = [
        f"| method | seeds that meet the specs | 95 % interval | {reached} | accuracy at the end, median | range "
        f"| NASAIC is ahead | designs to the first that meets | networks rated | accuracy at {RATED[0]} rated networks "
        f"| at {RATED[1]} | seconds, agent + simulator |",
        "| --- | ---: | ---: |" + " ---: |" * (len(marks) + 7),
    ]
    for method, mine in groups.items():
        met = accuracies(mine)
        low, high = share_interval(len(met), len(mine))
        curve = " | ".join(_median([record["reached"][index] for record in mine]) for index in range(len(marks) - 1))
        spread = f"{min(met):.2%} .. {max(met):.2%}" if met else "-"
        first = [record["first"] for record in mine if record["first"] is not None]
        ahead = "-" if method == "nasaic" or "nasaic" not in groups else f"{chance(groups['nasaic'], mine):.2f}"
        rated = f"{np.median([record['accuracies'] for record in mine]):,.0f}"
        rated += "".join(f" | {_median([record['reached_rated'][index] for record in mine])}" for index in range(len(RATED)))
        seconds = " + ".join(
            f"{np.median([run[name] for run in mine]):.1f}" for name in ("agent_seconds", "simulator_seconds")
        )
        lines.append(
            f"| {label(method)} | {len(met)} of {len(mine)} | {low:.0%} .. {high:.0%} | {curve} | {_median(met)} | {spread} "
            f"| {ahead} | {f'{np.median(first):,.0f}' if first else '-'} | {rated} | {seconds} |"
        )
    return "\n".join(lines)


def _median(values: Sequence[float | None]) -> str:
    """Median accuracy; a dash if half of the runs or more have none."""
    known = sorted(-1.0 if value is None else value for value in values)
    value = float(np.median(known)) if known and known[(len(known) - 1) // 2] >= 0 else None
    return "-" if value is None else f"{value:.2%}"


def chance(first: Records, second: Records) -> float:
    """Chance that a run of ``first`` ends with a better answer than one of ``second``, ties half."""
    return superiority([-_worth(record) for record in first], [-_worth(record) for record in second])


def verdicts(records: Records, workloads: Sequence[str]) -> str:
    """Markdown list: the claims of the paper, tested."""
    lines = []
    for workload in workloads:
        groups = by_method(records, workload)
        for method in (name for name in ("nasaic", "nasaic_short") if name in groups):
            mine = groups[method]
            met = accuracies(mine)
            holds = "holds" if len(met) == len(mine) else "does not hold"
            lines.append(f"* {workload}: {label(method)} meets all specs in every seed: {holds} ({len(met)} of {len(mine)}).")
            for baseline in (name for name in SUCCESSIVE if name in groups):
                claim = f"{workload}: accuracy of {label(method)} at least that of {label(baseline)}"
                lines.append(f"* {claim}: {_compared(mine, groups[baseline])}")
        best = max((name for name in groups if accuracies(groups[name])), key=lambda name: np.median(accuracies(groups[name])))
        lines.append(f"* {workload}: largest median accuracy: {label(best)}, {np.median(accuracies(groups[best])):.2%}.")
    return "\n".join(lines)


def _compared(mine: Records, theirs: Records) -> str:
    """Whether a method's median accuracy is at least a baseline's, at equal designs and at equal numbers of rated networks."""
    met, other = accuracies(mine), accuracies(theirs)
    if not other:
        return "holds, the baseline meets the specs in no seed."
    gap = (float(np.median(met)) if met else 0.0) - float(np.median(other))
    rated = []
    for index, mark in enumerate(RATED):
        pair = [[record["reached_rated"][index] for record in group] for group in (mine, theirs)]
        if all(value is not None for group in pair for value in group):
            rated.append(f"{100 * (np.median(pair[0]) - np.median(pair[1])):+.2f} at {mark} rated networks")
    return (
        f"{'holds' if gap >= 0 else 'does not hold'} in the median at equal designs ({100 * gap:+.2f} points; it is ahead "
        f"with chance {chance(mine, theirs):.2f}){'; ' + ', '.join(rated) if rated else ''}."
    )

"""Rows of ``proxy_accuracy.py`` to Markdown tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

Row = dict[str, Any]
UNITS = {"latency_ns": "latency", "power_mw": "power", "energy_pj": "energy"}


def tables(rows: Sequence[Row]) -> str:
    """All tables for which there are rows."""
    parts = [
        accuracy(rows),
        other_sets(rows),
        leaking(rows),
        sizes(rows),
        diversity(rows),
        transfer(rows),
        speed(rows),
        search(rows),
    ]
    return "\n\n".join(part for part in parts if part)


def accuracy(rows: Sequence[Row]) -> str:
    """20,000 trials, held-out classes."""
    chosen = [row for row in _of(rows, "size", trials=20_000) if row["set"] == "uniform"]
    head = [
        "workload",
        "metric",
        "model",
        "RMSE % of mean",
        "of range",
        "of std",
        "mean rel. %",
        "p99 rel. %",
        "R2",
        "Kendall",
    ]
    head += ["top 1 %", "regret of pick %"]
    keys = ("rmse_of_mean", "rmse_of_range", "rmse_of_std", "mean_relative", "p99_relative", "r2", "kendall", "top_recall")
    body = [
        [
            row["workload"],
            UNITS[row["metric"]],
            row["model"],
            *(_number(row[key]) for key in keys),
            _number(100 * row["pick_regret"]),
        ]
        for row in sorted(chosen, key=lambda row: (row["workload"], row["metric"]))
    ]
    return _table("### Accuracy from 20,000 uniform trials, tested on classes held out", head, body)


def other_sets(rows: Sequence[Row]) -> str:
    """The same proxies on harder designs."""
    chosen = [
        row for row in _of(rows, "size", trials=20_000) if row["set"] != "uniform" and row["model"] in ("kernel", "forest")
    ]
    words = {"best": "best 1 % of the grid, unseen", "agent": "a genetic run's designs, unseen"}
    body = [
        [row["workload"], UNITS[row["metric"]], row["model"], words[row["set"]], str(row["rows"]), *map(_number, _errors(row))]
        for row in sorted(chosen, key=lambda row: (row["set"], row["workload"], row["metric"]))
    ]
    head = ["workload", "metric", "model", "test set", "classes", "RMSE % of mean", "p99 rel. %", "Kendall"]
    return _table("### The same proxies on other designs", head, body)


def leaking(rows: Sequence[Row]) -> str:
    """Honest and leaking split side by side."""
    honest = {_key(row): row for row in _of(rows, "size", trials=20_000) if row["set"] == "uniform"}
    body = []
    for row in _of(rows, "leak"):
        if _key(row) in honest:
            fair = honest[_key(row)]["rmse_of_mean"]
            numbers = [_number(fair), _number(row["rmse_of_mean"]), _number(100 * row["known"])]
            body.append([row["workload"], UNITS[row["metric"]], row["model"], *numbers])
    head = ["workload", "metric", "model", "RMSE % by class", "RMSE % of rows at random", "test designs in training %"]
    return _table("### What a random split of rows hides", head, body)


def sizes(rows: Sequence[Row]) -> str:
    """(a): error against trials, mean over workloads."""
    chosen = [row for row in _of(rows, "size") if row["set"] == "uniform"]
    counts = sorted({row["trials"] for row in chosen})
    body = []
    for model in dict.fromkeys(row["model"] for row in chosen):
        for metric in UNITS:
            found = [
                _mean(r["rmse_of_mean"] for r in chosen if (r["model"], r["metric"], r["trials"]) == (model, metric, n))
                for n in counts
            ]
            body.append([model, UNITS[metric], *map(_number, found)])
    return _table(
        "### (a) RMSE % of mean against trials, mean over workloads", ["model", "metric", *(f"{n:,}" for n in counts)], body
    )


def diversity(rows: Sequence[Row]) -> str:
    """(b): sources at equal size, medians with the range over seeds."""
    body = []
    groups = dict.fromkeys((r["workload"], r["model"], r["equal"], r["source"]) for r in _of(rows, "diversity"))
    for workload, model, equal, source in groups:
        some = _of(rows, "diversity", workload=workload, model=model, equal=equal, source=source)
        values = [row["rmse_of_mean"] for row in some]
        spread = f"{_number(min(values))} .. {_number(max(values))}"
        classes = _number(_mean(row["classes"] for row in some))
        body.append([workload, model, equal, source, classes, _number(float(np.median(values))), spread])
    head = ["workload", "model", "equal", "source", "classes", "median RMSE %", "over seeds"]
    return _table("### (b) Diversity: 2,000 trials for latency, tested on the rest of the grid", head, body)


def transfer(rows: Sequence[Row]) -> str:
    """(c): a proxy of one workload asked about another one."""
    body = [
        [
            row["workload"],
            row["other"],
            UNITS[row["metric"]],
            _number(row["rmse_of_mean"]),
            _number(row["kendall"]),
            _number(100 * row["regret"]),
        ]
        for row in _of(rows, "transfer")
    ]
    head = ["trained on", "asked about", "metric", "RMSE % of mean", "Kendall", "regret of pick %"]
    return _table("### (c) A workload not seen", head, body)


def speed(rows: Sequence[Row]) -> str:
    """(d): microseconds per design."""
    program = _of(rows, "dramsys")
    head = ["model", "one design, us", "4,096 designs, us each", "4,096 different", "stand-in simulator", "our simulator"]
    head += ["one design, CPU us", "4,096, CPU us each", "MB"]
    head += ["DRAMSys / proxy", "step / proxy"] if program else []
    body = []
    for row in _of(rows, "speed"):
        shown = [row[f"{key}_us"] for key in ("single", "batch", "batch_different", "stand_in", "simulator")]
        ratios = [f"{program[0][key] / row['batch_us']:,.0f}" for key in ("printed_us", "step_us")] if program else []
        cpu = [row[f"{key}_cpu_us"] for key in ("single", "batch")]
        body.append([row["model"], *map(_number, shown), *map(_number, cpu), _number(row["megabytes"]), *ratios])
    text = _table("### (d) Speed, one thread, best of seven", head, body)
    if program and text:
        printed, step = (_number(program[0][key] / 1000) for key in ("printed_us", "step_us"))
        text += f"\n\nDRAMSys on the same machine: {printed} ms printed by itself, {step} ms for a step as ArchGym does it."
    return text


def search(rows: Sequence[Row]) -> str:
    """(e): regret after equally many simulated designs."""
    body = []
    groups = dict.fromkeys((r["workload"], r["way"], r["budget"]) for r in _of(rows, "search"))
    for workload, way, budget in sorted(groups):
        values = [100 * row["regret"] for row in _of(rows, "search", workload=workload, way=way, budget=budget)]
        body.append([workload, way, str(budget), str(len(values)), _number(float(np.median(values))), _number(max(values))])
    head = ["workload", "way", "simulated designs", "seeds", "median regret %", "worst regret %"]
    return _table("### (e) Searching on the proxy and on the simulator, latency", head, body)


def _of(rows: Sequence[Row], study: str, **where: Any) -> list[Row]:
    wanted: Callable[[Row], bool] = lambda row: all(row.get(key) == value for key, value in where.items())  # noqa: E731
    return [row for row in rows if row["study"] == study and wanted(row)]


def _key(row: Row) -> tuple[str, str, str]:
    return row["workload"], row["metric"], row["model"]


def _errors(row: Row) -> tuple[Any, ...]:
    return row["rmse_of_mean"], row["p99_relative"], row["kendall"]


def _mean(values: Iterable[float]) -> float | None:
    given = list(values)
    return float(np.mean(given)) if given else None


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _table(title: str, head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    if not body:
        return ""
    lines = [head, ["---"] * len(head), *body]
    return f"{title}\n\n" + "\n".join("| " + " | ".join(line) + " |" for line in lines)

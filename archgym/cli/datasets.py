"""``archgym dataset describe`` and ``archgym export``."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter

from rich.console import Console
from rich.table import Table

from archgym.cli.show import line, number, stdout
from archgym.dataset import Dataset
from archgym.dataset.datasheet import Datasheet, Problem

USUAL_NAME = "trials"


def open_selected(paths: Sequence[str], filters: Mapping[str, Sequence[str] | None]) -> Dataset:
    """The trials below some folders or URLs that fit the filters (arguments of ``Dataset.select``); errors as there."""
    return Dataset.open(*paths).select(**{name: values or None for name, values in filters.items()})


def describe(paths: Sequence[str], filters: Mapping[str, Sequence[str] | None], out: Path | None) -> None:
    """Shows the datasheet of a dataset, and writes it as JSON if ``out`` is given.

    Raises:
        ArchGymError: nothing there, nothing left, or a damaged file.
    """
    console = stdout()
    sheet = open_selected(paths, filters).describe()
    show_datasheet(sheet, console)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(sheet.record(), indent=1) + "\n")
        line(console, f"datasheet: {out}")


def show_datasheet(sheet: Datasheet, console: Console) -> None:
    """Prints counts, sources, coverage, ranges and failures, a few tables per problem."""
    line(console, f"{sheet.trials:,} trials of {sheet.runs:,} {'run' if sheet.runs == 1 else 'runs'}")
    for problem in sheet.problems:
        console.print()
        line(
            console, f"{problem.simulator} (version {problem.version}), workload {problem.workload}: {problem.trials:,} trials"
        )
        _show_counts(problem, console)
        console.print(_coverage(problem))
        console.print(_ranges(problem))
        for status, reasons in problem.reasons.items():
            for reason, count in reasons:
                line(console, f"  {count:,} {status}: {reason}")


def _show_counts(problem: Problem, console: Console) -> None:
    for title in ("agents", "objectives", "fidelities", "statuses"):
        counts = getattr(problem, title)
        line(console, f"{title}: " + ", ".join(f"{name} {count:,}" for name, count in counts.items() if count))
    classes = "" if problem.classes is None else f" in {problem.classes:,} classes that can differ on this workload"
    line(console, f"designs: {problem.designs:,} distinct{classes}, {problem.duplicates:,} duplicate trials")
    line(console, f"coverage: {problem.coverage:.2%} of the {problem.space_size:,} points of the space")


def _coverage(problem: Problem) -> Table:
    table = Table("parameter", title="levels that occur", title_justify="left")
    table.add_column("levels", justify="right")
    table.add_column("of", justify="right")
    for name, (found, count) in problem.levels.items():
        table.add_row(name, str(found), str(count), style="" if found == count else "yellow")
    return table


def _ranges(problem: Problem) -> Table:
    table = Table("metric", title="metrics of OK trials", title_justify="left")
    for heading in ("least", "mean", "largest"):
        table.add_column(heading, justify="right")
    for name, values in problem.ranges.items():
        table.add_row(name, number(values.least), number(values.mean), number(values.largest))
    return table


def export(paths: Sequence[str], filters: Mapping[str, Sequence[str] | None], form: str, out: Path) -> None:
    """Writes a dataset in another format and says how to read it.

    Args:
        paths: folders or URLs.
        filters: arguments of ``Dataset.select``.
        form: "parquet", "csv" or "minari".
        out: the file, or a folder for it; for "minari" a folder.

    Raises:
        ArchGymError: nothing there, nothing left, a damaged file, or an output that exists or cannot be written.
    """
    console = stdout()
    dataset = open_selected(paths, filters)
    start = perf_counter()
    if form == "minari":
        written = dataset.to_minari(out)
        line(console, f"{sum(written.values()):,} trials as Minari datasets in {out} ({perf_counter() - start:.1f} s):")
        for identity, count in written.items():
            line(console, f"  {identity}: {count:,} steps")
        line(console, f"read one: MINARI_DATASETS_PATH={out} python -c \"import minari; minari.load_dataset('{identity}')\"")
        return
    target = out if out.suffix == f".{form}" else out / f"{USUAL_NAME}.{form}"
    count = dataset.to_parquet(target) if form == "parquet" else dataset.to_csv(target)
    size = os.stat(target).st_size / 1e6
    line(console, f"{count:,} trials: {target} ({size:,.1f} MB, {perf_counter() - start:.1f} s)")
    if form == "csv":
        line(console, f"types, units and runs: {target.with_suffix('.json')}")

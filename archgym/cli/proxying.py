"""``archgym proxy``: trains a proxy on logged runs and shows how good one is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

proxy_app = typer.Typer(help="Models trained on trials that stand in for a simulator.", no_args_is_help=True)

SHOWN = {
    "rmse_of_mean": "RMSE % of mean",
    "rmse_of_range": "of range",
    "rmse_of_std": "of std",
    "mean_relative": "mean rel. %",
    "p99_relative": "p99 rel. %",
    "r2": "R2",
    "kendall": "Kendall",
    "top_recall": "top 1 %",
    "regret": "regret",
    "rms_z": "rms z",
}


@proxy_app.command("train")
def train_command(
    runs: Annotated[list[Path], typer.Argument(help="folders with runs of one simulator and workload")],
    out: Annotated[Path, typer.Option("--out", "-o", help="folder for the proxy")],
    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", "-m", help="repeatable", show_default="every metric to optimise that varies"),
    ] = None,
    model: Annotated[str, typer.Option("--model", help="kernel, forest, boosting or mlp")] = "kernel",
    tune: Annotated[bool, typer.Option("--tune", help="choose the settings by cross-validation")] = False,
    seed: Annotated[int, typer.Option("--seed", "-s", help="of everything random")] = 0,
) -> None:
    """Train a proxy on logged trials and save it as ONNX with a manifest."""
    from archgym.dataset import Dataset
    from archgym.proxy import Proxy

    trained = Proxy(model, tune, seed).fit(Dataset.open(*runs), metric or None)
    trained.save(out)
    _show(trained.record, out)


@proxy_app.command("report")
def report_command(folder: Annotated[Path, typer.Argument(help="folder of a saved proxy")]) -> None:
    """Show what a proxy was trained on, and its errors on designs that it had not seen."""
    from archgym.proxy.saving import read_manifest

    _show(read_manifest(folder), folder)


def _show(record: dict[str, Any], folder: Path) -> None:
    from rich.table import Table

    from archgym.cli.show import line, stdout

    console = stdout()
    simulator, training = record["simulator"], record["training"]
    line(console, f"{folder}: {record['model']['name']} for {simulator['name']} {record['workload']['name']}")
    line(
        console,
        f"trained on {training['trials']:,} trials, {training['classes']:,} classes of equivalent designs; "
        f"errors on classes held out:",
    )
    table = Table(box=None)
    table.add_column("metric")
    for title in SHOWN.values():
        table.add_column(title, justify="right")
    for name, errors in record["report"].items():
        table.add_row(name, *(_number(errors.get(key)) for key in SHOWN))
    console.print(table)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"

"""The commands and their options; what they do is in the modules beside this one, imported when a command runs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

import archgym
from archgym.cli.proxying import proxy_app

app = typer.Typer(
    name="archgym",
    help="Search hardware design spaces with exact, fast simulators. Every trial is logged.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(proxy_app, name="proxy")

SimulatorName = Annotated[
    str, typer.Argument(metavar="SIMULATOR", help="a name that `archgym list simulators` shows, or a TOML file")
]
Workload = Annotated[
    str | None,
    typer.Option("--workload", "-w", help="a name that `archgym list workloads` shows, or a file", show_default="its first"),
]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="another argument of the simulator; repeatable")
]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", "-j", min=1, help="designs evaluated at once, by simulators that can", show_default="its own"),
]
RayAddress = Annotated[
    str | None,
    typer.Option("--ray", metavar="local|ADDRESS", help="evaluate on a Ray cluster, by simulators that can"),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="no progress and no tables")]


class Listing(StrEnum):
    """What ``archgym list`` can list."""

    SIMULATORS = "simulators"
    AGENTS = "agents"
    ENVS = "envs"
    WORKLOADS = "workloads"
    OBJECTIVES = "objectives"


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"archgym {archgym.__version__}")
        raise typer.Exit


class ExportFormat(StrEnum):
    """What ``archgym export`` can write."""

    PARQUET = "parquet"
    CSV = "csv"
    MINARI = "minari"


DataPaths = Annotated[
    list[str], typer.Argument(metavar="PATH...", help="runs, sweeps, folders with them, exported Parquet files; URLs too")
]
OnlySimulator = Annotated[list[str] | None, typer.Option("--simulator", help="only trials of it; repeatable")]
OnlyWorkload = Annotated[list[str] | None, typer.Option("--workload", "-w", help="only trials of it; repeatable")]
OnlyAgent = Annotated[list[str] | None, typer.Option("--agent", "-a", help="only trials of it; repeatable")]
OnlyObjective = Annotated[list[str] | None, typer.Option("--objective", help="only trials of runs for it; repeatable")]
OnlyStatus = Annotated[list[str] | None, typer.Option("--status", help="OK, INVALID, FAILED, TIMEOUT, SUSPECT; repeatable")]


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="show the version and exit")
    ] = False,
) -> None:
    pass


@app.command("list")
def list_command(
    what: Annotated[Listing | None, typer.Argument(help="what to list; everything but workloads if left out")] = None,
    simulator: Annotated[str | None, typer.Argument(metavar="[SIMULATOR]", help="for workloads: of which simulator")] = None,
) -> None:
    """List what is installed."""
    from archgym.cli.listing import show_listing

    show_listing(what.value if what else None, simulator)


@app.command("run")
def run_command(
    simulator: SimulatorName,
    workload: Workload = None,
    agent: Annotated[str, typer.Option("--agent", "-a", help="a name that `archgym list agents` shows")] = "genetic",
    objective: Annotated[
        str | None, typer.Option("--objective", "-o", help="see `archgym list objectives`", show_default="the first metric")
    ] = None,
    budget: Annotated[float, typer.Option("--budget", "-b", help="how many designs")] = 1000,
    seed: Annotated[int, typer.Option("--seed", "-s", help="replicate number")] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", help="folder for this run", show_default="runs/SIMULATOR-WORKLOAD-AGENT-SEED")
    ] = None,
    settings: Settings = None,
    hyper: Annotated[
        list[str] | None, typer.Option("--hyper", metavar="NAME=VALUE", help="a hyper-parameter of the agent; repeatable")
    ] = None,
    warm_start: Annotated[
        Path | None, typer.Option("--warm-start", help="folder with past runs; the agent is told their trials first")
    ] = None,
    proxy: Annotated[
        Path | None, typer.Option("--proxy", help="folder of a saved proxy that answers in the simulator's place")
    ] = None,
    jobs: Jobs = None,
    ray: RayAddress = None,
    quiet: Quiet = False,
) -> None:
    """Search a design space with one agent and log every trial."""
    from archgym.cli.parsing import parse_pairs
    from archgym.cli.running import at_once, run

    arguments, hyperparameters = parse_pairs(settings or (), "--set"), parse_pairs(hyper or (), "--hyper")
    arguments.update(at_once(simulator, jobs, ray))
    if proxy is not None:
        arguments["proxy"] = str(proxy)
    run(simulator, workload, arguments, agent, hyperparameters, objective, budget, seed, out, warm_start, quiet)


@app.command("resume")
def resume_command(
    folder: Annotated[Path, typer.Argument(help="a run's folder, or one with unfinished runs below it")],
    jobs: Jobs = None,
    ray: RayAddress = None,
    quiet: Quiet = False,
) -> None:
    """Go on with interrupted runs, to the same log as if they had never stopped."""
    from archgym.cli.running import resume_all

    resume_all(folder, jobs, ray, quiet)


@app.command("check")
def check_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="a simulator, a TOML file, an agent, or MODULE:CLASS")],
    designs: Annotated[
        int | None,
        typer.Option("--designs", "-n", min=1, help="random designs of a simulator", show_default="64; fewer if it is slow"),
    ] = None,
) -> None:
    """Look at a simulator and run the conformance kit on it, or on an agent."""
    from archgym.cli.checking import check

    if not check(name, designs):
        raise typer.Exit(1)


@app.command("explain")
def explain_command(
    simulator: SimulatorName,
    design: Annotated[
        list[str] | None, typer.Argument(metavar="[PARAM=VALUE]...", help="the design; what is left out takes its default")
    ] = None,
    workload: Workload = None,
    settings: Settings = None,
    out: Annotated[Path | None, typer.Option("--out", help="write the figure to this HTML file")] = None,
) -> None:
    """Show where the time and energy of one design go."""
    from archgym.cli.parsing import build_simulator, parse_design, parse_pairs
    from archgym.cli.show import figure_page, line, show_explanation, stdout

    problem = build_simulator(simulator, workload, parse_pairs(settings or (), "--set"))
    explanation = problem.explain(parse_design(design or (), problem.space))
    console = stdout()
    show_explanation(explanation, console)
    if out is not None:
        figure_page(explanation, out)
        line(console, f"figure: {out}")


@app.command("optimum")
def optimum_command(
    simulator: SimulatorName,
    workload: Workload = None,
    objective: Annotated[
        list[str] | None, typer.Option("--objective", "-o", help="repeatable", show_default="every metric to optimise")
    ] = None,
    settings: Settings = None,
    summary: Annotated[Path | None, typer.Option("--summary", help="add the best scores to this JSON file")] = None,
    card: Annotated[bool, typer.Option("--card", help="also show how hard each task is: the landscape card")] = False,
) -> None:
    """Evaluate a whole space: the true optimum, the front, and the table that gives runs their regret and quantile."""
    from archgym.cli.optimum import show_optimum
    from archgym.cli.parsing import parse_pairs

    show_optimum(simulator, workload, parse_pairs(settings or (), "--set"), objective or [], summary, card)


@app.command("tune")
def tune_command(
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="whose settings; a name that `archgym list agents` shows")],
    simulator: SimulatorName,
    workload: Workload = None,
    objective: Annotated[
        str | None, typer.Option("--objective", "-o", help="see `archgym list objectives`", show_default="the first metric")
    ] = None,
    budget: Annotated[float, typer.Option("--budget", "-b", min=1, help="designs of each run")] = 1000,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="runs per ticket")] = 3,
    tuner: Annotated[str, typer.Option("--tuner", help="the agent that searches the settings")] = "random_walk",
    tickets: Annotated[int, typer.Option("--tickets", "-n", min=1, help="how many settings to try")] = 32,
    seed: Annotated[int, typer.Option("--seed", "-s", help="replicate number of the tuner")] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", help="folder for the log", show_default="runs/tune-AGENT-SIMULATOR-SEED")
    ] = None,
    settings: Settings = None,
    hyper: Annotated[
        list[str] | None, typer.Option("--hyper", metavar="NAME=VALUE", help="a hyper-parameter to hold; repeatable")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Search the hyper-parameters of an agent with another agent; the same command goes on after an interruption."""
    from archgym.cli.parsing import parse_pairs
    from archgym.cli.tuning import tune_agent

    arguments, held = parse_pairs(settings or (), "--set"), parse_pairs(hyper or (), "--hyper")
    tune_agent(agent, simulator, workload, arguments, objective, budget, seeds, tuner, tickets, seed, out, held, quiet)


@app.command("sweep")
def sweep_command(
    spec: Annotated[Path, typer.Argument(metavar="SPEC.toml", help="what to run: tasks, agents, tickets, seeds, budget")],
    out: Annotated[str, typer.Option("--out", help="folder or URL of the results; what is complete there is skipped")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show how many runs there are and how long they take")] = False,
    extend: Annotated[bool, typer.Option("--extend", help="make the sweep in the folder a larger one")] = False,
    ray: Annotated[
        str | None, typer.Option("--ray", metavar="local|ADDRESS", help="run on a Ray cluster instead of processes here")
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", "-j", min=1, help="worker processes", show_default="one per core")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Run many agents, settings and seeds on many tasks; the same command goes on after any interruption."""
    from archgym.cli.sweeping import sweep

    sweep(spec, out, dry_run, extend, ray, workers, quiet)


@app.command("demo")
def demo_command(
    simulator: Annotated[str, typer.Argument(metavar="[SIMULATOR]", help="what to search")] = "dram",
    workload: Workload = "random",
    budget: Annotated[float, typer.Option("--budget", "-b", help="how many designs for each agent")] = 2000,
    out: Annotated[
        Path | None, typer.Option("--out", help="folder for both runs", show_default="runs/demo-1, or the next free number")
    ] = None,
) -> None:
    """Let a genetic algorithm and a random walk search the same space, and compare them."""
    from archgym.cli.demo import demo

    demo(simulator, workload, budget, out)


@app.command("report")
def report_command(
    paths: Annotated[list[str], typer.Argument(metavar="DIR...", help="sweeps, or folders with runs; URLs too")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="the HTML file", show_default="report.html")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="serve the page on this machine while a sweep runs")] = False,
    port: Annotated[int, typer.Option("--port", help="for --watch", show_default="any free one")] = 0,
) -> None:
    """Write one page with figures and tables of a sweep, or of runs."""
    from archgym.cli.reporting import report

    report(paths, out, watch, port)


dataset_app = typer.Typer(help="Look at datasets of logged trials.", no_args_is_help=True)
app.add_typer(dataset_app, name="dataset")


@dataset_app.command("describe")
def describe_command(
    paths: DataPaths,
    simulator: OnlySimulator = None,
    workload: OnlyWorkload = None,
    agent: OnlyAgent = None,
    objective: OnlyObjective = None,
    status: OnlyStatus = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="write the datasheet to this JSON file too")] = None,
) -> None:
    """Show the datasheet: how many trials, from which agents, what they cover, ranges, duplicates, failures."""
    from archgym.cli.datasets import describe

    filters = {"simulator": simulator, "workload": workload, "agent": agent, "objective": objective, "status": status}
    describe(paths, filters, out)


@app.command("export")
def export_command(
    paths: DataPaths,
    out: Annotated[Path, typer.Option("--out", "-o", help="the file, or a folder for it")],
    form: Annotated[ExportFormat, typer.Option("--format", "-f", help="what to write")] = ExportFormat.PARQUET,
    simulator: OnlySimulator = None,
    workload: OnlyWorkload = None,
    agent: OnlyAgent = None,
    objective: OnlyObjective = None,
    status: OnlyStatus = None,
) -> None:
    """Write trials as one Parquet or CSV file, or as Minari datasets."""
    from archgym.cli.datasets import export

    filters = {"simulator": simulator, "workload": workload, "agent": agent, "objective": objective, "status": status}
    export(paths, filters, form.value, out)

"""Which agent needs how many designs: quantile regret against the number of designs, every agent, workload and objective.

    python experiments/sample_efficiency.py --quick      # cheap agents, four workloads, under 5 minutes
    python experiments/sample_efficiency.py              # everything; goes on where it was interrupted

Every run is judged against the enumerated optimum of its space.  Measures and inference follow Agarwal et al. (2021):
interquartile means over all tasks and seeds with stratified bootstrap intervals.  All agents run with their defaults.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from inference import interquartile_mean, share_interval, stratified_interval, superiority
from measuring import machine, write_block
from runs import MARKS, Planned, is_ceiling, run_all

from archgym.landscape import CEILING

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
CLASSIC = ("stream", "random", "cloud-1", "cloud-2")
OBJECTIVES = ("latency_ns", "power_mw", "edp")
GRID_SIZE = 442_368

CLASSES = {
    # agents, seeds, designs: slower agents get fewer designs, and the slowest fewer seeds
    "cheap": (
        ("random_walk", "grid", "genetic", "ant_colony", "annealing", "policy_gradient"),
        20,
        1000,
    ),
    "model": (("cma_es", "nsga2"), 20, 500),
    "slow": (("bayes_gp", "bayes_tpe"), 5, 500),
    "learning": (("ppo", "sac", "marl_ppo", "marl"), 5, 500),
}

STRICT_SEEDS, STRICT_OBJECTIVE = 20, "latency_ns"
"""Seeds of slow agents where medians are compared strictly: on the latency of the classic workloads."""


def plan(classes: Sequence[str], workloads: Sequence[str], seeds: int | None = None) -> list[Planned]:
    """All runs of the given classes of agents."""
    runs = []
    for name in classes:
        agents, replicates, budget = CLASSES[name]
        for agent in agents:
            for workload in workloads:
                for objective in OBJECTIVES:
                    strict = name == "slow" and workload in CLASSIC and objective == STRICT_OBJECTIVE
                    count = seeds or (STRICT_SEEDS if strict else replicates)
                    runs += [Planned(agent, workload, objective, budget, seed) for seed in range(count)]
    return runs


def balance(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the seeds that an agent has on some of its tasks only, so that every task weighs the same."""
    used: dict[str, dict[tuple[str, str], set[int]]] = {}
    for record in records:
        task = record["workload"], record["objective"]
        used.setdefault(record["label"], {}).setdefault(task, set()).add(record["seed"])
    common = {agent: set.intersection(*seeds.values()) for agent, seeds in used.items()}
    return [record for record in records if record["seed"] in common[record["label"]]]


def summarise(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Per agent: interquartile mean of the quantile regret at each mark, its interval, and the share at the optimum."""
    rows = []
    for agent in dict.fromkeys(record["label"] for record in records):
        mine = [record for record in records if record["label"] == agent]
        tasks = sorted({(record["workload"], record["objective"]) for record in mine})
        for position, mark in enumerate(mine[0]["marks"]):
            strata = [[r["quantile"][position] for r in mine if (r["workload"], r["objective"]) == task] for task in tasks]
            values = np.concatenate([np.asarray(values) for values in strata])
            regrets = np.array([record["regret"][position] for record in mine])
            rows.append(
                {
                    "agent": agent,
                    "designs": mark,
                    "runs": len(values),
                    "tasks": len(tasks),
                    "optimal": sum((record["optimum_at"] or np.inf) <= mark for record in mine),
                    "quantile": interquartile_mean(values),
                    "interval": stratified_interval(strata),
                    "within_1": float(np.mean(regrets <= 0.01)),
                }
            )
    return rows


def table(rows: Sequence[dict[str, Any]], mark: int) -> str:
    """Markdown: agents at one number of designs, best first."""
    chosen = sorted((row for row in rows if row["designs"] == mark), key=lambda row: (row["quantile"], -row["optimal"]))
    lines = [
        "| agent | tasks | runs | at the optimum | 95 % interval | quantile regret (IQM) | 95 % interval | within 1 % |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in chosen:
        low, high = row["interval"]
        # On a plateau all resamples agree; an interval of no width would claim what the data cannot show.
        interval = f"{low:.1e} .. {high:.1e}" if high > low else "-"
        least, most = share_interval(row["optimal"], row["runs"])
        lines.append(
            f"| {row['agent']} | {row['tasks']} | {row['runs']} | {row['optimal'] / row['runs']:.0%} "
            f"| {least:.1%} .. {most:.1%} | {row['quantile']:.2e} | {interval} | {row['within_1']:.0%} |"
        )
    return "\n".join(lines)


def reached(records: Sequence[dict[str, Any]], agent: str, workload: str, objective: str, mark: int) -> list[float]:
    """Quantile regret of each run of one agent on one task after ``mark`` designs."""
    mine = [r for r in records if (r["label"], r["workload"], r["objective"]) == (agent, workload, objective)]
    return [r["quantile"][r["marks"].index(mark)] for r in mine if mark in r["marks"]]


def against_random(records: Sequence[dict[str, Any]], mark: int) -> str:
    """Markdown: chance that a run has a lower quantile regret than one of random walk, per classic workload."""
    lines = ["| agent | " + " | ".join(CLASSIC) + " |", "| --- |" + " ---: |" * len(CLASSIC)]
    for agent in dict.fromkeys(record["label"] for record in records):
        cells = []
        for workload in CLASSIC:
            pairs = [[reached(records, who, workload, goal, mark) for who in (agent, "random_walk")] for goal in OBJECTIVES]
            chances = [superiority(mine, random) for mine, random in pairs if mine and random]
            cells.append(f"{np.mean(chances):.2f}" if chances else "-")
        if agent != "random_walk" and set(cells) != {"-"}:
            lines.append(f"| {agent} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def compare_medians(mine: Sequence[float], random: Sequence[float]) -> str:
    """How the median of one agent's quantile regrets stands to that of random walk's: in one word or two."""
    own, other = float(np.median(mine)), float(np.median(random))
    if own == other:
        return "both optimal" if own == 0 else "equal"
    return "better" if own < other else "worse"


def beats_random(records: Sequence[dict[str, Any]], objective: str, mark: int) -> str:
    """Markdown: which agents are strictly better than random walk by their median on at least 3 classic workloads."""
    random = {workload: reached(records, "random_walk", workload, objective, mark) for workload in CLASSIC}
    lines = [
        "| agent | seeds | " + " | ".join(CLASSIC) + " | better on |",
        "| --- | ---: |" + " --- |" * len(CLASSIC) + " ---: |",
    ]
    medians = [f"{np.median(values):.1e}" for values in random.values()]
    lines.append(f"| random_walk | {len(random[CLASSIC[0]])} | " + " | ".join(medians) + " | |")
    short = []
    for agent in dict.fromkeys(record["label"] for record in records):
        mine = {workload: reached(records, agent, workload, objective, mark) for workload in CLASSIC}
        if agent == "random_walk" or not all(mine.values()):
            continue
        words = {workload: compare_medians(mine[workload], random[workload]) for workload in CLASSIC}
        cells = [f"{np.median(mine[w]):.1e}, {words[w]}, {superiority(mine[w], random[w]):.2f}" for w in CLASSIC]
        won = sum(word == "better" for word in words.values())
        if won < 3:
            short.append(f"{agent} ({won})")
        lines.append(f"| {agent} | {len(mine[CLASSIC[0]])} | " + " | ".join(cells) + f" | {won} of {len(CLASSIC)} |")
    if all(np.median(values) == 0 for values in random.values()):
        verdict = "random walk's median is the optimum on all of them, so no agent can be better"
    else:
        verdict = f"better on fewer than 3 of them: {', '.join(short) or 'none'}"
    return f"{objective}: {verdict}.\n\n" + "\n".join(lines)


def draw(rows: Sequence[dict[str, Any]], folder: Path, name: str) -> None:
    """The anytime curves as PNG and as a self-contained HTML page, with the closed form of random search as a line."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from plotly import graph_objects

    agents = list(dict.fromkeys(row["agent"] for row in rows))
    colours = pyplot.get_cmap("tab20")(np.linspace(0, 1, max(len(agents), 2)))
    figure, axes = pyplot.subplots(figsize=(9, 5.5), constrained_layout=True)
    page = graph_objects.Figure()
    floor = 0.5 / GRID_SIZE
    for agent, colour in zip(agents, colours, strict=False):
        mine = [row for row in rows if row["agent"] == agent]
        x = [row["designs"] for row in mine]
        y = [max(row["quantile"], floor) for row in mine]
        low = [max(row["interval"][0], floor) for row in mine]
        high = [max(row["interval"][1], floor) for row in mine]
        axes.plot(x, y, marker="o", markersize=3, label=agent, color=colour)
        axes.fill_between(x, low, high, alpha=0.12, color=colour, linewidth=0)
        page.add_trace(graph_objects.Scatter(x=x, y=y, name=agent, mode="lines+markers"))
    marks = np.array([mark for mark in MARKS if mark <= max(row["designs"] for row in rows)])
    axes.plot(marks, 1 / (marks + 1), "k--", linewidth=1, label="random search, 1/(n+1)")
    page.add_trace(graph_objects.Scatter(x=marks, y=1 / (marks + 1), name="random search, 1/(n+1)", line={"dash": "dash"}))
    axes.set(xscale="log", yscale="log", xlabel="designs evaluated", ylabel="share of all designs that are better (IQM)")
    axes.set_title("Sample efficiency on the DRAM controller, default settings, tasks that rank agents")
    axes.grid(alpha=0.3, which="both", linewidth=0.4)
    axes.legend(fontsize=8, ncol=2)
    page.update_layout(template="plotly_white", title=axes.get_title())
    page.update_xaxes(type="log", title=axes.get_xlabel())
    page.update_yaxes(type="log", title=axes.get_ylabel())
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / f"{name}.png", dpi=150)
    pyplot.close(figure)
    page.write_html(folder / f"{name}.html", include_plotlyjs=True)


def main() -> None:
    """Plans, runs, draws, prints."""
    from simulators.dram.workloads import names

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="cheap agents, classic workloads, five seeds")
    parser.add_argument("--classes", nargs="+", choices=list(CLASSES), default=list(CLASSES))
    parser.add_argument("--workloads", nargs="+", default=names())
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--out", type=Path, default=HERE / "results", help="folder for the finished runs")
    parser.add_argument("--write", action="store_true", help="write figure and table into docs/")
    options = parser.parse_args()
    runs = plan(["cheap"], CLASSIC, 5) if options.quick else plan(options.classes, options.workloads)
    records = run_all(runs, options.out / "sample_efficiency.jsonl", options.workers, "sample efficiency")
    tasks = sorted({(run.workload, run.objective) for run in runs})
    easy = {task for task in tasks if is_ceiling("dram", *task)}
    rows = summarise([record for record in balance(records) if (record["workload"], record["objective"]) not in easy])
    figures = DOCS / "figures" if options.write else options.out
    draw(rows, figures, "sample_efficiency")
    listed = ", ".join(f"{workload} {objective}" for workload, objective in sorted(easy)) or "none"
    text = f"Left out as ceiling tasks (random search is within 1 % after fewer than {CEILING} designs): {listed}.\n\n"
    text += "\n\n".join(f"At {mark} designs:\n\n{table(rows, mark)}" for mark in (100, 300, 500, 1000))
    for mark in (100, 500):
        text += f"\n\nChance of being better than random walk at {mark} designs, mean over the objectives, ties half:\n\n"
        text += against_random(records, mark)
    text += "\n\n### Against random walk at 500 designs, by strict median\n\n"
    text += (
        "Per classic workload: median quantile regret, how it stands to random walk's, chance of being better (ties half).\n\n"
    )
    text += "\n\n".join(beats_random(records, objective, 500) for objective in OBJECTIVES)
    print(text)
    print(f"figure: {figures / 'sample_efficiency.png'}")
    if options.write:
        write_block(DOCS / "sample-efficiency.md", "table", f"Machine: {machine()}.\n\n{text}")


if __name__ == "__main__":
    main()

"""NASAIC's comparison: joint search of networks and hardware against successive searches, Monte Carlo and other agents.

    python experiments/nasaic.py --quick                                     # W1, surrogate, three seeds, minutes
    python experiments/nasaic.py --write                                     # W1, W2, W3, surrogate, five seeds
    python experiments/nasaic.py --accuracy trained --workloads W1 --write   # accuracies by training, about two hours

Every method spends the same number of designs.  Finished runs are kept, so an interrupted study goes on where it was.  The
paper is Yang et al., "Co-Exploration of Neural Architectures and Heterogeneous ASIC Accelerator Designs Targeting Multiple
Tasks" (DAC 2020, arXiv 2002.04116).
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from measuring import machine, write_block
from nasaic_figures import scatter
from nasaic_runs import plan, run_all
from nasaic_tables import SUCCESSIVE, answers_table, statistics_table, verdicts
from nasaic_units import compare, forms_table, forms_verdict, search_forms, units_table, units_verdict

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
PAGE = DOCS / "nasaic.md"

PAPERS = (*SUCCESSIVE, "monte_carlo", "nasaic", "nasaic_short")
"""Methods of the paper, and NASAIC with fewer hardware-only designs; those drawn in the figures."""

AGENTS = ("genetic", "policy_gradient", "annealing", "ant_colony", "marl_ppo", "ppo")
"""Other agents of this project, with their default settings."""

CONTROLLER: Mapping[str, Any] = {"learning_rate": 0.003, "gamma": 0.95}
"""Settings of NASAIC's controller that differ from its defaults, wherever it has a part; chosen on seeds 1000 to 1007."""

EPISODES = 500
"""Of NASAIC; each is a joint design and ten that keep its networks."""

BUDGETS = {"surrogate": EPISODES * 11, "trained": 330}
SEEDS = {"surrogate": 5, "trained": 3}

LABEL = {
    "surrogate": "surrogate: a formula calibrated on recalled end points, no network was trained",
    "trained": "trained: reduced networks on digits pasted on photographs; these are not accuracies on CIFAR-10 or Nuclei",
}


def report(records: Sequence[Mapping[str, Any]], workloads: Sequence[str], kind: str) -> str:
    """Markdown: verdicts, and per workload statistics and answers."""
    seeds = len({record["seed"] for record in records})
    budget = max(record["budget"] for record in records)
    parts = [
        f"Accuracies: {LABEL[kind]}. {budget:,} designs per run, {seeds} seeds. Machine: {machine()}.",
        verdicts(records, workloads),
    ]
    for workload in workloads:
        parts += [
            f"### {workload}, {kind}",
            statistics_table(records, workload),
            f"Middle answer of all seeds, accuracies {kind}; the paper's rows are recalled, not read, and their accuracies "
            "are of other data:",
            answers_table(records, workload, kind),
        ]
    return "\n\n".join(parts)


def time_of_controller(records: Sequence[Mapping[str, Any]]) -> str:
    """One sentence: what 500 episodes of NASAIC took, accuracies by formula included."""
    runs = [run for run in records if run["method"] == "nasaic" and run["budget"] == EPISODES * 11]
    if not runs:
        return ""
    seconds = [run["agent_seconds"] + run["simulator_seconds"] for run in runs]
    return (
        f"{EPISODES} episodes of NASAIC, controller, pricing, mapping and scheduling of all {EPISODES * 11:,} designs, took "
        f"{min(seconds):.0f} to {max(seconds):.0f} s with two processes side by side; {EPISODES * 10:,} of these designs are "
        "hardware-only ones."
    )


def main() -> None:
    """Plans, runs, draws, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="W1 with the surrogate, three seeds, 1,100 designs, fewer agents")
    parser.add_argument("--accuracy", choices=list(BUDGETS), default="surrogate")
    parser.add_argument("--workloads", nargs="+", default=["W1", "W2", "W3"])
    parser.add_argument("--methods", nargs="+", help="the paper's methods and other agents by default; trained: the paper's")
    parser.add_argument("--budget", type=int, help="designs per run")
    parser.add_argument("--seeds", type=int, help="runs per method")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--out", type=Path, default=HERE / "results", help="folder for the finished runs")
    parser.add_argument("--write", action="store_true", help="write tables and figures into docs/")
    options = parser.parse_args()
    kind, workloads = options.accuracy, options.workloads
    seeds = options.seeds or SEEDS[kind]
    methods = options.methods or (PAPERS if kind == "trained" else (*PAPERS, *AGENTS))
    budget = options.budget or BUDGETS[kind]
    if options.quick:
        workloads, seeds, budget, methods = ["W1"], 3, 1100, options.methods or (*PAPERS, "genetic")
    results = options.out / "nasaic.jsonl"
    records = run_all(plan(methods, workloads, kind, budget, seeds, CONTROLLER), results, options.workers, f"nasaic, {kind}")
    text = report(records, workloads, kind)
    blocks = {kind: f"{text}\n\n{time_of_controller(records)}".rstrip()}
    if kind == "surrogate" and not options.quick:
        counted = [row for workload in ("W1", "W3") for row in compare(workload)]
        searched = search_forms(("W1", "W3"), budget, seeds, CONTROLLER, results, options.workers)
        blocks["units"] = "\n\n".join(
            [units_table(counted), units_verdict(counted), forms_table(searched), forms_verdict(searched)]
        )
    print("\n\n".join(blocks.values()))
    figures = DOCS / "figures" if options.write else options.out
    drawn = [record for record in records if record["method"] in PAPERS]
    for workload in workloads:
        path = figures / f"nasaic_{workload}_{kind}.png"
        scatter(drawn, workload, results.with_suffix(""), path)
        print(f"figure: {path}")
    if options.write:
        for name, block in blocks.items():
            write_block(PAGE, name, block)


if __name__ == "__main__":
    main()

"""How hard the budgets of the SoC simulator are: shares of random designs that meet them, and what search finds.

    python experiments/soc_budgets.py [--tables samples budgets agents] [--samples 1000000] [--write]

``--write`` puts the tables into ``simulators/soc/README.md``.
"""

from __future__ import annotations

import argparse
from dataclasses import astuple
from itertools import product
from pathlib import Path

import numpy as np
from measuring import Report, write_block

from archgym import make_objective, make_simulator, search
from archgym.errors import ContractError
from archgym.registry import agent_class
from archgym.simulator import Simulator

README = Path(__file__).parent.parent / "simulators" / "soc" / "README.md"
WORKLOADS = ("edge_detection", "hpvm_cava", "audio_decoder")
SETS = ("published", "standard", "hard", "tight")
SEARCHERS = ("bottleneck", "genetic")
TABLES = ("samples", "budgets", "agents")
COMPARED: tuple[tuple[str, str, dict[str, float]], ...] = (
    ("random_walk", "random_walk", {}),
    ("genetic", "genetic", {}),
    ("annealing", "annealing", {}),
    ("bottleneck", "bottleneck", {}),
    ("bottleneck, told nothing", "bottleneck", {"focus": 0.0}),
)
COMPARED_DESIGNS, COMPARED_SEEDS = 3_000, 5
BATCH = 50_000
METRICS = ("latency_ms", "power_mw", "area_rest_mm2", "area_dram_mm2")
SHOWN = ("latency_ms", "power_mw", "area_mm2")
PERCENTILES = (0.1, 10, 50, 90)


def main() -> None:
    """Prints the tables and writes them if asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=TABLES, help="which tables; all of them")
    parser.add_argument("--samples", type=int, default=1_000_000, help="uniform designs per workload")
    parser.add_argument("--designs", type=int, default=10_000, help="of a search at most")
    parser.add_argument("--seeds", type=int, default=3, help="searches per agent and budget")
    parser.add_argument("--write", action="store_true", help="write the tables into the README")
    options = parser.parse_args()
    drawn: dict[str, dict[str, np.ndarray]] = {}
    if set(options.tables) != {"agents"}:
        drawn = {workload: sample(workload, options.samples) for workload in WORKLOADS}
    make = {
        "samples": lambda: uniform(drawn, options.samples),
        "budgets": lambda: budgets(drawn, options.designs, options.seeds),
        "agents": agents,
    }
    for name in options.tables:
        report = make[name]()
        print(report.markdown())
        if options.write:
            write_block(report.readme, name, report.markdown())


def sample(workload: str, n: int) -> dict[str, np.ndarray]:
    """Metrics of uniform designs, name -> (n,).

    Raises:
        ContractError: one of them is not valid.
    """
    simulator, rng = make_simulator("soc", workload=workload), np.random.default_rng(0)
    found: dict[str, list[np.ndarray]] = {name: [] for name in {*METRICS, *SHOWN}}
    for start in range(0, n, BATCH):
        metrics = simulator.evaluate(simulator.space.sample(min(BATCH, n - start), rng))
        if not metrics.ok.all():
            raise ContractError(f"soc: every uniform design must be valid, got {next(iter(metrics.reasons.values()))}")
        for name, values in found.items():
            values.append(metrics[name])
    return {name: np.concatenate(values) for name, values in found.items()}


def uniform(samples: dict[str, dict[str, np.ndarray]], n: int) -> Report:
    """What uniform designs are like."""
    rows = []
    for workload, metrics in samples.items():
        valid = f"{len(metrics['latency_ms']):,} of {n:,}"
        spread = [" / ".join(f"{value:.3g}" for value in np.percentile(metrics[name], PERCENTILES)) for name in SHOWN]
        rows.append((workload, valid, *spread))
    heads = ("workload", "valid", "latency, ms", "power, mW", "area, mm2")
    return Report("Uniform designs", README, heads, rows, ("Percentiles 0.1 / 10 / 50 / 90 of uniform designs.",))


def budgets(samples: dict[str, dict[str, np.ndarray]], designs: int, seeds: int) -> Report:
    """How many random designs meet each budget, and after how many designs searches do."""
    rows = []
    for workload in WORKLOADS:
        for chosen in SETS:
            simulator = make_simulator("soc", workload=workload, budget=chosen)
            latency, power, area = astuple(simulator.budget)  # type: ignore[attr-defined]
            limits = dict(zip(METRICS, (latency * 1e3, power * 1e3, area * 1e6, area * 1e6), strict=True))
            met = {name: samples[workload][name] <= limit for name, limit in limits.items()}
            met["area"] = met.pop("area_rest_mm2") & met.pop("area_dram_mm2")
            shares = [f"{values.mean():.1e}" for values in met.values()]
            shares.append(f"{np.logical_and.reduce(list(met.values())).mean():.0e}")
            searches = [until_met(simulator, agent, designs, seeds) for agent in SEARCHERS]
            limit = f"{latency * 1e3:g} / {power * 1e3:g} / {area * 1e6:g}"
            rows.append((workload, chosen, limit, *shares, *searches, least_latency(simulator, limits, designs, seeds)))
    notes = (
        f"Limits of latency (ms), power (mW) and area (mm2), and the share of {len(samples[WORKLOADS[0]]['latency_ms']):,} "
        "uniform designs that meet each alone, and all three.  DRAM and everything else each count against the area.",
        f"The agents minimise `distance_to_budget`: designs until all limits were met, median and worst of {seeds} seeds, "
        f"among those that did within {designs:,}.",
        f"Least latency (ms) within the limits of power and area that either agent finds in {designs:,} designs, "
        f"best of {seeds} each.  Where it is above the limit, the searches for the distance did better.",
    )
    heads = ("workload", "set", "limits", "latency", "power", "area", "all", *SEARCHERS, "least latency")
    return Report("Budgets", README, heads, rows, notes)


def agents(designs: int = COMPARED_DESIGNS, seeds: int = COMPARED_SEEDS) -> Report:
    """How far from the standard budget agents are after a few thousand designs."""
    rows = []
    for label, agent, settings in COMPARED:
        cells = []
        for workload in WORKLOADS:
            simulator = make_simulator("soc", workload=workload)
            options = {"objective": "distance_to_budget", "budget": designs, "hyperparameters": settings}
            found = [-search(agent, simulator, seed=seed, **options).best_score for seed in range(seeds)]
            cells.append(f"{np.mean(found) + 0.0:.3f} ({sum(distance <= 0 for distance in found)} of {seeds})")
        rows.append((label, *cells))
    notes = (
        f"Mean `distance_to_budget` of the best of {designs:,} designs, standard budget, {seeds} seeds, default settings; in "
        "parentheses how many seeds met the budget.  With `focus=0` the agent `bottleneck` is plain local search.",
    )
    return Report("Agents", README, ("agent", *WORKLOADS), rows, notes)


def until_met(simulator: Simulator, agent: str, designs: int, seeds: int) -> str:
    """Designs that an agent needs to meet the budget: median and worst of the seeds that do, and how many do."""
    found = []
    objective = make_objective("distance_to_budget", simulator)
    for seed in range(seeds):
        searcher, spent = agent_class(agent)(simulator.space, seed=seed), 0
        while spent < designs:
            proposed = searcher.ask(searcher.batch)
            metrics = simulator.evaluate(proposed)
            spent += len(proposed)
            if metrics["meets_budget"].any():
                found.append(spent)
                break
            searcher.tell(proposed, objective.score(metrics), metrics)
    if not found:
        return f"0 of {seeds}"
    return f"{np.median(found):,.0f}, {max(found):,} ({len(found)} of {seeds})"


def least_latency(simulator: Simulator, limits: dict[str, float], designs: int, seeds: int) -> str:
    """The least latency within the other limits that any search finds; "none" if none is within."""
    others = ",".join(f"{name}<={limit!r}" for name, limit in limits.items() if name != "latency_ms")
    objective = make_objective(f"constrained:latency_ms|{others}", simulator)
    best = np.inf
    for agent, seed in product(SEARCHERS, range(seeds)):
        searcher = agent_class(agent)(simulator.space, seed=seed)
        for _ in range(designs // searcher.batch):
            proposed = searcher.ask(searcher.batch)
            metrics = simulator.evaluate(proposed)
            within = np.logical_and.reduce([metrics[name] <= limits[name] for name in METRICS[1:]])
            best = min(best, float(np.where(within, metrics["latency_ms"], np.inf).min()))
            searcher.tell(proposed, objective.score(metrics), metrics)
    return f"{best:.4g}" if np.isfinite(best) else "none"


if __name__ == "__main__":
    main()

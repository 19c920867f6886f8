"""Summaries of runs that never happened, as a sweep of the lottery would have made them."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

MARKS = [1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000]
AGENTS = {  # name -> how fast it learns, how much its tickets matter, hyper-parameters
    "genetic": (1.32, 0.3, {"population": [8, 16, 32, 64], "mutation": [0.01, 0.05, 0.1, 0.2], "elite": [0, 1, 2]}),
    "ant_colony": (1.18, 0.4, {"ants": [4, 8, 16, 32], "evaporation": [0.1, 0.3, 0.5, 0.9], "greediness": [0.0, 0.25, 0.5]}),
    "annealing": (1.2, 0.25, {"temperature": [0.01, 0.1, 1.0, 10.0], "cooling": [0.9, 0.99, 0.999]}),
    "random_walk": (1.0, 0.0, {"batch": [16, 64, 256]}),
    "bayes_tpe": (1.36, 0.12, {"startup": [5, 10, 20], "candidates": [8, 24, 64], "multivariate": [False, True]}),
    "ppo": (0.98, 0.5, {"learning_rate": [1e-4, 3e-4, 1e-3, 3e-3], "entropy": [0.0, 0.01, 0.1], "epochs": [2, 4, 8]}),
}
WORKLOADS = ("random", "stream", "cloud-1", "cloud-2")
OBJECTIVES = ("latency_ns", "power_mw", "energy_pj")
PARAMETERS = {
    "page_policy": ["Open", "OpenAdaptive", "Closed", "ClosedAdaptive"],
    "scheduler": ["Fifo", "FrFcfs", "FrFcfsGrp"],
    "buffer": ["Bankwise", "ReadWrite", "Shared"],
    "request_buffer": [1, 2, 4, 8, 16, 32, 64, 128],
    "refresh_policy": ["NoRefresh", "AllBank"],
    "max_active": [1, 2, 4, 8, 16, 32, 64, 128],
    "arbiter": ["Simple", "Fifo", "Reorder"],
}
SIZE = int(np.prod([len(values) for values in PARAMETERS.values()]))


def synthetic_tasks(workloads: int = 4, objectives: int = 3) -> dict[str, dict[str, Any]]:
    """Task key -> its description."""
    tasks = {}
    for workload in WORKLOADS[:workloads]:
        for objective in OBJECTIVES[:objectives]:
            tasks[f"{workload}/{objective}"] = {
                "simulator": {"name": "dram", "version": "1", "arguments": {"workload": workload}},
                "workload": {"name": workload, "digest": workload},
                "space": {
                    "name": "dram",
                    "digest": "d",
                    "parameters": [{"name": n, "values": v} for n, v in PARAMETERS.items()],
                },
                "metrics": [{"name": name, "goal": "min"} for name in OBJECTIVES],
                "objective": objective,
                "budget": MARKS[-1],
            }
    return tasks


def synthetic_summaries(
    n: int,
    *,
    tickets: int = 64,
    seeds: int = 4,
    agents: int = 6,
    workloads: int = 4,
    objectives: int = 3,
    known: bool = True,
    fail: float = 0.002,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """About ``n`` runs at most: agents x (default and tickets) x tasks x seeds, in that order until there are n."""
    rng = np.random.default_rng(seed)
    runs: list[dict[str, Any]] = []
    drawn = {name: _tickets(name, tickets, rng) for name in list(AGENTS)[:agents]}
    for replicate in range(seeds):
        for number in range(tickets + 1):
            for name in drawn:
                for key in synthetic_tasks(workloads, objectives):
                    if len(runs) < n and number < len(drawn[name]):
                        runs.append(_run(name, number, drawn[name][number], key, replicate, known, fail, rng))
    return runs


def _tickets(name: str, count: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    space = AGENTS[name][2]
    default = {key: values[len(values) // 2] for key, values in space.items()}
    return [default, *({key: values[rng.integers(len(values))] for key, values in space.items()} for _ in range(count))]


def _run(
    name: str, number: int, settings: dict[str, Any], key: str, seed: int, known: bool, fail: float, rng: np.random.Generator
) -> dict[str, Any]:
    speed, matters, space = AGENTS[name]
    workload, objective = key.split("/")
    effect = 0.0
    for weight, (each, values) in zip((1.0, 0.5, 0.2), space.items(), strict=False):
        effect += weight * (values.index(settings[each]) / max(len(values) - 1, 1) - 0.5)
    marks = np.array(MARKS)
    easy = {"stream": 0.15, "random": 1.5e-4, "cloud-1": 0.7e-4, "cloud-2": 1e-4}[workload]
    slope = max(speed + matters * effect, 0.4)
    luck = np.log10(rng.exponential(1.0)) * 0.35 + rng.normal() * 0.12
    log = luck + 0.08 - slope * np.log10(marks + 1) + np.cumsum(rng.normal(0, 0.03, len(marks)))
    quantile = np.minimum.accumulate(np.minimum(10**log, 1.0))
    quantile[quantile < easy] = 0.0
    failed = bool(rng.random() < fail)
    regret = 0.6 * quantile**0.55
    cost = {"latency_ns": 8e4, "power_mw": 1003.0, "energy_pj": 2.4e6}[objective]
    best = -cost * (1 + regret)
    hits = {}
    for epsilon in ("0", "0.001", "0.01", "0.05", "0.1"):
        there = np.flatnonzero(regret <= float(epsilon))
        hits[epsilon] = int(marks[there[0]]) if len(there) and not failed else None
    levels = [int(min(rng.integers(len(v)), rng.integers(len(v)))) for v in PARAMETERS.values()]
    seconds = {"bayes_tpe": 1.9, "ppo": 1.1}.get(name, 0.012) * (1 + 0.2 * rng.random())
    text = f"{name} {number} {key} {seed}"
    blank = [None] * len(marks)
    return {
        "id": hashlib.sha256(text.encode()).hexdigest()[:16],
        "task": key,
        "simulator": "dram",
        "workload": workload,
        "objective": objective,
        "budget": MARKS[-1],
        "agent": name,
        "label": name,
        "ticket": "default" if number == 0 else f"t{number - 1:04d}",
        "hyperparameters": settings,
        "seed": seed,
        "study": "",
        "state": "failed" if failed else "finished",
        "reason": "time limit: 600 s" if failed else "",
        "trials": 400 if failed else MARKS[-1],
        "distinct": 380,
        "simulated": 380,
        "counts": {"OK": 400 if failed else MARKS[-1]},
        "marks": MARKS,
        "best": blank if failed else best.tolist(),
        "quantile": ([1.0] * len(marks) if failed else quantile.tolist()) if known else blank,
        "regret": blank if failed or not known else regret.tolist(),
        "optimum_at": hits["0"] if known else None,
        "hits": hits if known else dict.fromkeys(hits),
        "hypervolume": float(rng.random() * 0.2 + 0.7) if objective == "energy_pj" else None,
        "best_score": None if failed else float(best[-1]),
        "best_design": {} if failed else {n: v[i] for (n, v), i in zip(PARAMETERS.items(), levels, strict=True)},
        "best_levels": levels,
        "best_metrics": {}
        if failed
        else {
            m: float(c * (1 + regret[-1] + (0 if m == objective else rng.exponential(0.15) + 0.02))) for m, c in COSTS.items()
        },
        "agent_seconds": seconds,
        "simulator_seconds": 0.004,
        "seconds": seconds + 0.009,
        "started": "2026-01-01T00:00:00+00:00",
        "host": "machine",
    }


COSTS = {"latency_ns": 8e4, "power_mw": 1003.0, "energy_pj": 2.4e6}

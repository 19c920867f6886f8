"""The lottery study while it runs and once it is there: sweeps of both stages, loaded as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from lottery_data import Runs, Task, collect
from lottery_plan import DEFAULT, confirm_folder, folder, stage_two, task_names

import archgym
from archgym.cli.show import stdout
from archgym.cli.sweeping import SweepWatch, show_sweep
from archgym.landscape import Card, landscape_card
from archgym.optimum import enumerate_space
from archgym.sweep.plan import plan_runs
from archgym.sweep.run import run_sweep
from archgym.sweep.spec import Spec
from archgym.sweep.store import Store

CONTROL = "random_walk"


@dataclass(frozen=True)
class Part:
    """A class of agents.

    Attributes:
        name: of its spec.
        spec: of stage 1.
        tuning, fresh: runs of the two stages.
    """

    name: str
    spec: Spec
    tuning: Runs
    fresh: Runs

    @property
    def agents(self) -> list[str]:
        """Labels of the agents that have tickets."""
        return [agent.label for agent in self.spec.agents if agent.tickets is not None]

    @property
    def everybody(self) -> list[str]:
        """Labels of all agents."""
        return [agent.label for agent in self.spec.agents]

    @property
    def seeds(self) -> int:
        """Tuning seeds per ticket."""
        return len(self.spec.seeds)

    @property
    def budget(self) -> int:
        """Designs of a run."""
        return int(self.spec.budget)

    def arm(self, agent: str, arm: str) -> str:
        """Label of an arm on fresh seeds; of an agent without tickets always its default."""
        return f"{agent}: {arm if agent in self.agents else DEFAULT}"

    @property
    def best_of(self) -> tuple[int, ...]:
        """The ks of the arms "best of k"."""
        return tuple(self.spec.protocol["confirm"]["best_of"])


@dataclass(frozen=True)
class Study:
    """Everything that is analysed.

    Attributes:
        parts: by name of the class.
        cards: landscape of every task.
        grids: runs of ArchGym's own grids, by budget: a list for the published ones, one entry for the fixed budget.
    """

    parts: Mapping[str, Part]
    cards: Mapping[Task, Card]
    grids: Mapping[str, Sequence[Runs]]

    def ranked(self, runs: Runs) -> list[Task]:
        """Tasks of some runs that rank agents."""
        return [task for task in runs.tasks if not self.cards[task].ceiling]


def make_cards(tasks: Sequence[Task], simulator: str = "dram") -> dict[Task, Card]:
    """Landscape cards; enumerates what is not in the cache."""
    cards = {}
    for workload in dict.fromkeys(workload for workload, _ in tasks):
        problem = archgym.make_simulator(simulator, workload=workload)
        table = enumerate_space(problem)
        for objective in [goal for name, goal in tasks if name == workload]:
            cards[workload, objective] = landscape_card(problem, table, archgym.make_objective(objective, problem))
    return cards


def sweep(spec: Spec, out: Path, workers: int, quiet: bool = False) -> None:
    """Runs a sweep, or what is missing of it; a sweep that grew is extended."""
    with SweepWatch(quiet) as watch:
        result = run_sweep(spec, out, workers=workers, extend=True, progress=watch)
    if result.executed and not quiet:
        show_sweep(result, stdout())


def load(specs: Sequence[tuple[Spec, Path]], size: int) -> Runs:
    """Runs of one or more sweeps of the same budget."""
    planned = [run for spec, _ in specs for run in plan_runs(spec)]
    summaries = [summary for _, path in specs for summary in Store.open(path).summaries()]
    return collect(planned, summaries, size)


def run_part(name: str, spec: Spec, out: Path, workers: int, size: int, only_load: bool = False, quiet: bool = False) -> Part:
    """Both stages of a class of agents.

    Args:
        name: of the class.
        spec: of stage 1.
        out: folder of the study.
        workers: processes.
        size: designs in the space.
        only_load: whether to run nothing.
        quiet: no progress.
    """
    if not only_load:
        sweep(spec, folder(out, name), workers, quiet)
    tuning = load([(spec, folder(out, name))], size)
    second = [stage_two(spec, tuning, task) for task in task_names(spec)]
    confirming = [(one, confirm_folder(out, name, one)) for one in second]
    if not only_load:
        for one, path in confirming:
            sweep(one, path, workers, quiet)
    return Part(name, spec, tuning, load(confirming, size))


def by_budget(spec: Spec, path: Path, size: int) -> list[Runs]:
    """Runs of a sweep whose agents have different budgets, one entry per budget."""
    planned, summaries = plan_runs(spec), Store.open(path).summaries()
    budgets = sorted({run.budget for run in planned})
    return [collect([run for run in planned if run.budget == budget], summaries, size) for budget in budgets]


def per_task(runs: Runs, label: str, values: np.ndarray, tasks: Sequence[Task]) -> list[np.ndarray]:
    """Values of one label's runs, one array per task."""
    return [values[runs.where(label, task)] for task in tasks]

"""Live progress of a sweep: runs done, designs per second, the best so far per agent, time left."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any

from archgym.sweep.plan import Plan, PlannedRun


class Tally:
    """What has been done so far.

    Attributes:
        name: of the sweep.
        total: runs of the sweep; skipped: complete before; done: by this call, failed ones included.
        failed: runs that did not end well; lost: times that a worker died or was ended.
        trials: designs evaluated by this call.
        labels: agent -> (runs done, runs of the sweep).
        seconds_left: an estimate, or None.
    """

    def __init__(self, name: str, plan: Plan, waiting: Sequence[PlannedRun]) -> None:
        self.name = name
        self.total, self.skipped = len(plan.unique), len(plan.unique) - len(waiting)
        self.done = self.failed = self.lost = self.trials = 0
        self.seconds_left: float | None = None
        self.labels: dict[str, list[int]] = {}
        self._names = {key: f"{t['simulator']['name']} {t['workload']['name']}" for key, t in plan.tasks.items()}
        todo = {run.id for run in waiting}
        for run in plan.unique.values():
            row = self.labels.setdefault(run.label, [0, 0])
            row[0] += run.id not in todo
            row[1] += 1
        self._best: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)  # task -> label -> summary of the best run
        self._since = monotonic()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return monotonic() - self._since

    @property
    def rate(self) -> float:
        """Designs per second."""
        return self.trials / max(self.seconds, 1e-9)

    def take(self, summary: Mapping[str, Any]) -> None:
        """Counts a run that is over."""
        self.done += 1
        self.failed += summary["state"] != "finished"
        self.trials += summary["trials"]
        self.labels[summary["label"]][0] += 1
        best = self._best[summary["task"]]
        known = best.get(summary["label"])
        if summary["best_score"] is not None and (known is None or summary["best_score"] > known["best_score"]):
            best[summary["label"]] = {"best_score": summary["best_score"], "regret": summary["regret"][-1]}

    def look(self, seconds: float | None, workers: int) -> None:
        """Takes note of how much work is left."""
        self.seconds_left = None if seconds is None else seconds / max(workers, 1)

    def best(self, label: str) -> str:
        """The best that an agent has found by this call, in words."""
        if len(self._names) == 1:
            found = next((best[label] for best in self._best.values() if label in best), None)
            if found is None:
                return "-"
            regret = "" if found["regret"] is None else f", {found['regret']:.2%} from the optimum"
            return f"{found['best_score']:.6g}{regret}"
        tasks = [best for best in self._best.values() if label in best]
        first = sum(best[label]["best_score"] >= max(row["best_score"] for row in best.values()) for best in tasks)
        return f"best of all agents on {first} of {len(tasks)} tasks" if tasks else "-"

    def line(self) -> str:
        """One line for people."""
        parts = [f"{self.skipped + self.done:,} of {self.total:,} runs"]
        if self.skipped:
            parts.append(f"{self.skipped:,} were complete")
        if self.failed:
            parts.append(f"{self.failed:,} failed")
        if self.lost:
            parts.append(f"{self.lost:,} workers replaced")
        if self.trials:
            parts.append(f"{self.trials:,} designs, {self.rate:,.0f}/s")
        if self.seconds_left is not None and self.skipped + self.done < self.total:
            parts.append(f"about {duration(self.seconds_left)} left")
        return ", ".join(parts)


def duration(seconds: float) -> str:
    """Seconds for people: 40 s, 3 min 20 s, 2 h 05 min."""
    if seconds < 60:
        return f"{math.ceil(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"

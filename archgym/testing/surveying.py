"""A look at a simulator beside the contract: what its designs come to, how long they take, and what nobody has looked at."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from archgym.metrics import Metric, Metrics, Status
from archgym.simulator import Simulator
from archgym.testing.simulator_checks import same

MOST_DESIGNS = 64
FEWEST_DESIGNS = 3
SECONDS = 20.0
"""No design is begun after so long; what took longer than a twentieth of that is evaluated again for a few designs only."""
FEW = 4
THREADS = 4


@dataclass(frozen=True)
class Observed:
    """What a metric came to.

    Attributes:
        metric: its declaration.
        low, high: least and largest value of OK designs; NaN if there are none.
        distinct: how many values there were.
    """

    metric: Metric
    low: float
    high: float
    distinct: int

    @property
    def remark(self) -> str:
        """What its author may want to know, in words; empty if nothing."""
        if self.distinct == 1 and self.metric.goal != "info":
            return "the same for every design"
        if not np.isfinite(self.metric.worst) and self.metric.goal != "info":
            return "no bound on the bad side"
        return ""


@dataclass(frozen=True)
class Survey:
    """What was seen of a simulator.

    Attributes:
        counts: status -> designs, of those drawn at random.
        reasons: (status, reason, designs), most frequent first, of designs that are not OK.
        observed: one entry per metric.
        first_seconds: the default design, evaluated before anything else: compiling and opening files included.
        seconds: (D,) of each design drawn, evaluated alone; INVALID ones by a constraint take none and are left out.
        batch_seconds: per design, all of them again in one call.
        repeated: what differed when designs were evaluated again; empty if nothing did; None if it claims nothing.
        threads: what differed when threads evaluated designs at once; empty if nothing did; None if it was not tried.
        tried_threads: how many threads that were.
        unchecked: what nobody has looked at, one sentence each.
    """

    counts: dict[str, int]
    reasons: list[tuple[str, str, int]]
    observed: tuple[Observed, ...]
    first_seconds: float
    seconds: tuple[float, ...]
    batch_seconds: float
    repeated: str | None
    threads: str | None
    tried_threads: int
    unchecked: tuple[str, ...]

    @property
    def sampled(self) -> int:
        """Designs drawn at random."""
        return sum(self.counts.values())

    def keeps_promises(self, simulator: Simulator) -> bool:
        """Whether repetition, and threads where the simulator has several lanes, gave what they must."""
        return not self.repeated and not (simulator.lanes > 1 and self.threads)


def survey(simulator: Simulator, designs: int = MOST_DESIGNS, seed: int = 0) -> Survey:
    """Evaluates random designs, fewer where they are slow, and looks at what comes of them.

    Args:
        simulator: the one to look at.  If it keeps results, it is given with that turned off, or repetition shows nothing.
        designs: how many at most.
        seed: of those designs.
    """
    start = perf_counter()
    simulator.evaluate(simulator.space.default)
    first_seconds = perf_counter() - start
    drawn = simulator.space.sample(designs, np.random.default_rng(seed))
    broken = simulator.space.violation(drawn) > 0
    singles: list[Metrics] = []
    times: list[float] = []
    begun = perf_counter()
    for row in range(len(drawn)):
        if row >= FEWEST_DESIGNS and perf_counter() - begun > SECONDS:
            break
        start = perf_counter()
        singles.append(simulator.evaluate(drawn[row : row + 1]))
        times.append(perf_counter() - start)
    found = Metrics.concatenate(singles)
    slow = max(times) > SECONDS / 20
    again = np.flatnonzero(~broken[: len(found)])[: FEW if slow else None]
    start = perf_counter()
    repetition = simulator.evaluate(drawn[again])
    batch_seconds = (perf_counter() - start) / max(len(again), 1)
    repeated = threads = None
    tried = max(2, min(THREADS, simulator.lanes))
    if simulator.deterministic:
        repeated = same(found.take(again), repetition)
        with ThreadPoolExecutor(tried) as pool:
            rows = pool.map(lambda row: simulator.evaluate(drawn[row : row + 1]), again)
            threads = same(found.take(again), Metrics.concatenate(list(rows))) if len(again) else None
    names = Counter((Status(int(found.status[row])).name, reason) for row, reason in found.reasons.items())
    return Survey(
        counts={status.name: int((found.status == status).sum()) for status in Status},
        reasons=[(status, reason, count) for (status, reason), count in names.most_common()],
        observed=tuple(_observed(metric, found) for metric in simulator.metrics),
        first_seconds=first_seconds,
        seconds=tuple(time for time, skipped in zip(times, broken[: len(times)], strict=True) if not skipped),
        batch_seconds=batch_seconds,
        repeated=repeated,
        threads=threads,
        tried_threads=tried,
        unchecked=tuple(_unchecked(simulator, found, len(again))),
    )


def _observed(metric: Metric, found: Metrics) -> Observed:
    values = found[metric.name][found.ok]
    if not len(values):
        return Observed(metric, np.nan, np.nan, 0)
    return Observed(metric, float(values.min()), float(values.max()), len(np.unique(values)))


def _unchecked(simulator: Simulator, found: Metrics, repeated: int) -> list[str]:
    """Sentences on what a look at a sample cannot say."""
    sentences = []
    if len(found) < simulator.space.size:
        sentences.append(f"{simulator.space.size - len(found):,} of {simulator.space.size:,} designs were not drawn")
    others = [name for name in simulator.workloads() if not simulator.workload.endswith(name)]
    if others:
        sentences.append(f"workloads other than {simulator.workload}: {', '.join(others)}")
    if not simulator.deterministic:
        sentences.append("repetition and threads: it says that equal designs may give different metrics")
    elif repeated < len(found):
        sentences.append(f"repetition and threads: only {repeated} designs were evaluated again")
    elif not repeated:
        sentences.append("repetition and threads: no design kept the constraints")
    if type(simulator).explain is Simulator.explain:
        sentences.append("explanations: it gives none")
    if set(simulator.fidelities) == {"full"}:
        sentences.append("fidelities: it has one")
    sentences.append("whether the metrics are right: compare with something that you trust")
    return sentences

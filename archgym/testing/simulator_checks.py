"""The conformance kit for simulators: what every agent, environment and log relies on."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.errors import ArchGymError, DesignError, UnknownNameError
from archgym.manifest import describe_task
from archgym.metrics import Metrics, Status
from archgym.objective import make_objective
from archgym.registry import list_simulators, make_simulator, simulator_class
from archgym.simulator import Simulator
from archgym.space import Designs
from archgym.testing.check import Check, expect, run_all
from archgym.testing.doc_tables import check_tables
from archgym.wrappers import Cached, Faulty


@dataclass(frozen=True)
class Sample:
    """Designs that the checks of one simulator share: random ones, one of them twice, and the default design first."""

    designs: int
    seed: int

    def of(self, simulator: Simulator) -> Designs:
        """(designs + 2, D) int32."""
        drawn = simulator.space.sample(self.designs, np.random.default_rng(self.seed))
        return np.concatenate([simulator.space.default, drawn, drawn[:1]])


def simulator_checks(*, designs: int = 64, seed: int = 0) -> list[Check[Simulator]]:
    """The rules every simulator keeps, as named checks; ``check.run(simulator)`` runs one.

    Args:
        designs: how many random designs each check looks at.
        seed: of those designs.
    """
    bodies: list[tuple[str, Callable[[Simulator, Sample], None]]] = [
        ("declaration", _declaration),
        ("default-design", _default_design),
        ("metrics-complete", _metrics_complete),
        ("within-bounds", _within_bounds),
        ("batch-equals-singles", _batch_equals_singles),
        ("order-of-rows", _order_of_rows),
        ("empty-and-single", _empty_and_single),
        ("repeatable", _repeatable),
        ("input-untouched", _input_untouched),
        ("wrong-input", _wrong_input),
        ("faulty-neighbours", _faulty_neighbours),
        ("canonical", _canonical),
        ("cached", _cached),
        ("pickles", _pickles),
        ("arguments", _arguments),
        ("fidelities", _fidelities),
        ("objectives", _objectives),
        ("explains", _explains),
        ("docs-tables", _docs_tables),
    ]
    sample = Sample(designs, seed)
    return [Check(name, (body.__doc__ or "").split("\n")[0], partial(_call, body, sample)) for name, body in bodies]


def check_simulator(simulator: Simulator, *, designs: int = 64, seed: int = 0, skip: Collection[str] = ()) -> None:
    """Runs every check on a simulator.

    Args:
        simulator: the one to check, as its users build it.
        designs: how many random designs each check looks at.
        seed: of those designs.
        skip: names of checks to leave out.

    Raises:
        ConformanceError: the first rule that it breaks: what was expected and what was got.
    """
    run_all(simulator_checks(designs=designs, seed=seed), simulator, skip)


def same(a: Metrics, b: Metrics) -> str:
    """What differs first between two results, in words; empty if nothing does."""
    if len(a) != len(b):
        return f"{len(a)} rows against {len(b)}"
    pairs: dict[str, tuple[NDArray[Any], NDArray[Any]]] = {"status": (a.status, b.status)}
    pairs["violation"] = a.violation, b.violation
    pairs.update({name: (values, b[name]) for name, values in a.columns.items()})
    for name, (x, y) in pairs.items():
        differs = ~((x == y) | (np.isnan(x) & np.isnan(y)))
        if differs.any():
            row = int(np.argmax(differs))
            return f"{name} of row {row}: {x[row]} against {y[row]}"
    return "" if a.reasons == b.reasons else f"reasons {a.reasons} against {b.reasons}"


def _call(body: Callable[[Simulator, Sample], None], sample: Sample, simulator: Simulator) -> None:
    body(simulator, sample)


def _equal(a: Metrics, b: Metrics, expected: str) -> None:
    difference = same(a, b)
    expect(not difference, expected, difference)


def _declaration(simulator: Simulator, sample: Sample) -> None:
    """Name, version, metrics and fidelities are declared, and no column of the log would stand twice."""
    expect(isinstance(simulator.name, str) and simulator.name, "a name", repr(simulator.name))
    expect(isinstance(simulator.version, str) and simulator.version, "a version, as text", repr(simulator.version))
    expect(simulator.metrics, "at least one metric", "none")
    names = simulator.metric_names
    expect(len(set(names)) == len(names), "distinct metric names", names)
    expect(simulator.fidelities.get("full") == 1.0, "the fidelity 'full' at cost 1", dict(simulator.fidelities))
    expect(min(simulator.fidelities.values()) > 0, "positive costs of fidelities", dict(simulator.fidelities))
    known = simulator.workloads()
    expect(all(isinstance(name, str) for name in known), "workloads() to give names", known)
    describe_task(simulator, make_objective(names[0], simulator), None)


def _default_design(simulator: Simulator, sample: Sample) -> None:
    """The default design is OK."""
    result = simulator.evaluate(simulator.space.default)
    expect(result.ok.all(), "status OK", f"{Status(result.status[0]).name}: {result.reasons.get(0)}")


def _metrics_complete(simulator: Simulator, sample: Sample) -> None:
    """Every declared metric is there, finite exactly where the design was priced; every other row has a reason."""
    designs = sample.of(simulator)
    result = simulator.evaluate(designs)
    expect(tuple(result.columns) == simulator.metric_names, f"metrics {simulator.metric_names}", tuple(result.columns))
    priced = np.isin(result.status, (Status.OK, Status.SUSPECT))
    for name, values in result.columns.items():
        expect(
            values.dtype == np.float64 and values.shape == (len(designs),),
            f"{name} as ({len(designs)},) float64",
            f"{values.shape} {values.dtype}",
        )
        finite = np.isfinite(values)
        expect((finite == priced).all(), f"{name} finite exactly where OK or SUSPECT", values[finite != priced][:3])
    expect(result.status.dtype == np.uint8, "status as uint8", result.status.dtype)
    expect(((result.violation > 0) == (result.status == Status.INVALID)).all(), "violation > 0 exactly where INVALID", result)
    without = [int(row) for row in np.flatnonzero(~result.ok) if not result.reasons.get(int(row))]
    expect(not without, "a reason for every design that is not OK", f"none for rows {without[:5]}")
    expect(all(not result.ok[row] for row in result.reasons), "no reason where OK", result.reasons)
    broken = simulator.space.violation(designs) > 0
    expect((result.status[broken] == Status.INVALID).all(), "INVALID where a constraint is broken", result.status[broken])


def _within_bounds(simulator: Simulator, sample: Sample) -> None:
    """OK designs lie within the declared bounds, and no sampled design is SUSPECT."""
    result = simulator.evaluate(sample.of(simulator))
    for metric in simulator.metrics:
        values = result[metric.name][result.ok]
        low, high = metric.bounds
        expect(
            ((values >= low) & (values <= high)).all(),
            f"{metric.name} in [{low:g}, {high:g}]",
            f"{values.min():g}..{values.max():g}" if len(values) else "nothing",
        )
    suspects = np.flatnonzero(result.status == Status.SUSPECT)
    expect(not len(suspects), "bounds that hold for ordinary designs", [result.reasons[int(row)] for row in suspects[:3]])


def _batch_equals_singles(simulator: Simulator, sample: Sample) -> None:
    """A batch gives what its designs give one by one."""
    designs = sample.of(simulator)
    singles = Metrics.concatenate([simulator.evaluate(designs[i : i + 1]) for i in range(len(designs))])
    _equal(simulator.evaluate(designs), singles, "the same from a batch as from single designs")


def _order_of_rows(simulator: Simulator, sample: Sample) -> None:
    """The order of rows does not matter."""
    designs = sample.of(simulator)
    order = np.random.default_rng(sample.seed).permutation(len(designs))
    _equal(simulator.evaluate(designs[order]), simulator.evaluate(designs).take(order), "rows that do not depend on order")


def _empty_and_single(simulator: Simulator, sample: Sample) -> None:
    """Batches of none and of one design work."""
    for n in (0, 1):
        result = simulator.evaluate(sample.of(simulator)[:n])
        expect(len(result) == n and tuple(result.columns) == simulator.metric_names, f"{n} rows of all metrics", len(result))


def _repeatable(simulator: Simulator, sample: Sample) -> None:
    """The same designs give the same twice, if the simulator says that it is deterministic."""
    if simulator.deterministic:
        designs = sample.of(simulator)
        _equal(simulator.evaluate(designs), simulator.evaluate(designs), "the same results twice")


def _input_untouched(simulator: Simulator, sample: Sample) -> None:
    """The caller's array is not modified, and read-only, int64 and strided arrays are as good."""
    designs = sample.of(simulator)
    expected = simulator.evaluate(designs)
    frozen = designs.copy()
    frozen.flags.writeable = False
    _equal(simulator.evaluate(frozen), expected, "a read-only array to be as good")
    expect(np.array_equal(frozen, designs), "an unmodified input", "a modified one")
    _equal(simulator.evaluate(np.asfortranarray(designs).astype(np.int64)), expected, "an int64 array to be as good")
    _equal(simulator.evaluate(np.repeat(designs, 2, axis=0)[::2]), expected, "a strided array to be as good")


def _wrong_input(simulator: Simulator, sample: Sample) -> None:
    """An array of wrong shape, type or range is a DesignError; an unknown fidelity is an UnknownNameError."""
    good = simulator.space.default
    low, high = good.copy(), good.copy()
    low[0, 0] = -1
    high[0, -1] = len(simulator.space.parameters[-1].values)
    wrong: list[tuple[str, Any]] = [
        ("a flat design", good[0]),
        ("a column too many", np.pad(good, ((0, 0), (0, 1)))),
        ("no columns", np.zeros((3, 0), np.int32)),
        ("floats", good.astype(float)),
        ("text", good.astype(str)),
        ("a negative level", low),
        ("a level too high", high),
    ]
    for what, designs in wrong:
        _raises(DesignError, partial(simulator.evaluate, designs), what)
    _raises(UnknownNameError, partial(simulator.evaluate, good, "no such fidelity"), "an unknown fidelity")


def _raises(kind: type[ArchGymError], call: Callable[[], Any], what: str) -> None:
    try:
        returned = call()
    except kind:
        return
    except Exception as error:
        expect(False, f"{kind.__name__} for {what}", f"{type(error).__name__}: {error}")
    expect(False, f"{kind.__name__} for {what}", returned)


def _faulty_neighbours(simulator: Simulator, sample: Sample) -> None:
    """Designs that fail leave the others of their batch untouched."""
    designs = sample.of(simulator)
    plain, faulty = simulator.evaluate(designs), Faulty(simulator, share=0.3, salt=sample.seed).evaluate(designs)
    kept = np.array(["spoilt" not in faulty.reasons.get(row, "") for row in range(len(designs))])
    _equal(faulty.take(kept), plain.take(kept), "neighbours of spoilt designs untouched")


def _canonical(simulator: Simulator, sample: Sample) -> None:
    """Canonical is idempotent, stays in the space, keeps validity, and equal representatives have equal metrics."""
    designs = sample.of(simulator)
    representatives = simulator.canonical(designs)
    expect(
        representatives.shape == designs.shape and representatives.dtype == np.int32,
        f"{designs.shape} int32",
        f"{representatives.shape} {representatives.dtype}",
    )
    simulator.space.check(representatives)
    expect(np.array_equal(simulator.canonical(representatives), representatives), "an idempotent canonical", "another result")
    violations = simulator.space.violation(designs)
    expect(
        np.array_equal(simulator.space.violation(representatives), violations),
        "representatives that break the rules as much as their designs",
        "other violations",
    )
    valid = violations == 0
    if simulator.deterministic and valid.any():
        # The hook itself is asked: the public method would simulate the representatives both times.
        hook = partial(simulator._price, fidelity="full")
        _equal(hook(designs[valid]), hook(representatives[valid]), "equal metrics from equal representatives")


def _cached(simulator: Simulator, sample: Sample) -> None:
    """Answers from a cache are the simulator's own."""
    if simulator.deterministic:
        designs = sample.of(simulator)
        cached, expected = Cached(simulator), simulator.evaluate(designs)
        for _ in range(2):
            _equal(cached.evaluate(designs), expected, "the cache to answer as the simulator does")


def _pickles(simulator: Simulator, sample: Sample) -> None:
    """A pickled copy has the same space and workload and gives the same results."""
    copy = pickle.loads(pickle.dumps(simulator))
    expect(copy.space.digest == simulator.space.digest, "the space to survive pickling", "another digest")
    expect(copy.workload_digest == simulator.workload_digest, "the workload to survive pickling", "another digest")
    if simulator.deterministic:
        designs = sample.of(simulator)
        _equal(copy.evaluate(designs), simulator.evaluate(designs), "the same results from a pickled copy")


def _arguments(simulator: Simulator, sample: Sample) -> None:
    """Its arguments are JSON-able and, if it is registered, rebuild it."""
    arguments = json.loads(json.dumps(dict(simulator.arguments)))
    if simulator.name not in list_simulators() or simulator_class(simulator.name) is not type(simulator):
        return
    rebuilt = make_simulator(simulator.name, **arguments)
    expect(rebuilt.space.digest == simulator.space.digest, "arguments that rebuild the space", arguments)
    expect(rebuilt.workload_digest == simulator.workload_digest, "arguments that rebuild the workload", arguments)
    if simulator.deterministic:
        designs = sample.of(simulator)
        _equal(rebuilt.evaluate(designs), simulator.evaluate(designs), "arguments that rebuild the simulator")


def _fidelities(simulator: Simulator, sample: Sample) -> None:
    """Every fidelity prices the default design, and they agree on which designs break constraints."""
    designs = sample.of(simulator)
    broken = simulator.space.violation(designs) > 0
    for fidelity in simulator.fidelities:
        result = simulator.evaluate(designs, fidelity)
        expect(result.ok[0], f"the default design OK at {fidelity!r}", result.reasons.get(0))
        expect(tuple(result.columns) == simulator.metric_names, f"every metric at {fidelity!r}", tuple(result.columns))
        expect((result.status[broken] == Status.INVALID).all(), f"the same INVALID designs at {fidelity!r}", "others")


def _objectives(simulator: Simulator, sample: Sample) -> None:
    """Every metric makes an objective that is finite for every status and ranks OK designs first."""
    result = Faulty(simulator, share=0.3, salt=sample.seed).evaluate(sample.of(simulator))
    for metric in simulator.metrics:
        scores = make_objective(metric.name, simulator).score(result)
        expect(np.isfinite(scores).all(), f"finite scores by {metric.name}", scores[~np.isfinite(scores)][:3])
        if result.ok.any() and not result.ok.all():
            expect(scores[result.ok].min() >= scores[~result.ok].max(), f"OK designs first by {metric.name}", "others before")


def _explains(simulator: Simulator, sample: Sample) -> None:
    """If it explains designs, the explanation carries the metrics that ``evaluate`` gives."""
    if _overrides_explain(simulator):
        design = simulator.space.default[0]
        explanation = simulator.explain(design)
        expect(explanation.bottleneck, "a bottleneck in words", repr(explanation.bottleneck))
        expect(explanation.breakdowns and explanation.table(), "at least one breakdown", explanation.breakdowns)
        expected = simulator.evaluate(design[None, :]).row(0)
        for name, value in explanation.metrics.items():
            expect(name in expected and np.isclose(value, expected[name]), f"{name} = {expected.get(name)}", value)


def _overrides_explain(simulator: Simulator) -> bool:
    innermost = simulator
    while hasattr(innermost, "inner"):
        innermost = innermost.inner
    return type(innermost).explain is not Simulator.explain


def _docs_tables(simulator: Simulator, sample: Sample) -> None:
    """Tables of parameters and metrics in the class's docstring equal the code."""
    check_tables(simulator)

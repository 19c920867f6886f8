"""One design from values to metrics: write the inputs, run the commands, judge their end, read the metrics."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from archgym.metrics import Status
from simulators.command.environment import program_environment, shown
from simulators.command.inputs import InputError, render_commands, render_inputs
from simulators.command.lanes import Lane, Limits, Outcome, Stopped
from simulators.command.readings import UnreadableMetric, read_metrics
from simulators.command.scratch import Scratch
from simulators.command.spec import Spec
from simulators.command.verdict import Verdict, judge, last_words, not_finite

NO_SPACE = os.strerror(errno.ENOSPC)


@dataclass(frozen=True)
class Evaluation:
    """What became of a design.

    Attributes:
        status: OK, INVALID, FAILED or TIMEOUT.
        metrics: name -> number, all of them where the status is OK; else none.
        violation: 1 where it is INVALID, else 0.
        reason: why it is not OK.
        seconds: that its commands ran.
    """

    status: Status
    metrics: dict[str, float]
    violation: float
    reason: str
    seconds: float = 0.0


@dataclass(frozen=True)
class Prepared:
    """What a design's programs are given.

    Attributes:
        inputs: file -> content.
        commands: argument lists.
    """

    inputs: dict[str, bytes]
    commands: list[list[str]]


def evaluate_design(spec: Spec, values: Mapping[str, Any], lane: Lane) -> Evaluation:
    """Evaluates a design, without a cache; a bad design is an Evaluation, never an exception.

    Args:
        spec: the simulator.
        values: of all parameters and of the workload's constants.
        lane: where its programs run.

    Raises:
        Stopped: the lane was closed meanwhile.
    """
    prepared = prepare(spec, values)
    return prepared if isinstance(prepared, Evaluation) else run_prepared(spec, values, prepared, lane)[0]


def prepare(spec: Spec, values: Mapping[str, Any]) -> Prepared | Evaluation:
    """Renders files and commands; a FAILED Evaluation where that is not possible."""
    try:
        return Prepared(render_inputs(spec, values), render_commands(spec, values))
    except InputError as error:
        return _failed(str(error))
    except Exception as error:  # whatever else a template does with the values of this design
        return _failed(f"cannot prepare the inputs: {type(error).__name__}: {error}")


def run_prepared(spec: Spec, values: Mapping[str, Any], prepared: Prepared, lane: Lane) -> tuple[Evaluation, Outcome]:
    """Runs a design's commands and reads its metrics, again where it FAILED and the spec allows that.

    A lane that is lost is no fault of the design, so that one more try is free.

    Raises:
        Stopped: the lane was closed meanwhile.
    """
    left, lost = spec.run.retries, False
    while True:
        evaluation, outcome = _attempt(spec, values, prepared, lane)
        if outcome.ended == "lost" and not lost:
            lost = True
        elif evaluation.status == Status.FAILED and left:
            left -= 1
        else:
            return evaluation, outcome


def _attempt(spec: Spec, values: Mapping[str, Any], prepared: Prepared, lane: Lane) -> tuple[Evaluation, Outcome]:
    run = spec.run
    try:
        scratch = lane.scratch
    except OSError as error:
        return _failed(f"cannot make a scratch folder: {error.strerror}"), Outcome("unstartable")
    try:
        try:
            _write(spec, prepared.inputs, scratch.work)
        except OSError as error:
            if lane.closed:
                raise Stopped("the lane was closed") from error
            return _failed(f"cannot write the inputs: {error.strerror}"), Outcome("unstartable")
        environment = program_environment(run, scratch.temporary)
        limits = Limits(run.time_limit, run.memory_limit, run.disk_limit)
        ended = lane.run(prepared.commands, scratch.work, scratch.folder, environment, limits, run.exit_codes)
        show = shown(run, scratch)
        seen = replace(ended, stdout=show(ended.stdout), stderr=show(ended.stderr))
        evaluation = _evaluated(spec, values, prepared, scratch, ended, seen)
        if evaluation.status == Status.FAILED and scratch.full:
            evaluation = replace(evaluation, reason=f"{evaluation.reason}; the disk of the scratch folder: {NO_SPACE}")
        if evaluation.status != Status.OK and run.keep == "failures":
            evaluation = _kept(spec, values, evaluation, scratch, seen)
        return evaluation, seen
    except Stopped:
        scratch.remove()
        raise
    finally:
        if not lane.closed:
            scratch.empty()


def _write(spec: Spec, contents: Mapping[str, bytes], folder: Path) -> None:
    for item in spec.inputs:
        path = folder / item.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents[item.file])
        if item.executable:
            path.chmod(0o755)


def _evaluated(
    spec: Spec, values: Mapping[str, Any], prepared: Prepared, scratch: Scratch, ended: Outcome, seen: Outcome
) -> Evaluation:
    status, reason = judge(spec.run, seen, prepared.commands)
    metrics: dict[str, float] = {}
    if status == Status.OK:
        try:
            metrics = read_metrics(spec, values, scratch.work, ended.stdout, ended.stderr, shown(spec.run, scratch))
            strange = not_finite(metrics)
        except UnreadableMetric as error:
            strange = str(error)
        except Exception as error:  # whatever a program's output does to a reader
            strange = f"cannot read the metrics: {type(error).__name__}: {error}"
        if strange:
            status, reason = Verdict(Status.FAILED, shown(spec.run, scratch)(strange) + last_words(seen))
    violation = 1.0 if status == Status.INVALID else 0.0
    return Evaluation(status, metrics if status == Status.OK else {}, violation, reason, ended.seconds)


def _kept(spec: Spec, values: Mapping[str, Any], evaluation: Evaluation, scratch: Scratch, seen: Outcome) -> Evaluation:
    """Keeps the scratch folder under a name that the design decides, and says where it is."""
    digest = hashlib.sha256(json.dumps(dict(values), sort_keys=True, default=str).encode()).hexdigest()
    try:
        kept = scratch.keep(f"{spec.name}-{digest[:12]}", {"stdout": seen.stdout, "stderr": seen.stderr})
    except OSError as error:
        return replace(evaluation, reason=f"{evaluation.reason}; its folder could not be kept: {error.strerror}")
    return replace(evaluation, reason=f"{evaluation.reason}; its folder is kept: {kept}")


def _failed(reason: str) -> Evaluation:
    return Evaluation(Status.FAILED, {}, 0.0, reason)

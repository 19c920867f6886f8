"""What the end of a program means: a status, and a reason that ends with the last words of the program."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from archgym.metrics import Status
from simulators.command.lanes import Outcome
from simulators.command.spec import Run

LAST_WORDS = 400
"""Characters of a program's output that a reason ends with."""
SENT_BY_KERNEL = {
    signal.SIGKILL: "nobody here sent it: the machine may be out of memory",
    signal.SIGXFSZ: "a file larger than disk_limit",
    signal.SIGXCPU: "out of processor time",
}


class Verdict(NamedTuple):
    """A status and why."""

    status: Status
    reason: str


def judge(run: Run, outcome: Outcome, commands: Sequence[Sequence[str]]) -> Verdict:
    """What the end of the commands means before any metric is looked for.

    Args:
        run: says which exit codes and texts mean what.
        outcome: how they ended.
        commands: that were to be run.

    Returns:
        OK where the metrics are to be read.
    """
    program = commands[max(len(outcome.times) - 1, 0)][0] if commands else ""
    broken = _stopped(run, outcome, program) or _refused(run, outcome, program) or _crashed(run, outcome, program)
    if broken is None:
        return Verdict(Status.OK, "")
    return Verdict(broken.status, broken.reason + last_words(outcome))


def _stopped(run: Run, outcome: Outcome, program: str) -> Verdict | None:
    """Where it did not end by itself."""
    if outcome.ended == "unstartable":
        return Verdict(Status.FAILED, f"cannot start {program}: {outcome.detail}")
    if outcome.ended == "timeout":
        return Verdict(Status.TIMEOUT, f"{program} took longer than the time limit of {run.time_limit:g} s")
    if outcome.ended == "memory":
        return Verdict(Status.FAILED, f"{program} used more than the memory limit of {run.memory_limit} MiB")
    if outcome.ended == "lost":
        return Verdict(Status.FAILED, "lost: the process that runs the programs was killed, and killed again")
    return None


def _refused(run: Run, outcome: Outcome, program: str) -> Verdict | None:
    """Where the program says that the design is INVALID."""
    if outcome.code is not None and outcome.code in run.invalid_exit_codes:
        return Verdict(Status.INVALID, f"{program} exited with {outcome.code}, which means an invalid design")
    found = _found(run.invalid_texts, outcome)
    return Verdict(Status.INVALID, f"{program} says {found!r}") if found is not None else None


def _crashed(run: Run, outcome: Outcome, program: str) -> Verdict | None:
    """Where it ended badly, or left something behind."""
    if outcome.signal is not None:
        return Verdict(Status.FAILED, f"{program} was killed by {_signal_name(outcome.signal)}")
    if outcome.code not in run.exit_codes:
        return Verdict(Status.FAILED, f"{program} exited with {outcome.code}")
    found = _found(run.failed_texts, outcome)
    if found is not None:
        return Verdict(Status.FAILED, f"{program} says {found!r}")
    if outcome.leftovers and run.leftovers == "fail":
        return Verdict(Status.FAILED, f"{program} left processes behind, which were killed")
    return None


def _signal_name(number: int) -> str:
    known = {each.value for each in signal.Signals}
    name = signal.Signals(number).name if number in known else f"signal {number}"
    cause = SENT_BY_KERNEL.get(number)  # type: ignore[call-overload]
    return f"{name} ({cause})" if cause else name


def _found(patterns: Iterable[str], outcome: Outcome) -> str | None:
    """The first text that one of the patterns matches, or None."""
    for pattern in patterns:
        for text in (outcome.stdout, outcome.stderr):
            match = re.search(pattern, text, re.MULTILINE)
            if match:
                return match[0][:LAST_WORDS]
    return None


def last_words(outcome: Outcome) -> str:
    """The tail of stderr, or of stdout where that is empty, on one line; empty if it printed nothing."""
    for name, text in (("stderr", outcome.stderr), ("stdout", outcome.stdout)):
        lines = [line.strip() for line in text[-4 * LAST_WORDS :].splitlines() if line.strip()]
        if lines:
            tail = " | ".join(lines)
            printable = "".join(each if each.isprintable() else "\ufffd" for each in tail[-LAST_WORDS:])
            return f"; {name} ends: {printable}"
    return ""


def not_finite(metrics: Mapping[str, float]) -> str:
    """Which metric is no finite number, in words; empty if all are."""
    for name, value in metrics.items():
        if not abs(value) < float("inf"):
            return f"{name} is not finite: {value}"
    return ""

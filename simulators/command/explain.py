"""What a described simulator did with one design: files, commands, what was printed, and where the time went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

from archgym.explanation import Breakdown, Explanation
from archgym.metrics import Status
from simulators.command.evaluation import Evaluation, Prepared, prepare, run_prepared
from simulators.command.lanes import Lane, Outcome
from simulators.command.spec import Spec

SHOWN_LINES, SHOWN_CHARACTERS = 40, 4000
"""Of each file, and of what was printed (its end)."""


def explained(spec: Spec, values: dict[str, Any], constants: Mapping[str, Any], lane: Lane) -> Explanation:
    """Runs a design, whether it is in the cache or not, and tells what happened.

    Args:
        spec: the simulator.
        values: of all parameters.
        constants: of the workload.
        lane: where its programs run.
    """
    start = perf_counter()
    named = {**constants, **values}
    prepared = prepare(spec, named)
    if isinstance(prepared, Evaluation):
        return _told(values, prepared, Prepared({}, []), Outcome("unstartable"), perf_counter() - start)
    evaluation, outcome = run_prepared(spec, named, prepared, lane)
    return _told(values, evaluation, prepared, outcome, perf_counter() - start)


def _told(values: dict[str, Any], evaluation: Evaluation, prepared: Prepared, outcome: Outcome, seconds: float) -> Explanation:
    ran = list(zip(prepared.commands, outcome.times, strict=False))
    parts = [(f"command {number}", took, " ".join(command)) for number, (command, took) in enumerate(ran, start=1)]
    parts.append(("everything else", max(seconds - outcome.seconds, 0.0), "files, starting processes, reading metrics"))
    longest = max(parts, key=lambda part: part[1])
    finding = f"{longest[1] / max(seconds, 1e-9):.0%} of {seconds:.3g} s went to {longest[0]}: {longest[2]}"
    if evaluation.status != Status.OK:
        finding = f"{evaluation.status.name}: {evaluation.reason}"
    files = [{"file": name, "content": _excerpt(content)} for name, content in prepared.inputs.items()]
    printed = [("stdout", outcome.stdout), ("stderr", outcome.stderr)]
    details: dict[str, Sequence[dict[str, Any]]] = {
        "Input files": files,
        "Commands": [{"command": " ".join(command), "seconds": took} for command, took in ran],
        "Output": [{"stream": name, "end": _end(text)} for name, text in printed if text.strip()],
    }
    breakdown = Breakdown("Wall-clock time of the evaluation", "s", tuple(parts))
    return Explanation(values, evaluation.metrics, (breakdown,), finding, details)


def _excerpt(content: bytes) -> str:
    """The beginning of a file, as text where it is text."""
    if b"\0" in content[:SHOWN_CHARACTERS]:
        return f"[{len(content):,} bytes]"
    text = content[: 4 * SHOWN_CHARACTERS].decode("utf-8", "replace")
    lines = text[:SHOWN_CHARACTERS].splitlines()[:SHOWN_LINES]
    shown = "\n".join(lines)
    return shown if len(shown.encode()) >= len(content.rstrip()) else f"{shown}\n[and more, {len(content):,} bytes in all]"


def _end(text: str) -> str:
    return "\n".join(text[-SHOWN_CHARACTERS:].splitlines()[-SHOWN_LINES:])

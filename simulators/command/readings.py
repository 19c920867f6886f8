"""Metrics found in what programs printed and wrote."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from archgym.checked_table import short
from simulators.command.arithmetic import is_number
from simulators.command.expression import Expression
from simulators.command.reading_files import read_inside
from simulators.command.reading_tables import column_values
from simulators.command.spec import Reading, Spec
from simulators.command.texts import TextError, parse_tree

REDUCTIONS: dict[str, Callable[[Sequence[float]], float]] = {
    "last": lambda values: values[-1],
    "first": lambda values: values[0],
    "sum": sum,
    "mean": lambda values: sum(values) / len(values),
    "min": min,
    "max": max,
}
"""How one number is made of several."""


PROBLEMS = (ValueError, ArithmeticError, RecursionError)


class UnreadableMetric(Exception):
    """A metric that is not where the spec says: which, what was looked for, where, and what was there."""


def read_metrics(
    spec: Spec, values: Mapping[str, Any], folder: Path, stdout: str, stderr: str, show: Callable[[str], str] = str
) -> dict[str, float]:
    """The metrics of a design whose programs have ended; numbers that are not finite are returned as they are.

    Args:
        spec: the simulator.
        values: of every parameter and every constant of the workload.
        folder: the scratch folder; a link that leads out of it is not followed.
        stdout: of all programs.
        stderr: likewise.
        show: makes a text fit to be seen: what a message quotes has gone through it, whole, before it was cut.

    Raises:
        UnreadableMetric: one of them is not there, or not a number.
    """
    texts = {"stdout": stdout, "stderr": stderr}
    trees: dict[tuple[str, str], Any] = {}
    found: dict[str, float] = {}
    for reading in spec.readings:
        name = reading.metric.name
        try:
            if reading.kind == "value":
                found[name] = reading.factor * number(Expression(reading.where).value({**values, **found}))
                continue
            if reading.source not in texts:
                texts[reading.source] = read_inside(folder, reading.source)
            found[name] = reading.factor * _read(reading, texts[reading.source], trees)
        except PROBLEMS as error:
            place = f" in {reading.source}" if reading.source else ""
            problem = _problem(reading, show(texts[reading.source]), error) if reading.source in texts else str(error)
            raise UnreadableMetric(f"metric {name}{place}: {problem}") from None
    return found


def _problem(reading: Reading, shown: str, error: Exception) -> str:
    """What is wrong, in words that quote only what may be shown."""
    try:
        _read(reading, shown, {})
    except PROBLEMS as again:
        return str(again)
    return f"{type(error).__name__} about what is not to be shown"


def _read(reading: Reading, text: str, trees: dict[tuple[str, str], Any]) -> float:
    if reading.kind == "pattern":
        found = [match.group(1) for match in pattern(reading.where).finditer(text)]
        if not found:
            raise TextError(f"nothing matches {reading.where!r}; {tail(text)}")
        wanted = found[-1:] if reading.match == "last" else found[:1] if reading.match == "first" else found
        return float(REDUCTIONS[reading.match]([number(item) for item in wanted]))
    if reading.kind == "path":
        key = (reading.source, reading.form)
        if key not in trees:
            trees[key] = parse_tree(text, reading.form)
        value = query(reading.where).search(trees[key])
        if value is None:
            raise TextError(f"there is nothing at {reading.where}; {tail(text)}")
        return number(value)
    cells = column_values(text, reading.where, reading.form)
    if reading.match == "row":
        if not -len(cells) <= reading.row < len(cells):
            raise TextError(f"there is no row {reading.row} among {len(cells)} rows")
        return number(cells[reading.row])
    if not cells:
        raise TextError("the table has no rows")
    return float(REDUCTIONS[reading.match]([number(cell) for cell in cells]))


@lru_cache(maxsize=1000)
def pattern(text: str) -> re.Pattern[str]:
    """A compiled regular expression; ``^`` and ``$`` are the ends of lines."""
    return re.compile(text, re.MULTILINE)


@lru_cache(maxsize=1000)
def query(text: str) -> Any:
    """A compiled JMESPath.

    Raises:
        TextError: it is none.
    """
    import jmespath

    try:
        return jmespath.compile(text)
    except (jmespath.exceptions.JMESPathError, ValueError) as error:
        raise TextError(f"{text!r} is no JMESPath: {' '.join(str(error).split())}") from None


def number(value: Any) -> float:
    """A number, a truth value as 0 or 1, or a text that holds a number and nothing else, as a float.

    Raises:
        TextError: it is none of these.
    """
    if is_number(value) or isinstance(value, str):
        try:
            return float(value)
        except (ValueError, OverflowError):
            pass
    raise TextError(f"{short(value)} is not a number")


def tail(text: str) -> str:
    """The end of a text as messages show it."""
    end = " ".join(text[-1000:].split())[-80:]
    return f"it ends with {end!r}" if end else "it is empty"

"""Words of the command line to names, values and simulators."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from archgym.cli import UsageError
from archgym.errors import ArchGymError
from archgym.registry import make_simulator
from archgym.simulator import Simulator
from archgym.space import Designs, DesignSpace, Parameter


def parse_value(text: str) -> int | float | bool | str:
    """Reads a number or a boolean where the text is one; else the text itself."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def parse_pairs(words: Sequence[str], option: str) -> dict[str, Any]:
    """Reads ``name=value`` words.

    Raises:
        UsageError: a word without ``=``, or a name that is given twice.
    """
    pairs = _split(words, option)
    return {name: parse_value(text) for name, text in pairs.items()}


def parse_design(words: Sequence[str], space: DesignSpace) -> Designs:
    """Reads ``PARAMETER=VALUE`` words as one design, (1, D); parameters left out take their default.

    Raises:
        UsageError: a word without ``=``.
        UnknownNameError: a parameter or value that the space does not have.
    """
    pairs = _split(words, "PARAM=VALUE")
    return space.encode({name: _level_value(space[name], text) for name, text in pairs.items()})


def build_simulator(name: str, workload: str | None, arguments: Mapping[str, Any]) -> Simulator:
    """Builds a simulator from what the command line says.

    Raises:
        UnknownNameError: no such simulator, argument or workload.
        UsageError: an argument's value that the simulator does not take.
    """
    given = {**arguments, **({"workload": workload} if workload is not None else {})}
    try:
        return make_simulator(name, **given)
    except ArchGymError:
        raise
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name} does not accept the arguments {given}: {error}") from error


def whole(number: float) -> int | float:
    """The number as an ``int`` where it is whole, so that 2000 and 2000.0 name the same run."""
    return int(number) if number.is_integer() else number


def default_folder(simulator: Simulator, agent: str, seed: int) -> Path:
    """Where a run goes if no folder is given: ``runs/SIMULATOR-WORKLOAD-AGENT-SEED``."""
    workload = Path(simulator.workload).stem or "none"
    return Path("runs") / re.sub(r"[^A-Za-z0-9._-]+", "_", f"{simulator.name}-{workload}-{agent}-{seed}")


def _split(words: Sequence[str], option: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for word in words:
        name, found, text = word.partition("=")
        if not found or not name.strip():
            raise UsageError(f"{option}: expected name=value, got {word!r}")
        if name.strip() in pairs:
            raise UsageError(f"{option}: {name.strip()} is given twice")
        pairs[name.strip()] = text.strip()
    return pairs


def _level_value(parameter: Parameter, text: str) -> Any:
    for value in parameter.values:
        if str(value) == text:
            return value
    return parse_value(text)

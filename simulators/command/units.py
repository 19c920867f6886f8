"""Units: what a number that a program prints is multiplied by to be in the unit that a metric's name carries."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache
from typing import Any

from archgym.errors import ArchGymError

SUFFIXES = {
    **{f"{prefix}s": f"{prefix}s" for prefix in ("f", "p", "n", "u", "m", "")},
    **{f"{prefix}j": f"{prefix}J" for prefix in ("f", "p", "n", "u", "m", "k", "")},
    **{f"{prefix}w": f"{prefix}W" for prefix in ("n", "u", "m", "k", "")},
    **{f"{prefix}v": f"{prefix}V" for prefix in ("u", "m", "")},
    **{f"{prefix}m2": f"{prefix}m**2" for prefix in ("n", "u", "m", "c")},
    **{f"{prefix}m": f"{prefix}m" for prefix in ("n", "u", "m", "c")},
    **{"hz": "Hz", "khz": "kHz", "mhz": "MHz", "ghz": "GHz"},
    **{"kb": "kB", "mb": "MB", "gb": "GB", "kib": "KiB", "mib": "MiB", "gib": "GiB", "bytes": "byte", "bits": "bit"},
}
"""Last part of a metric's name -> the unit that it means."""
WRITTEN = re.compile(r"[A-Za-zµμΩ°%][A-Za-z0-9µμΩ°%_ */^²³()-]{0,59}")


class UnitError(ArchGymError, ValueError):
    """A unit that is not known, or two that measure different things."""


def unit_of(metric: str) -> str | None:
    """The unit that the last part of a metric's name means, such as "ns" of ``latency_ns``; None if it means none."""
    return SUFFIXES.get(metric.rpartition("_")[2])


def factor(printed: str, wanted: str) -> float:
    """What a number in one unit is multiplied by to be in another one.

    Args:
        printed: unit of the number, such as "us", "mW", "um^2" or "KiB".
        wanted: unit that it is to have.

    Raises:
        UnitError: a unit is not known, they measure different things, or they differ by an offset as temperatures do.
    """
    import pint

    units = _registry()
    try:
        source, target = units.Unit(_checked(printed)), units.Unit(_checked(wanted))
        zero = units.Quantity(Fraction(0), source).to(target).magnitude
        one = units.Quantity(Fraction(1), source).to(target).magnitude
    except pint.UndefinedUnitError as error:
        names = [error.unit_names] if isinstance(error.unit_names, str) else error.unit_names
        raise UnitError(f"no unit is called {', '.join(map(repr, names))}") from None
    except pint.DimensionalityError:
        raise UnitError(f"{printed!r} cannot be converted to {wanted!r}: they measure different things") from None
    except Exception as error:
        raise UnitError(f"{printed!r} cannot be converted to {wanted!r}: {error}") from None
    if zero:
        raise UnitError(f"{printed!r} cannot be converted to {wanted!r} by multiplication")
    return float(one)


@cache
def _registry() -> Any:
    # Made once: reading its own definitions takes pint a third of a second.  Fractions, because as floats a us is
    # 999.9999999999999 ns.
    import pint

    return pint.UnitRegistry(non_int_type=Fraction)


def _checked(unit: str) -> str:
    if not WRITTEN.fullmatch(unit) or re.search(r"\d{3}|\*\*.*\*\*|\^.*\^", unit):
        raise UnitError(f"{unit!r} is no unit")
    return unit

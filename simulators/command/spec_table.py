"""What the tables of a spec hold beyond plain values: choices, lists, names, paths, patterns, expressions."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from archgym.checked_table import CheckedTable, short
from archgym.errors import SpecError, UnknownNameError
from simulators.command.arithmetic import ExpressionError
from simulators.command.expression import Expression
from simulators.command.kinds import kind_of


class Table(CheckedTable):
    """A table of the spec of a described simulator."""

    def only_one(self, *keys: str) -> str:
        """The one of several keys that is there.

        Raises:
            SpecError: none or more than one is.
        """
        given = [key for key in keys if key in self.content]
        if len(given) != 1:
            got = " and ".join(given) if given else "none"
            raise self.error(f"exactly one of {', '.join(keys)} is needed, got {got}")
        return given[0]

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        """One of a few words."""
        value = self.content.get(key, default)
        if value not in choices:
            raise self.wrong(key, " or ".join(repr(choice) for choice in choices))
        return str(value)

    def number(self, key: str, default: float, least: float = -math.inf) -> float:
        """A finite number, above ``least``."""
        value = self.content.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= least:
            raise self.wrong(key, "a number" if least == -math.inf else f"a number above {least:g}")
        return float(value)

    def whole(self, key: str, default: int, least: int | None = None) -> int:
        """A whole number, ``least`` or more."""
        value = self.content.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or (least is not None and value < least):
            raise self.wrong(key, "a whole number" if least is None else f"a whole number, {least} or more")
        return value

    def wholes(self, key: str, default: tuple[int, ...]) -> tuple[int, ...]:
        """A list of whole numbers."""
        value = self.content.get(key, list(default))
        if not isinstance(value, list) or any(isinstance(item, bool) or not isinstance(item, int) for item in value):
            raise self.wrong(key, "a list of whole numbers")
        return tuple(value)

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of texts."""
        value = self.content.get(key, list(default))
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.wrong(key, "a list of texts")
        return tuple(value)

    def tables(self, key: str, keys: Sequence[str], label: str) -> Iterator[Table]:
        """The tables of an array of tables.

        Args:
            key: of the array.
            keys: that each may have.
            label: key whose value helps to name the table in messages.
        """
        value = self.content.get(key, [])
        if not isinstance(value, list):
            raise SpecError(f"{self.where}: {key} must be an array of tables, written [[{key}]], got {short(value)}")
        for number, entry in enumerate(value, start=1):
            named = entry.get(label) if isinstance(entry, Mapping) else None
            called = f" ({named})" if isinstance(named, str) and named else ""
            yield Table(entry, keys, f"{self.where}: [[{key}]] {number}{called}")

    def identifier(self, key: str, reserved: frozenset[str] = frozenset()) -> str:
        """A name: letters, digits and underscores, no word that expressions use."""
        value = self.text(key)
        if not value.isidentifier():
            raise self.wrong(key, "a name of letters, digits and underscores that starts with no digit")
        if value in reserved:
            raise self.error(f"{key} cannot be {value!r}: expressions use that word themselves")
        return value

    def inside(self, key: str) -> str:
        """A relative path of a file that stays in its folder, as it is written in POSIX."""
        value = self.text(key)
        path = PurePosixPath(value)
        drive = re.match(r"[A-Za-z]:", value)
        if (
            path.is_absolute()
            or ".." in path.parts
            or drive
            or "\\" in value
            or not value.isprintable()
            or value.endswith("/")
        ):
            raise self.wrong(key, "a relative path of a file, without '..', '\\' or a drive letter")
        if not path.parts or any(len(part.encode()) > 255 for part in path.parts):
            raise self.wrong(key, "the path of a file, each part at most 255 bytes long")
        return str(path)

    def patterns(self, key: str) -> tuple[str, ...]:
        """A list of regular expressions, each tried out."""
        found = self.texts(key)
        for pattern in found:
            self.pattern(key, pattern)
        return found

    def pattern(self, key: str, pattern: str) -> re.Pattern[str]:
        """A compiled regular expression; ``^`` and ``$`` are the ends of lines."""
        try:
            return re.compile(pattern, re.MULTILINE)
        except (re.error, OverflowError, RecursionError) as error:
            raise self.error(f"{key}: {short(pattern)} is no regular expression: {error}") from None

    def expression(self, key: str, text: Any, names: Mapping[str, str], wanted: Collection[str]) -> Expression:
        """An expression over known names.

        Args:
            key: what messages call it.
            text: of the expression.
            names: that it may use -> their kinds (``kinds``).
            wanted: kinds that it may have.
        """
        try:
            found = Expression(text)
        except ExpressionError as error:
            raise self.error(f"{key}: {error}") from None
        for name in sorted(found.names):
            if name not in names:
                raise SpecError(str(UnknownNameError("name", name, names, owner=f"{self.where}: {key}: {text!r}")))
        try:
            kind = kind_of(found.tree, names)
        except ExpressionError as error:
            raise self.error(f"{key}: {text!r}: {error}") from None
        if kind not in wanted:
            raise self.error(f"{key} must be {' or '.join(wanted)}, but {text!r} is {kind}")
        return found

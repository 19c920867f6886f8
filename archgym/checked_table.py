"""Tables of TOML files, whose values are asked for: every complaint says where, what was expected and what was got."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archgym.errors import SpecError, UnknownNameError


def short(value: Any) -> str:
    """A value as error messages show it, at most 60 characters."""
    if isinstance(value, int) and value.bit_length() > 200:
        return f"a whole number of {value.bit_length()} bits"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


class CheckedTable:
    """A table with the keys that it may have.

    Attributes:
        content: key -> value.
        where: what error messages call it.

    Raises:
        SpecError: it is no table, or has another key; so do all methods where a value is not as it must be.
    """

    def __init__(self, content: Any, keys: Sequence[str], where: str) -> None:
        if not isinstance(content, Mapping):
            raise SpecError(f"{where} must be a table, got {short(content)}")
        for key in content:
            if key not in keys:
                raise SpecError(str(UnknownNameError("key", key, keys, owner=where)))
        self.content, self.where = content, where

    def __contains__(self, key: str) -> bool:
        return key in self.content

    def wrong(self, key: str, expected: str) -> SpecError:
        """The complaint that a value is not what was expected."""
        return SpecError(f"{self.where}: {key} must be {expected}, got {short(self.content[key])}")

    def error(self, problem: object) -> SpecError:
        """Any other complaint."""
        return SpecError(f"{self.where}: {problem}")

    def required(self, key: str) -> Any:
        """A value of any kind."""
        if key not in self.content:
            raise self.error(f"{key} is missing")
        return self.content[key]

    def text(self, key: str, default: str | None = None) -> str:
        """A text; not empty where there is no default."""
        if default is not None and key not in self.content:
            return default
        value = self.required(key)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise self.wrong(key, "a text" if default is not None else "a text, not empty")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.content.get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def table(self, key: str) -> Mapping[str, Any]:
        """A table with any keys; empty if it is not there."""
        value = self.content.get(key, {})
        if not isinstance(value, Mapping):
            raise self.wrong(key, "a table")
        return value

"""Texts of programs and for programs as trees of plain values: JSON, YAML and TOML, read without running anything in them."""

from __future__ import annotations

import json
import tomllib
from typing import Any


class TextError(ValueError):
    """A text that is not of the form it should be, or lacks what is looked for."""


def parse_tree(text: str, form: str) -> Any:
    """Lists, dictionaries and plain values.

    Args:
        text: to read.
        form: "json", "yaml" or "toml".

    Raises:
        TextError: it is not of that form; says where.
    """
    try:
        if form == "json":
            return json.loads(text)
        return tomllib.loads(text) if form == "toml" else _yaml(text)
    except RecursionError:
        raise TextError(f"it is {form.upper()} nested too deeply") from None
    except ValueError as error:
        raise TextError(f"it is not {form.upper()}: {_one_line(error)}") from None


def _yaml(text: str) -> Any:
    import yaml

    # The safe loader makes plain values only; the C one is the same, faster.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(text, Loader=loader)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())

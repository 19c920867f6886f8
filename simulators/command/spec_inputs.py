"""The tables [[inputs]] of a spec: files made from templates, copied, or edited."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from simulators.command.edits import ENDINGS, FORMS
from simulators.command.kinds import EITHER, NUMBER, TEXT, TRUTH
from simulators.command.spec import Input
from simulators.command.spec_table import Table

INPUT_KEYS = ("file", "template", "text", "copy", "edit", "set", "format")
LARGEST = 64 * 2**20
"""Bytes of a file that a spec holds."""


def read_inputs(spec: Table, folder: Path, kinds: Mapping[str, str]) -> tuple[Input, ...]:
    """The files of a spec, with their contents.

    Args:
        spec: the whole table.
        folder: where the spec is; files are read from it and from below it only.
        kinds: of parameters and constants, by name.

    Raises:
        SpecError: a file cannot be read or leads out of the folder, two inputs write one file, or a key is wrong.
    """
    found: list[Input] = []
    for table in spec.tables("inputs", INPUT_KEYS, "file"):
        item = _input(table, folder, kinds)
        path = PurePosixPath(item.file)
        for other in found:
            there = PurePosixPath(other.file)
            if path == there:
                raise table.error(f"file {item.file!r} is written by two [[inputs]]")
            if path.is_relative_to(there) or there.is_relative_to(path):
                raise table.error(
                    f"file {item.file!r} and file {other.file!r} cannot both be there: one is a folder of the other"
                )
        found.append(item)
    return tuple(found)


def _input(table: Table, folder: Path, kinds: Mapping[str, str]) -> Input:
    file, kind = table.inside("file"), table.only_one("template", "text", "copy", "edit")
    if kind != "edit":
        for key in ("set", "format"):
            if key in table:
                raise table.error(f"{key} goes with edit, not with {kind}")
    if kind == "text":
        return Input(file, "template", table.text("text", "").encode())
    content, executable = _content(table, kind, folder)
    if kind == "copy":
        return Input(file, "copy", content, executable)
    try:
        content.decode()
    except UnicodeDecodeError as error:
        raise table.error(f"{kind}: {table.content[kind]} is no UTF-8 text: {error}") from None
    if kind == "template":
        return Input(file, "template", content, executable)
    assignments = tuple(
        (path, table.expression(f"set: {path}", text, kinds, (NUMBER, TRUTH, TEXT, EITHER)).text)
        for path, text in table.table("set").items()
    )
    if not assignments:
        raise table.error('edit needs values to set, such as set = {"memory.rows" = "rows * 2"}')
    return Input(file, "edit", content, executable, _form(table), assignments)


def _form(table: Table) -> str:
    if "format" in table:
        return table.choice("format", FORMS, "")
    ending = PurePosixPath(table.content["edit"]).suffix.lower()
    if ending not in ENDINGS:
        raise table.error(f"edit: what {table.content['edit']} holds must be said; write format = one of {', '.join(FORMS)}")
    return ENDINGS[ending]


def _content(table: Table, key: str, folder: Path) -> tuple[bytes, bool]:
    """What a file beside the spec holds, and whether it may be run."""
    path = folder / table.inside(key)
    try:
        real = path.resolve(strict=True)
        if not real.is_relative_to(folder.resolve()):
            raise table.error(f"{key}: {table.content[key]} is a link that leads out of the spec's folder")
        if not real.is_file():
            raise table.error(f"{key}: {path} is no file")
        if real.stat().st_size > LARGEST:
            raise table.error(f"{key}: {path} has more than {LARGEST:,} bytes; name it in a command by its full path instead")
        return real.read_bytes(), os.access(real, os.X_OK)
    except (OSError, RuntimeError) as error:
        raise table.error(f"{key}: {path} cannot be read: {getattr(error, 'strerror', None) or error}") from None

"""Columns of CSV tables that programs wrote."""

from __future__ import annotations

import csv
import io

from archgym.errors import UnknownNameError
from simulators.command.texts import TextError

DELIMITERS = {"csv": ",", "tsv": "\t"}


def column_values(text: str, column: str, form: str) -> list[str]:
    """The cells of a column, without the header; blank lines do not count.

    Args:
        text: of the table.
        column: its name in the first line, or its number from 0 where the table has no header.
        form: "csv" or "tsv".

    Raises:
        TextError: there is no such column, or the text is no table.
    """
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=DELIMITERS[form]) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise TextError(f"it is no table: {error}") from None
    if not rows:
        raise TextError("it is empty")
    if column.isdecimal():
        place = int(column)
    else:
        header = [cell.strip() for cell in rows.pop(0)]
        if column not in header:
            raise TextError(str(UnknownNameError("column", column, [cell for cell in header if cell])))
        place = header.index(column)
    if short := [number for number, row in enumerate(rows) if len(row) <= place]:
        raise TextError(f"row {short[0]} has {len(rows[short[0]])} cells, none for column {column}")
    return [row[place].strip() for row in rows]

"""Shared vocabulary of the literal model: special values and the request record.

Each part of the model keeps its state in one NumPy record (a row of a structured array).  Compiled code reads and writes
fields of a record as plain memory, so the state costs no reference counting, and the rules read like prose.
"""

from __future__ import annotations

import numpy as np

NOTHING = -1  # no request, no command, no bank, no heap entry
NEVER = -(1 << 40)  # time of something that has not happened: too long ago for any rule to reach now
INFINITY = 1 << 60  # time of something that will not happen by itself
MAX_BANKS = 64  # room in the records that keep one entry per bank or bank group


def fields(*names: str, **tables: tuple[int, ...]) -> np.dtype:
    """Layout of a record of int64 numbers.

    Args:
        *names: scalar fields.
        **tables: fields that hold a table of the given shape.

    Raises:
        ValueError: a name that NumPy's records use themselves.
    """
    taken = [name for name in (*names, *tables) if hasattr(np.record, name) or hasattr(np.recarray, name)]
    if taken:  # compiled code would read the field, plain Python the method of that name
        raise ValueError(f"a record has attributes of its own named {', '.join(taken)}; choose other field names")
    scalars = [(name, np.int64) for name in names]
    return np.dtype(scalars + [(name, np.int64, shape) for name, shape in tables.items()], align=True)


def new(layout: np.dtype, count: int = 1) -> np.recarray:
    """Zeroed records of one layout, shape ``(count,)``."""
    return np.zeros(count, layout).view(np.recarray)


# One line of the trace.  Its index is also its age: requests are admitted in trace order.
REQUEST = fields(
    "line_time_ps",  # earliest time at which the player may send it
    "write",  # 1 for a write
    "bank",
    "row",
    "address",
    "arrival",  # at the arbiter
    "admission",  # the arbiter counted it as active
    "acceptance",  # the controller stored it in the scheduler
    "first_command",  # first command issued on its behalf
    "cas",  # its column access was issued
    "ready",  # the data burst has ended
    "delivery",  # the player received the response
    "next",  # link inside the list that holds the request
)

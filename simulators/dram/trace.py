"""Memory traces: what the player sends to the memory, and the two file formats it is read from.

DRAMSys ``.stl``, one request per line, time stamps in player clocks that never fall::

    # a comment
    31: read 0x400140
    33: write 0x400180

Ramulator ``.trace``, one request per line, no time stamps: request ``i`` is offered at player clock ``i``, which a memory
that is slower than that delays as far as it has to::

    0x12345680 R           Ramulator 1, hexadecimal
    LD 0x12340             Ramulator 2, LD or ST, hexadecimal with 0x, else decimal
    ST 4096

Both may be compressed with gzip.  Lines with at most one character and lines that start with ``#`` are skipped.  Every
request moves one burst (64 bytes), whatever its alignment.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.errors import TraceError
from simulators.dram.memory import Memory

_LARGEST_ADDRESS = 2**63  # what int64 can hold
_LARGEST_CYCLE = 2**48  # so that ps fit into int64 at every player clock from 100 MHz on
_GZIP_MAGIC = b"\x1f\x8b"
_Request = tuple[int, int, int, int]  # line number, player clock, 1 for a write, address


@dataclass(frozen=True, eq=False)
class Trace:
    """Requests in the order in which the player sends them.

    Attributes:
        name: for logs and messages.
        cycles: ``(R,)`` int64, earliest player clock of each request.
        writes: ``(R,)`` uint8, 1 for a write, 0 for a read.
        addresses: ``(R,)`` int64, byte addresses.
    """

    name: str
    cycles: NDArray[np.int64]
    writes: NDArray[np.uint8]
    addresses: NDArray[np.int64]

    def __post_init__(self) -> None:
        for field, dtype in (("cycles", np.int64), ("writes", np.uint8), ("addresses", np.int64)):
            object.__setattr__(self, field, np.ascontiguousarray(getattr(self, field), dtype))
        shapes = {self.cycles.shape, self.writes.shape, self.addresses.shape}
        if len(shapes) != 1 or self.cycles.ndim != 1:
            raise TraceError(
                f"trace {self.name}: cycles, writes and addresses must be of one shape (R,), got "
                f"{self.cycles.shape}, {self.writes.shape} and {self.addresses.shape}"
            )
        if len(self) == 0:
            raise TraceError(f"trace {self.name}: it is empty; expected at least one request")

    def __len__(self) -> int:
        return int(self.cycles.shape[0])

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the requests (not of the name), equal on every machine."""
        hasher = hashlib.sha256(b"archgym-trace-1")
        for column, dtype in ((self.cycles, "<i8"), (self.writes, "u1"), (self.addresses, "<i8")):
            hasher.update(column.astype(dtype).tobytes())
        return hasher.hexdigest()

    @property
    def read_only(self) -> bool:
        """True when no request is a write."""
        return not bool(self.writes.any())

    def on(self, memory: Memory, player_period_ps: int) -> tuple[Any, ...]:
        """The trace as the engines take it, on a memory and with a player clock.

        Returns:
            timing, line_time_ps, player_period_ps, write, bank, row, address: see ``simulators.dram.fast.prepare``.
        """
        stamps, addresses = self.cycles * player_period_ps, self.addresses
        bank, row = memory.bank(addresses), memory.row(addresses)
        return memory.timing, stamps, player_period_ps, self.writes, bank, row, addresses

    def prefix(self, requests: int) -> Trace:
        """The first ``requests`` requests; the whole trace when it is not longer.

        Raises:
            TraceError: ``requests`` is below 1.
        """
        if requests < 1:
            raise TraceError(f"trace {self.name}: a prefix needs at least 1 request, got {requests}")
        part = slice(requests)
        return Trace(self.name, self.cycles[part], self.writes[part], self.addresses[part])


def read(path: str | Path, memory: Memory | None = None) -> Trace:
    """Reads a trace file.

    Args:
        path: a file that ends in ``.stl`` or ``.trace``, or in one of these and ``.gz``.
        memory: when given, every address must lie inside it.  Without it any address is taken, and a memory later drops
            the address bits that it does not have, as DRAMSys does.

    Raises:
        TraceError: no such file, an unknown ending, no request in it, or a line that is malformed, goes back in time or
            lies beyond the memory.  The message names file and line, and says what was expected and what was got.
    """
    path = Path(path)
    name, kind = _name_and_kind(path)
    lines = _lines(path)
    requests = _stl(path, lines) if kind == ".stl" else _ramulator(path, lines)
    columns = list(zip(*_checked(path, requests, memory), strict=True))
    if not columns:
        raise TraceError(f"{path}: the trace is empty; expected at least one line like {_EXAMPLE[kind]!r}")
    return Trace(name, np.array(columns[0]), np.array(columns[1], np.uint8), np.array(columns[2]))


_EXAMPLE = {".stl": "31: read 0x400140", ".trace": "0x12345680 R"}


def _name_and_kind(path: Path) -> tuple[str, str]:
    name = path.name.removesuffix(".gz")
    for kind in _EXAMPLE:
        if name.endswith(kind):
            return name.removesuffix(kind), kind
    raise TraceError(f"{path}: expected a trace file that ends in .stl (DRAMSys) or .trace (Ramulator), with or without .gz")


def _lines(path: Path) -> list[str]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TraceError(f"{path}: the trace file cannot be read ({error.strerror})") from error
    if content.startswith(_GZIP_MAGIC):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise TraceError(f"{path}: the gzip file is damaged ({error})") from error
    return content.decode("ascii", errors="replace").splitlines()


def _wanted(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Lines that hold a request, with their numbers from 1."""
    return ((number, line) for number, line in enumerate(lines, 1) if len(line.strip()) > 1 and not line.startswith("#"))


def _stl(path: Path, lines: list[str]) -> Iterator[_Request]:
    operations = {"read": 0, "write": 1}
    for number, line in _wanted(lines):
        try:
            stamp, operation, address = line.split()
            if not (stamp.endswith(":") and address[:2] in ("0x", "0X")) or "_" in line:
                raise ValueError
            yield number, int(stamp[:-1]), operations[operation], int(address, 16)
        except (ValueError, KeyError):
            raise _malformed(path, number, "'CYCLE: read|write 0xADDRESS'", line) from None


def _ramulator(path: Path, lines: list[str]) -> Iterator[_Request]:
    after, before = {"R": 0, "W": 1}, {"LD": 0, "ST": 1}
    for cycle, (number, line) in enumerate(_wanted(lines)):
        try:
            first, second = line.split()
            if "_" in line:
                raise ValueError
            if first in before:
                yield number, cycle, before[first], int(second, 16 if second[:2] in ("0x", "0X") else 10)
            else:
                yield number, cycle, after[second], int(first, 16)
        except (ValueError, KeyError):
            raise _malformed(path, number, "'0xADDRESS R|W' or 'LD|ST ADDRESS'", line) from None


def _checked(path: Path, requests: Iterator[_Request], memory: Memory | None) -> Iterator[tuple[int, int, int]]:
    """Passes on player clock, write and address of requests that can be served."""
    limit = _LARGEST_ADDRESS if memory is None else 1 << memory.address_bits
    previous = 0
    for number, cycle, write, address in requests:
        if cycle < previous:
            what = "time stamp is negative" if cycle < 0 else "time stamp falls"
            raise TraceError(f"{path}, line {number}: the {what}: expected at least {previous}, got {cycle}")
        if not 0 <= address < limit:
            raise TraceError(_beyond(path, number, address, limit, memory))
        if cycle >= _LARGEST_CYCLE:
            raise TraceError(f"{path}, line {number}: the time stamp is too large: expected below 2**48, got {cycle}")
        previous = cycle
        yield cycle, write, address


def _malformed(path: Path, number: int, expected: str, line: str) -> TraceError:
    return TraceError(f"{path}, line {number}: expected {expected}, got {line.strip()[:80]!r}")


def _beyond(path: Path, number: int, address: int, limit: int, memory: Memory | None) -> str:
    if address < 0:
        return f"{path}, line {number}: the address is negative: {hex(address)}"
    if memory is None:
        return f"{path}, line {number}: the address is too large: expected below 2**63, got {hex(address)}"
    return (
        f"{path}, line {number}: the address is beyond the memory: {memory.name} ends at {hex(limit)}, got {hex(address)}. "
        "Take a larger memory, or clear the upper address bits of the trace."
    )

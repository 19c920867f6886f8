"""Workloads that the project generates itself, each from a seed.

All of them stay below 1 GiB, so every memory can serve them.  Address bits 13 to 15 are the bank of the DDR3 map and part of
the row in the DDR4 map, where bits 28 and 29 choose the bank group; bits 16 to 27 are row bits of both.

Only ``Generator(PCG64).integers`` is used.  NumPy does not promise its stream for ever, but has kept it since 1.17; a test
pins the digest of every workload, so that neither a new NumPy nor an edit here can change one unnoticed.  Raise ``VERSION``
together with the pinned digests.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from archgym.errors import TraceError, UnknownNameError
from simulators.dram.trace import Trace

VERSION = 1
LINE = 64  # bytes of one request
CAPACITY = 1 << 30  # bytes

_Ints = NDArray[np.int64]
_Columns = tuple[_Ints, _Ints, _Ints]  # cycles, writes, addresses


def names() -> list[str]:
    """Names that ``generate`` accepts."""
    return list(_GENERATORS)


def describe(name: str) -> str:
    """One sentence on a workload."""
    return (_generator(name).__doc__ or "").splitlines()[0]


def generate(name: str, requests: int = 10_000, seed: int = 0) -> Trace:
    """Generates a workload.

    Args:
        name: one of ``names()``.
        requests: length of the trace, at least 1.
        seed: non-negative; another seed gives another trace of the same kind (``stream`` has no randomness).

    Raises:
        UnknownNameError: no such workload.
        TraceError: ``requests`` or ``seed`` out of range.
    """
    generator = _generator(name)
    if requests < 1 or seed < 0:
        raise TraceError(f"workload {name}: expected requests >= 1 and seed >= 0, got requests={requests} and seed={seed}")
    rng = np.random.Generator(np.random.PCG64([zlib.crc32(name.encode()), seed]))
    cycles, writes, addresses = generator(rng, requests)
    return Trace(name, cycles, writes.astype(np.uint8), addresses)


def _generator(name: str) -> Callable[[np.random.Generator, int], _Columns]:
    if name not in _GENERATORS:
        raise UnknownNameError("workload", name, _GENERATORS, owner="dram")
    return _GENERATORS[name]


def _stream(rng: np.random.Generator, requests: int) -> _Columns:
    """Reads one line after the other, one per clock."""
    return _dense_reads(_lines_from(0, requests))


def _random(rng: np.random.Generator, requests: int) -> _Columns:
    """Reads uniformly random lines of 1 GiB, one per clock: hardly any row hit."""
    return _dense_reads(_random_lines(rng, requests))


def _cloud_1(rng: np.random.Generator, requests: int) -> _Columns:
    """Short phases, half of them streaming on where the last one stopped, half uniformly random; one read per clock."""
    addresses, position = np.empty(requests, np.int64), 0
    for phase, length in _phases(rng, requests, shortest=32, longest=160):
        if rng.integers(0, 2):
            addresses[phase] = _lines_from(position, length)
            position += length
        else:
            addresses[phase] = _random_lines(rng, length)
    return _dense_reads(addresses)


def _cloud_2(rng: np.random.Generator, requests: int) -> _Columns:
    """Long phases: two thirds random in a 32 MiB window that moves, one third two interleaved streams; one read per clock."""
    addresses = np.empty(requests, np.int64)
    for phase, length in _phases(rng, requests, shortest=200, longest=600):
        if rng.integers(0, 3):
            window = 32 << 20
            base = window * rng.integers(0, CAPACITY // window)
            addresses[phase] = base + _random_lines(rng, length, window)
        else:
            starts = rng.integers(0, CAPACITY // LINE, 2)
            step = np.arange(length, dtype=np.int64)
            addresses[phase] = (starts[step % 2] + step // 2) * LINE % CAPACITY
    return _dense_reads(addresses)


def _strided(rng: np.random.Generator, requests: int) -> _Columns:
    """Phases of 250 reads with a constant stride of 128 bytes to 64 KiB, one request every 1 to 9 clocks."""
    addresses = np.empty(requests, np.int64)
    for start in range(0, requests, 250):
        length = min(250, requests - start)
        stride = 128 << int(rng.integers(0, 10))
        addresses[start : start + length] = (LINE * rng.integers(0, CAPACITY // LINE) + _steps(length, stride)) % CAPACITY
    return np.cumsum(rng.integers(1, 10, requests)), np.zeros(requests, np.int64), addresses


def _pointer_chase(rng: np.random.Generator, requests: int) -> _Columns:
    """Dependent reads of random lines: the next address is known 40 to 159 clocks after the last one was sent."""
    return np.cumsum(rng.integers(40, 160, requests)), np.zeros(requests, np.int64), _random_lines(rng, requests)


def _bank_thrash(rng: np.random.Generator, requests: int) -> _Columns:
    """Blocks of 100 reads in a single bank that alternate between four of its rows; one read per clock."""
    addresses = np.empty(requests, np.int64)
    for start in range(0, requests, 100):
        step = np.arange(min(100, requests - start), dtype=np.int64)
        rows = rng.integers(0, 1 << 12, 4) << 16
        bank = (rng.integers(0, 8) << 13) + (rng.integers(0, 4) << 28)
        addresses[start : start + len(step)] = rows[step % 4] + bank + step // 4 * LINE
    return _dense_reads(addresses)


def _read_write(rng: np.random.Generator, requests: int) -> _Columns:
    """Two reads to one write: phases of c[i] = a[i] + b[i] and of random accesses to 256 lines; one per clock."""
    addresses, writes = np.empty(requests, np.int64), np.empty(requests, np.int64)
    for number, (phase, length) in enumerate(_phases(rng, requests, shortest=60, longest=240)):
        step = np.arange(length, dtype=np.int64)
        if number % 2:
            base = (256 * LINE) * rng.integers(0, CAPACITY // (256 * LINE))
            addresses[phase] = base + _random_lines(rng, length, 256 * LINE)
            writes[phase] = rng.integers(0, 3, length) == 0
        else:
            arrays = rng.integers(0, CAPACITY // LINE, 3)
            addresses[phase] = (arrays[step % 3] + step // 3) * LINE % CAPACITY
            writes[phase] = step % 3 == 2
    return np.arange(requests, dtype=np.int64), writes, addresses


def _bursty(rng: np.random.Generator, requests: int) -> _Columns:
    """Bursts of 8 to 64 requests, a fifth of them writes, then 64 to 32768 idle clocks; refresh and postponing matter."""
    gaps, addresses = np.ones(requests, np.int64), np.empty(requests, np.int64)
    for number, (phase, length) in enumerate(_phases(rng, requests, shortest=8, longest=64)):
        gaps[phase.start] = 64 << rng.integers(0, 10)
        start = rng.integers(0, CAPACITY // LINE)
        addresses[phase] = _random_lines(rng, length) if number % 2 else _lines_from(int(start), length)
    return np.cumsum(gaps), (rng.integers(0, 5, requests) == 0).astype(np.int64), addresses


def _dnn_tiles(rng: np.random.Generator, requests: int) -> _Columns:
    """A tiled matrix product of 32 x 32 tiles of 4-byte numbers: a tile of each factor every 640 clocks, results written."""
    steps = 8  # tiles along the inner dimension; pitches of the three matrices in bytes:
    pitch_a, pitch_b, pitch_c = 1 << 10, 4 << 10, 4 << 10
    base_a, base_b, base_c = (int(base) << 20 for base in rng.integers(0, CAPACITY >> 20, 3))
    chunks: list[_Columns] = []
    total, tile = 0, 0
    while total < requests:
        m, n, k = tile // (32 * steps), tile // steps % 32, tile % steps
        factors = [base_a + _tile(m, k, pitch_a), base_b + _tile(k, n, pitch_b)]
        results = [base_c + _tile(m, n, pitch_c)] if k == steps - 1 else []
        addresses = np.concatenate(factors + results) % CAPACITY
        writes = (np.arange(len(addresses)) >= 128).astype(np.int64)
        chunks.append((tile * 640 + np.arange(len(addresses), dtype=np.int64), writes, addresses))
        total, tile = total + len(addresses), tile + 1
    cycles, writes, addresses = (np.concatenate(column)[:requests] for column in zip(*chunks, strict=True))
    return cycles, writes, addresses


def _tile(row: int, column: int, pitch: int) -> _Ints:
    """The 64 lines of a 32 x 32 tile of 4-byte numbers: 32 rows of 128 bytes."""
    step = np.arange(64, dtype=np.int64)
    return (row * 32 + step // 2) * pitch + column * 128 + step % 2 * LINE


def _dense_reads(addresses: _Ints) -> _Columns:
    return np.arange(len(addresses), dtype=np.int64), np.zeros(len(addresses), np.int64), addresses


def _random_lines(rng: np.random.Generator, count: int, span: int = CAPACITY) -> _Ints:
    return LINE * rng.integers(0, span // LINE, count)


def _lines_from(position: int, count: int) -> _Ints:
    return (position + np.arange(count, dtype=np.int64)) * LINE % CAPACITY


def _steps(count: int, stride: int) -> _Ints:
    return np.arange(count, dtype=np.int64) * stride


def _phases(rng: np.random.Generator, requests: int, shortest: int, longest: int) -> Iterator[tuple[slice, int]]:
    """Cuts ``requests`` into phases of ``shortest`` to ``longest`` requests (the last one may be shorter)."""
    start = 0
    while start < requests:
        length = min(int(rng.integers(shortest, longest + 1)), requests - start)
        yield slice(start, start + length), length
        start += length


_GENERATORS: dict[str, Callable[[np.random.Generator, int], _Columns]] = {
    "stream": _stream,
    "random": _random,
    "cloud-1": _cloud_1,
    "cloud-2": _cloud_2,
    "strided": _strided,
    "pointer-chase": _pointer_chase,
    "bank-thrash": _bank_thrash,
    "read-write": _read_write,
    "bursty": _bursty,
    "dnn-tiles": _dnn_tiles,
}

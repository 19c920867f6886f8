"""The project's own workloads: pinned contents, limits and character."""

from pathlib import Path

import numpy as np
import pytest

from archgym.errors import TraceError, UnknownNameError
from simulators.dram import workloads
from simulators.dram.memory import load_memory, memory_names

MEMORIES = ("ddr3-1600", "ddr4-2400")
DIGESTS = {
    "stream": "604a0a786cdd65ee",
    "random": "c00f8ce4636fa2b0",
    "cloud-1": "b73ba16582e314a4",
    "cloud-2": "80ec240561401187",
    "strided": "1cf75afac3677f42",
    "pointer-chase": "adc37c552e560fc8",
    "bank-thrash": "c1d5986b9c299d3e",
    "read-write": "b01eaccfc4d7727e",
    "bursty": "b4a40309af29b419",
    "dnn-tiles": "aca4a5670f40d7b9",
}


@pytest.mark.parametrize("name", workloads.names())
def test_contents_are_pinned(name):
    """A changed digest can move results: raise ``workloads.VERSION`` and pin again."""
    assert workloads.VERSION == 1
    assert workloads.generate(name).digest[:16] == DIGESTS[name]


def test_all_are_pinned():
    assert list(DIGESTS) == workloads.names()


@pytest.mark.parametrize("name", workloads.names())
@pytest.mark.parametrize(("requests", "seed"), [(1, 0), (63, 1), (5000, 2)])
def test_every_memory_can_serve_it(name, requests, seed):
    trace = workloads.generate(name, requests, seed)
    assert len(trace) == requests and trace.name == name
    assert trace.cycles[0] >= 0 and (np.diff(trace.cycles) >= 0).all()
    assert (trace.addresses % workloads.LINE == 0).all() and trace.addresses.min() >= 0
    assert trace.addresses.max() < min(1 << load_memory(memory).address_bits for memory in memory_names())


@pytest.mark.parametrize("name", workloads.names())
def test_seed_decides(name):
    trace = workloads.generate(name, 300, 5)
    assert trace.digest == workloads.generate(name, 300, 5).digest
    assert (trace.digest == workloads.generate(name, 300, 6).digest) == (name == "stream")


def test_stream_is_the_public_pattern():
    trace = workloads.generate("stream")
    assert (trace.cycles == np.arange(10_000)).all() and (trace.addresses == 64 * np.arange(10_000)).all() and trace.read_only


def test_read_only_workloads():
    written = {name for name in workloads.names() if not workloads.generate(name).read_only}
    assert written == {"read-write", "bursty", "dnn-tiles"}
    assert workloads.generate("read-write").writes.mean() == pytest.approx(1 / 3, abs=0.01)


def test_character():
    """Share of requests that find their row open when every bank keeps its last row open (DDR3)."""
    rates = {name: row_hit_rate(workloads.generate(name), load_memory("ddr3-1600")) for name in workloads.names()}
    assert rates["stream"] > 0.99 and rates["random"] < 0.01 and rates["bank-thrash"] < 0.01
    assert 0.3 < rates["cloud-1"] < 0.6 and 0.3 < rates["cloud-2"] < 0.6 and rates["dnn-tiles"] > 0.8


def test_idle_gaps_are_longer_than_a_refresh_interval():
    assert np.diff(workloads.generate("bursty").cycles).max() > 3 * 6240
    assert np.diff(workloads.generate("pointer-chase").cycles).min() >= 40


def test_every_workload_is_described():
    assert all(workloads.describe(name).endswith(".") for name in workloads.names())


def test_bad_arguments():
    with pytest.raises(UnknownNameError, match="Did you mean 'stream'"):
        workloads.generate("strem")
    with pytest.raises(TraceError, match="requests >= 1"):
        workloads.generate("stream", 0)
    with pytest.raises(TraceError, match="seed >= 0"):
        workloads.generate("stream", seed=-1)


@pytest.mark.parametrize("name", workloads.names())
def test_readme_shows_these_statistics(name):
    trace = workloads.generate(name)
    density = len(trace) / (int(trace.cycles[-1]) + 1)
    shares = [f"{trace.writes.mean():.1%}", *(f"{row_hit_rate(trace, load_memory(memory)):.1%}" for memory in MEMORIES)]
    banks = [str(len(np.unique(load_memory(memory).bank(trace.addresses)))) for memory in MEMORIES]
    row = " | ".join([f"| `{name}`", f"{density:.3f}", *shares, *banks]) + " |"
    assert row in (Path(workloads.__file__).parent / "README.md").read_text()


def row_hit_rate(trace, memory):
    open_rows, hits = {}, 0
    for bank, row in zip(memory.bank(trace.addresses), memory.row(trace.addresses), strict=True):
        hits += open_rows.get(bank) == row
        open_rows[bank] = row
    return hits / len(trace)

"""Trace files: both formats, compressed or not, and every way in which one can be wrong."""

import gzip
import time

import numpy as np
import pytest

from archgym.errors import TraceError
from simulators.dram.memory import load_memory
from simulators.dram.trace import Trace, read

STL = "# two requests\n\n31:\tread\t0x400140\n33: write 0X4001C0\n"


def write(path, text):
    path.write_text(text)
    return path


def columns(trace):
    return trace.cycles.tolist(), trace.writes.tolist(), trace.addresses.tolist()


def test_stl(tmp_path):
    trace = read(write(tmp_path / "small.stl", STL))
    assert trace.name == "small" and len(trace) == 2 and not trace.read_only
    assert columns(trace) == ([31, 33], [0, 1], [0x400140, 0x4001C0])
    assert (trace.cycles.dtype, trace.writes.dtype, trace.addresses.dtype) == (np.int64, np.uint8, np.int64)


@pytest.mark.parametrize(
    "text",
    [
        "0x12345680 R\n0x4cbd56c0 W\n",
        "12345680 R\n4CBD56C0 W\n",
        "LD 0x12345680\nST 0X4cbd56c0\n",
        "LD 305419904\nST 1287476928\n",
    ],
)
def test_ramulator_offers_one_request_per_clock(tmp_path, text):
    trace = read(write(tmp_path / "small.trace", "# head\n" + text))
    assert columns(trace) == ([0, 1], [0, 1], [0x12345680, 0x4CBD56C0])


def test_gzip_reads_the_same(tmp_path):
    plain = read(write(tmp_path / "small.stl", STL))
    (tmp_path / "small.stl.gz").write_bytes(gzip.compress(STL.encode()))
    packed = read(tmp_path / "small.stl.gz")
    assert packed.digest == plain.digest and packed.name == "small"


@pytest.mark.parametrize(
    ("text", "line", "got"),
    [
        ("0: read 0x0\n1 read 0x40\n", 2, "1 read 0x40"),
        ("0: fetch 0x0\n", 1, "0: fetch 0x0"),
        ("0: read 64\n", 1, "0: read 64"),
        ("0: read 0xfoo\n", 1, "0xfoo"),
        ("0: read 0x\n", 1, "0x"),
        ("# c\n\nzero: read 0x0\n", 3, "zero"),
        ("1_0: read 0x0\n", 1, "1_0"),
        ("0: read\n", 1, "0: read"),
        ("0: read 0x0 0x1\n", 1, "0x0 0x1"),
        ("0x12345680 R\n", 1, "0x12345680 R"),
    ],
)
def test_malformed_stl_line_is_named(tmp_path, text, line, got):
    path = write(tmp_path / "bad.stl", text)
    with pytest.raises(TraceError) as error:
        read(path)
    message = str(error.value)
    assert f"{path}, line {line}:" in message and "expected 'CYCLE: read|write 0xADDRESS'" in message and got in message


@pytest.mark.parametrize(
    "text", ["0x0 X", "LD zz", "R 0,1,2,100,32", "0x10", "LD 0x10 0x20", "3 20734016", "LD 1_0", "\ufffd\ufffd"]
)
def test_malformed_ramulator_line_is_named(tmp_path, text):
    path = write(tmp_path / "bad.trace", "0x0 R\n" + text + "\n")
    with pytest.raises(TraceError, match=r"line 2: expected '0xADDRESS R\|W' or 'LD\|ST ADDRESS', got"):
        read(path)


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "0\n"])
@pytest.mark.parametrize("ending", ["stl", "trace"])
def test_empty(tmp_path, text, ending):
    with pytest.raises(TraceError, match=r"the trace is empty; expected at least one line like"):
        read(write(tmp_path / f"empty.{ending}", text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-1: read 0x0\n", "line 1: the time stamp is negative: expected at least 0, got -1"),
        ("5: read 0x0\n4: read 0x0\n", "line 2: the time stamp falls: expected at least 5, got 4"),
        (f"{2**48}: read 0x0\n", "line 1: the time stamp is too large"),
        (f"0: read {2**63:#x}\n", "line 1: the address is too large"),
    ],
)
def test_impossible_values(tmp_path, text, message):
    with pytest.raises(TraceError, match=message):
        read(write(tmp_path / "bad.stl", text))


def test_negative_address(tmp_path):
    with pytest.raises(TraceError, match="line 1: the address is negative"):
        read(write(tmp_path / "bad.trace", "LD -64\n"))


def test_address_beyond_the_memory(tmp_path):
    path = write(tmp_path / "high.stl", "0: read 0x3fffffc0\n1: read 0x40000000\n")
    with pytest.raises(TraceError, match=r"line 2: .* ddr3-1600 ends at 0x40000000, got 0x40000000"):
        read(path, load_memory("ddr3-1600"))
    assert len(read(path, load_memory("ddr4-2400"))) == 2
    assert len(read(path)) == 2


def test_unreadable_files(tmp_path):
    with pytest.raises(TraceError, match=r"expected a trace file that ends in \.stl"):
        read(write(tmp_path / "trace.txt", STL))
    with pytest.raises(TraceError, match="cannot be read"):
        read(tmp_path / "missing.stl")
    (tmp_path / "cut.stl.gz").write_bytes(gzip.compress(STL.encode())[:-12])
    with pytest.raises(TraceError, match="gzip file is damaged"):
        read(tmp_path / "cut.stl.gz")


def test_digest_depends_on_the_requests_alone():
    trace = Trace("a", np.arange(3), np.zeros(3, np.uint8), np.array([0, 64, 128]))
    assert trace.digest == Trace("b", np.arange(3), np.zeros(3, np.int64), np.array([0, 64, 128])).digest
    assert trace.digest == "b26765c8a617fa18ebb9f33f8ca13ed8e77829d57bfc1fcdfdfaa1cf8a5e6bc5"
    assert trace.digest != Trace("a", np.arange(3), np.array([0, 1, 0]), np.array([0, 64, 128])).digest
    assert trace.digest != Trace("a", np.arange(1, 4), np.zeros(3), np.array([0, 64, 128])).digest


def test_prefix():
    trace = Trace("a", np.arange(3), np.array([0, 0, 1]), np.array([0, 64, 128]))
    assert columns(trace.prefix(2)) == ([0, 1], [0, 0], [0, 64])
    assert trace.prefix(2).read_only and not trace.read_only
    assert trace.prefix(5).digest == trace.digest
    with pytest.raises(TraceError, match="at least 1 request"):
        trace.prefix(0)


def test_columns_must_fit():
    with pytest.raises(TraceError, match=r"one shape \(R,\), got \(3,\), \(2,\) and \(3,\)"):
        Trace("a", np.arange(3), np.zeros(2), np.arange(3))
    with pytest.raises(TraceError, match="it is empty"):
        Trace("a", np.arange(0), np.arange(0), np.arange(0))


def test_speed_of_parsing(tmp_path):
    """200,000 lines take about 0.4 s; the floor leaves room for a busy machine."""
    path = write(tmp_path / "long.stl", "".join(f"{i}:\tread\t0x{64 * i:x}\n" for i in range(200_000)))
    started = time.process_time()
    assert len(read(path, load_memory("ddr3-1600"))) == 200_000
    assert time.process_time() - started < 3.0

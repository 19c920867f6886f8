"""Networks from csv files: three kinds, untidy ones, wrong ones, and there and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archgym.errors import WorkloadError
from simulators.systolic.layers import Layer, Network
from simulators.systolic.read_csv import FIELDS, read, write

CONV = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
GEMM = "Layer, M, N, K,\n"
OWN = "name,ifmap_h,ifmap_w,filter_h,filter_w,channels,num_filters"


def parse(tmp_path: Path, text: str | bytes) -> tuple[Layer, ...]:
    path = tmp_path / "net.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read(path).layers


def refuses(tmp_path: Path, text: str | bytes, *parts: str) -> None:
    with pytest.raises(WorkloadError) as error:
        parse(tmp_path, text)
    message = str(error.value)
    assert message.startswith(str(tmp_path / "net.csv")) and "\n" not in message
    for part in parts:
        assert part in message, message


def test_own_columns_with_and_without_defaults(tmp_path: Path) -> None:
    assert parse(tmp_path, f"{OWN}\na,8,9,3,2,4,6\n") == (Layer("a", 8, 9, 3, 2, 4, 6),)
    full = "a,8,9,3,2,4,6,2,1,1,3,1,2,2,5,1"
    expected = Layer("a", 8, 9, 3, 2, 4, 6, 2, 1, 1, 3, 1, 2, 2, 5, True)
    assert parse(tmp_path, f"{','.join(FIELDS)}\n{full}\n") == (expected,)


def test_own_columns_in_any_order(tmp_path: Path) -> None:
    text = "num_filters,name,count,ifmap_h,ifmap_w,filter_h,filter_w,channels\n6,a,7,8,9,3,2,4\n"
    assert parse(tmp_path, text) == (Layer("a", 8, 9, 3, 2, 4, 6, count=7),)


def test_scalesim_convolutions(tmp_path: Path) -> None:
    layers = parse(tmp_path, CONV + "Conv1, 230, 229, 7, 5, 3, 64, 2,\nFC, 1, 1, 1, 1, 512, 1000, 1,\n")
    assert layers == (Layer("Conv1", 230, 229, 7, 5, 3, 64, 2, 2), Layer("FC", 1, 1, 1, 1, 512, 1000))


@pytest.mark.parametrize(
    "headings",
    [
        CONV,
        CONV.replace(",\n", "\n"),
        CONV.lower(),
        CONV.replace(",\n", ", Sparsity,\n"),
        CONV.replace(",\n", ", Sparsity\n"),
        CONV.replace(" ", ""),
        "Layer, IFMAP Width, IFMAP Width, Filter Height, Filter Width, Channel, Num Filters, Stride,,,\n",
        "\ufeff" + CONV,
        "# made by hand\n\n" + CONV,
    ],
)
@pytest.mark.parametrize(
    "line",
    [
        "C,8,7,3,2,4,6,2,",
        "C,8,7,3,2,4,6,2",
        " C , 8,7 ,3,2,4,6,2 ,1:1,",
        "C,8,7,3,2,4,6,2,4:4",
        "C,8,7,3,2,4,6,2,#dw, why",
        '"C",8,7,3,2,4,6,2,,',
    ],
)
def test_scalesim_convolutions_however_written(tmp_path: Path, headings: str, line: str) -> None:
    assert parse(tmp_path, headings + line) == (Layer("C", 8, 7, 3, 2, 4, 6, 2, 2),)


def test_dp_in_the_name_means_one_sub_layer_per_channel(tmp_path: Path) -> None:
    one, many = parse(tmp_path, CONV + "Conv2_DP, 114, 114, 3, 3, 32, 1, 1,\nENDPOINT, 8, 8, 3, 3, 4, 5, 1,\n")
    assert one == Layer("Conv2_DP", 114, 114, 3, 3, 32, 32, groups=32)
    assert (one.k, one.n, one.row()[10]) == (9, 1, 32)
    assert (many.groups, many.num_filters, many.n, many.macs) == (4, 20, 5, 4 * 36 * 9 * 5)
    (plain,) = parse(tmp_path, CONV + "dp, 8, 8, 3, 3, 4, 5, 1,\n")
    assert plain.groups == 1


@pytest.mark.parametrize("headings", [GEMM, "Layer Name,M,N,K\n", "L,M,N,K,Sparsity,\n"])
@pytest.mark.parametrize("line", ["ffn, 128, 3072, 768,", "ffn,128,3072,768", "ffn,128,3072,768,2:2,"])
def test_scalesim_products(tmp_path: Path, headings: str, line: str) -> None:
    (layer,) = parse(tmp_path, headings + line)
    assert layer == Layer.gemm("ffn", m=128, n=3072, k=768)
    assert (layer.m, layer.n, layer.k, layer.macs) == (128, 3072, 768, 128 * 3072 * 768)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_empty_lines_and_comments(tmp_path: Path, end: str, mark: bytes) -> None:
    text = f"{OWN},,\n\n  \n# a comment, with a comma\na, 8,9,3,2,4,6\n,,,\nb,8 ,9,3,2,4,6,,\n\n".replace("\n", end)
    assert [layer.name for layer in parse(tmp_path, mark + text.encode())] == ["a", "b"]


def test_the_line_number_is_that_of_the_file(tmp_path: Path) -> None:
    refuses(tmp_path, f"# c\r\n\r\n{OWN}\r\n\r\na,8,9,3,2,4,6\r\nb,8,9,3,2,4,x\r\n", "line 6: layer 'b'", "got 'x'")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("a,8,9,3,2,4", "line 2: expected 7 values, got 6: 'a, 8, 9, 3, 2, 4'"),
        ("a,8,9,3,2,4,6,1", "line 2: expected 7 values, got 8"),
        ("a,0,9,3,2,4,6", "line 2: layer 'a': ifmap_h must be a whole number of 1 to 2147483647, got '0'"),
        ("a,8,-9,3,2,4,6", "ifmap_w must be a whole number of 1 to 2147483647, got '-9'"),
        ("a,8,9.0,3,2,4,6", "got '9.0'"),
        ("a,8,,3,2,4,6", "got ''"),
        ("a,8,1_0,3,2,4,6", "got '1_0'"),
        ("a,8,\u0663,3,2,4,6", "got '\u0663'"),
        ("a,8,2147483648,3,2,4,6", "got '2147483648'"),
        ("a,8,9,9,2,4,6", "line 2: layer 'a': the filter reaches over 9 along h, the padded input has only 8"),
        ("a,8,9,3,10,4,6", "over 10 along w, the padded input has only 9"),
        ('"a,8,9,3,2,4,6', "expected values with commas between them"),
    ],
)
def test_wrong_lines_of_own_columns(tmp_path: Path, line: str, told: str) -> None:
    refuses(tmp_path, f"{OWN}\n{line}\n", told)


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("groups", "3", "line 2: layer 'a': channels must be a multiple of groups (3), got 4"),
        ("pad_h", "-1", "pad_h must be a whole number of 0 to"),
        ("activations", "yes", "line 2: layer 'a': activations must be 0 or 1, got 'yes'"),
        ("count", "0", "count must be a whole number of 1 to"),
        ("stride_w", "0", "stride_w must be a whole number of 1 to"),
        ("dilation_h", "8", "the filter reaches over 17 along h"),
    ],
)
def test_wrong_values_of_optional_columns(tmp_path: Path, column: str, value: str, told: str) -> None:
    refuses(tmp_path, f"{OWN},{column}\na,8,9,3,2,4,6,{value}\n", told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{OWN},colour\n", "line 1: expected the headings name,ifmap_h,"),
        (f"{OWN},colour\n", "; unknown: colour"),
        (OWN.replace("channels,", "") + "\n", "; missing: channels"),
        (f"{OWN},channels\n", "; twice: channels"),
        ("\n\na,b,c\n", "line 3: expected the headings 'name,ifmap_h,"),
        ("a,b,c\n", "'Layer name, IFMAP Height, IFMAP Width, Filter Height"),
        ("a,b,c\n", "or 'Layer, M, N, K[, Sparsity]'; got 'a, b, c'"),
        ("Layer, M, K, N,\nffn,1,2,3\n", "got 'Layer, M, K, N'"),
        ("conv1,224,224,7,7,3,64,2,\n", "got 'conv1, 224, 224, 7, 7, 3, 64, 2'"),
        (CONV.replace(",", ";"), "got 'Layer name; IFMAP Height"),
        (CONV.replace(",\n", ",Batch,\n"), "Strides, Batch'"),
        ("", "line 1: expected the headings"),
        ("# nothing\n", "line 1: expected the headings"),
    ],
)
def test_wrong_headings(tmp_path: Path, text: str, told: str) -> None:
    refuses(tmp_path, text, told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (CONV + "Conv1, 8, 8, 3, 3, 3, 64,\n", "line 2: expected 8 or 9 values, got 7"),
        (CONV + "Conv1, 8, 8, 3, 3, 3, 64, 1, 1:1, 5,\n", "line 2: expected 8 or 9 values, got 10"),
        (CONV + "Conv1, 8, 8, 3, 3, 3, 0, 1,\n", "line 2: layer 'Conv1': Num Filter must be a whole number of 1"),
        (CONV + "Conv1, 8, 8, 3, 3, 3, 4, 0,\n", "Strides must be a whole number of 1"),
        (
            CONV + "\nA, 8, 8, 3, 3, 3, 4, 1,\nB, 8, 2, 3, 3, 3, 4, 1,\n",
            "line 4: layer 'B': the filter reaches over 3 along w",
        ),
        (
            CONV + "Conv1, 8, 8, 3, 3, 3, 64, 2, 1:4,\n",
            "line 2: layer 'Conv1': sparsity 1:4 is not modelled; only dense layers are",
        ),
        (CONV + "Conv1, 8, 8, 3, 3, 3, 64, 2, half,\n", "Sparsity must be N:M, got 'half'"),
        (CONV, "expected at least one layer below the headings, found none"),
        (GEMM + "ffn, 128, 3072,\n", "line 2: expected 4 or 5 values, got 3"),
        (GEMM + "ffn, 128, 3072, 0,\n", "line 2: layer 'ffn': K must be a whole number of 1"),
        (GEMM + "ffn, 128, 3072, 768, 2:4\n", "sparsity 2:4 is not modelled"),
    ],
)
def test_wrong_scalesim_files(tmp_path: Path, text: str, told: str) -> None:
    refuses(tmp_path, text, told)


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match=r"none\.csv: the csv file cannot be read \(No such file"):
        read(tmp_path / "none.csv")
    with pytest.raises(WorkloadError, match="cannot be read"):
        read(tmp_path)
    refuses(
        tmp_path, b"\xff\xfe" + CONV.encode("utf-16-le"), "expected a csv file of UTF-8 text, got the byte 0xff at offset 0"
    )


@pytest.mark.parametrize("name", ["", " a", "a ", "#a", "a\nb", "a\tb", "\ufeff"])
def test_names_that_a_file_cannot_hold(tmp_path: Path, name: str) -> None:
    with pytest.raises(WorkloadError, match="network 'net': a csv file needs layer names of printable characters"):
        write(Network("net", (Layer(name, 1, 1, 1, 1, 1, 1),)), tmp_path / "net.csv")
    assert not (tmp_path / "net.csv").exists()


NAMES = st.text(min_size=1, max_size=12).filter(lambda text: text == text.strip() and text.isprintable() and text[0] != "#")
SMALL = st.integers(1, 40)


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    filter_h, filter_w, dilation_h, dilation_w, groups = (draw(st.integers(1, 7)) for _ in range(5))
    pad_h, pad_w = draw(st.integers(0, 5)), draw(st.integers(0, 5))
    return Layer(
        draw(NAMES),
        ifmap_h=draw(st.integers(max((filter_h - 1) * dilation_h + 1 - pad_h, 1), 2**31 - 1)),
        ifmap_w=draw(st.integers(max((filter_w - 1) * dilation_w + 1 - pad_w, 1), 500)),
        filter_h=filter_h,
        filter_w=filter_w,
        channels=groups * draw(SMALL),
        num_filters=groups * draw(SMALL),
        stride_h=draw(SMALL),
        stride_w=draw(SMALL),
        pad_h=pad_h,
        pad_w=pad_w,
        dilation_h=dilation_h,
        dilation_w=dilation_w,
        groups=groups,
        count=draw(SMALL),
        activations=draw(st.booleans()),
    )


@given(st.lists(layers(), min_size=1, max_size=5))
def test_there_and_back(tmp_path_factory: pytest.TempPathFactory, found: list[Layer]) -> None:
    network = Network("net", tuple(found))
    path = tmp_path_factory.getbasetemp() / "net.csv"
    write(network, path)
    assert read(path) == network

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spec_files import default_of, spec_of

from simulators.command.readings import UnreadableMetric, number, read_metrics
from simulators.command.spec import Spec

STDOUT = """start
latency: 3 us
latency: 1.5 us
cells = 12, depth = 4
  latency: 2.5e0 us
time 1,234
"""
TABLE = "layer, cycles, name,\n0, 10, conv,\n1, 30, conv,\n\n2, 20, fc,\n"


def metric(where: str, name: str = "m") -> str:
    return f'[[metrics]]\nname = "{name}"\n{where}\n'


def read(folder: Path, *metrics: str, stdout: str = STDOUT, stderr: str = "", values: Any = None) -> dict[str, float]:
    spec = spec_of(folder, metrics="".join(metrics))
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    return read_metrics(spec, values or default_of(spec), scratch, stdout, stderr)


def write(folder: Path, name: str, content: str | bytes) -> None:
    path = folder / "scratch" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("", 2.5),
        ('match = "last"', 2.5),
        ('match = "first"', 3.0),
        ('match = "sum"', 7.0),
        ('match = "mean"', 7 / 3),
        ('match = "min"', 1.5),
        ('match = "max"', 3.0),
        ("scale = 0.5", 1.25),
    ],
)
def test_patterns(tmp_path: Path, where: str, value: float) -> None:
    text = f"source = \"stdout\"\npattern = 'latency: (\\S+) us'\n{where}"
    assert read(tmp_path, metric(text)) == {"m": value}


def test_lines_have_ends(tmp_path: Path) -> None:
    assert read(tmp_path, metric("source = \"stdout\"\npattern = '^latency: (\\S+) us$'")) == {"m": 1.5}


def test_stderr_and_files(tmp_path: Path) -> None:
    write(tmp_path, "out/stats.txt", b"sim_seconds   0.25 # \xff\n")
    texts = ("source = \"stderr\"\npattern = 'n=(.*)'", "source = \"out/stats.txt\"\npattern = 'sim_seconds\\s+(\\S+)'")
    assert read(tmp_path, metric(texts[0], "a"), metric(texts[1], "b"), stderr="n=7\n") == {"a": 7.0, "b": 0.25}


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("a.json", '{"s": {"area": "12.5"}, "layers": [{"c": 1}, {"c": 2}], "met": true, "none": null, "t": "x"}'),
        ("a.yaml", "s: {area: '12.5'}\nlayers: [{c: 1}, {c: 2}]\nmet: true\nnone: null\nt: x\n"),
        ("a.toml", 's.area = "12.5"\nlayers = [{c = 1}, {c = 2}]\nmet = true\nt = "x"\n'),
    ],
)
def test_paths(tmp_path: Path, file: str, content: str) -> None:
    write(tmp_path, file, content)
    paths = {"area": "s.area", "total": "sum(layers[].c)", "met": "met", "second": "layers[1].c", "count": "length(layers)"}
    found = read(tmp_path, *(metric(f'source = "{file}"\npath = "{path}"', name) for name, path in paths.items()))
    assert found == {"area": 12.5, "total": 3.0, "met": 1.0, "second": 2.0, "count": 2.0}
    for path in ("none", "s", "t", "layers", "layers[5].c", "sum(layers)", "s.aera"):
        with pytest.raises(UnreadableMetric, match=f"metric m in {file}"):
            read(tmp_path, metric(f'source = "{file}"\npath = "{path}"'))


def test_stdout_as_json(tmp_path: Path) -> None:
    text = 'source = "stdout"\nformat = "json"\npath = "a"'
    assert read(tmp_path, metric(text), stdout='{"a": 3}') == {"m": 3.0}
    with pytest.raises(UnreadableMetric, match="metric m in stdout: it is not JSON"):
        read(tmp_path, metric(text), stdout='{"a": 3')


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ('column = "cycles"', 20.0),
        ('column = "cycles"\nrow = 0', 10.0),
        ('column = "cycles"\nrow = -2', 30.0),
        ('column = "cycles"\nrow = "sum"', 60.0),
        ('column = "cycles"\nrow = "max"', 30.0),
        ('column = "cycles"\nrow = "first"', 10.0),
    ],
)
def test_tables(tmp_path: Path, where: str, value: float) -> None:
    write(tmp_path, "a.csv", TABLE)
    assert read(tmp_path, metric(f'source = "a.csv"\n{where}')) == {"m": value}


def test_tables_without_a_header_and_with_tabs(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "1,2\n3,4\n")
    write(tmp_path, "a.tsv", "x\ty\n5\t6\n")
    assert read(tmp_path, metric('source = "a.csv"\ncolumn = 1\nrow = 0')) == {"m": 2.0}
    assert read(tmp_path, metric('source = "a.tsv"\ncolumn = "y"')) == {"m": 6.0}
    assert read(tmp_path, metric('source = "stdout"\ncolumn = "y"'), stdout='"y",z\n"7",\n') == {"m": 7.0}


@pytest.mark.parametrize(
    ("content", "where", "message"),
    [
        (TABLE, 'column = "cycle"', "Did you mean 'cycles'"),
        (TABLE, 'column = "cycles"\nrow = 3', "no row 3 among 3 rows"),
        (TABLE, 'column = "name"', "'fc' is not a number"),
        ("layer,cycles\n", 'column = "cycles"', "no row -1 among 0 rows"),
        ("layer,cycles\n", 'column = "cycles"\nrow = "sum"', "no rows"),
        ("layer,cycles\n1,2\n2", 'column = "cycles"\nrow = 0', "row 1 has 1 cells"),
        ("", 'column = "cycles"', "it is empty"),
        ("\0", 'column = "cycles"', "no column|no table|NUL"),
    ],
)
def test_tables_that_lack_what_is_looked_for(tmp_path: Path, content: str, where: str, message: str) -> None:
    write(tmp_path, "a.csv", content)
    with pytest.raises(UnreadableMetric, match=message) as caught:
        read(tmp_path, metric(f'source = "a.csv"\n{where}'))
    assert "metric m in a.csv" in str(caught.value)


def test_values_use_parameters_and_metrics_above(tmp_path: Path) -> None:
    cells = metric("source = \"stdout\"\npattern = 'cells = (\\d+)'", "cells")
    assert read(tmp_path, cells, metric('value = "cells * width"', "m"), metric('value = "m + 1"\nscale = 2', "n")) == {
        "cells": 12.0,
        "m": 96.0,
        "n": 194.0,
    }
    with pytest.raises(UnreadableMetric, match="metric m: 1 / "):
        read(tmp_path, cells, metric('value = "1 / (width - 8)"'))


@pytest.mark.parametrize(
    ("stdout", "message"),
    [
        ("", "nothing matches 'x=(.*)'; it is empty"),
        ("y=3\n", "it ends with 'y=3'"),
        ("x=12 ns", "'12 ns' is not a number"),
        ("x=", "'' is not a number"),
        ("x=0x10", "'0x10' is not a number"),
        ("x=1,234", "'1,234' is not a number"),
        ("x=" + "9" * 5000 + "z", "is not a number"),
    ],
)
def test_patterns_that_find_no_number(tmp_path: Path, stdout: str, message: str) -> None:
    with pytest.raises(UnreadableMetric) as caught:
        read(tmp_path, metric("source = \"stdout\"\npattern = 'x=(.*)'"), stdout=stdout)
    assert "metric m in stdout: " in str(caught.value) and message in str(caught.value) and len(str(caught.value)) < 300


def test_a_group_that_takes_no_part_is_not_a_number(tmp_path: Path) -> None:
    with pytest.raises(UnreadableMetric, match="None is not a number"):
        read(tmp_path, metric("source = \"stdout\"\npattern = 'x|y=(.)'"), stdout="x")


def test_numbers_that_are_not_finite_are_returned(tmp_path: Path) -> None:
    text = "source = \"stdout\"\npattern = '{}=(\\S+)'"
    found = read(tmp_path, metric(text.format("a"), "a"), metric(text.format("b"), "b"), stdout="a=nan b=-inf")
    assert math.isnan(found["a"]) and found["b"] == -math.inf


@given(st.one_of(st.integers(-(10**300), 10**300), st.floats(allow_nan=False)))
def test_every_printed_number_is_read(value: float) -> None:
    assert number(str(value)) == number(value) == float(value)


@pytest.mark.parametrize("value", [None, [], {}, "", "x", 10**400, "1 2", b"1"])
def test_what_is_no_number(value: Any) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        number(value)


LINE = "source = \"a.txt\"\npattern = '(\\d+)'"


def link(folder: Path, to: str | Path) -> None:
    (folder / "scratch").mkdir(exist_ok=True)
    (folder / "scratch" / "a.txt").symlink_to(to)


def test_links_out_of_the_scratch_folder_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("42")
    for target in (tmp_path / "secret.txt", "../secret.txt"):
        link(tmp_path, target)
        with pytest.raises(UnreadableMetric, match="a link that leads out of the scratch folder"):
            read(tmp_path, metric(LINE))
        (tmp_path / "scratch" / "a.txt").unlink()


def test_folders_that_are_links_are_not_followed_either(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.txt").write_text("42")
    (tmp_path / "scratch").mkdir()
    (tmp_path / "scratch" / "sub").symlink_to(tmp_path / "other")
    with pytest.raises(UnreadableMetric, match="leads out"):
        read(tmp_path, metric(LINE.replace("a.txt", "sub/a.txt")))


def test_links_inside_are_followed(tmp_path: Path) -> None:
    write(tmp_path, "real.txt", "42")
    link(tmp_path, "real.txt")
    assert read(tmp_path, metric(LINE)) == {"m": 42.0}


def test_links_that_go_round_are_an_error(tmp_path: Path) -> None:
    link(tmp_path, "a.txt")
    with pytest.raises(UnreadableMetric, match="no such file"):
        read(tmp_path, metric(LINE))


def test_pipes_folders_and_large_files_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scratch").mkdir()
    place = tmp_path / "scratch" / "a.txt"
    os.mkfifo(place)
    with pytest.raises(UnreadableMetric, match="not a plain file"):
        read(tmp_path, metric(LINE))
    place.unlink()
    place.mkdir()
    with pytest.raises(UnreadableMetric, match="not a plain file"):
        read(tmp_path, metric(LINE))
    place.rmdir()
    place.write_text("1" * 100)
    monkeypatch.setattr("simulators.command.reading_files.LARGEST", 50)
    with pytest.raises(UnreadableMetric, match="100 bytes"):
        read(tmp_path, metric(LINE))


def test_a_missing_file_says_what_is_there(tmp_path: Path) -> None:
    write(tmp_path, "b.txt", "1")
    with pytest.raises(UnreadableMetric, match=r"metric m in a\.txt: there is no such file; there are b\.txt"):
        read(tmp_path, metric(LINE))


@pytest.mark.parametrize("content", ["a: !!python/object/apply:os.getpid []", "a: !!python/tuple [1]", "a: ["])
def test_yaml_makes_plain_values_only(tmp_path: Path, content: str) -> None:
    write(tmp_path, "a.yaml", content)
    with pytest.raises(UnreadableMetric, match=r"metric m in a\.yaml: it is not YAML"):
        read(tmp_path, metric('source = "a.yaml"\npath = "a"'))


@pytest.mark.parametrize(
    "content", ["[" * 100_000, '{"a": ' + "1" * 5000 + "}", '{"a": 1' + "0" * 400 + "}", "", "null", "\0"]
)
def test_strange_json_is_an_error_like_any_other(tmp_path: Path, content: str) -> None:
    write(tmp_path, "a.json", content)
    with pytest.raises(UnreadableMetric, match=r"metric m in a\.json"):
        read(tmp_path, metric('source = "a.json"\npath = "a"'))


def test_one_reading_of_a_file_serves_all_its_metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec: Spec = spec_of(tmp_path, metrics="".join(metric(f'source = "a.json"\npath = "{n}"', n) for n in "abc"))
    write(tmp_path, "a.json", json.dumps({"a": 1, "b": 2, "c": 3}))
    calls: list[str] = []
    parse = json.loads
    monkeypatch.setattr("simulators.command.texts.json.loads", lambda text: calls.append(text) or parse(text))
    assert read_metrics(spec, default_of(spec), tmp_path / "scratch", "", "") == {"a": 1, "b": 2, "c": 3}
    assert len(calls) == 1

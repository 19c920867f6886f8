"""Bad input: one clear message that says what to do, exit code 2, no traceback, nothing written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from archgym import DesignSpace, make_simulator
from archgym.cli.parsing import parse_value
from archgym.errors import DesignError

RUN = ("run", "synthetic", "--budget", "20", "--out", "out")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("run", "synthetc"), ("no simulator named 'synthetc'", "Did you mean 'synthetic'", "dram")),
        ((*RUN, "--agent", "genetik"), ("no agent named 'genetik'", "Did you mean 'genetic'")),
        ((*RUN, "--workload", "sphre"), ("no workload named 'sphre'", "Did you mean 'sphere'")),
        ((*RUN, "--objective", "distanc"), ("no objective named 'distanc'", "Did you mean 'distance'")),
        ((*RUN, "--objective", "weighted:aera=1"), ("no metric named 'aera'", "Did you mean 'area'")),
        ((*RUN, "--objective", "weighted:area"), ("reads weighted:METRIC=VALUE", "'area'")),
        ((*RUN, "--objective", "constrained:area|distance<=low"), ("distance needs a number", "'low'")),
        ((*RUN, "--hyper", "population=65"), ("population must be a whole number from 2 to 64", "65")),
        ((*RUN, "--hyper", "population=many"), ("population must be a whole number from 2 to 64", "'many'")),
        ((*RUN, "--hyper", "mutation=0.9"), ("mutation must be a number from 0.001 to 0.2", "0.9")),
        ((*RUN, "--hyper", "populatoin=8"), ("no hyper-parameter named 'populatoin'", "Did you mean 'population'")),
        ((*RUN, "--hyper", "population"), ("--hyper: expected name=value", "'population'")),
        ((*RUN, "--hyper", "elite=0.1", "--hyper", "elite=0.2"), ("elite is given twice",)),
        ((*RUN, "--set", "levls=3"), ("no argument named 'levls'", "Did you mean 'levels'")),
        ((*RUN, "--set", "parameters=abc"), ("synthetic: parameters must be a whole number", "abc")),
        ((*RUN, "--budget", "0"), ("budget must be a positive number", "0")),
        ((*RUN, "--budget", "nan"), ("budget must be a positive number", "nan")),
        ((*RUN, "--budget", "inf"), ("budget must be a positive number", "inf")),
        ((*RUN, "--seed", "-1"), ("seed must be a whole number from 0", "-1")),
        (("explain", "synthetic", "x9=1"), ("no parameter named 'x9'", "Known: x0, x1")),
        (("explain", "synthetic", "x1=77"), ("no level named '77'", "Known: 0, 1, 2")),
        (("explain", "synthetic"), ("does not explain",)),
        (("resume", "nowhere"), ("nowhere holds no run",)),
        (("list", "workloads", "synthetik"), ("no simulator named 'synthetik'",)),
        (("list", "agents", "synthetic"), ("only `archgym list workloads` takes a simulator",)),
        (("check", "genetix"), ("no simulator or agent named 'genetix'", "Did you mean 'genetic'")),
        (("check", "no.such.module:Thing"), ("no.such.module:Thing cannot be loaded",)),
        (("check", "json:dumps"), ("must be a subclass of archgym.Simulator or archgym.Agent",)),
    ],
    ids=lambda value: "_".join(value[-2:]) if isinstance(value, tuple) else None,
)
def test_one_clear_message(command: Callable, tmp_path: Path, words: tuple[str, ...], expected: tuple[str, ...]) -> None:
    command(*words).refuses(*expected)
    assert list(tmp_path.iterdir()) == [], "bad input must not leave anything behind"


@pytest.mark.parametrize(
    "words",
    [("run",), ("rnu",), ("run", "synthetic", "--budget", "many"), ("run", "synthetic", "--bugdet", "3"), ("list", "agent")],
)
def test_usage_errors_exit_with_two_and_show_the_usage(command: Callable, words: tuple[str, ...]) -> None:
    answer = command(*words)
    assert answer.code == 2
    assert "Usage: archgym" in answer.err
    assert "Traceback" not in answer.err


def test_a_folder_that_holds_a_run_is_refused_and_left_alone(command: Callable, tmp_path: Path) -> None:
    assert command(*RUN).code == 0
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    command(*RUN, "--seed", "1").refuses("out already holds a run", "seed 0", "folder of its own")
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_a_folder_that_cannot_be_made_is_named(command: Callable, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    command("run", "synthetic", "--out", "file/below").refuses("cannot write the trial log in file/below")


def test_a_damaged_manifest_is_named(command: Callable, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{ not json")
    command("resume", tmp_path).refuses("manifest.json", "cannot be read")


def test_a_manifest_without_a_run_is_named(command: Callable, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    command("resume", tmp_path).refuses("manifest.json", "lacks simulator")


@pytest.mark.parametrize(
    ("designs", "message"),
    [
        (np.zeros((4, 9), int), r"designs must have shape \(N, 8\), got \(4, 9\)"),
        (np.zeros(8, int), r"must have shape \(N, 8\), got \(8,\).*design\[None, :\]"),
        (np.zeros((4, 8)), "must be integers .*got dtype float64.*space.encode"),
        (np.full((4, 8), "a"), "must be integers .*got dtype <U1"),
        (np.full((4, 8), 6), r"row 0, parameter x0: level must be 0..5, got 6"),
        (np.full((4, 8), -1), r"level must be 0..5, got -1"),
    ],
    ids=["columns", "one-row", "floats", "strings", "above", "below"],
)
def test_wrong_design_arrays_are_named(designs: np.ndarray, message: str) -> None:
    with pytest.raises(DesignError, match=message):
        make_simulator("synthetic").evaluate(designs)


def test_an_empty_space_of_hyperparameters_names_none(command: Callable) -> None:
    assert DesignSpace(()).names == ()
    command(*RUN, "--agent", "random_walk", "--hyper", "population=8").refuses("no hyper-parameter named 'population'", "none")


@pytest.mark.parametrize(
    ("text", "value"),
    [("3", 3), ("-2", -2), ("0.5", 0.5), ("1e3", 1000.0), ("true", True), ("False", False), ("Open", "Open"), ("", "")],
)
def test_values_are_read_as_what_they_look_like(text: str, value: object) -> None:
    assert parse_value(text) == value
    assert type(parse_value(text)) is type(value)


def test_a_constructor_of_somebody_else_that_raises_is_no_traceback(
    command: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archgym.cli.parsing.make_simulator", lambda name, **arguments: int(arguments["size"]))
    command("run", "theirs", "--set", "size=big").refuses("theirs does not accept the arguments {'size': 'big'}")

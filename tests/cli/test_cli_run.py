"""``archgym run`` and ``archgym list`` when all is well."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import archgym
from archgym import Dataset


def test_run_logs_every_trial_and_shows_best_against_default(command: Callable, tmp_path: Path) -> None:
    answer = command(
        "run", "synthetic", "--agent", "genetic", "--budget", 300, "--seed", 3, "--out", "mine", "--hyper", "elite=0.2"
    )
    assert answer.code == 0
    assert Dataset.open(tmp_path / "mine").to_arrow().num_rows == 300
    for part in ("default", "best", "distance", "300 designs (300 OK)", "log: mine", "Dataset.open('mine')", "x7"):
        assert part in answer.out, part
    assert "genetic on synthetic sphere: 300 designs" in answer.err
    assert json.loads((tmp_path / "mine" / "manifest.json").read_text())["hyperparameters"]["elite"] == 0.2


def test_the_command_line_and_python_make_the_same_run(command: Callable, tmp_path: Path) -> None:
    command("run", "synthetic", "--workload", "needle", "--set", "levels=4", "--budget", "100", "--out", "cli", "--quiet")
    simulator = archgym.make_simulator("synthetic", workload="needle", levels=4)
    archgym.search("genetic", simulator, budget=100, seed=0, log=tmp_path / "python")
    one, other = (Dataset.open(tmp_path / name).to_arrow() for name in ("cli", "python"))
    assert one["x0"].equals(other["x0"]) and one["score"].equals(other["score"])


def test_the_default_folder_says_what_was_run(command: Callable, tmp_path: Path) -> None:
    assert command("run", "synthetic", "--budget", 10, "--seed", 7).code == 0
    assert (tmp_path / "runs" / "synthetic-sphere-genetic-7" / "trials.parquet").exists()


def test_quiet_says_nothing(command: Callable) -> None:
    answer = command("run", "synthetic", "--budget", 10, "--quiet", "--out", "q")
    assert (answer.code, answer.out, answer.err) == (0, "", "")


def test_counts_per_status_are_shown(command: Callable) -> None:
    answer = command("run", "synthetic", "--workload", "constrained", "--agent", "random_walk", "--budget", 200, "--out", "c")
    assert answer.code == 0
    assert " OK, " in answer.out and " INVALID)" in answer.out


def test_the_command_that_explains_the_best_design_works_as_printed(command: Callable) -> None:
    words = ("--workload", "stream", "--set", "requests=500", "--set", "memory=ddr4-2400")
    answer = command("run", "dram", *words, "--budget", 40, "--out", "d")
    (printed,) = [line for line in answer.out.splitlines() if " explain " in line]
    assert "requests=500" in printed and "space=grid" not in printed
    explained = command(*shlex.split(printed)[1:], "--out", "page.html")
    assert explained.code == 0
    assert "Run time" in explained.out and "figure: page.html" in explained.out


def test_the_front_of_several_metrics_is_counted(command: Callable) -> None:
    answer = command("run", "synthetic", "--objective", "weighted:distance=1,area=0.5", "--budget", 300, "--out", "f")
    assert "designs that no other one dominates" in answer.out


def test_a_run_without_an_ok_design_says_so(command: Callable) -> None:
    words = ("--set", "levels=2", "--set", "parameters=1", "--budget", "1", "--agent", "random_walk")
    for seed in range(8):
        answer = command("run", "synthetic", "--workload", "constrained", *words, "--seed", seed, "--out", f"n{seed}")
        assert answer.code == 0
        assert ("No design was OK" in answer.out) == ("1 INVALID" in answer.out)


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ((), ("synthetic", "1,679,616", "distance, area", "genetic", "own", "archgym/Synthetic-v0", "edp")),
        (("simulators",), ("synthetic", "1,679,616")),
        (("agents",), ("genetic", "population", "2, 4, 8, 16, 32, 64", "random_walk")),
        (("envs",), ("archgym/DRAM-v0", "dram")),
        (("workloads",), ("synthetic", "ruggedness")),
        (("workloads", "synthetic"), ("sphere", "needle")),
        (("objectives",), ("weighted:METRIC=WEIGHT", "archgym-both")),
    ],
    ids=lambda value: "-".join(value) or "everything",
)
def test_list_shows(command: Callable, words: tuple[str, ...], parts: tuple[str, ...]) -> None:
    answer = command("list", *words)
    assert answer.code == 0
    for part in parts:
        assert part in answer.out, part


def test_version_and_help(command: Callable) -> None:
    assert command("--version").out.strip() == f"archgym {archgym.__version__}"
    overview = command("--help").out
    for name in ("list", "run", "resume", "check", "explain", "demo"):
        assert name in overview
        assert command(name, "--help").code == 0


def test_help_loads_no_heavy_library() -> None:
    code = "import sys; from archgym.cli import main; main(['--help']); print(sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = ("torch", "ray", "sklearn", "numba", "pyarrow", "matplotlib", "pandas", "polars", "plotly", "optuna")
    assert not [name for name in heavy if f"'{name}'" in done.stderr]


def test_demo_compares_two_agents_and_does_not_overwrite_its_last_run(command: Callable, tmp_path: Path) -> None:
    for number in (1, 2):
        answer = command("demo", "synthetic", "--workload", "interaction", "--budget", 200)
        assert answer.code == 0
        for agent in ("genetic", "random_walk"):
            assert Dataset.open(tmp_path / "runs" / f"demo-{number}" / agent).to_arrow().num_rows == 200
        for part in ("Both agents side by side", "best score after 200 designs", f"runs/demo-{number}/genetic/trials.parquet"):
            assert part in answer.out, part

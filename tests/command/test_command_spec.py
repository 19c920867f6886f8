from __future__ import annotations

import os
import pickle
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from spec_files import RUN, spec_of, write_spec

from archgym.errors import SpecError, UnknownNameError
from simulators.command.spec import Run, read_spec

FULL = """
name = "adder"
version = "7"
version_command = ["program", "-V"]
doc = "an adder"
[[parameters]]
name = "width"
values = [8, 16, 32]
unit = "bit"
group = "size"
doc = "bits"
default = 16
[[parameters]]
name = "share"
range = {from = 0.0, to = 1.0, count = 11}
ordered = false
[[constraints]]
name = "fits"
holds = "width * rows <= 4096"
doc = "it fits"
[run]
commands = [["a"], ["b", "{{ rows }}"]]
time_limit = 2.5
memory_limit = 100
disk_limit = 10
retries = 2
jobs = 3
order = "proposed"
environment = ["PATH", "KEY"]
set_environment = {OMP_NUM_THREADS = "1"}
secrets = ["KEY"]
exit_codes = [0, 2]
invalid_exit_codes = [3]
invalid_texts = ["too (big|small)"]
failed_texts = ["oops"]
keep = "failures"
leftovers = "kill"
cpus = 2
resources = {licence = 1}
[[metrics]]
name = "latency_ns"
goal = "max"
bounds = [0, inf]
doc = "time"
source = "out/a.json"
path = "stats.latency"
unit = "us"
[workloads.stream]
rows = 64
[workloads.random-2]
rows = 128
"""


def test_every_key_is_read(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, FULL, "", "", "")
    assert (spec.path, spec.name, spec.version, spec.doc) == (str(tmp_path / "adder.toml"), "adder", "7", "an adder")
    assert spec.version_command == ("program", "-V")
    width, share = spec.space.parameters
    assert (width.values, width.unit, width.group, width.doc, width.default) == ((8, 16, 32), "bit", "size", "bits", 16)
    assert width.ordered and not share.ordered and share.values[3] == 0.3
    assert spec.run == Run(
        commands=(("a",), ("b", "{{ rows }}")),
        time_limit=2.5,
        memory_limit=100,
        disk_limit=10,
        retries=2,
        jobs=3,
        order="proposed",
        environment=("PATH",),
        set_environment=(("OMP_NUM_THREADS", "1"),),
        secrets=("KEY",),
        exit_codes=(0, 2),
        invalid_exit_codes=(3,),
        invalid_texts=("too (big|small)",),
        failed_texts=("oops",),
        keep="failures",
        leftovers="kill",
        cpus=2.0,
        resources=(("licence", 1.0),),
    )
    default = Run(commands=())
    assert all(getattr(spec.run, field.name) != getattr(default, field.name) for field in fields(Run))
    (reading,) = spec.readings
    assert (reading.source, reading.kind, reading.where, reading.form) == ("out/a.json", "path", "stats.latency", "json")
    assert reading.factor == 1000 and reading.metric.goal == "max" and reading.metric.bounds == (0, np.inf)
    assert spec.metrics == (reading.metric,) and reading.metric.doc == "time"


def test_workloads_are_constants(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, FULL, "", "", "")
    assert spec.workload_names == ("stream", "random-2")
    assert spec.constants() == spec.constants("stream") == {"rows": 64} and spec.constants("random-2") == {"rows": 128}
    with pytest.raises(UnknownNameError, match=r"adder: no workload named 'strem'\. Did you mean 'stream'"):
        spec.constants("strem")


def test_rules_depend_on_the_workload(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, FULL.replace("4096", "2048"), "", "", "")
    first, second = spec.space_of("stream"), spec.space_of("random-2")
    design = spec.space.encode({"width": 32})
    assert first == spec.space and first.digest != second.digest
    assert first.violation(design) == [0.0] and second.violation(design) == [2048.0]
    assert second.broken_rules(design) == ["fits: it fits (width * rows <= 2048 with rows = 128)"]


def test_a_small_spec_has_defaults(tmp_path: Path) -> None:
    spec = spec_of(tmp_path)
    assert spec.run == Run(commands=(("program", "{{ width }}"),))
    assert [parameter.ordered for parameter in spec.space.parameters] == [True, False, False]
    assert spec.inputs == () and spec.workload_names == () and spec.constants() == {} and spec.version == ""
    with pytest.raises(UnknownNameError):
        spec.constants("any")


def test_jobs_may_be_the_cores(tmp_path: Path) -> None:
    assert spec_of(tmp_path, run=RUN + 'jobs = "cores"\n').run.jobs == len(os.sched_getaffinity(0))


def test_a_secret_is_passed_on_as_one_only(tmp_path: Path) -> None:
    run = spec_of(tmp_path, run=RUN + 'environment = ["PATH", "KEY"]\nsecrets = ["KEY"]\n').run
    assert run.environment == ("PATH",) and run.secrets == ("KEY",)


def test_a_spec_travels(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    middle = '[[inputs]]\nfile = "a"\ncopy = "a.txt"\n[[constraints]]\nname = "c"\nholds = "width <= 16"\n'
    spec = spec_of(tmp_path, middle)
    again = pickle.loads(pickle.dumps(spec))
    assert again == spec and again.space.violation(again.space.encode({"width": 32})) == [16.0]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("{from = 1, to = 5, step = 2}", (1, 3, 5)),
        ("{from = 1, to = 6, step = 2}", (1, 3, 5)),
        ("{from = 0, to = 1, step = 0.1}", (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)),
        ("{from = 0.1, to = 0.5, step = 0.1}", (0.1, 0.2, 0.3, 0.4, 0.5)),
        ("{from = -1, to = 1, count = 5}", (-1.0, -0.5, 0.0, 0.5, 1.0)),
        ("{from = 0, to = 8, count = 5}", (0, 2, 4, 6, 8)),
        ("{from = 0.0, to = 0.7, count = 8}", (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)),
        ("{from = 1, to = 1024, factor = 4}", (1, 4, 16, 64, 256, 1024)),
        ("{from = 1, to = 1000, factor = 10}", (1, 10, 100, 1000)),
        ("{from = 0.001, to = 1, factor = 10}", (0.001, 0.01, 0.1, 1.0)),
        ("{from = 4, to = 9, factor = 1.5}", (4.0, 6.0, 9.0)),
        ("{from = 3, to = 3, step = 1}", (3,)),
        ("{from = 1e3, to = 3e3, step = 1e3}", (1000.0, 2000.0, 3000.0)),
    ],
)
def test_ranges(tmp_path: Path, text: str, values: tuple[float, ...]) -> None:
    space = spec_of(tmp_path, head=f'name = "a"\n[[parameters]]\nname = "width"\nrange = {text}\n').space
    assert space["width"].values == values
    assert [type(value) for value in space["width"].values] == [type(value) for value in values]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"absent\.toml cannot be read"):
        read_spec(tmp_path / "absent.toml")
    with pytest.raises(SpecError, match="cannot be read"):
        read_spec(tmp_path)
    (tmp_path / "a.toml").write_bytes(b"\xff")
    with pytest.raises(SpecError, match="cannot be read"):
        read_spec(tmp_path / "a.toml")


def test_a_relative_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_spec(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert read_spec("adder.toml").path == str(tmp_path / "adder.toml")


def test_another_design_is_tried_where_the_default_breaks_a_rule(tmp_path: Path) -> None:
    text = '[[constraints]]\nname = "c"\nholds = "{}"\n[[inputs]]\nfile = "a"\ntext = "{{{{ 1 // (width - {}) }}}}"\n'
    assert spec_of(tmp_path, text.format("width > 8", 8)).space.violation([[0, 0, 0]]) == [1.0]
    with pytest.raises(SpecError, match="width = 16"):
        spec_of(tmp_path, text.format("8 < width < 32", 16))
    assert spec_of(tmp_path, text.format("width > 99", 8)).inputs  # no design that could be tried

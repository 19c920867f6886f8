"""The RTL flow of examples/rtl_fir: its templates always; the flow itself where Yosys and Verilator are installed."""

from __future__ import annotations

import csv
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from sources import ROOT

from archgym import Status, make_simulator
from archgym.cli import main
from archgym.simulator import Simulator
from simulators.command.inputs import render_inputs
from simulators.command.spec import read_spec

FOLDER = ROOT / "examples" / "rtl_fir"
MISSING = [name for name in ("yosys", "verilator", "g++", "make") if shutil.which(name) is None]
needs_tools = pytest.mark.skipif(
    bool(MISSING), reason=f"{', '.join(MISSING)} not installed (Debian: apt-get install yosys verilator g++ make)"
)
SMALL = {"folding": 8, "symmetry": True, "encoding": "csd", "reduction": "carry_save"}
FAST = {**SMALL, "folding": 1, "adder": "kogge_stone", "stages": 3}


@pytest.mark.parametrize("workload", ["lowpass", "binomial"])
def test_every_template_is_filled_in_for_every_design(workload: str) -> None:
    spec = read_spec(FOLDER / "fir.toml")
    designs = spec.space.sample(60, np.random.default_rng(0))
    kept = spec.space.violation(designs) == 0
    for design in designs[kept]:
        values = {**spec.constants(workload), **spec.space.describe(design)}
        files = {name: content.decode() for name, content in render_inputs(spec, values).items()}
        assert set(files) == {"fir.v", "adder.v", "bench.cpp", "bench.mk", "synth.ys"}
        assert files["fir.v"].count("endmodule") == files["adder.v"].count("endmodule") == 1
        assert "{{" not in files["fir.v"] and "{%" not in files["fir.v"]
    assert kept.any() and not kept.all()


@pytest.mark.parametrize("workload", ["lowpass", "binomial"])
def test_the_sums_fit_and_the_coefficients_are_symmetric(workload: str) -> None:
    constants = read_spec(FOLDER / "fir.toml").constants(workload)
    coefficients = constants["coefficients"]
    assert coefficients == coefficients[::-1] and len(coefficients) == 16
    largest = sum(map(abs, coefficients)) * 2 ** (constants["data_bits"] - 1)
    assert largest < 2 ** (constants["sum_bits"] - 1)
    # Canonical signed digits need one place more than binary ones.
    assert max(map(abs, coefficients)) < 2 ** (constants["coefficient_bits"] - 1) * 4 / 3


def recorded() -> list[dict[str, str]]:
    """The whole space as the example has it, measured with Debian 12's Yosys."""
    with (FOLDER / "space.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_recorded_space_is_the_valid_part_of_the_space() -> None:
    spec = read_spec(FOLDER / "fir.toml")
    rows = recorded()
    designs = [spec.space.describe(design) for design in spec.space.unrank(np.arange(spec.space.size))]
    valid = spec.space.violation(spec.space.unrank(np.arange(spec.space.size))) == 0
    expected = [tuple(map(str, design.values())) for design, kept in zip(designs, valid, strict=True) if kept]
    assert sorted(tuple(row[name] for name in spec.space.names) for row in rows) == sorted(expected) and len(rows) == 486
    for row in rows:
        # A sample every so many cycles; one cycle to come in, and one register after each stage.
        assert float(row["cycles"]) == 128 * int(row["folding"]) + int(row["stages"]) + 1
        assert float(row["delays"]) == float(row["depth"]) * float(row["cycles"]) / 128


@pytest.fixture(scope="module")
def measured() -> dict[str, dict[str, float]]:
    """Metrics of three designs, evaluated once for all tests of this file."""
    simulator = make_simulator(str(FOLDER / "fir.toml"), cache=False)
    named = {"small": SMALL, "fast": FAST, "plain": {**FAST, "reduction": "chain", "adder": "ripple", "stages": 1}}
    designs = np.concatenate([simulator.space.encode(values) for values in named.values()])
    result = simulator.evaluate(designs)
    assert result.ok.all(), result.reasons
    return {name: result.row(row) for row, name in enumerate(named)}


@needs_tools
@pytest.mark.slow
def test_what_is_measured_is_as_it_must_be(measured: dict[str, dict[str, float]]) -> None:
    small, fast, plain = measured["small"], measured["fast"], measured["plain"]
    assert small["cycles"] == 128 * 8 + 2, "a sample every eighth cycle, one cycle to come in and one to come out"
    assert fast["cycles"] == 128 + 4 and plain["cycles"] == 128 + 2, "two registers more"
    assert small["transistors"] < plain["transistors"] and fast["delays"] < plain["delays"] < small["delays"]
    assert fast["depth"] < plain["depth"] / 2
    for design in measured.values():
        assert design["delays"] == design["depth"] * design["cycles"] / 128
        assert design["transistors"] > 2 * design["cells"]


@needs_tools
@pytest.mark.slow
def test_what_is_measured_is_what_was_recorded(measured: dict[str, dict[str, float]]) -> None:
    if "Yosys 0.23 " not in subprocess.run(["yosys", "-V"], capture_output=True, text=True, check=True).stdout:
        pytest.skip("space.csv was measured with Yosys 0.23; another one makes other gates")
    known = [{name: float(row[name]) for name in measured["small"]} for row in recorded()]
    assert all(design in known for design in measured.values())


def broken(folder: Path, old: str, new: str) -> Simulator:
    """The flow with a mistake in its template."""
    shutil.copytree(FOLDER, folder)
    template = folder / "fir.v.j2"
    text = template.read_text()
    assert old in text
    template.write_text(text.replace(old, new))
    return make_simulator(str(folder / "fir.toml"), cache=False)


@needs_tools
@pytest.mark.slow
def test_a_design_with_wrong_results_fails_whatever_its_gates(tmp_path: Path) -> None:
    wrong = broken(tmp_path / "wrong", "found.constant % 2 ** sum_bits", "(found.constant + 1) % 2 ** sum_bits")
    result = wrong.evaluate(wrong.space.encode(SMALL))
    assert result.status[0] == Status.FAILED
    assert "wrong result: y[0] is" in result.reasons[0] and "the golden model says" in result.reasons[0]


@needs_tools
@pytest.mark.slow
def test_the_documented_command_ends_with_a_front(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", str(FOLDER / "fir.toml"), "--agent", "nsga2", "--objective", "weighted:transistors=1,delays=100"]
    code = main([*words, "--budget", "6", "--hyper", "population=8", "--out", str(tmp_path / "fir")])
    answer = capsys.readouterr()
    assert code == 0, answer.err
    assert "front: " in answer.out and "6 designs (" in answer.out and "FAILED" not in answer.out

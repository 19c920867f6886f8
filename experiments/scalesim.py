"""Runs SCALE-Sim 3.0.0, the program whose figures the exact mode of the systolic simulator reproduces.

The program belongs to others and is not part of this project.  It needs a Python environment of its own, because it does not
work with the NumPy that this project uses (it fails from 2.4 on); ``environment`` makes one.  Each layer is a run of its own,
in a scratch folder and without traces; all layers of a call share one process.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from simulators.systolic.layers import Layer

CHILD = Path(__file__).with_name("scalesim_child.py")
REQUIREMENTS = ("scalesim==3.0.0", "numpy<2.4")
DESIGN = (
    "array_h",
    "array_w",
    "dataflow",
    "ifmap_sram_kb",
    "filter_sram_kb",
    "ofmap_sram_kb",
    "bw_mode",
    "bw_ifmap",
    "bw_filter",
    "bw_ofmap",
)
_SIZES = ("ifmap_h", "ifmap_w", "filter_h", "filter_w", "channels", "num_filters", "stride")
_OPERANDS = ("ifmap", "filter", "ofmap")
_REPORTS = {  # file -> columns of the project's tables, after the number of the layer
    "COMPUTE_REPORT.csv": (
        "total_cycles_incl_prefetch",
        "total_cycles",
        "stall_cycles",
        "overall_util",
        "mapping_eff",
        "compute_util",
    ),
    "BANDWIDTH_REPORT.csv": tuple(f"avg_{operand}_{place}_bw" for place in ("sram", "dram") for operand in _OPERANDS),
    "DETAILED_ACCESS_REPORT.csv": tuple(
        f"{place}_{operand}_{what}" for place in ("sram", "dram") for operand in _OPERANDS for what in ("start", "stop", "n")
    ),
}
_SETTINGS = """[general]
run_name = run
[architecture_presets]
ArrayHeight = {array_h}
ArrayWidth = {array_w}
IfmapSramSzkB = {ifmap_sram_kb}
FilterSramSzkB = {filter_sram_kb}
OfmapSramSzkB = {ofmap_sram_kb}
IfmapOffset = 0
FilterOffset = 10000000
OfmapOffset = 20000000
Dataflow = {dataflow}
Bandwidth = {bw_ofmap}
ReadRequestBuffer = 32
WriteRequestBuffer = 32
[layout]
IfmapCustomLayout = False
IfmapSRAMBankBandwidth = {bw_ifmap}
IfmapSRAMBankNum = 1
IfmapSRAMBankPort = 1
FilterCustomLayout = False
FilterSRAMBankBandwidth = {bw_filter}
FilterSRAMBankNum = 1
FilterSRAMBankPort = 1
[sparsity]
SparsitySupport = false
[run_presets]
InterfaceBandwidth = {bw_mode}
UseRamulatorTrace = False
"""


class ScaleSimError(RuntimeError):
    """The program is not there, did not finish, or reported something else than its figures."""


def environment(folder: Path, timeout_s: float = 1200.0) -> Path:
    """Interpreter of an environment with the program, which is made in the folder at the first call.

    Raises:
        ScaleSimError: it could not be made, for example because nothing can be downloaded.
    """
    python, made = folder / "bin" / "python", folder / "made"
    if not made.exists():
        for command in ([sys.executable, "-m", "venv", str(folder)], [str(python), "-m", "pip", "install", *REQUIREMENTS]):
            try:
                process = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s)
            except (subprocess.TimeoutExpired, OSError) as error:
                raise ScaleSimError(f"no environment for SCALE-Sim: {error}") from error
            if process.returncode != 0:
                problem = (process.stderr or process.stdout).strip()[-300:]
                raise ScaleSimError(f"no environment for SCALE-Sim, {command[1:]} ended with {process.returncode}: {problem}")
        made.touch()
    return python


def run(layers: Sequence[Layer], design: Mapping[str, Any], python: Path, timeout_s: float = 3600.0) -> list[dict[str, Any]]:
    """Simulates one design on layers; of a layer in groups one group is simulated.

    Args:
        layers: strides equal along both axes, no dilation.
        design: values by the names in ``DESIGN``.
        python: interpreter of the program's environment, see ``environment``.
        timeout_s: after this time the call is given up.

    Returns:
        For each layer its ``layer`` (name), ``repeats`` (groups times count), the figures of one group under the names of the
        project's tables, and ``cpu_s``, the processor time that the program took.

    Raises:
        ScaleSimError: the program failed or took too long; or a layer that it does not know.
    """
    rows = []
    for layer in layers:
        height, width, taps_h, taps_w, stride_h, stride_w, dilation_h, dilation_w, channels, filters, repeats, *_ = layer.row()
        if stride_h != stride_w or (dilation_h, dilation_w) != (1, 1):
            raise ScaleSimError(f"layer {layer.name!r}: SCALE-Sim knows one stride and no dilation")
        sizes = dict(zip(_SIZES, (height, width, taps_h, taps_w, channels, filters, stride_h), strict=True))
        # A name with the letters DP would be expanded into one layer per channel.
        rows.append({"layer": f"layer{len(rows)}", **sizes, **{name: design[name] for name in DESIGN}, "repeats": repeats})
    results = simulate(rows, python, timeout_s)
    return [
        {**figures, "layer": layer.name, "repeats": row["repeats"]}
        for layer, row, figures in zip(layers, rows, results, strict=True)
    ]


def simulate(rows: Sequence[Mapping[str, Any]], python: Path, timeout_s: float = 3600.0) -> list[dict[str, Any]]:
    """Simulates rows of input columns, as the project's tables have them.

    Args:
        rows: ``layer`` (the program expands a name with the letters DP into one layer per channel), the sizes of one group,
            and the design; a row whose ``is_gemm`` is set is handed over as a matrix product.
        python: see ``run``.
        timeout_s: see ``run``.

    Returns:
        One dictionary per layer that the program reports: ``row`` (index into ``rows``), the figures, and ``cpu_s``.

    Raises:
        ScaleSimError: the program failed or took too long.
    """
    with tempfile.TemporaryDirectory(prefix="scalesim-") as scratch:
        folder = Path(scratch)
        for index, row in enumerate(rows):
            _write(folder / str(index), row)
        command = [str(python), "-P", str(CHILD), str(folder), str(len(rows))]
        try:
            process = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, cwd=folder)
        except (subprocess.TimeoutExpired, OSError) as error:
            raise ScaleSimError(f"SCALE-Sim on {len(rows)} layers: {error}") from error
        if process.returncode != 0:
            problem = (process.stderr or process.stdout).strip()[-500:]
            raise ScaleSimError(f"SCALE-Sim on {len(rows)} layers ended with {process.returncode}: {problem}")
        return [figures for index in range(len(rows)) for figures in _read(folder / str(index), index)]


def _write(folder: Path, row: Mapping[str, Any]) -> None:
    """The three files that the program reads; a line of a table ends with a comma, its last field is thrown away."""
    folder.mkdir()
    (folder / "settings.cfg").write_text(_SETTINGS.format(**{name: row[name] for name in DESIGN}))
    (folder / "layout.csv").write_text("name,\n")
    if row.get("is_gemm"):
        fields, kind = (row["ifmap_h"], row["num_filters"], row["ifmap_w"]), "gemm"
    else:
        fields, kind = tuple(row[name] for name in _SIZES), "conv"
    line = ",".join(map(str, (row["layer"], *fields)))
    (folder / f"{kind}.csv").write_text(f"name, sizes,\n{line},\n")


def _read(folder: Path, index: int) -> Iterator[dict[str, Any]]:
    """The figures of each layer in the reports of one run."""
    reports = []
    for file, columns in _REPORTS.items():
        path = folder / "out" / "run" / file
        if not path.exists():
            raise ScaleSimError(f"SCALE-Sim wrote no {file} for layer {index}")
        lines = list(csv.reader(path.read_text().splitlines()))[1:]
        for line in lines:
            if len(line) != len(columns) + 2:
                raise ScaleSimError(f"SCALE-Sim wrote {len(line)} fields into {file}, expected {len(columns) + 2}")
        reports.append([dict(zip(columns, map(float, line[1:-1]), strict=True)) for line in lines])
    cpu_s = float((folder / "cpu_s").read_text())
    for parts in zip(*reports, strict=True):
        figures: dict[str, Any] = {name: value for part in parts for name, value in part.items()}
        ratios = {name for name in figures if name.startswith("avg_") or name.endswith(("util", "eff"))}
        yield {
            "row": index,
            **{name: value if name in ratios else int(value) for name, value in figures.items()},
            "dram_read_bytes": int(figures["dram_ifmap_n"] + figures["dram_filter_n"]),
            "dram_write_bytes": int(figures["dram_ofmap_n"]),
            "cpu_s": cpu_s / len(reports[0]),
        }

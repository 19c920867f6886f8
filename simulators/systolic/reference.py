"""Predicts what the reference simulator (SCALE-Sim 3.0.0) reports for rows of its tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.errors import UnknownNameError, WorkloadError
from simulators.systolic import layers
from simulators.systolic.exact import layout, single
from simulators.systolic.exact.lowering import DATAFLOWS
from simulators.systolic.literal import replay

Columns = dict[str, NDArray[Any]]

BANDWIDTH_MODES = ("CALC", "USER")
SIZES = ("ifmap_h", "ifmap_w", "filter_h", "filter_w", "channels", "num_filters", "stride")
KILOBYTES = ("ifmap_sram_kb", "filter_sram_kb", "ofmap_sram_kb")
BANDWIDTHS = ("bw_ifmap", "bw_filter", "bw_ofmap")
INPUTS = (*SIZES, "array_h", "array_w", "dataflow", *KILOBYTES, "bw_mode", *BANDWIDTHS)

_OPERANDS = ("ifmap", "filter", "ofmap")
_COUNTS = tuple(name for name in layout.REPORT if name not in layout.FIGURES[layout.MACS :])
RATIOS = (
    "overall_util",
    "mapping_eff",
    "compute_util",
    *(f"avg_{operand}_{place}_bw" for place in ("sram", "dram") for operand in _OPERANDS),
)
OUTPUTS = (*_COUNTS, "dram_read_bytes", "dram_write_bytes", *RATIOS)


def predict(rows: Mapping[str, Any], engine: str = "fast") -> Columns:
    """Predicts the output columns of a reference table from its input columns.

    A row is one layer of one group; depthwise layers and layers in groups are rows of one channel or one group.

    Args:
        rows: the columns ``INPUTS``, arrays of one length (N,), in any order of rows; other columns are ignored.
        engine: ``fast`` or ``literal``; they agree, and the second is the slow one.

    Returns:
        The columns ``OUTPUTS``, each (N,): int64, ratios float64.

    Raises:
        UnknownNameError: an unknown engine, dataflow or bandwidth mode.
        WorkloadError: a size that is not a positive whole number, a filter larger than its input, or a layer that takes zero
            cycles (one multiplication on an array of one element), on which the reference program fails too.
        ValueError: a missing column, or columns of different length.
    """
    if engine not in ENGINES:
        raise UnknownNameError("engine", engine, ENGINES, owner="systolic")
    return ENGINES[engine](_columns(rows))


def _fast(columns: Columns) -> Columns:
    """Row by row through ``exact.single.report``."""
    table = np.ones((len(columns["stride"]), len(layers.COLUMNS)), np.int64)
    for place, name in enumerate(layers.COLUMNS):
        column = "stride" if name in ("stride_h", "stride_w") else name
        table[:, place] = columns.get(column, 1)
    codes = {
        "dataflow": [DATAFLOWS.index(name) for name in columns["dataflow"]],
        "bw_mode": [BANDWIDTH_MODES.index(name) for name in columns["bw_mode"]],
    }
    names = ("array_h", "array_w", "dataflow", *KILOBYTES, "bw_mode", *BANDWIDTHS)
    designs = np.stack([np.asarray(codes.get(name, columns[name]), np.int64) for name in names], axis=-1)
    figures = np.zeros((len(table), len(layout.REPORT)), np.int64)
    for index, (layer, design) in enumerate(zip(table, designs, strict=True)):
        figures[index] = single.report(layer, design)
    return _outputs({name: figures[:, place] for place, name in enumerate(layout.REPORT)}, columns)


def _outputs(figures: Columns, columns: Columns) -> Columns:
    """The columns of the table from the figures of each row."""
    total, elements = figures["total_cycles"], columns["array_h"] * columns["array_w"]
    if (total == 0).any():
        raise WorkloadError(
            f"systolic: row {int(np.flatnonzero(total == 0)[0])} is one multiplication on one element, which takes no cycles; "
            "the reference program has no figures for it either"
        )
    outputs = {name: figures[name] for name in _COUNTS}
    outputs["dram_read_bytes"] = figures["dram_ifmap_n"] + figures["dram_filter_n"]
    outputs["dram_write_bytes"] = figures["dram_ofmap_n"].copy()
    outputs["overall_util"] = 100 * figures["macs"] / (total * elements)
    outputs["mapping_eff"] = 100 * figures["used_elements"] / figures["offered_elements"]
    outputs["compute_util"] = 100 * figures["macs"] / figures["offered_cycles"]
    for operand in _OPERANDS:
        outputs[f"avg_{operand}_sram_bw"] = figures[f"sram_{operand}_n"] / total
        span = figures[f"dram_{operand}_stop"] - figures[f"dram_{operand}_start"] + 1
        outputs[f"avg_{operand}_dram_bw"] = figures[f"dram_{operand}_n"] / span
    return {name: outputs[name] for name in OUTPUTS}


def _literal(columns: Columns) -> Columns:
    """Row by row through the replay."""
    names = list(columns)
    found = [replay(dict(zip(names, row, strict=True))) for row in zip(*columns.values(), strict=True)]
    types = {name: np.float64 if name in RATIOS else np.int64 for name in OUTPUTS}
    return {name: np.array([row[name] for row in found], types[name]) for name in OUTPUTS}


ENGINES: dict[str, Callable[[Columns], Columns]] = {"fast": _fast, "literal": _literal}


def _columns(rows: Mapping[str, Any]) -> Columns:
    missing = [name for name in INPUTS if name not in rows]
    if missing:
        raise ValueError(f"systolic: a reference table needs the columns {', '.join(INPUTS)}; missing: {', '.join(missing)}")
    columns = {name: np.asarray(rows[name]) for name in INPUTS}
    shapes = {name: column.shape for name, column in columns.items()}
    if len(set(shapes.values())) != 1 or len(columns["stride"].shape) != 1:
        raise ValueError(f"systolic: the columns of a reference table must be of one shape (N,), got {shapes}")
    for name, spellings in (("dataflow", DATAFLOWS), ("bw_mode", BANDWIDTH_MODES)):
        unknown = sorted(set(columns[name].tolist()) - set(spellings), key=str)
        if unknown:
            raise UnknownNameError(name, unknown[0], spellings, owner="systolic")
    for name in BANDWIDTHS:  # CALC does not look at them, whatever they say
        columns[name] = np.where(columns["bw_mode"] == "USER", columns[name], 1)
    for name in INPUTS:
        if name not in ("dataflow", "bw_mode"):
            columns[name] = _positive(name, columns[name])
    for axis in ("h", "w"):
        larger = columns[f"filter_{axis}"] > columns[f"ifmap_{axis}"]
        if larger.any():
            row = int(np.flatnonzero(larger)[0])
            raise WorkloadError(f"systolic: row {row}: the filter is larger than the input along {axis}")
    return columns


def _positive(name: str, column: NDArray[Any]) -> NDArray[np.int64]:
    """Whole numbers from 1 on."""
    try:
        whole = column.astype(np.int64)
        wrong = (whole != column) | (whole < 1)
    except (TypeError, ValueError) as error:
        raise WorkloadError(f"systolic: {name} must be whole numbers from 1 on: {error}") from error
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise WorkloadError(f"systolic: {name} must be whole numbers from 1 on, row {row} has {column[row]}")
    return whole

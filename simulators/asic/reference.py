"""Predicts what the reference simulator (MAESTRO, commit 4eb08d1) reports for rows of its tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from archgym.errors import UnknownNameError, WorkloadError
from simulators.asic import closed, general
from simulators.asic.area import PARTS, required
from simulators.asic.constants import AREA, POWER
from simulators.asic.cost import flow_of, write_figures
from simulators.asic.counts import FIGURES, FIGURES_SIZE, L1_REQUIRED, L2_REQUIRED
from simulators.asic.energy import L1_ACCESS, L2_ACCESS, energy_of, nanojoules
from simulators.asic.general.report import DELAYS, REPORT, REPORT_SIZE, report
from simulators.asic.layout import (
    BANDWIDTH,
    COMPATIBLE,
    DLA,
    DSCONV,
    KIND,
    LAYER_SIZE,
    PES,
    TEMPLATE,
    TEMPLATES,
    UNIT_SIZE,
    K,
)
from simulators.asic.shape import cluster, shape
from simulators.asic.validate import check

Columns = dict[str, NDArray[Any]]
Words = NDArray[np.int64]
Floats = NDArray[np.float64]

KINDS = ("CONV", "DSCONV")
SIZES = ("K", "C", "R", "S", "Y", "X", "stride")
HARDWARE = ("num_pes", "cluster_size", "noc_bw", "noc_hop_latency", "offchip_bw")
INPUTS = ("dataflow", "type", *SIZES, *HARDWARE)

_WHOLE = ("peak_noc_bw_req", "offchip_bw_req", *REPORT[DELAYS:])  # of the report
OUTPUTS = (
    *FIGURES,
    "true_macs",
    "energy_nj",
    "energy_mac_units",
    "energy_csv_single_nj",
    "area_um2",
    "power_mw",
    *(f"{part}_power" for part in PARTS),
    "throughput_macs_per_cycle",
    "pe_utilisation",
    *REPORT,
)

ENGINES = ("fast", "closed", "general")  # closed forms where they hold, these alone, the case algebra alone
DEFAULT_ENGINE = "fast"


def predict(
    rows: Mapping[str, Any], engine: str = DEFAULT_ENGINE, constants: str = "2022", mode: str = "compatible"
) -> Columns:
    """Predicts the output columns of a reference table from its input columns.

    Args:
        rows: the columns ``INPUTS``, arrays of one length (N,), in any order of rows; other columns are ignored.
        engine: ``fast`` (closed forms where they hold, else the general path), ``closed`` or ``general``.  It decides where
            the flow is from; the columns ``general.report.REPORT`` are always from the general path.
        constants: ``"2022"``, which the tables were measured with, or ``"2019"``.
        mode: ``"compatible"``, or ``"clean"``, which is not what MAESTRO reports.

    Returns:
        The columns ``OUTPUTS``, each (N,): int64 for counts and cycles, else float64, not rounded.  ``energy_nj`` is the full
        sum; ``energy_csv_single_nj`` is what the csv file of MAESTRO holds if it runs this layer alone: a part of it.

    Raises:
        UnknownNameError: an unknown engine, constant set, mode, dataflow or type.
        WorkloadError: a layer that makes no sense, a size that is no whole number, a ``cluster_size`` that is not the
            template's or larger than the unit, or a row without closed form if the engine is ``closed``.
        DesignError: a unit without processing elements or bandwidth.
        ValueError: a missing column, or columns of different length.
    """
    if engine not in ENGINES:
        raise UnknownNameError("engine", engine, ENGINES, owner="asic")
    columns = _columns(rows)
    layers, units, links = encode(columns)
    code = check(layers, units, mode, int(links[:, 0].min(initial=0)), int(links[:, 1].min(initial=1)))
    _check_clusters(columns["cluster_size"], layers, units)
    figures = np.zeros((len(layers), FIGURES_SIZE), np.int64)
    extras = np.zeros((len(layers), REPORT_SIZE))
    energies = np.zeros(len(layers), np.int64)
    stuck = _run(layers, units, links, ENGINES.index(engine), code, figures, energies, extras)
    if stuck >= 0:
        raise WorkloadError(
            f"asic: row {stuck} has no closed form (stride {layers[stuck, -1]} on {TEMPLATES[units[stuck, TEMPLATE]]}); "
            "use the engine 'fast' or 'general'"
        )
    return _outputs(layers, units, figures, energies, extras, constants)


def encode(columns: Mapping[str, Any]) -> tuple[Words, Words, Words]:
    """Layers ``(N, LAYER_SIZE)``, units ``(N, UNIT_SIZE)``, and ``(N, 2)`` hops and off-chip bandwidth of the rows."""
    layers = np.empty((len(columns["type"]), LAYER_SIZE), np.int64)
    layers[:, KIND] = [KINDS.index(name) for name in columns["type"]]
    layers[:, K:] = np.stack([columns[name] for name in SIZES], axis=-1)
    units = np.empty((len(layers), UNIT_SIZE), np.int64)
    units[:, TEMPLATE] = [TEMPLATES.index(name) for name in columns["dataflow"]]
    units[:, PES], units[:, BANDWIDTH] = columns["num_pes"], columns["noc_bw"]
    return layers, units, np.stack([columns["noc_hop_latency"], columns["offchip_bw"]], axis=-1)


@njit(cache=True, nogil=True)
def _run(
    layers: Words, units: Words, links: Words, engine: int, mode: int, figures: Words, energies: Words, extras: Floats
) -> int:
    """Fills in the figures of all rows; returns the first row without closed form if the engine needs one, else -1."""
    for i in range(len(layers)):
        of, template, pes, bandwidth = shape(layers[i], mode), units[i, TEMPLATE], units[i, PES], units[i, BANDWIDTH]
        hops, offchip = links[i, 0], links[i, 1]
        if engine == 1 and not closed.applies(of, template):
            return i
        if engine == 2:
            flow = general.flow(of, template, pes, bandwidth, hops, offchip, mode)
        else:
            flow = flow_of(of, template, pes, bandwidth, hops, offchip, mode)
        write_figures(of, template, flow, figures[i])
        energies[i] = energy_of(figures[i])
        report(of, template, pes, bandwidth, hops, mode, extras[i])
    return -1


def _outputs(layers: Words, units: Words, figures: Words, energies: Words, extras: Floats, constants: str) -> Columns:
    outputs: Columns = {name: figures[:, column] for column, name in enumerate(FIGURES)}
    for column, name in enumerate(REPORT):
        outputs[name] = extras[:, column].astype(np.int64) if name in _WHOLE else extras[:, column]
    _, k, c, r, s, y, x, stride = layers.T
    outputs["true_macs"] = k * c * r * s * ((y - r) // stride + 1) * ((x - s) // stride + 1)
    outputs["energy_nj"] = nanojoules(energies, constants)
    outputs["energy_mac_units"] = energies / 100
    outputs["energy_csv_single_nj"] = nanojoules(_printed_energy(layers, units, outputs), constants)
    l1, l2 = (np.maximum(1, figures[:, column]) for column in (L1_REQUIRED, L2_REQUIRED))
    outputs["area_um2"] = required(units, l1, l2, AREA, constants).sum(axis=1)
    power = required(units, l1, l2, POWER, constants)
    outputs["power_mw"] = power.sum(axis=1)
    for column, part in enumerate(PARTS):
        outputs[f"{part}_power"] = power[:, column]
    outputs["throughput_macs_per_cycle"] = outputs["macs"] / outputs["runtime_cycles"]
    outputs["pe_utilisation"] = outputs["avg_active_pes"] / units[:, PES]
    return {name: outputs[name] for name in OUTPUTS}


def _printed_energy(layers: Words, units: Words, outputs: Columns) -> Words:
    """The part of the energy that MAESTRO writes: no MACs, no reads of outputs; L1 only where the mapping has one level."""
    l2 = [f"{tensor}_l2_{access}" for tensor in ("input", "filter", "output") for access in ("read", "write")]
    l1 = [f"{tensor}_l1_{access}" for tensor in ("input", "filter", "output") for access in ("read", "write")]
    one_level = (units[:, TEMPLATE] == DLA) & (layers[:, KIND] == DSCONV)
    moved = sum(outputs[name] for name in l2 if name != "output_l2_read")
    kept = sum(outputs[name] for name in l1)
    return L2_ACCESS * moved + np.where(one_level, L1_ACCESS * kept, 0)


def _columns(rows: Mapping[str, Any]) -> Columns:
    missing = [name for name in INPUTS if name not in rows]
    if missing:
        raise ValueError(f"asic: a reference table needs the columns {', '.join(INPUTS)}; missing: {', '.join(missing)}")
    columns = {name: np.asarray(rows[name]) for name in INPUTS}
    shapes = {name: column.shape for name, column in columns.items()}
    if len(set(shapes.values())) != 1 or len(columns["type"].shape) != 1:
        raise ValueError(f"asic: the columns of a reference table must be of one shape (N,), got {shapes}")
    for name, spellings in (("dataflow", TEMPLATES), ("type", KINDS)):
        unknown = sorted(set(columns[name].tolist()) - set(spellings), key=str)
        if unknown:
            raise UnknownNameError(name, unknown[0], spellings, owner="asic")
    return {name: column if name in ("dataflow", "type") else _whole(name, column) for name, column in columns.items()}


def _whole(name: str, column: NDArray[Any]) -> Words:
    try:
        whole = column.astype(np.int64)
        wrong = whole != column
    except (TypeError, ValueError) as error:
        raise WorkloadError(f"asic: {name} must be whole numbers: {error}") from error
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise WorkloadError(f"asic: {name} must be whole numbers, row {row} has {column[row]}")
    return whole


def _check_clusters(given: Words, layers: Words, units: Words) -> None:
    """A row says how many processing elements a cluster has, but the template fixes it."""
    sizes = _clusters(layers, units)
    wrong = (given != sizes) | (sizes > units[:, PES])
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise WorkloadError(
            f"asic: row {row}: a cluster of {TEMPLATES[units[row, TEMPLATE]]} has {sizes[row]} processing elements for this "
            f"layer, got a cluster_size of {given[row]} and a unit of {units[row, PES]}"
        )


@njit(cache=True, nogil=True)
def _clusters(layers: Words, units: Words) -> Words:
    """Processing elements of a cluster as the tables count them: all, if the mapping has one level only."""
    sizes = np.empty(len(layers), np.int64)
    for i in range(len(layers)):
        of = shape(layers[i], COMPATIBLE)
        one_level = of.depthwise and units[i, TEMPLATE] == DLA
        sizes[i] = units[i, PES] if one_level else cluster(of, units[i, TEMPLATE], units[i, PES])
    return sizes

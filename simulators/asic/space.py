"""The joint space of networks and hardware: the networks' lists, then template, size and bandwidth of each unit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym import Columns, Constraint, DesignSpace, Parameter
from archgym.errors import ArgumentError, UnknownNameError
from simulators.asic.layout import BANDWIDTH, PES, TEMPLATE, TEMPLATES, UNIT_SIZE
from simulators.asic.network_space import NetworkSpace

PE_STEP, BANDWIDTH_STEP = 32, 8
MOST_UNITS = 4


def make_space(
    networks: Sequence[NetworkSpace], units: int, templates: Sequence[str], total_pes: int, total_bandwidth: int
) -> DesignSpace:
    """Parameters ``network1_...``, ``network2_...``, then ``unit1_template``, ``unit1_pes``, ``unit1_bandwidth`` and so on.

    Args:
        networks: one space per task.
        units: sub-accelerators, 1 to 4.
        templates: what a unit may be.
        total_pes: processing elements of all units together at most, in steps of 32.
        total_bandwidth: elements a cycle (GB/s at 1 GHz) of all units together at most, in steps of 8.

    Raises:
        ArgumentError: numbers out of range.
        UnknownNameError: no such template.
    """
    if not 1 <= units <= MOST_UNITS:
        raise ArgumentError(f"asic: units must be 1 to {MOST_UNITS}, got {units!r}")
    for template in templates:
        if template not in TEMPLATES:
            raise UnknownNameError("template", template, TEMPLATES, owner="asic")
    if not templates or len(set(templates)) != len(templates):
        raise ArgumentError(f"asic: templates must be one or more different ones of {', '.join(TEMPLATES)}, got {templates}")
    sizes = _steps("total_pes", total_pes, PE_STEP, units)
    widths = _steps("total_bandwidth", total_bandwidth, BANDWIDTH_STEP, units)
    parameters = []
    for index, network in enumerate(networks, start=1):
        group = f"network_{index}"
        for choice in network.choices:
            doc = f"{choice.name} of the network for {network.data}"
            parameters.append(Parameter(f"network{index}_{choice.name}", choice.values, group=group, doc=doc))
    for index in range(1, units + 1):
        unit, group = f"unit{index}", f"unit_{index}"
        parameters += [
            Parameter(f"{unit}_template", tuple(templates), ordered=False, group=group, doc="dataflow of the unit"),
            Parameter(f"{unit}_pes", sizes, unit="PEs", group=group, doc="processing elements of the unit"),
            Parameter(f"{unit}_bandwidth", widths, unit="GB/s", group=group, doc="of the unit's network on chip"),
        ]
    rules = (
        Constraint(
            "total_pes",
            partial(_excess, field="pes", units=units, total=total_pes),
            f"at most {total_pes} processing elements in all (violation: share of the total)",
        ),
        Constraint(
            "total_bandwidth",
            partial(_excess, field="bandwidth", units=units, total=total_bandwidth),
            f"at most {total_bandwidth} GB/s in all (violation: share of the total)",
        ),
    )
    return DesignSpace(tuple(parameters), rules, name=f"asic-{units}")


def _steps(name: str, total: int, step: int, units: int) -> tuple[int, ...]:
    """Multiples of a step, up to what the other units leave."""
    if isinstance(total, bool) or not isinstance(total, int) or total < step * units:
        raise ArgumentError(f"asic: {name} must be a whole number of at least {step * units} for {units} units, got {total!r}")
    return tuple(range(step, total - step * (units - 1) + 1, step))


def _excess(columns: Columns, field: str, units: int, total: int) -> NDArray[np.float64]:
    used = sum(columns[f"unit{index}_{field}"] for index in range(1, units + 1))
    return np.asarray(used / total - 1.0)


def choices(columns: Columns, index: int, network: NetworkSpace) -> NDArray[np.int64]:
    """Rows of a network's space, (N, P), from decoded designs; ``index`` counts networks from 1."""
    return np.stack([columns[f"network{index}_{choice.name}"] for choice in network.choices], axis=1).astype(np.int64)


def hardware(columns: Columns, units: int) -> NDArray[np.int64]:
    """Units of decoded designs, (N, units, UNIT_SIZE)."""
    first: NDArray[Any] = columns["unit1_template"]
    rows = np.empty((len(first), units, UNIT_SIZE), np.int64)
    for unit in range(units):
        names = columns[f"unit{unit + 1}_template"]
        for code, template in enumerate(TEMPLATES):
            rows[names == template, unit, TEMPLATE] = code
        rows[:, unit, PES] = columns[f"unit{unit + 1}_pes"]
        rows[:, unit, BANDWIDTH] = columns[f"unit{unit + 1}_bandwidth"]
    return rows

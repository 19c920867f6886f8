"""Who runs what and when on a chip, where its energy and area go, and which specs it meets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from archgym import Breakdown, Designs, Explanation
from archgym.charts import Timeline
from simulators.asic.area import unit_areas
from simulators.asic.cost import unit_costs
from simulators.asic.energy import nanojoules
from simulators.asic.hap import Assignment, assign
from simulators.asic.layout import BANDWIDTH, PES, TEMPLATE, TEMPLATES
from simulators.asic.space import choices, hardware

if TYPE_CHECKING:
    from simulators.asic.simulator import ASIC


def explain(simulator: ASIC, design: Designs) -> Explanation:
    """Explains one design, (1, D)."""
    columns = simulator.space.decode(design)
    metrics = simulator.evaluate(design).row(0)
    units = hardware(columns, simulator.units)[0]
    networks = [
        network.description(choices(columns, index, network)[0])
        for index, network in enumerate(simulator.problem.networks, start=1)
    ]
    layers = np.concatenate([network.layers() for network in networks])
    names = [f"{index}:{name}" for index, network in enumerate(networks, start=1) for name in network.layer_names()]
    latency, energy = unit_costs(layers, units, simulator.mode)
    limit = int(simulator.problem.limits["latency_cycles"].spec)
    found = assign(latency, energy, [len(network.layer_names()) for network in networks], limit, simulator.solver)
    lanes = [f"{TEMPLATES[row[TEMPLATE]]} {row[PES]} PEs {row[BANDWIDTH]} GB/s" for row in units]
    lanes = [f"unit {index}: {lane}" for index, lane in enumerate(lanes, start=1)]
    spent = nanojoules(energy[np.arange(len(layers)), found.mapping], simulator.constants)
    areas = unit_areas(units, simulator.constants)
    busy = [float((found.end - found.start)[found.mapping == unit].sum()) for unit in range(len(units))]
    shares = [
        (f"network {index}", sum(each for each, name in zip(spent, names, strict=True) if name.startswith(f"{index}:")))
        for index in range(1, len(networks) + 1)
    ]
    return Explanation(
        design=simulator.space.describe(design),
        metrics=metrics,
        breakdowns=(
            Breakdown(
                "Busy time", "cycles", tuple((lane, time, "running layers") for lane, time in zip(lanes, busy, strict=True))
            ),
            Breakdown(
                "Energy",
                "nJ",
                tuple((name, float(value), str(net)) for (name, value), net in zip(shares, networks, strict=True)),
            ),
            Breakdown(
                "Area", "um2", tuple((lane, float(area), "whole unit") for lane, area in zip(lanes, areas, strict=True))
            ),
        ),
        bottleneck=_verdict(simulator, metrics),
        details={"Layers": _rows(names, found, lanes, spent)},
        charts=(_gantt(names, found, lanes),),
    )


def _verdict(simulator: ASIC, metrics: dict[str, float]) -> str:
    over = [
        f"{name} by {metrics[name] / limit.spec - 1:.1%}"
        for name, limit in simulator.problem.limits.items()
        if metrics[name] > limit.spec
    ]
    if over:
        return f"It does not meet the specs of {simulator.workload}: it exceeds {', '.join(over)}."
    tightest = max(simulator.problem.limits.items(), key=lambda item: metrics[item[0]] / item[1].spec)
    share = metrics[tightest[0]] / tightest[1].spec
    return f"It meets all specs of {simulator.workload}; {tightest[0]} is closest, at {share:.1%} of its spec."


def _rows(names: list[str], found: Assignment, lanes: list[str], spent: Any) -> list[dict[str, Any]]:
    return [
        {
            "layer": name,
            "unit": lanes[found.mapping[index]].split(":")[0],
            "start": int(found.start[index]),
            "end": int(found.end[index]),
            "energy_nj": float(spent[index]),
        }
        for index, name in enumerate(names)
    ]


def _gantt(names: list[str], found: Assignment, lanes: list[str]) -> Timeline:
    order = sorted(range(len(names)), key=lambda index: (int(found.mapping[index]), int(found.start[index])))
    bars = tuple(
        (
            lanes[found.mapping[index]],
            names[index].split(":")[1],
            float(found.start[index]),
            float(found.end[index]),
            f"network {names[index].split(':')[0]}",
        )
        for index in order
    )
    return Timeline("Schedule: which unit runs which layer", "cycles", bars)

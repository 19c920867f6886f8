"""What runs where and when on a chip, what limits it, and where its time, energy and area go."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from archgym import Breakdown, Designs, Explanation
from archgym.charts import Timeline
from simulators.soc import model
from simulators.soc.chip import Chip, read_chip
from simulators.soc.layout import BLOCKS, BUSES, LIMIT_PE, MEMORIES, OK, SIZE_AREA
from simulators.soc.library import load_library
from simulators.soc.physical import size_index

if TYPE_CHECKING:
    from simulators.soc.simulator import SoC

MS = 1e3
Work = Any


def explain(simulator: SoC, design: Designs) -> Explanation:
    """Explains one design, (1, D); of one that is not OK, why it is not and what it looks like."""
    platform = simulator.platforms(design)[0]
    chip = read_chip(platform, simulator.graph, load_library())
    evaluated = simulator.evaluate(design)
    described, metrics = simulator.space.describe(design), evaluated.row(0)
    diagram = chip.diagram("Blocks and wires")
    fate, _, work = model.trace(platform, simulator.problem)
    if fate != OK:
        return Explanation(described, {}, (), evaluated.reasons[0], {"Mapping": _mapping(simulator, chip, None)}, (diagram,))
    return Explanation(
        design=described,
        metrics=metrics,
        breakdowns=(_limits(work), _energy(simulator, chip, work), _area(simulator, chip, work)),
        bottleneck=_verdict(simulator, chip, metrics),
        details={"Phases": _phases(simulator, work), "Mapping": _mapping(simulator, chip, work)},
        charts=(diagram, _timeline(simulator, chip, work)),
    )


def limit_name(limit: int) -> str:
    """What a limit of a task's rate is: its processing element, or reading or writing through a block."""
    if limit == LIMIT_PE:
        return "processing element"
    block = limit % BLOCKS
    name = f"bus{block}" if block < BUSES else f"mem{block - BUSES}"
    return f"{name} {'read' if limit < BLOCKS else 'write'}"


def _entries(work: Work) -> list[tuple[int, float, float, int, float, int]]:
    """All that ran, in order: phase, its start and end in ms, task, instructions, limit; phases without length left out."""
    start, found = 0.0, []
    for phase in range(int(work["phases"])):
        end = start + float(work["length"][phase]) * MS
        if end > start:
            for i in range(int(work["first"][phase]), int(work["first"][phase + 1])):
                task, limit = int(work["log_task"][i]), int(work["log_limit"][i])
                found.append((phase, start, end, task, float(work["log_work"][i]), limit))
        start = end
    return found


def _limits(work: Work) -> Breakdown:
    spent: dict[str, float] = defaultdict(float)
    for _, start, end, _, _, limit in _entries(work):
        spent[limit_name(limit)] += end - start
    parts = tuple((name, spent[name], "what limits running tasks") for name in sorted(spent, key=lambda name: -spent[name]))
    return Breakdown("Time of all tasks", "ms", parts)


def _energy(simulator: SoC, chip: Chip, work: Work) -> Breakdown:
    done = np.zeros(simulator.problem.tasks)
    for _, _, _, task, instructions, _ in _entries(work):
        done[task] += instructions
    per_pe = dict.fromkeys(chip.pes, 0.0)
    moving = 0.0
    for task, instructions in enumerate(done):
        pe = int(work["pe"][task])
        processing = instructions / float(work["pe_energy"][pe])
        per_pe[pe] += processing
        moving += instructions * float(work["cost"][task]) - processing
    parts = [(f"pe{pe}", value * MS, chip.pes[pe]) for pe, value in per_pe.items() if value > 0.0]
    return Breakdown("Energy", "mJ", (*parts, ("memories", moving * MS, "reading and writing")))


def _area(simulator: SoC, chip: Chip, work: Work) -> Breakdown:
    problem, graph = simulator.problem, simulator.graph
    counted = {int(work["pe"][i]) for i, task in enumerate(graph.tasks) if task.role in ("worker", "marker")}
    parts = [(f"pe{pe}", float(work["pe_area"][pe]) * 1e6, chip.pes[pe]) for pe in sorted(counted)]
    for memory in range(MEMORIES):
        most = float(work["most"][memory])
        if most >= 0.0:
            row = size_index(most, problem.size_step)
            area = float(problem.table[int(work["memory_kind"][memory]), SIZE_AREA, row]) * 1e6
            parts.append((f"mem{memory}", area, f"{chip.memories[memory]}, for {most:,.0f} bytes"))
    return Breakdown("Area", "mm2", tuple(parts))


def _verdict(simulator: SoC, chip: Chip, metrics: dict[str, float]) -> str:
    budget = simulator.budget
    shares = {
        "latency": metrics["latency_ms"] / MS / budget.latency_s,
        "power": metrics["power_mw"] / MS / budget.power_w,
        "area without DRAM": metrics["area_rest_mm2"] / 1e6 / budget.area_m2,
        "area of DRAM": metrics["area_dram_mm2"] / 1e6 / budget.area_m2,
    }
    farthest = max(shares, key=lambda name: shares[name])
    task = simulator.graph.tasks[int(metrics["hot_task"])].name
    pe = int(metrics["hot_pe"])
    where = f"task {task} on pe{pe} ({chip.pes[pe]}) weighs most in it"
    if farthest.startswith("area"):
        where = f"pe{pe} ({chip.pes[pe]}) and mem{int(metrics['hot_mem'])} are the largest blocks"
    over = [f"{name} by {share - 1:.1%}" for name, share in shares.items() if share > 1]
    if over:
        return f"It exceeds {', '.join(over)}; of these {farthest} is farthest from its limit: {where}."
    return f"It meets its budget; {farthest} is closest to its limit, at {shares[farthest]:.1%}: {where}."


def _phases(simulator: SoC, work: Work) -> list[dict[str, Any]]:
    """One row per phase with length: its bottleneck is what limits the task that ends it."""
    rows: list[dict[str, Any]] = []
    names = [task.name for task in simulator.graph.tasks]
    energies = work["energy"]
    by_phase: dict[int, list[tuple[int, float, float, int, float, int]]] = defaultdict(list)
    for entry in _entries(work):
        by_phase[entry[0]].append(entry)
    for phase, entries in by_phase.items():
        _, start, end, *_ = entries[0]
        # The task that ends first is the one that has least left.
        last = min(entries, key=lambda entry: abs(float(work["finish"][entry[3]]) * MS - end))
        rows.append(
            {
                "phase": phase,
                "start_ms": start,
                "end_ms": end,
                "running": ", ".join(names[entry[3]] for entry in entries),
                "ends": names[last[3]],
                "bottleneck": limit_name(last[5]),
                "power_mw": float(energies[phase]) * MS / (end - start) * MS,
            }
        )
    return rows


def _mapping(simulator: SoC, chip: Chip, work: Work | None) -> list[dict[str, Any]]:
    rows = []
    for index, task in enumerate(simulator.graph.tasks):
        pe = next(slot for slot, tasks in chip.runs.items() if task.name in tasks)
        memory = next((slot for slot, tasks in chip.keeps.items() if task.name in tasks), -1)
        row: dict[str, Any] = {
            "task": task.name,
            "pe": f"pe{pe}: {chip.pes.get(pe, 'nothing')}",
            "memory": f"mem{memory}: {chip.memories.get(memory, 'nothing')}" if memory >= 0 else "",
        }
        if work is not None:
            row |= {"launched_ms": float(work["launch"][index]) * MS, "finished_ms": float(work["finish"][index]) * MS}
        rows.append(row)
    return rows


def _timeline(simulator: SoC, chip: Chip, work: Work) -> Timeline:
    """Bars of what runs, one colour per limit; phases in which nothing changes for a task are one bar."""
    bars: dict[int, list[tuple[str, str, float, float, str]]] = defaultdict(list)
    for _, start, end, task, _, limit in _entries(work):
        pe, name, colour = int(work["pe"][task]), simulator.graph.tasks[task].name, limit_name(limit)
        known = bars[pe]
        if known and known[-1][1] == name and known[-1][3] == start and known[-1][4] == colour:
            start = known.pop()[2]
        known.append((f"pe{pe} {chip.pes[pe]}", name, start, end, colour))
    title = "What runs when, and what limits it"
    return Timeline(title, "ms", tuple(bar for pe in sorted(bars) for bar in bars[pe]))

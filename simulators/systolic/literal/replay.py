"""The clock: line after line through all folds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archgym.errors import WorkloadError
from simulators.systolic.literal.buffers import Drain, Reader, SetReader, WindowReader
from simulators.systolic.literal.demand import Fold, Part, contents, folds


def replay(row: Mapping[str, Any]) -> dict[str, float]:
    """Replays one row of a reference table.

    Args:
        row: one value for each input column of the table, see ``simulators.systolic.reference.INPUTS``.

    Returns:
        Every output column of the table, see ``simulators.systolic.reference.OUTPUTS``.

    Raises:
        WorkloadError: a layer of one multiplication on an array of one element, which takes no cycles; the program fails then.
    """
    work = folds(row)
    user = row["bw_mode"] == "USER"
    ifmap = _reader([fold.ifmap for fold in work], int(row["ifmap_sram_kb"]), user, int(row["bw_ifmap"]))
    filters = _reader([fold.filter for fold in work], int(row["filter_sram_kb"]), user, int(row["bw_filter"]))
    drain = Drain(int(row["ofmap_sram_kb"]), int(row["bw_ofmap"]) if user else int(row["array_w"]))
    served: dict[str, list[int]] = {"ifmap": [], "filter": [], "ofmap": []}  # cycle of each word
    index = stalls = total = 0
    for fold in work:
        for line in range(len(fold.outputs)):
            clock = index + stalls
            stall = 0
            for name, reader, part in (("ifmap", ifmap, fold.ifmap), ("filter", filters, fold.filter)):
                words = part.words(line)
                off = reader.serve(words, clock, index)
                served[name] += [clock + off] * len(words)
                stall = max(stall, off - 1)
            words_out = int(fold.outputs[line])
            late = drain.store(words_out, clock)
            served["ofmap"] += [clock + late] * words_out
            stalls += max(stall, late)
            total = clock + late
            index += 1
    if total == 0:
        raise WorkloadError("systolic: one multiplication on one element takes no cycles; the reference program fails then")
    drain.flush(total)
    ifmap.finish()
    filters.finish()
    return _outputs(row, work, index, total, stalls, served, (ifmap, filters, drain))


def _reader(parts: list[Part], kb: int, user: bool, bandwidth: int) -> Reader:
    if not user:
        return SetReader(kb=kb)
    words, length = contents(parts)
    return WindowReader(words=words, length=length, kb=kb, bandwidth=bandwidth)


def _outputs(
    row: Mapping[str, Any],
    work: list[Fold],
    lines: int,
    total: int,
    stalls: int,
    served: dict[str, list[int]],
    buffers: tuple[Reader, Reader, Drain],
) -> dict[str, float]:
    rows, columns, dataflow = int(row["array_h"]), int(row["array_w"]), row["dataflow"]
    ifmap, filters, drain = buffers
    assert drain.start is not None  # there is at least one word
    elements = rows * columns
    macs = sum(fold.used * len(fold.ifmap.matrix if dataflow != "is" else fold.filter.matrix) for fold in work)
    filling = columns - 1 if dataflow != "os" else 0
    sram = {"ifmap": _asked(work, "ifmap"), "filter": _asked(work, "filter"), "ofmap": len(served["ofmap"])}
    if dataflow == "os":
        sram["ofmap"] += len(work) * (rows + columns)
    dram = {"ifmap": ifmap.reads, "filter": filters.reads, "ofmap": drain.writes}
    spans = {"ifmap": (ifmap.start, ifmap.stop), "filter": (filters.start, filters.stop), "ofmap": (drain.start, drain.stop)}
    figures: dict[str, float] = {
        "compute_cycles": lines,
        "total_cycles_incl_prefetch": drain.stop - min(ifmap.start, filters.start),
        "total_cycles": total,
        "stall_cycles": stalls,
        "overall_util": 100 * macs / (total * elements),
        "mapping_eff": 100 * sum(fold.used for fold in work) / (elements * len(work)),
        "compute_util": 100 * macs / (elements * len(work) * (lines / len(work) + filling)),
        "dram_read_bytes": ifmap.reads + filters.reads,
        "dram_write_bytes": drain.writes,
    }
    for name in ("ifmap", "filter", "ofmap"):
        start, stop = spans[name]
        figures[f"avg_{name}_sram_bw"] = sram[name] / total
        figures[f"avg_{name}_dram_bw"] = dram[name] / (stop - start + 1)
        figures[f"sram_{name}_start"], figures[f"sram_{name}_stop"] = served[name][0], served[name][-1]
        figures[f"dram_{name}_start"], figures[f"dram_{name}_stop"] = start, stop
        figures[f"sram_{name}_n"], figures[f"dram_{name}_n"] = sram[name], dram[name]
    return figures


def _asked(work: list[Fold], operand: str) -> int:
    """Requests of an operand, those that ask for nothing included."""
    return sum(getattr(fold, operand).matrix.size for fold in work)

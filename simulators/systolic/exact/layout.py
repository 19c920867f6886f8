"""Columns of the arrays that designs and figures are kept in."""

from __future__ import annotations

# A design: (10,) int64.
DESIGN = (
    "rows",  # of the array
    "columns",
    "dataflow",  # index into ``lowering.DATAFLOWS``
    "ifmap_kb",  # buffer sizes
    "filter_kb",
    "ofmap_kb",
    "user",  # bandwidth mode: 0 CALC, 1 USER
    "bw_ifmap",  # words per cycle from DRAM; only USER looks at bandwidths
    "bw_filter",
    "bw_ofmap",
)
ROWS, COLUMNS, DATAFLOW, IFMAP_KB, FILTER_KB, OFMAP_KB, USER, BW_IFMAP, BW_FILTER, BW_OFMAP = range(len(DESIGN))

# Figures of a layer that add up over layers.
FIGURES = (
    "compute_cycles",  # without stalls
    "total_cycles_incl_prefetch",
    "total_cycles",
    "stall_cycles",
    "sram_ifmap_n",
    "sram_filter_n",
    "sram_ofmap_n",
    "dram_ifmap_n",
    "dram_filter_n",
    "dram_ofmap_n",
    "macs",
    "used_elements",  # processing elements with work, summed over folds
    "offered_elements",  # all processing elements, summed over folds
    "offered_cycles",  # processing elements times cycles that the compute utilisation is taken of
)
(
    COMPUTE_CYCLES,
    CYCLES_INCL_PREFETCH,
    TOTAL_CYCLES,
    STALL_CYCLES,
    SRAM_IFMAP,
    SRAM_FILTER,
    SRAM_OFMAP,
    DRAM_IFMAP,
    DRAM_FILTER,
    DRAM_OFMAP,
    MACS,
    USED_ELEMENTS,
    OFFERED_ELEMENTS,
    OFFERED_CYCLES,
) = range(len(FIGURES))

# First and last cycles: these follow the figures above where a single layer is reported.
SPANS = tuple(
    f"{place}_{operand}_{end}"
    for place in ("dram", "sram")
    for operand in ("ifmap", "filter", "ofmap")
    for end in ("start", "stop")
)
DRAM_SPANS = len(FIGURES)
SRAM_SPANS = len(FIGURES) + len(SPANS) // 2
REPORT = FIGURES + SPANS

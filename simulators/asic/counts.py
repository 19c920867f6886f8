"""What a kernel says about one layer on one unit: the flow of a mapping, and the columns of a row of figures."""

from __future__ import annotations

from typing import NamedTuple

# Figures of a layer on a unit, a row of int64.  Counts are elements of one byte; a read or a write moves one element.
FIGURES = (
    "runtime_cycles",
    "macs",  # as counted: quirks included (README)
    "l1_req_bytes",  # double-buffered first-level buffer that one processing element needs
    "l2_req_bytes",  # double-buffered second-level buffer that the unit needs
    "input_l1_read",
    "input_l1_write",
    "input_l2_read",
    "input_l2_write",
    "filter_l1_read",
    "filter_l1_write",
    "filter_l2_read",
    "filter_l2_write",
    "output_l1_read",
    "output_l1_write",
    "output_l2_read",
    "output_l2_write",
)
(
    RUNTIME,
    MACS,
    L1_REQUIRED,
    L2_REQUIRED,
    INPUT_L1_READ,
    INPUT_L1_WRITE,
    INPUT_L2_READ,
    INPUT_L2_WRITE,
    FILTER_L1_READ,
    FILTER_L1_WRITE,
    FILTER_L2_READ,
    FILTER_L2_WRITE,
    OUTPUT_L1_READ,
    OUTPUT_L1_WRITE,
    OUTPUT_L2_READ,
    OUTPUT_L2_WRITE,
) = range(len(FIGURES))
FIGURES_SIZE = len(FIGURES)

IMPOSSIBLE = 1 << 54  # latency and energy of a layer that a unit cannot run: above all others, and 500 add up in int64


class Flow(NamedTuple):
    """What a mapping moves and how long it takes: all that differs between templates.

    Attributes:
        cycles: runtime of the layer.
        macs: multiply-accumulates as counted.
        sums: accesses to partial sums in the first-level buffers, reads and as many writes.
        inputs: input elements that the network on chip brings to the units.
        filters: filter elements that it brings.
        outputs: output elements, partial sums included, that it takes back.
        first_inputs: input elements of the first iteration.
        first_filters: filter elements of the first iteration.
        first_outputs: output elements of the first iteration.
    """

    cycles: int
    macs: int
    sums: int
    inputs: int
    filters: int
    outputs: int
    first_inputs: int
    first_filters: int
    first_outputs: int

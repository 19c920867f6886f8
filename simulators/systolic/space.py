"""The design space of the systolic accelerator: array, buffers and memory."""

from __future__ import annotations

from archgym import Constraint, DesignSpace, Parameter

DATAFLOWS = ("os", "ws", "is")
SIDES = (8, 16, 32, 64, 96, 128, 192, 256)
KILOBYTES = (16, 32, 64, 128, 256, 512, 1024)
CLOCKS_MHZ = (400, 700, 1000)
DRAM_TYPES = ("lpddr4-3200", "ddr3-1600", "ddr4-3200", "gddr5-7000", "hbm2")


def make_space(rules: tuple[Constraint, ...] = (), dram_types: tuple[str, ...] = DRAM_TYPES) -> DesignSpace:
    """Eleven parameters in three groups, 11,854,080 designs.

    Args:
        rules: of ``rules.make_rules``; they depend on the technology.
        dram_types: levels of ``dram_type``.
    """
    return DesignSpace(
        (
            Parameter("rows", SIDES, unit="PEs", group="array", default=32, doc="height of the array"),
            Parameter("columns", SIDES, unit="PEs", group="array", default=32, doc="width of the array"),
            Parameter(
                "dataflow",
                DATAFLOWS,
                ordered=False,
                group="array",
                default="ws",
                doc="what stays in the PEs: outputs (os), weights (ws) or inputs (is)",
            ),
            Parameter("precision_bits", (8, 16), unit="bit", group="array", doc="width of inputs, weights and outputs"),
            Parameter("clock_mhz", CLOCKS_MHZ, unit="MHz", group="array", default=700, doc="clock of array and buffers"),
            Parameter("ifmap_kb", KILOBYTES, unit="KB", group="buffers", default=128, doc="buffer of inputs"),
            Parameter("filter_kb", KILOBYTES, unit="KB", group="buffers", default=128, doc="buffer of weights"),
            Parameter(
                "ofmap_kb", KILOBYTES, unit="KB", group="buffers", default=128, doc="buffer of outputs and partial sums"
            ),
            Parameter("banks", (4, 16, 64), unit="banks", group="buffers", default=16, doc="of 256 bits, in each buffer"),
            Parameter("dram_type", dram_types, ordered=False, group="memory", doc="off-chip memory"),
            Parameter("dram_channels", (1, 2), unit="channels", group="memory", doc="of that memory"),
        ),
        rules,
        name="systolic",
    )

"""The blackboard of the mapper: one vector that holds a design, a layer and the mapping that is being looked at.

One array instead of many, because handing arrays from kernel to kernel costs more than what most of them compute.
"""

from __future__ import annotations

# A design: what the hardware can do.
HARDWARE = (
    "mesh_x",  # chains side by side
    "mesh_y",  # PEs above each other
    "ifmap_words",
    "psum_words",
    "weights_words",
    "glb_words",
    "ifmap_block",  # words in a row
    "psum_block",
    "weights_block",
    "glb_block",
    "ifmap_wait",  # cycles that a PE waits for a word to be filled in; 0 for a smart buffer
    "psum_wait",  # and for a partial sum to be brought and fetched
    "weights_wait",
    "ifmap_shared",  # 1 if filling and reading share a port and overlap, otherwise 0
    "psum_shared",  # 1 if reading and writing share a port, otherwise 0
    "weights_shared",
    "glb_read_rate",  # words per cycle
    "glb_write_rate",
    "glb_row_rate",  # rows per cycle, all banks together
    "glb_plain",  # 1 if it is filled and drained between computing, otherwise 0
    "dram_rate",  # words per cycle
)
(
    MESH_X,
    MESH_Y,
    IFMAP_WORDS,
    PSUM_WORDS,
    WEIGHTS_WORDS,
    GLB_WORDS,
    IFMAP_BLOCK,
    PSUM_BLOCK,
    WEIGHTS_BLOCK,
    GLB_BLOCK,
    IFMAP_WAIT,
    PSUM_WAIT,
    WEIGHTS_WAIT,
    IFMAP_SHARED,
    PSUM_SHARED,
    WEIGHTS_SHARED,
    GLB_READ_RATE,
    GLB_WRITE_RATE,
    GLB_ROW_RATE,
    GLB_PLAIN,
    DRAM_RATE,
) = range(len(HARDWARE))

# What a layer costs.  The first ones have prices, in the same order.
COUNTS = (
    "macs",
    "ifmap_reads",  # rows of scratchpads, all PEs together
    "ifmap_writes",
    "psum_reads",
    "psum_writes",
    "weights_reads",
    "weights_writes",
    "hops",  # words times the PEs that they pass
    "glb_reads",  # rows
    "glb_writes",
    "dram_words",
    "cycles",
    "pe_cycles",  # how long the PEs compute
    "wait_cycles",  # for plain storages
    "network_cycles",
    "glb_cycles",
    "dram_cycles",
    "ifmap_dram",  # words
    "weights_dram",
    "ofmap_dram",
)
(
    MACS,
    IFMAP_READS,
    IFMAP_WRITES,
    PSUM_READS,
    PSUM_WRITES,
    WEIGHTS_READS,
    WEIGHTS_WRITES,
    HOPS,
    GLB_READS,
    GLB_WRITES,
    DRAM_WORDS,
    CYCLES,
    PE_CYCLES,
    WAIT_CYCLES,
    NETWORK_CYCLES,
    GLB_CYCLES,
    DRAM_CYCLES,
    IFMAP_DRAM,
    WEIGHTS_DRAM,
    OFMAP_DRAM,
) = range(len(COUNTS))
NUM_COUNTS = len(COUNTS)
NUM_PRICES = CYCLES + 1
PRICE = len(HARDWARE)
"""Of event ``e`` the price, in pJ, is in slot ``PRICE + e``."""

# One group of a layer.
SHAPE = PRICE + NUM_PRICES
NUM_SHAPE = 9
(
    FILTERS,
    CHANNELS,
    TAPS_H,
    TAPS_W,
    OUT_H,
    OUT_W,
    STRIDE,
    DILATION,
    WIDTH,  # columns of the input that are read
) = range(SHAPE, SHAPE + NUM_SHAPE)

# The mapping that is being looked at.
FACTORS = (
    "filter_rows",  # above each other in a column
    "out_rows",  # side by side: a strip
    "channels",  # summed up along a column
    "filter_sets",  # side by side
    "pe_filters",  # that a PE takes turns with
    "pe_channels",
    "tile_rows",  # output rows of a tile
    "resident_passes",  # passes over filters whose partial sums stay in the buffer
    "keeps_inputs",  # 1 if all channels of a tile stay in the buffer, otherwise 0
)
MAPPING = SHAPE + NUM_SHAPE
(
    FILTER_ROWS,
    OUT_ROWS,
    CHAIN_CHANNELS,
    FILTER_SETS,
    PE_FILTERS,
    PE_CHANNELS,
    TILE_ROWS,
    RESIDENT_PASSES,
    KEEPS_INPUTS,
) = range(MAPPING, MAPPING + len(FACTORS))

# What follows from its first four factors.
(
    FOLDS,  # parts that the rows of a filter are cut into
    STRIPS,  # that the output rows are cut into
    TURN_CHANNELS,  # channels that are left for each PE
    TURN_FILTERS,  # filters that are left for each PE
    SENT_ONCE,  # words of inputs that are sent for all outputs of one pass over filters
) = range(MAPPING + len(FACTORS), MAPPING + len(FACTORS) + 5)

# What all mappings of a layer on a design share (``lower_bounds.learn``), and the best one so far.
KNOWN = SENT_ONCE + 1
(
    OUTPUTS,  # words of the layer
    WEIGHTS,
    PLANE,  # words of an input row, all channels
    FETCHED,  # words of inputs that must be fetched
    MOST_FILTERS,  # that a PE's scratchpads hold
    MOST_CHANNELS,
    SLOWDOWN,  # of a PE by the port of the partial sums, at least
    GLB_WAIT,  # cycles for filling and draining a plain buffer, at least
    DRAM_BUSY,  # cycles, at least
    FIXED_PJ,  # whatever the mapping
    READS_PJ,  # of scratchpads, at least
    SENT_PJ,  # per word of inputs sent to the PEs
    TAKEN_PJ,  # per word of inputs taken by a PE
    PSUM_PJ,  # per partial sum sent to the PEs
    BACK_PJ,  # per partial sum sent back
    WEIGHT_PJ,  # per weight fetched
    LOADED_PJ,  # per weight taken by a PE
    FETCH_PJ,  # per word of inputs fetched
    BEST_CYCLES,
    BEST_PJ,
) = range(KNOWN, KNOWN + 20)
NUM_SLOTS = BEST_PJ + 1

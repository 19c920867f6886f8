"""How layers and units are laid out in the arrays that the kernels read."""

from __future__ import annotations

# A layer, a row of int64.  Sizes are those of the input with its padding; the model never pads.
CONV, DSCONV = range(2)  # a convolution (a fully connected layer has R = S = Y = X = 1), a depthwise one
KIND, K, C, R, S, Y, X, STRIDE, LAYER_SIZE = range(9)

# A unit (sub-accelerator), a row of int64.
DLA, SHI, RS = range(3)
TEMPLATES = ("dla", "shi", "rs")
TEMPLATE, PES, BANDWIDTH, UNIT_SIZE = range(4)  # bandwidth of the network on chip: elements (bytes) a cycle

COMPATIBLE, CLEAN = range(2)  # reproduce MAESTRO's quirks, or mend them (README)
MODES = ("compatible", "clean")

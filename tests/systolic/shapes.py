"""Random layers and designs for the tests of the systolic models."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from simulators.systolic import Layer, Network
from simulators.systolic.space import CLOCKS_MHZ, DATAFLOWS, DRAM_TYPES, KILOBYTES, SIDES

Design = dict[str, object]


@st.composite
def convolutions(draw: st.DrawFn) -> Layer:
    """Any convolution: strides, padding, dilation, groups."""
    filter_h, filter_w = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    dilation_h, dilation_w = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    pad_h, pad_w = draw(st.integers(0, 4)), draw(st.integers(0, 4))
    least_h = max(1, (filter_h - 1) * dilation_h + 1 - pad_h)
    least_w = max(1, (filter_w - 1) * dilation_w + 1 - pad_w)
    groups = draw(st.sampled_from((1, 1, 1, 2, 8)))
    return Layer(
        "conv",
        draw(st.integers(least_h, least_h + 60)),
        draw(st.integers(least_w, least_w + 60)),
        filter_h,
        filter_w,
        groups * draw(st.integers(1, 200)),
        groups * draw(st.integers(1, 200)),
        draw(st.integers(1, 4)),
        draw(st.integers(1, 4)),
        pad_h,
        pad_w,
        dilation_h,
        dilation_w,
        groups,
        draw(st.integers(1, 3)),
    )


products = st.builds(
    Layer.gemm,
    st.just("product"),
    st.integers(1, 700),
    st.integers(1, 700),
    st.integers(1, 700),
    st.integers(1, 12),
    st.booleans(),
)
layers = st.one_of(convolutions(), products)
networks = st.lists(layers, min_size=1, max_size=3).map(lambda found: Network("drawn", tuple(found)))
designs = st.fixed_dictionaries(
    {
        "rows": st.sampled_from(SIDES),
        "columns": st.sampled_from(SIDES),
        "dataflow": st.sampled_from(DATAFLOWS),
        "precision_bits": st.sampled_from((8, 16)),
        "clock_mhz": st.sampled_from(CLOCKS_MHZ),
        "ifmap_kb": st.sampled_from(KILOBYTES),
        "filter_kb": st.sampled_from(KILOBYTES),
        "ofmap_kb": st.sampled_from(KILOBYTES),
        "banks": st.sampled_from((4, 16)),
        "dram_type": st.sampled_from(DRAM_TYPES),
        "dram_channels": st.sampled_from((1, 2)),
    }
)


def columns(*rows: Design) -> dict[str, np.ndarray]:
    """Designs as decoded columns; values need not be levels of the space."""
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}

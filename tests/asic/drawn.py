"""Layers and units as hypothesis draws them, far outside the range of the measured table."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from simulators.asic.layout import CONV, DSCONV, RS, SHI

Words = NDArray[np.int64]


@st.composite
def layers(draw: st.DrawFn, strides: st.SearchStrategy[int], kinds: tuple[int, ...] = (CONV, DSCONV)) -> Words:
    """A layer: rectangular, filter and input of different proportions."""
    kind = draw(st.sampled_from(kinds))
    r, s = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    filters = draw(st.integers(1, 300)) if kind == CONV else 1
    y, x = r + draw(st.integers(0, 60)), s + draw(st.integers(0, 60))
    return np.array([kind, filters, draw(st.integers(1, 300)), r, s, y, x, draw(strides)], np.int64)


@st.composite
def units(draw: st.DrawFn, layer: Words, templates: tuple[int, ...]) -> Words:
    """A unit that can run the layer; any number of processing elements, not only even ones."""
    template = draw(st.sampled_from(templates))
    least = 8 if template == SHI else int(layer[3]) if template == RS else 1
    pes = draw(st.one_of(st.integers(least, least + 70), st.integers(least, 5000)))
    return np.array([template, pes, draw(st.integers(1, 130))], np.int64)


links = st.tuples(st.integers(0, 2), st.one_of(st.integers(2, 300), st.just(70_000)))  # hops, off-chip bandwidth

"""The encoding ``soc``: its space, its platforms, and what is the same design in it."""

from __future__ import annotations

from archgym import Designs
from simulators.soc.decode import canonical, decode
from simulators.soc.graph import Graph
from simulators.soc.layout import Platforms
from simulators.soc.library import Library
from simulators.soc.space import make_codec, make_space


class Everything:
    """All blocks of the library, 1 to 8 processing elements, 1 to 6 memories, 1 to 4 buses; every design is valid.

    Attributes:
        space: columns as in ``space``.
        codec: what decoding needs to know.
    """

    def __init__(self, graph: Graph, library: Library) -> None:
        self.space, self.codec = make_space(graph, library), make_codec(graph, library)

    def canonical(self, designs: Designs) -> Designs:
        """One design for all that are the same platform but for what they ignore."""
        return canonical(designs, self.codec)

    def platforms(self, designs: Designs) -> Platforms:
        """Platforms of designs, ``(N, platform_size(T))`` int32, columns as in ``layout``."""
        return decode(designs, self.codec)

"""Synthetic problems: spaces of any size with a known optimum and a known front, for tests, docs and scaling studies."""

from __future__ import annotations

from simulators.synthetic.simulator import Synthetic

__all__ = ["Synthetic"]

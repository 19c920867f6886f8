"""Proxies: models trained on trials that stand in for a simulator, and say how far they can be trusted."""

from __future__ import annotations

from archgym.proxy.model import Proxy

__all__ = ["Proxy"]

"""Proxies: models trained on trials that stand in for a simulator, and say how far they can be trusted."""

from __future__ import annotations

from archgym.proxy.guided import Guided
from archgym.proxy.model import Proxy
from archgym.proxy.simulator import ProxySimulator, WithProxy, load_proxy_simulator

__all__ = ["Guided", "Proxy", "ProxySimulator", "WithProxy", "load_proxy_simulator"]

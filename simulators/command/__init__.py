"""Any program as a simulator: one TOML file says what can be designed, how to run the program and where its metrics are."""

from __future__ import annotations

from simulators.command.simulator import Command

__all__ = ["Command"]

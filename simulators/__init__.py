"""Simulators: one folder each. A simulator knows no agent and no other simulator."""

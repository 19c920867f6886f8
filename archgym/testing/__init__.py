"""Conformance kits for simulators and agents, for everybody who writes one.

In a script, or a test of its own::

    from archgym.testing import check_agent, check_simulator

    check_simulator(MySimulator(workload="small"))
    check_agent(MyAgent)

Or one test per rule, with pytest::

    @pytest.mark.parametrize("check", simulator_checks(), ids=str)
    def test_my_simulator(check):
        check.run(MySimulator(workload="small"))

``archgym check NAME`` runs the same rules over an installed plug-in, and prints what ``survey`` sees of a simulator.
"""

from __future__ import annotations

from archgym.testing.agent_checks import agent_checks, check_agent
from archgym.testing.check import Check, ConformanceError
from archgym.testing.isolation import in_another_process, no_global_rng
from archgym.testing.problems import PROBLEMS, Problem
from archgym.testing.simulator_checks import check_simulator, simulator_checks
from archgym.testing.surveying import Observed, Survey, survey

__all__ = [
    "PROBLEMS",
    "Check",
    "ConformanceError",
    "Observed",
    "Problem",
    "Survey",
    "agent_checks",
    "check_agent",
    "check_simulator",
    "in_another_process",
    "no_global_rng",
    "simulator_checks",
    "survey",
]

"""archgym: a Gymnasium in which hardware is designed by search.

Importing it registers the environments (``archgym/DRAM-v0`` and whatever else is installed) by name only; simulators, agents
and heavy libraries are imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archgym import errors
from archgym.agent import Agent
from archgym.errors import ArchGymError
from archgym.evaluator import BudgetExhausted, Evaluator
from archgym.explanation import Breakdown, Explanation
from archgym.metrics import Metric, Metrics, Status
from archgym.objective import Objective, Scores, make_objective
from archgym.registry import environment_ids, list_agents, list_simulators, list_workloads, make_simulator
from archgym.search import Result, resume, search
from archgym.simulator import InvalidDesign, PointSimulator, Simulator
from archgym.space import Columns, Constraint, Designs, DesignSpace, Parameter
from archgym.task import Task
from archgym.trials import TrialLog
from archgym.wrappers import Cached, Faulty

if TYPE_CHECKING:
    from archgym.dataset import Dataset
    from archgym.marl import parallel_env as parallel_env  # not in __all__: it is an extra
    from archgym.sweep.run import run_sweep
    from archgym.sweep.spec import load_spec

__version__ = "0.1.0"

__all__ = [
    "Agent",
    "ArchGymError",
    "Breakdown",
    "BudgetExhausted",
    "Cached",
    "Columns",
    "Constraint",
    "Dataset",
    "DesignSpace",
    "Designs",
    "Evaluator",
    "Explanation",
    "Faulty",
    "InvalidDesign",
    "Metric",
    "Metrics",
    "Objective",
    "Parameter",
    "PointSimulator",
    "Result",
    "Scores",
    "Simulator",
    "Status",
    "Task",
    "TrialLog",
    "errors",
    "list_agents",
    "list_simulators",
    "list_workloads",
    "load_spec",
    "make_objective",
    "make_simulator",
    "resume",
    "run_sweep",
    "search",
]


def __getattr__(name: str) -> Any:
    # pyarrow takes a quarter of a second to import, so whoever does not read logs does not pay for it.
    if name == "Dataset":
        from archgym.dataset import Dataset

        return Dataset
    if name in ("load_spec", "run_sweep"):
        from archgym import sweep
        from archgym.sweep.run import run_sweep

        return run_sweep if name == "run_sweep" else sweep.load_spec
    if name == "parallel_env":  # PettingZoo is an extra
        from archgym.marl import parallel_env

        return parallel_env
    raise AttributeError(f"module 'archgym' has no attribute {name!r}")


def _register_environments() -> None:
    import gymnasium

    for environment, simulator in environment_ids().items():
        if f"archgym/{environment}" not in gymnasium.registry:
            gymnasium.register(
                id=f"archgym/{environment}",
                entry_point="archgym.env:make_env",
                vector_entry_point="archgym.vector_env:make_vector_env",
                kwargs={"simulator": simulator},
            )


_register_environments()

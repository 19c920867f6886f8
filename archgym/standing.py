"""How good a score is: its regret and quantile, as far as the optimum of the space is known on this machine.

The enumerated table in the cache (``archgym optimum``) answers for any objective.  Without it, the small summary that ships
with a simulator gives the best score of the usual objectives, hence the regret but not the quantile.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from archgym.errors import LogError
from archgym.objective import Objective, make_objective
from archgym.optimum import Landscape, Table, load_table, relative_regret, table_key, table_path
from archgym.simulator import Simulator


class Standing(NamedTuple):
    """Where a score stands in its space; None where that is not known."""

    regret: float | None
    quantile: float | None


def find_standing(simulator: Simulator, objective: Objective, score: float) -> Standing:
    """Judges one score at full fidelity.

    Args:
        simulator: the problem, not wrapped.
        objective: what the score is a score of.
        score: of an OK design; anything else has no standing.
    """
    if not np.isfinite(score) or not simulator.deterministic:
        return Standing(None, None)
    if table_path(simulator).exists():
        try:
            landscape = _landscape(_Key(simulator, objective))
            return Standing(float(landscape.regret(score)), float(landscape.quantile(score)))
        except LogError:
            pass  # a damaged cache must not spoil a finished run; `archgym optimum` tells what is wrong with it
    best = known_best(simulator, objective)
    return Standing(None if best is None else float(relative_regret(np.array(score), best)), None)


def known_best(simulator: Simulator, objective: Objective) -> float | None:
    """Score of the optimum from the summary that ships with the simulator, or None if it does not say."""
    best = _shipped(simulator.summaries).get(table_key(simulator), {}).get("best", {}).get(objective.text)
    return None if best is None else float(best)


def summarise(simulator: Simulator, table: Table, objectives: tuple[str, ...]) -> dict[str, Any]:
    """What a simulator ships about one of its tables: sizes, and the best score under each objective."""
    best = {text: table.landscape(make_objective(text, simulator)).best_score for text in objectives}
    return {"workload": simulator.workload, "designs": simulator.space.size, "classes": len(table), "best": best}


class _Key:
    """Simulators and objectives do not hash by value; their names in the cache do."""

    def __init__(self, simulator: Simulator, objective: Objective) -> None:
        self.simulator, self.objective = simulator, objective
        self.text = f"{table_path(simulator)} {objective.text}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


@lru_cache(maxsize=64)
def _landscape(key: _Key) -> Landscape:
    return load_table(key.simulator, table_path(key.simulator)).landscape(key.objective)


@lru_cache(maxsize=16)
def _shipped(path: Path | None) -> dict[str, Any]:
    if path is None or not path.exists():
        return {}
    content: dict[str, Any] = json.loads(path.read_text())
    return content

"""Guided search: propose on a proxy, confirm the best on the simulator, learn from them, repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from archgym.agent import Agent
from archgym.errors import ProxyError
from archgym.metrics import Metrics, Status
from archgym.objective import Scores
from archgym.proxy.model import Proxy
from archgym.proxy.simulator import WithProxy
from archgym.registry import agent_class
from archgym.space import Designs, DesignSpace, Parameter

if TYPE_CHECKING:
    from archgym.evaluator import Evaluator

PROPOSER = "genetic"


class Guided(Agent):
    """Active learning around a proxy cost model.

    A round trains a proxy on all designs simulated so far, lets a genetic algorithm search it, and simulates the ``confirm``
    designs that look best among those that are new.  The trials on the proxy are logged at fidelity "proxy"; each costs a
    thousandth of a simulated design.  Where no proxy can be trained yet (too few designs are OK, or a metric is constant) a
    round simulates random designs.

    It is no entry point, because its trials are more than its budget: use ``archgym.search(Guided, ...)``, or
    ``--agent archgym.proxy:Guided``.  Asked for designs by somebody else's loop it draws them uniformly: only its own loop
    has an evaluator with a proxy.
    """

    name = "archgym.proxy:Guided"
    library = "scikit-learn"
    learns_from_past = True
    hyperparameters = DesignSpace(
        (
            Parameter("model", ("kernel", "forest", "boosting", "mlp"), ordered=False, doc="of the proxy"),
            Parameter("start", (16, 32, 64, 128, 256), default=64, doc="random designs before the first proxy"),
            Parameter("confirm", (1, 4, 8, 16, 32, 64), default=16, doc="designs simulated per round"),
            Parameter("proposals", (500, 1000, 2000, 5000), default=2000, doc="designs tried on the proxy per round"),
        )
    )

    def __init__(self, space: DesignSpace, *, seed: int | np.random.SeedSequence, **hyperparameters: Any) -> None:
        super().__init__(space, seed=seed, **hyperparameters)
        self._designs: list[Designs] = []
        self._metrics: list[Metrics] = []

    def ask(self, n: int) -> Designs:
        """Draws ``n`` designs uniformly, (n, D) int32."""
        return self.space.sample(n, self.rng)

    def tell(self, designs: Designs, scores: Scores, metrics: Metrics) -> None:
        """Adds simulated designs to the training set."""
        self._designs.append(designs.copy())
        self._metrics.append(metrics)

    def drive(self, evaluator: Evaluator) -> None:
        """Spends the budget; see the class."""
        both = WithProxy(evaluator.simulator)
        wanted = self.settings["start"] - sum(map(len, self._designs))
        if wanted > 0:
            self._simulate(evaluator, self.ask(wanted))
        while (n := evaluator.affordable(self.settings["confirm"])) > 0:
            both.proxy = self._train(evaluator, both)
            self._simulate(evaluator, self.ask(n) if both.proxy is None else self._proposed(evaluator, both, n))

    def _simulate(self, evaluator: Evaluator, designs: Designs) -> None:
        metrics, scores = evaluator.evaluate(designs)
        self.tell(designs, scores, metrics)

    def _train(self, evaluator: Evaluator, both: WithProxy) -> Proxy | None:
        designs, metrics = np.concatenate(self._designs), Metrics.concatenate(self._metrics)
        try:
            return Proxy(self.settings["model"]).fit(
                (both.inner, designs, metrics), [metric.name for metric in evaluator.objective.used]
            )
        except ProxyError:
            return None

    def _proposed(self, evaluator: Evaluator, both: WithProxy, n: int) -> Designs:
        """The ``n`` new designs with the best predicted scores; random ones where the proposer finds too few new ones."""
        proposer = agent_class(PROPOSER)(self.space, seed=int(self.rng.integers(2**63)))
        designs, scores = [], []
        evaluator.simulator = both
        left = self.settings["proposals"]
        # The predictions must leave enough of the budget for the designs that are to be confirmed.
        cost = both.fidelities["proxy"]
        left = max(min(left, int((evaluator.remaining - n) / cost)) if np.isfinite(evaluator.remaining) else left, 0)
        while left > 0:
            asked = proposer.ask(min(proposer.batch, left))
            metrics, found = evaluator.evaluate(asked, "proxy")
            proposer.tell(asked, found, metrics)
            ok = metrics.status == Status.OK
            designs.append(asked[ok])
            scores.append(found[ok])
            left -= len(asked)
        evaluator.simulator = both.inner  # whose lanes confirm several designs at once
        pool = np.concatenate([*designs, self.ask(n)])
        order = np.argsort(-np.concatenate([*scores, np.full(n, -np.inf)]), kind="stable")
        known = set(map(bytes, both.canonical(np.concatenate(self._designs))))
        chosen: list[int] = []
        for row, key in zip(order.tolist(), map(bytes, both.canonical(pool[order])), strict=True):
            if key not in known:
                known.add(key)
                chosen.append(row)
            if len(chosen) == n:
                return pool[chosen]
        return np.concatenate([pool[chosen], self.ask(n - len(chosen))])

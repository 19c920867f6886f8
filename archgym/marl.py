"""PettingZoo environment around an evaluator: several agents set one design together, each its own group of parameters.

``archgym.parallel_env("dram", workload="random")`` builds one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from archgym.errors import ArgumentError, DesignError, MissingExtraError
from archgym.evaluator import Evaluator
from archgym.grouping import Grouping, Groups, check_reward, difference_rewards, resolve_groups
from archgym.hosting import RENDER_MODES, Host, build_evaluator, check_arguments, design_info
from archgym.objective import Objective
from archgym.registry import make_simulator
from archgym.simulator import Simulator
from archgym.space import Designs
from archgym.stepping import DesignStepper, Outcome, describe

try:
    from pettingzoo import ParallelEnv
except ImportError:
    raise MissingExtraError("archgym.marl", "pettingzoo", "marl") from None

Observation = NDArray[np.float32]
Results = tuple[dict[str, Observation], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]


class DesignParallelEnv(Host, ParallelEnv[str, Observation, Any]):  # type: ignore[misc]
    """One agent per group of parameters; one step proposes one whole design.

    | | |
    |---|---|
    | Import | ``archgym.parallel_env(simulator, ...)`` or ``from archgym.marl import DesignParallelEnv`` |
    | API | parallel |
    | Agents | one per group, named after it; all act in every step |
    | Actions | discrete |
    | Observations | one vector, the same for all |

    Description:
        The problem of ``archgym.env.DesignEnv``, shared out: every agent sets the parameters of its group, without knowing
        what the others do in the same step, and all want the same objective.  One agent per parameter of a memory controller
        is the formulation of Krishnan et al. (2022, arXiv:2211.16385).

    Action Space:
        For a group of one parameter ``Discrete(levels)``; for one of several ``MultiDiscrete`` with the levels of each, in
        the order in which the group names them.  ``env.groups`` maps agents to columns of ``simulator.space.names``.

    Observation Space:
        ``Box(0, 1, (D + M + 7,), float32)`` as ``DesignEnv``: last design, its metrics, violation and status, progress; named
        by ``env.observation_names``.  All agents, and ``state()``, see the same numbers.

    Rewards:
        ``reward="shared"``: every agent gets the design's score as in ``DesignEnv``.

        ``reward="difference"``: agent i gets the score minus the score of the same design with i's parameters at those of
        ``reference`` (difference rewards, Wolpert and Tumer 2001), which tells what i itself contributed.  The
        counterfactual designs are designs like any other: evaluated, logged right after the joint one in the order of the
        agents, and **billed**, so a step costs 1 + n budget units, n being the number of agents that are not at the
        reference.  ``info["score"]`` and the observation are always those of the joint design.

    Starting State:
        All zeros: no design yet.  Nothing is random, so ``reset(seed=...)`` reproduces trivially.

    Episode End:
        All agents terminate together after ``steps`` joint designs; never truncates.

    Information:
        Every agent gets the joint design's ``design``, ``metrics``, ``status``, ``score``, and ``reason`` if the status is
        not OK.

    Arguments:
        Of ``archgym.parallel_env``: see there.  Of this class:

        | Parameter | Type | Default | Description |
        |-----------|------|---------|-------------|
        | ``evaluator`` | Evaluator | | every design goes through it |
        | ``groups`` | str or dict | "parameter" | "parameter", "subsystem", or agent -> parameters |
        | ``reward`` | str | "shared" | "shared" or "difference" |
        | ``reference`` | dict or None | None | parameter -> value, for differences; None: the default design |
        | ``steps`` | int | 1 | joint designs per episode |
        | ``render_mode`` | str or None | None | "ansi": ``render`` gives the last design as text |
        | ``owns_log`` | bool | False | whether ``close`` seals the evaluator's log |

    Version History:
        v0: first version.
    """

    metadata = {  # noqa: RUF012 - PettingZoo's own form
        "name": "archgym_design_v0",
        "render_modes": list(RENDER_MODES),
        "render_fps": 1,
        "is_parallelizable": True,
    }

    def __init__(
        self,
        evaluator: Evaluator,
        *,
        groups: Grouping = "parameter",
        reward: str = "shared",
        reference: Mapping[str, Any] | None = None,
        steps: int = 1,
        render_mode: str | None = None,
        owns_log: bool = False,
    ) -> None:
        check_reward(reward)
        space = evaluator.simulator.space
        self.groups = resolve_groups(space, groups)
        levels = space.encode(reference or {}) if reward == "difference" else None
        self._joint = _JointStepper(evaluator, steps, self.groups, levels)
        self._host(self._joint, render_mode, owns_log)
        self.render_mode = render_mode
        self.possible_agents = list(self.groups)
        self.agents: list[str] = []
        self._features = self._joint.start()
        self._observed = spaces.Box(0.0, 1.0, self._features.shape[1:], np.float32)
        self._actions = {agent: _action_space(space.nvec[columns]) for agent, columns in self.groups.items()}

    def observation_space(self, agent: str) -> spaces.Box:
        """What the agent sees: the same space object for all."""
        return self._observed

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """What the agent sets."""
        return self._actions[agent]

    def state(self) -> Observation:
        """The shared observation, (D + M + 7,) float32."""
        return np.array(self._features[0])

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Observation], dict[str, dict[str, Any]]]:
        """Starts an episode; evaluates nothing, so it costs no budget.  ``seed`` and ``options`` change nothing."""
        self.agents = self.possible_agents[:]
        self._features = self._joint.start()
        return self._observations(), {agent: {} for agent in self.agents}

    def step(self, actions: Mapping[str, Any]) -> Results:
        """Takes one action per agent.

        Raises:
            DesignError: an action is missing, superfluous, or of wrong shape, type or range.
            ArgumentError: actions after the end of an episode.
            BudgetExhausted: the budget does not cover the design, or not all of its counterfactual ones; what it did cover
                is logged.
        """
        if not self.agents:
            if actions:
                raise ArgumentError(f"{self.simulator.name}: the episode has ended; call reset() before the next step")
            return {}, {}, {}, {}, {}
        turn = self._joint.step(self._design(actions))
        self._features = turn.features
        acted, observations = self.agents, self._observations()
        infos = {agent: design_info(self.evaluator, turn.outcome) for agent in acted}
        if turn.finished:
            self.agents = []
        rewards = dict(zip(acted, self._joint.rewards.tolist(), strict=True))
        return observations, rewards, dict.fromkeys(acted, turn.finished), dict.fromkeys(acted, False), infos

    def render(self) -> str | None:
        """The last joint design and its metrics as text, with ``render_mode="ansi"``; otherwise None."""
        return describe(self.evaluator, self._joint.outcome) if self.render_mode == "ansi" else None

    def close(self) -> None:
        """Seals the log, if there is one and this environment started it."""
        self._seal()

    def _observations(self) -> dict[str, Observation]:
        return {agent: self._features[0].copy() for agent in self.agents}

    def _design(self, actions: Mapping[str, Any]) -> NDArray[Any]:
        who = self.simulator.name
        if set(actions) != set(self.agents):
            raise DesignError(f"{who}: needs one action of each of {self.agents}, got actions of {list(actions)}")
        choices = {agent: np.asarray(actions[agent]) for agent in self.agents}
        design = np.zeros((1, len(self.evaluator.simulator.space.names)), np.result_type(*choices.values()))
        for agent, columns in self.groups.items():
            expected = self._actions[agent].shape
            if choices[agent].shape != expected:
                raise DesignError(f"{who}: the action of {agent} must have shape {expected}, got {choices[agent].shape}")
            design[0, columns] = choices[agent]
        return design


class _JointStepper(DesignStepper):
    """One joint design a step, and what each group is rewarded with.

    Attributes:
        rewards: (G,) of the last step.
    """

    def __init__(self, evaluator: Evaluator, steps: int, groups: Groups, reference: Designs | None) -> None:
        super().__init__(evaluator, 1, steps)
        self._columns, self._reference = list(groups.values()), reference
        self.rewards = np.zeros(len(groups))

    def _evaluate(self, designs: Designs) -> Outcome:
        if self._reference is None:
            outcome = super()._evaluate(designs)
            self.rewards[:] = outcome.scores[0]
            return outcome
        metrics, scores, differences = difference_rewards(self.evaluator, designs, self._columns, self._reference[0])
        self.outcome, self.rewards = Outcome(designs, metrics, scores), differences[0]
        self._done += 1
        return self.outcome


def _action_space(levels: NDArray[np.int64]) -> spaces.Space[Any]:
    return spaces.Discrete(int(levels[0])) if len(levels) == 1 else spaces.MultiDiscrete(levels)


def parallel_env(
    simulator: str | Simulator,
    *,
    groups: Grouping = "parameter",
    objective: str | Objective | None = None,
    budget: float | None = None,
    log: str | os.PathLike[str] | None = None,
    reward: str = "shared",
    reference: Mapping[str, Any] | None = None,
    steps: int = 1,
    render_mode: str | None = None,
    **arguments: Any,
) -> DesignParallelEnv:
    """Builds a multi-agent environment.

    Args:
        simulator: a name that ``list_simulators`` gives, or a simulator.
        groups: "parameter" for an agent per parameter, "subsystem" for one per group of the space, or a mapping from agents
            to the names of their parameters, in which every parameter stands once.
        objective: see ``archgym.objective``; the simulator's first metric by default.
        budget: cost units, one per design, counterfactual ones included; a step beyond raises ``BudgetExhausted``.
        log: folder for a trial log, as in ``archgym.env.make_env``.
        reward: "shared" or "difference".
        reference: parameter -> value of the design that differences are taken to; parameters left out, and all of them
            under None, are at their default.
        steps: joint designs per episode.
        render_mode: None or "ansi".
        arguments: what the simulator takes: ``workload`` and so on.

    Raises:
        ArchGymError: a name, number, group or folder that does not fit; the message says what to do.  Nothing is written
            then.
    """
    check_arguments("design", steps, render_mode)
    check_reward(reward)
    if isinstance(simulator, str):
        simulator, arguments = make_simulator(simulator, **arguments), {}
    resolve_groups(simulator.space, groups)
    simulator.space.encode(reference or {})
    evaluator = build_evaluator(simulator, objective, budget, log, arguments)
    options: dict[str, Any] = {"groups": groups, "reward": reward, "reference": reference, "steps": steps}
    return DesignParallelEnv(evaluator, **options, render_mode=render_mode, owns_log=True)

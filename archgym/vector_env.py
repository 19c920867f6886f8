"""Vector environments: N designs a step through one simulator call.

``gym.make_vec("archgym/DRAM-v0", num_envs=1024, workload="random")`` builds one.
"""

from __future__ import annotations

import os
from typing import Any, Literal

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from archgym.evaluator import Evaluator
from archgym.hosting import RENDER_MODES, Host, batch_info, build_evaluator, check_arguments
from archgym.objective import Objective
from archgym.simulator import Simulator
from archgym.stepping import DesignStepper, SequentialStepper, Stepper, check_count, describe

Observations = NDArray[np.float32]
Flags = NDArray[np.bool_]


class _VectorEnv(Host, gym.vector.VectorEnv[Observations, Any, NDArray[Any]]):
    metadata = {  # noqa: RUF012 - Gymnasium's own form
        "render_modes": list(RENDER_MODES),
        "render_fps": 1,
        "autoreset_mode": AutoresetMode.SAME_STEP,
    }

    def __init__(
        self,
        stepper: Stepper,
        action_space: spaces.Space[Any],
        render_mode: str | None,
        max_episode_steps: int | None,
        owns_log: bool,
    ) -> None:
        check_limit(max_episode_steps)
        self._host(stepper, render_mode, owns_log)
        self.render_mode = render_mode
        self.num_envs = stepper.n
        self.single_action_space, self.action_space = action_space, batch_space(action_space, stepper.n)
        self.single_observation_space = spaces.Box(0.0, 1.0, (len(stepper.names),), np.float32)
        self.observation_space = batch_space(self.single_observation_space, stepper.n)
        self._limit = max_episode_steps if max_episode_steps != -1 else None
        self._elapsed = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Observations, dict[str, Any]]:
        """Starts an episode everywhere; evaluates nothing, so it costs no budget.  ``options`` are ignored."""
        super().reset(seed=seed)
        self._elapsed = 0
        return self._stepper.start(), self._mask_info()

    def step(self, actions: Any) -> tuple[Observations, NDArray[np.float64], Flags, Flags, dict[str, Any]]:
        """Takes one action per design.

        Raises:
            DesignError: actions of wrong shape, type or range.
            BudgetExhausted: the budget covers only the leading designs, which were evaluated and logged; the exception
                carries their metrics and scores.
        """
        turn = self._stepper.step(actions)
        self._elapsed += 1
        truncated = self._limit is not None and self._elapsed >= self._limit
        observations = turn.features
        infos = {**batch_info(self.evaluator, turn.outcome), **self._mask_info()}
        if turn.finished or truncated:
            final = {
                "final_obs": np.fromiter(observations, object, self.num_envs),
                "final_info": dict(infos),
                "_final_obs": np.ones(self.num_envs, bool),
                "_final_info": np.ones(self.num_envs, bool),
            }
            observations, self._elapsed = self._stepper.start(), 0
            infos.update(final, **self._mask_info())
        terminations, truncations = np.full(self.num_envs, turn.finished), np.full(self.num_envs, truncated)
        return observations, turn.scores.copy(), terminations, truncations, infos

    def render(self) -> Any:
        """Each design with its metrics as text, with ``render_mode="ansi"``; otherwise None."""
        if self.render_mode != "ansi":
            return None
        return tuple(describe(self.evaluator, self._stepper.outcome, row) for row in range(self.num_envs))

    def close_extras(self, **kwargs: Any) -> None:
        """Seals the log, if there is one and this environment started it."""
        self._seal()

    def _mask_info(self) -> dict[str, Any]:
        open_levels = self._stepper.open_levels()
        if open_levels is None:
            return {}
        return {"action_mask": open_levels.astype(np.int8), "_action_mask": np.ones(self.num_envs, bool)}


class DesignVectorEnv(_VectorEnv):
    """N copies of ``DesignEnv`` in lock-step.

    Description:
        As ``archgym.env.DesignEnv``.  A step evaluates N designs in one batch and has no loop over environments.  All copies
        share one evaluator, so one budget and one log, in which the designs of a step stand in the order of the copies.

    Action Space:
        Per copy ``MultiDiscrete(nvec)``; batched (N, D).

    Observation Space:
        Per copy as ``DesignEnv``; batched (N, D + M + 7) float32.

    Rewards:
        (N,) float64, as ``DesignEnv``.

    Starting State:
        All zeros.

    Episode End:
        As ``DesignEnv``, for all copies in the same step.  Autoreset is SAME_STEP: the step that ends an episode returns the
        first observation of the next one, and no action is ever dropped.  ``infos["final_obs"]`` (object array of N
        observations) and ``infos["final_info"]`` hold what the episode ended with.

    Information:
        As ``DesignEnv``, in arrays of N: ``infos["metrics"]["latency_ns"]``, ``infos["design"]["x0"]``, ``infos["status"]``,
        ``infos["score"]``, ``infos["reason"]``; as everywhere in Gymnasium a key with an underscore before it masks the copies
        that have a value.  They tell of this step's designs, also in the step that ends an episode.  Metrics that have no
        value are NaN.

    Arguments:
        Of ``gym.make_vec``: see ``make_vector_env``.  Of this class:

        | Parameter | Type | Default | Description |
        |-----------|------|---------|-------------|
        | ``evaluator`` | Evaluator | | every design goes through it |
        | ``num_envs`` | int | 1 | N |
        | ``steps`` | int | 1 | designs per episode and copy |
        | ``render_mode`` | str or None | None | "ansi": ``render`` gives N texts |
        | ``max_episode_steps`` | int or None | None | truncates episodes after so many actions; None or -1: never |
        | ``owns_log`` | bool | False | whether ``close`` seals the evaluator's log |

    Vectorized environment:
        This is it.  ``vectorization_mode="sync"`` or ``"async"`` gives Gymnasium's instead: one simulator call per copy, and a
        budget for each.

    Version History:
        v0: first version.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        num_envs: int = 1,
        *,
        steps: int = 1,
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
        owns_log: bool = False,
    ) -> None:
        check_count("num_envs", num_envs)
        actions = spaces.MultiDiscrete(evaluator.simulator.space.nvec)
        super().__init__(DesignStepper(evaluator, num_envs, steps), actions, render_mode, max_episode_steps, owns_log)


class SequentialVectorEnv(_VectorEnv):
    """N copies of ``SequentialEnv`` in lock-step: all set the same parameter in the same step.

    Description:
        As ``archgym.env.SequentialEnv``; N designs are evaluated in one batch whenever the last parameter is set.

    Action Space:
        Per copy ``Discrete(L)``; batched (N,).  ``infos["action_mask"]`` is (N, L) int8; ``action_masks()`` is (N, L) bool.

    Observation Space:
        Per copy as ``SequentialEnv``; batched (N, 2 D + M + 7) float32.

    Rewards:
        (N,) float64, as ``SequentialEnv``.

    Starting State:
        As ``SequentialEnv``.

    Episode End:
        As ``SequentialEnv``; autoreset as ``DesignVectorEnv``.  ``infos["action_mask"]`` belongs to the observations returned.

    Arguments:
        As ``DesignVectorEnv``.

    Vectorized environment:
        This is it.

    Version History:
        v0: first version.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        num_envs: int = 1,
        *,
        steps: int = 1,
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
        owns_log: bool = False,
    ) -> None:
        check_count("num_envs", num_envs)
        stepper = SequentialStepper(evaluator, num_envs, steps)
        self._masked = stepper
        super().__init__(stepper, spaces.Discrete(stepper.masks.width), render_mode, max_episode_steps, owns_log)

    def action_masks(self) -> Flags:
        """(N, L) bool, which levels of the next parameter are open."""
        return self._masked.open_levels()


def make_vector_env(
    num_envs: int = 1,
    *,
    simulator: str | Simulator,
    objective: str | Objective | None = None,
    budget: float | None = None,
    log: str | os.PathLike[str] | None = None,
    formulation: Literal["design", "sequential"] = "design",
    steps: int = 1,
    render_mode: str | None = None,
    max_episode_steps: int | None = None,
    **arguments: Any,
) -> DesignVectorEnv | SequentialVectorEnv:
    """Builds a vector environment; what ``gym.make_vec`` calls.

    Args:
        num_envs: designs per step.
        simulator: as ``archgym.env.make_env``, and so are all arguments not listed here.
        objective: what the reward is the score of.
        budget: cost units for all copies together.
        log: folder of one log for all copies.
        formulation: "design" or "sequential".
        steps: designs per episode and copy.
        render_mode: None or "ansi".
        max_episode_steps: truncates episodes after so many actions.
        arguments: what the simulator takes.

    Raises:
        ArchGymError: a name, number or folder that does not fit; the message says what to do.
    """
    check_arguments(formulation, steps, render_mode)
    check_count("num_envs", num_envs)
    check_limit(max_episode_steps)
    evaluator = build_evaluator(simulator, objective, budget, log, arguments)
    built = DesignVectorEnv if formulation == "design" else SequentialVectorEnv
    return built(evaluator, num_envs, steps=steps, render_mode=render_mode, max_episode_steps=max_episode_steps, owns_log=True)


def check_limit(max_episode_steps: int | None) -> None:
    """Raises ``ArgumentError`` unless it is a whole number from 1, or None or -1 for no limit."""
    if max_episode_steps is not None and max_episode_steps != -1:
        check_count("max_episode_steps", max_episode_steps)

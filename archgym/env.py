"""Gymnasium environments around an evaluator: whatever steps them, every design is priced, counted and logged.

``gym.make("archgym/DRAM-v0", workload="random")`` builds one.  ``DesignEnv`` takes a whole design per step,
``SequentialEnv`` one parameter per step; ``archgym.vector_env`` has both for many designs at once.
"""

from __future__ import annotations

import os
from typing import Any, Literal, SupportsFloat

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from archgym.evaluator import Evaluator
from archgym.hosting import RENDER_MODES, Host, build_evaluator, check_arguments, design_info
from archgym.objective import Objective
from archgym.simulator import Simulator
from archgym.stepping import DesignStepper, SequentialStepper, Stepper, describe

Observation = NDArray[np.float32]


class _SingleEnv(Host, gym.Env[Observation, Any]):
    metadata = {"render_modes": list(RENDER_MODES), "render_fps": 1}  # noqa: RUF012 - Gymnasium's own form

    def __init__(self, stepper: Stepper, render_mode: str | None, owns_log: bool) -> None:
        self._host(stepper, render_mode, owns_log)
        self.render_mode = render_mode
        self.observation_space = spaces.Box(0.0, 1.0, (len(stepper.names),), np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Observation, dict[str, Any]]:
        """Starts an episode; evaluates nothing, so it costs no budget.  ``options`` are ignored."""
        super().reset(seed=seed)
        return self._stepper.start()[0], self._mask_info()

    def step(self, action: Any) -> tuple[Observation, SupportsFloat, bool, bool, dict[str, Any]]:
        """Takes one action.  A step after the end of an episode starts the next one: no action is ever dropped.

        Raises:
            DesignError: an action of wrong shape, type or range.
            BudgetExhausted: the budget does not cover the design; nothing was evaluated.
        """
        turn = self._stepper.step(np.asarray(action)[None])
        info = {**design_info(self.evaluator, turn.outcome), **self._mask_info()}
        return turn.features[0], float(turn.scores[0]), turn.finished, False, info

    def render(self) -> Any:
        """The last design and its metrics as text, with ``render_mode="ansi"``; otherwise None."""
        return describe(self.evaluator, self._stepper.outcome) if self.render_mode == "ansi" else None

    def close(self) -> None:
        """Seals the log, if there is one and this environment started it."""
        self._seal()

    def _mask_info(self) -> dict[str, Any]:
        open_levels = self._stepper.open_levels()
        return {} if open_levels is None else {"action_mask": open_levels[0].astype(np.int8)}


class DesignEnv(_SingleEnv):
    """One step proposes one whole design.

    Description:
        A hardware design problem: choose a level for each of D parameters of a simulator so that an objective is best.  The
        problem itself, its parameters, metrics and workloads, is documented by ``type(env.unwrapped.simulator)``.

    Action Space:
        ``MultiDiscrete(nvec)``: per parameter, in the order of ``simulator.space.names``, the index of its level.

    Observation Space:
        ``Box(0, 1, (D + M + 7,), float32)``, M metrics, named by ``env.unwrapped.observation_names``:

        | Num | Observation | Min | Max |
        |-----|-------------|-----|-----|
        | 0 .. D-1 | last design: (level + 1/2) / levels | 0 | 1 |
        | D .. D+M-1 | its metrics; 0 where it has none | 0 | 1 |
        | D+M | by how much it is INVALID: v / (1 + v) | 0 | 1 |
        | D+M+1 .. D+M+5 | its status: OK, INVALID, FAILED, TIMEOUT, SUSPECT, one of which is 1 | 0 | 1 |
        | D+M+6 | share of the episode's designs that were proposed | 0 | 1 |

        A metric whose bounds are at most 1000 apart is scaled from them linearly, any other one on the scale
        sign(x) log(1 + |x|), where a bound that is not declared counts as 1e15; values beyond are clipped.

    Rewards:
        The score of the design under the objective: larger is better, minus the metric for one to be minimised; for a
        design that is not OK, a number below that of every OK design.  It is the number that searches report, so its size is
        that of the metric, and that of a bad design depends on the metric's bounds: a learner may want to rescale it.

    Starting State:
        All zeros: no design yet.  Nothing is random, so ``reset(seed=...)`` reproduces trivially.

    Episode End:
        Terminates after ``steps`` designs; never truncates.

    Information:
        ``design`` (name -> value), ``metrics`` (name -> float; empty for a design that could not be priced), ``status``
        ("OK", ...), ``score``, and ``reason`` if the status is not OK.

    Arguments:
        Of ``gym.make``: see ``make_env``.  Of this class:

        | Parameter | Type | Default | Description |
        |-----------|------|---------|-------------|
        | ``evaluator`` | Evaluator | | every design goes through it |
        | ``steps`` | int | 1 | designs per episode |
        | ``render_mode`` | str or None | None | "ansi": ``render`` gives the last design as text |
        | ``owns_log`` | bool | False | whether ``close`` seals the evaluator's log |

    Vectorized environment:
        ``gym.make_vec(id, num_envs=N)`` gives ``archgym.vector_env.DesignVectorEnv``: N designs per simulator call.

    Version History:
        v0: first version.
    """

    def __init__(
        self, evaluator: Evaluator, *, steps: int = 1, render_mode: str | None = None, owns_log: bool = False
    ) -> None:
        super().__init__(DesignStepper(evaluator, 1, steps), render_mode, owns_log)
        self.action_space = spaces.MultiDiscrete(evaluator.simulator.space.nvec)


class SequentialEnv(_SingleEnv):
    """One step sets one parameter; the design is evaluated when the last one is set.

    Description:
        The problem of ``DesignEnv`` as a sequence of D decisions, in the order of ``simulator.space.names``, with masks of
        what is open.

    Action Space:
        ``Discrete(L)``, L levels of the longest parameter: the level of the parameter that is next.  ``info["action_mask"]``
        (int8, as ``action_space.sample(mask)`` takes it) and ``action_masks()`` (bool, as MaskablePPO takes it) tell which
        are open.  Masked are levels that the parameter does not have, and levels after which every completion breaks a
        constraint of the space; the latter is found by enumeration, from the first parameter on after which at most
        16,384 completions remain, and is left open before.  Where nothing is open any more, every level of the parameter is.

        A masked action is allowed: a level that does not exist is taken modulo the parameter's number of levels, so that a
        learner without masks reaches all of them alike; one that cannot lead to a valid design is set, and the design
        comes out INVALID.

    Observation Space:
        ``Box(0, 1, (2 D + M + 7,), float32)``, named by ``env.unwrapped.observation_names``:

        | Num | Observation | Min | Max |
        |-----|-------------|-----|-----|
        | 0 .. D-1 | parameters set so far: (level + 1/2) / levels; 0 where not set | 0 | 1 |
        | D .. D+M+5 | metrics, violation and status of the episode's last complete design, as in ``DesignEnv`` | 0 | 1 |
        | D+M+6 | share of the episode's designs that are complete | 0 | 1 |
        | D+M+7 .. 2D+M+6 | which parameter is next: one is 1; none at the end of the episode | 0 | 1 |

        Right after the last parameter the first D numbers show the complete design.

    Rewards:
        Zero until the last parameter is set, then the design's score as in ``DesignEnv``.

    Starting State:
        No parameter set, no design yet, the first parameter next.  Nothing is random.

    Episode End:
        Terminates after ``steps`` designs, that is ``steps`` x D actions; never truncates.

    Information:
        ``action_mask`` always; when a design is complete also everything that ``DesignEnv`` gives.

    Arguments:
        As ``DesignEnv``; ``gym.make(id, formulation="sequential")`` builds it.

    Vectorized environment:
        ``gym.make_vec(id, num_envs=N, formulation="sequential")`` gives ``archgym.vector_env.SequentialVectorEnv``.

    Version History:
        v0: first version.
    """

    def __init__(
        self, evaluator: Evaluator, *, steps: int = 1, render_mode: str | None = None, owns_log: bool = False
    ) -> None:
        stepper = SequentialStepper(evaluator, 1, steps)
        super().__init__(stepper, render_mode, owns_log)
        self._masked = stepper
        self.action_space = spaces.Discrete(stepper.masks.width)

    def action_masks(self) -> NDArray[np.bool_]:
        """(L,) bool, which levels of the next parameter are open."""
        return np.array(self._masked.open_levels()[0])


def make_env(
    *,
    simulator: str | Simulator,
    objective: str | Objective | None = None,
    budget: float | None = None,
    log: str | os.PathLike[str] | None = None,
    formulation: Literal["design", "sequential"] = "design",
    steps: int = 1,
    render_mode: str | None = None,
    **arguments: Any,
) -> DesignEnv | SequentialEnv:
    """Builds an environment; what ``gym.make`` calls.

    Args:
        simulator: a name that ``list_simulators`` gives (the environment's id sets it), or a simulator.
        objective: see ``archgym.objective``; the simulator's first metric by default.
        budget: cost units, one per design; a step beyond raises ``BudgetExhausted``.  None for no limit.
        log: folder for a trial log as ``archgym.search`` writes it, with agent "external" and no seed, because what
            proposes the designs is not known here.  ``close`` seals it; it is readable without that, too.
        formulation: "design" for ``DesignEnv``, "sequential" for ``SequentialEnv``.
        steps: designs per episode.
        render_mode: None or "ansi".
        arguments: what the simulator takes: ``workload`` and so on.

    Raises:
        ArchGymError: a name, number or folder that does not fit; the message says what to do.
    """
    check_arguments(formulation, steps, render_mode)
    evaluator = build_evaluator(simulator, objective, budget, log, arguments)
    built = DesignEnv if formulation == "design" else SequentialEnv
    return built(evaluator, steps=steps, render_mode=render_mode, owns_log=True)

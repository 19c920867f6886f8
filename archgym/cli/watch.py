"""Live progress of a run: designs done, designs per second, best score so far, time left."""

from __future__ import annotations

import signal
from time import monotonic
from types import FrameType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from archgym.cli.show import number
from archgym.evaluator import Evaluator

STARTING = "starting; the first run on a machine may compile the model"
REFRESH_SECONDS = 0.05
TEXT_WIDTH = 75
"""Columns of the terminal that the words beside the bar take, about."""
LINES = 10
"""Where the output is not a terminal, about this many plain lines are printed instead of a moving bar."""


class Watch:
    """Follows one run; an instance is the ``progress`` argument of ``search`` and ``resume``.

    It also makes sure that Ctrl-C ends the run even if a library swallows the exception that the signal raises.

    Attributes:
        trials: designs evaluated so far; budget: in cost units.
    """

    def __init__(self, title: str, budget: float, quiet: bool = False) -> None:
        self.trials = 0
        self.budget = budget
        self._title, self._quiet = title, quiet
        self._console = Console(stderr=True)
        bar = BarColumn(max(6, min(24, self._console.width - TEXT_WIDTH)))
        columns = (TextColumn("{task.description}"), bar, TextColumn("{task.fields[state]}"))
        self._progress = Progress(*columns, console=self._console, disable=quiet or not self._console.is_terminal)
        self._task = self._progress.add_task(title, total=budget, state=STARTING)
        self._first: tuple[float, int, float] | None = None  # time, trials, spent: after the first batch that was simulated
        self._drawn = 0.0
        self._lines = 0
        self._asked = False
        self._previous: Any = None

    def __enter__(self) -> Self:
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._previous = signal.signal(signal.SIGINT, self._interrupt)
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    def __call__(self, evaluator: Evaluator) -> None:
        """Takes note of a finished batch."""
        if self._asked:
            raise KeyboardInterrupt
        self.trials = evaluator.trials
        if self._quiet:
            return
        now = monotonic()
        if self._first is None and evaluator.replayed:
            self._first = (now, evaluator.trials, evaluator.spent)
        if self._console.is_terminal:
            if now - self._drawn > REFRESH_SECONDS or evaluator.remaining <= 0:
                self._drawn = now
                self._progress.update(self._task, completed=evaluator.spent, state=self._state(evaluator, now))
        elif int(LINES * evaluator.spent / self.budget) > self._lines:
            self._lines = int(LINES * evaluator.spent / self.budget)
            self._console.print(f"{self._title}: {self._state(evaluator, now)}", markup=False, highlight=False, soft_wrap=True)

    def _state(self, evaluator: Evaluator, now: float) -> str:
        parts = [f"{evaluator.trials:,} designs"]
        if evaluator.spent != evaluator.trials:
            parts.append(f"{evaluator.spent:,.0f} of {self.budget:,.0f} budget units")
        if evaluator.best_design is not None:
            parts.append(f"best {number(evaluator.best_score)}")
        if self._first is None:
            parts.append("read from the log")
        elif now > self._first[0] and evaluator.trials > self._first[1]:
            seconds = now - self._first[0]
            parts.append(f"{number((evaluator.trials - self._first[1]) / seconds)}/s")
            left = evaluator.remaining * seconds / (evaluator.spent - self._first[2])
            if evaluator.remaining > 0:
                parts.append(f"{_duration(left)} left")
        return ", ".join(parts)

    def _interrupt(self, signum: int, frame: FrameType | None) -> None:
        self._asked = True
        raise KeyboardInterrupt


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

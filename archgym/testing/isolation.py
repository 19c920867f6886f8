"""Two ways to show that results follow from the seed alone: another process, and no global random numbers."""

from __future__ import annotations

import os
import pickle
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from unittest.mock import patch

import numpy as np

Returned = TypeVar("Returned")

# What the function prints goes to the error stream, so that only the pickled answer is on standard output.
_CHILD = """
import os, pickle, sys
answer = os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)
sys.path[:] = pickle.load(sys.stdin.buffer)
function, arguments = pickle.load(sys.stdin.buffer)
answer.write(pickle.dumps(function(*arguments)))
"""


_UNBOUND = ("seed", "sample", "ranf")
"""Legacy functions of ``numpy.random`` that are no methods of its hidden generator."""


def in_another_process(function: Callable[..., Returned], *arguments: Any) -> Returned:
    """Calls a function in a fresh interpreter, whose string hashes differ from those of this one.

    Args:
        function: a function or class that can be imported by name.
        arguments: what it takes; everything must pickle.

    Raises:
        RuntimeError: the call failed there; the message is what the other process printed.
        pickle.PicklingError: function or arguments cannot be sent.
    """
    payload = pickle.dumps(sys.path) + pickle.dumps((function, arguments))
    environment = {**os.environ, "PYTHONHASHSEED": str(1 + os.getpid() % 1000)}
    finished = subprocess.run([sys.executable, "-c", _CHILD], input=payload, capture_output=True, env=environment, check=False)
    if finished.returncode:
        raise RuntimeError(f"the call failed in another process:\n{finished.stderr.decode(errors='replace')}")
    returned: Returned = pickle.loads(finished.stdout)
    return returned


@contextmanager
def no_global_rng() -> Iterator[None]:
    """Within it every function of ``random`` and every legacy function of ``numpy.random`` raises.

    Raises:
        RuntimeError: such a function was called, or (on leaving) a global state moved all the same.
    """
    import rich.style  # noqa: F401 - draws a number when it is first imported, which some agent's library may do

    legacy = [name for name in dir(np.random) if _bound_to(np.random, name, np.random.mtrand.RandomState)]
    standard = [name for name in dir(random) if _bound_to(random, name, random.Random)]
    before = _global_states()
    replaced = [(np.random, name) for name in (*legacy, *_UNBOUND)] + [(random, name) for name in standard]
    patches = [patch.object(module, name, _forbidden(f"{module.__name__}.{name}")) for module, name in replaced]
    for each in patches:
        each.start()
    try:
        yield
    finally:
        for each in patches:
            each.stop()
    if _global_states() != before:
        raise RuntimeError("a global random state moved; draw from a numpy.random.Generator made from the given seed")


def _bound_to(module: object, name: str, owner: type) -> bool:
    return not name.startswith("_") and isinstance(getattr(getattr(module, name), "__self__", None), owner)


def _global_states() -> tuple[Any, bytes, int]:
    _, keys, position, *_ = np.random.get_state(legacy=True)
    return random.getstate(), np.asarray(keys).tobytes(), int(position)


def _forbidden(name: str) -> Callable[..., Any]:
    def raises(*_: Any, **__: Any) -> Any:
        raise RuntimeError(f"{name} draws from a global state; draw from a numpy.random.Generator made from the given seed")

    return raises

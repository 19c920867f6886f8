"""The evaluator behind a name."""

from __future__ import annotations

from archgym.errors import ArgumentError, UnknownNameError
from simulators.asic.accuracy.interface import Accuracy

EVALUATORS = {
    "trained": "networks are trained on digits pasted on photographs",
    "directory": "networks are trained on data sets in a folder",
    "surrogate": "a formula",
}


def make_accuracy(name: str, data: str | None) -> Accuracy:
    """Builds an evaluator.

    Args:
        name: a key of ``EVALUATORS``.
        data: folder of the data sets for "directory", else None.

    Raises:
        UnknownNameError: no such evaluator.
        ArgumentError: a folder missing, or given to an evaluator that has none.
        ImageDataError: a folder that does not hold the data sets.
    """
    if name not in EVALUATORS:
        raise UnknownNameError("accuracy evaluator", name, EVALUATORS, owner="asic")
    if (name == "directory") != (data is not None):
        raise ArgumentError("asic: data=FOLDER goes with accuracy='directory', and only with it")
    if name == "surrogate":
        from simulators.asic.accuracy.surrogate import Surrogate

        return Surrogate()
    if name == "trained":
        from simulators.asic.accuracy.trained import Trained

        return Trained()
    from simulators.asic.accuracy.directory import Directory

    return Directory(str(data))

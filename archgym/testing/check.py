"""What a conformance check is, and how its failure reads."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from archgym.errors import ArchGymError, MissingExtraError, UnknownNameError

Subject = TypeVar("Subject")


class ConformanceError(ArchGymError, AssertionError):
    """A plug-in that fails a conformance check.

    Attributes:
        check: name of the check.
        expected: what the contract asks for.
        got: what the plug-in did.
    """

    def __init__(self, who: str, check: str, expected: str, got: str) -> None:
        super().__init__(f"{who} fails the check {check!r}: expected {expected}; got {got}")
        self.check, self.expected, self.got = check, expected, got


class Mismatch(Exception):
    """Raised by the body of a check; ``Check.run`` adds who and which check."""

    def __init__(self, expected: str, got: object) -> None:
        super().__init__(f"expected {expected}; got {got}")
        self.expected, self.got = expected, str(got)


def expect(condition: object, expected: str, got: object) -> None:
    """Ends the check unless ``condition`` is true."""
    if not condition:
        raise Mismatch(expected, got)


@dataclass(frozen=True)
class Check(Generic[Subject]):
    """One named rule of a contract.

    Attributes:
        name: what reports and pytest call it.
        doc: the rule in one line.
        body: raises ``Mismatch`` (or anything else) if the subject breaks the rule.
    """

    name: str
    doc: str
    body: Callable[[Subject], None]

    def run(self, subject: Subject) -> None:
        """Returns if the subject keeps the rule.

        Raises:
            ConformanceError: it does not, or it raised an exception on the way (which is then the cause).
            MissingExtraError: it needs a library that is not installed, so nothing can be said.
        """
        who = str(getattr(subject, "name", subject))
        try:
            self.body(subject)
        except MissingExtraError:
            raise
        except Mismatch as mismatch:
            raise ConformanceError(who, self.name, mismatch.expected, mismatch.got) from mismatch.__cause__
        except Exception as error:
            raise ConformanceError(who, self.name, "no exception", f"{type(error).__name__}: {error}") from error

    def __str__(self) -> str:
        return self.name


def run_all(checks: Sequence[Check[Any]], subject: object, skip: Collection[str] = ()) -> None:
    """Runs checks in order and stops at the first failure.

    Raises:
        ConformanceError: a rule that the subject breaks.
        UnknownNameError: ``skip`` names a check that does not exist.
    """
    names = [check.name for check in checks]
    for name in skip:
        if name not in names:
            raise UnknownNameError("check", name, names)
    for check in checks:
        if check.name not in skip:
            check.run(subject)

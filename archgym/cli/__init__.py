"""The command line: ``archgym list | run | resume | check | explain | export | demo`` and others (``archgym --help``).

Nothing but the standard library is imported before ``main`` runs, so that an interrupt while libraries load is caught too.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from archgym.errors import ArchGymError

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


class UsageError(ArchGymError, ValueError):
    """Words of the command line that cannot be read."""


class Interrupted(Exception):
    """Ctrl-C, with a message that says where the log is and how to go on."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: the words after ``archgym``; those of this process by default.

    Returns:
        The exit code: 0, 1 where a check failed, 2 for bad input, 130 for Ctrl-C.
    """
    try:
        from archgym.cli.app import app

        app(args=list(sys.argv[1:] if arguments is None else arguments), prog_name="archgym")
    except SystemExit as stop:
        if stop.code == EXIT_INTERRUPTED:  # the parser's own answer to Ctrl-C, which says nothing
            return _say("interrupted", EXIT_INTERRUPTED)
        return stop.code if isinstance(stop.code, int) else 0 if stop.code is None else EXIT_BAD_INPUT
    except Interrupted as interrupted:
        return _say(str(interrupted), EXIT_INTERRUPTED)
    except KeyboardInterrupt:
        return _say("interrupted", EXIT_INTERRUPTED)
    except (ArchGymError, OSError) as error:
        return _say(str(error), EXIT_BAD_INPUT)
    return 0


def _say(message: str, code: int) -> int:
    print(f"archgym: {' '.join(message.split())}", file=sys.stderr)
    return code

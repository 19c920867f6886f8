"""What a command said, whether it ran in this process or in one of its own."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    code: int
    out: str
    err: str

    def refuses(self, *words: str, code: int = 2) -> None:
        """Asserts one clear line on stderr that holds all words, the exit code, and no traceback."""
        assert self.code == code, self
        assert "Traceback" not in self.err + self.out, self
        complaints = [line for line in self.err.splitlines() if line.startswith("archgym: ")]
        assert len(complaints) == 1, self
        for word in words:
            assert word in complaints[0], complaints[0]


def finish(child: subprocess.Popen[str]) -> Answer:
    """Waits for a process."""
    out, err = child.communicate()
    return Answer(child.returncode, out, err)

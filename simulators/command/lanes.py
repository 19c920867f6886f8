"""The parent's end of lanes: starts them, hands them out to threads, and survives their death."""

from __future__ import annotations

import json
import os
import secrets
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from archgym.errors import ContractError
from simulators.command.scratch import Scratch

HEAD, TAIL = 4 << 20, 12 << 20
"""Bytes of a program's output that are read: all of it, or its beginning and its end where it is longer."""
FAREWELL = 15.0
"""Seconds that a lane gets to kill what it runs, and to answer or end."""
LONGEST = 1e6
"""Seconds that anything is waited for at a time."""
MARK = "ARCHGYM_LANE"
"""Environment variable that tells the processes of a lane, so that they are found when the lane itself was killed."""


class Stopped(KeyboardInterrupt):
    """The lane was closed while a program ran in it; the evaluation has no result, and is not to be tried again."""


@dataclass(frozen=True)
class Limits:
    """What the programs of one evaluation may use.

    Attributes:
        seconds: wall-clock time of all commands together.
        memory: MiB of resident memory of the whole process tree, or None.
        file_size: MiB of the largest file.
    """

    seconds: float
    memory: int | None
    file_size: int


@dataclass(frozen=True)
class Outcome:
    """How the commands of one evaluation ended; it speaks of the last one that ran.

    Attributes:
        ended: how: by itself, at a limit, never started, or unknown because the lane was lost.
        code: exit code; None if it was killed or never ran.
        signal: number of the signal that ended it, or None.
        leftovers: processes that it left running; they were killed.
        detail: why it could not be started.
        seconds: of all commands; times: of each that ran.
        stdout, stderr: what all commands printed, bytes that are not UTF-8 replaced; the middle of much is left out.
    """

    ended: Literal["exited", "timeout", "memory", "unstartable", "lost"]
    code: int | None = None
    signal: int | None = None
    leftovers: int = 0
    detail: str = ""
    seconds: float = 0.0
    times: tuple[float, ...] = ()
    stdout: str = ""
    stderr: str = ""


class Lane:
    """Runs one evaluation at a time in a process of its own (``lane.py``), started at first use and again if it dies.

    Args:
        base: folder for its scratch; a room below the temporary folder by default.
    """

    def __init__(self, base: Path | None = None) -> None:
        self._base = base
        self._scratch: Scratch | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._mark = ""
        self._closed = False
        self._lock = threading.Lock()  # between a thread that starts the process and one that closes the lane

    def run(
        self,
        commands: Sequence[Sequence[str]],
        folder: Path,
        output: Path,
        environment: Mapping[str, str],
        limits: Limits,
        exit_codes: Sequence[int] = (0,),
    ) -> Outcome:
        """Runs commands one after the other; the first that does not end well is the last.

        Args:
            commands: argument lists; a program without a slash is looked for along ``PATH`` of ``environment``.
            folder: working folder.
            output: folder in which the files ``stdout`` and ``stderr`` are written.
            environment: all of the programs' environment.
            limits: what they may use.
            exit_codes: those after which the next command runs.

        Raises:
            Stopped: the lane was closed.
        """
        process = self._started()
        request = {
            "commands": [list(command) for command in commands],
            "folder": str(folder),
            "stdout": str(output / "stdout"),
            "stderr": str(output / "stderr"),
            "environment": {**environment, MARK: self._mark},
            "seconds": limits.seconds,
            "memory": limits.memory,
            "file_size": limits.file_size,
            "exit_codes": list(exit_codes),
        }
        try:
            answer = self._ask(process, json.dumps(request).encode() + b"\n", limits.seconds + FAREWELL)
        except BaseException:
            self._end()
            raise
        answer["times"] = tuple(answer.get("times", ()))
        return Outcome(**answer, stdout=_read(output / "stdout"), stderr=_read(output / "stderr"))

    def close(self) -> None:
        """Kills what runs and ends the process; a ``run`` in another thread raises ``Stopped``."""
        with self._lock:
            self._closed = True
        self._end()
        if self._scratch is not None:
            self._scratch.remove()

    @property
    def scratch(self) -> Scratch:
        """The folders that its evaluations work in; made when first asked for, and again where somebody removed them."""
        if self._scratch is None or not self._scratch.work.is_dir():
            self._scratch = Scratch(self._base)
        return self._scratch

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called: it runs nothing any more."""
        return self._closed

    @property
    def process(self) -> int | None:
        """Process number of the lane; None while it is not running."""
        return self._process.pid if self._process else None

    def _started(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._closed:
                raise Stopped("the lane is closed")
            if not hasattr(os, "pidfd_open"):
                raise ContractError("command: programs are run by means of Linux (pidfd, subreapers); this is another system")
            if self._process is None:
                self._mark = f"{os.getpid()}-{secrets.token_hex(8)}"
                script = Path(__file__).with_name("lane.py")
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", "-X", "utf8", str(script), str(os.getpid())],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    bufsize=0,
                    cwd="/",
                    env={"PATH": os.defpath},
                    start_new_session=True,  # Ctrl-C of the terminal is for archgym, which tells its lanes
                )
            return self._process

    def _ask(self, process: subprocess.Popen[bytes], request: bytes, patience: float) -> dict[str, Any]:
        assert process.stdin is not None and process.stdout is not None
        heard = b""
        answers = select.poll()
        answers.register(process.stdout, select.POLLIN)
        try:
            rest = memoryview(request)
            while rest:
                rest = rest[process.stdin.write(rest) or 0 :]
            if not answers.poll(1e3 * min(patience, LONGEST)):
                process.kill()  # a program has stopped it
            while not heard.endswith(b"\n") and (read := process.stdout.read(1 << 16)):
                heard += read
        except (OSError, ValueError):  # a broken pipe; a pipe that ``close`` has closed
            heard = b""
        if heard.endswith(b"\n"):
            answer: dict[str, Any] = json.loads(heard)
            return answer
        if self._closed:
            raise Stopped("the lane was closed")
        self._end()
        return {"ended": "lost"}

    def _end(self) -> None:
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()  # the lane kills what it runs, and ends
        try:
            killed = process.wait(FAREWELL) != 0
        except subprocess.TimeoutExpired:
            process.kill()
            killed = process.wait() != 0
        process.stdout.close()
        if killed:
            kill_marked(self._mark)


class Lanes:
    """Hands lanes out to threads; thread-safe, and safe to inherit by a forked process, which starts lanes of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._owner = os.getpid()
        self._free: list[Lane] = []
        self._busy: set[Lane] = set()

    @contextmanager
    def lane(self) -> Iterator[Lane]:
        """A lane for one evaluation."""
        with self._lock:
            if self._owner != os.getpid():
                self._forget()
            lane = self._free.pop() if self._free else Lane()
            self._busy.add(lane)
        try:
            yield lane
        finally:
            with self._lock:
                if lane in self._busy:
                    self._busy.remove(lane)
                    self._free.append(lane)

    def close(self) -> None:
        """Kills what runs, and ends all lanes; whoever asks for one afterwards gets a new one."""
        with self._lock:
            if self._owner != os.getpid():
                return
            lanes = [*self._free, *self._busy]
            self._forget()
        for lane in lanes:
            lane.close()


def kill_marked(mark: str) -> None:
    """Kills every process whose environment says that it belongs to a lane that was lost."""
    wanted = f"{MARK}={mark}".encode()
    for _ in range(10):  # one that is just forking is found in the next round
        found = [number for number in os.listdir("/proc") if number.isdigit() and wanted in _environment(number)]
        if not found:
            return
        for number in found:
            try:
                os.kill(int(number), signal.SIGKILL)
            except ProcessLookupError:
                continue


def _environment(process: str) -> list[bytes]:
    try:
        return Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _read(path: Path) -> str:
    """What a program printed; of much, the beginning and the end."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    with open(number, "rb") as file:
        size = os.fstat(number).st_size
        if size <= HEAD + TAIL:
            return file.read(HEAD + TAIL).decode("utf-8", "replace")
        begin = file.read(HEAD)
        file.seek(size - TAIL)
        left_out = f"\n[{size - HEAD - TAIL:,} bytes left out]\n".encode()
        return (begin + left_out + file.read(TAIL)).decode("utf-8", "replace")

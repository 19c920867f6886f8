"""A lane: a small process of its own that runs programs one after the other and leaves none of their processes behind.

It is started as a script, ``python -I -S lane.py PARENT``, takes one JSON line per evaluation on stdin and answers with one
on stdout; it uses the standard library only and a single thread.  ``simulators/command/lanes.py`` is the other end.

* It is a child subreaper: a process whose parent ends, whatever session it moved to, becomes the lane's own child.
* Every program gets a session and a process group of its own, and dies with the lane.
* When archgym ends, however it ends, the lane kills what runs and ends too.

A request has ``commands`` (lists of words), ``folder`` (working folder), ``environment``, ``stdout`` and ``stderr`` (files),
``seconds`` (all commands together), ``memory`` (MiB or null), ``file_size`` (MiB) and ``exit_codes`` that let the next
command run.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import select
import signal
import sys
from time import monotonic, sleep
from typing import Any

FIRST_LOOK, LOOK = 0.02, 0.05
"""Seconds until the memory of a program is looked at first, and from then on."""
PATIENCE = 0.5
"""Seconds between a time-out's SIGTERM and SIGKILL, and for helpers to end after their program has."""
STUBBORN = 10.0
"""Seconds after which a process that does not die of SIGKILL (it hangs in the kernel) is given up."""
MEBI = 1 << 20
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
CHANGED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT)


class Keeper:
    """The state of this process: who its parent is, and what it waits for."""

    def __init__(self, parent: int) -> None:
        self.parent = os.pidfd_open(parent)
        if os.getppid() != parent:
            raise ProcessLookupError(f"process {parent} ended before its lane began")
        self.pid = os.getpid()
        self.null = os.open(os.devnull, os.O_RDWR)
        self.page = os.sysconf("SC_PAGE_SIZE")
        self.control = ctypes.CDLL(None, use_errno=True).prctl
        if self.control(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "cannot become a subreaper")
        self.listed = os.path.exists(f"/proc/self/task/{self.pid}/children")
        self.events = select.poll()
        self.events.register(0, select.POLLIN)
        self.events.register(self.parent, select.POLLIN)

    def serve(self) -> None:
        """Answers requests until the parent hangs up."""
        waiting = b""
        while True:
            while b"\n" not in waiting:
                if self.parent in {ready for ready, _ in self.events.poll()}:
                    return
                read = os.read(0, 1 << 16)
                if not read:
                    return
                waiting += read
            line, _, waiting = waiting.partition(b"\n")
            answer = memoryview(json.dumps(self.run(json.loads(line))).encode() + b"\n")
            while answer:
                answer = answer[os.write(1, answer) :]

    def run(self, request: dict[str, Any]) -> dict[str, Any]:
        """Runs the commands of one request until one of them does not end well."""
        appending = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        outputs: list[int] = []
        answer: dict[str, Any] = {"ended": "exited", "code": None, "signal": None, "leftovers": 0, "detail": "", "times": []}
        begin = monotonic()
        try:
            outputs += [os.open(request[name], appending, 0o600) for name in ("stdout", "stderr")]
            for command in request["commands"]:
                start = monotonic()
                self.run_one(command, request, outputs, begin + request["seconds"], answer)
                answer["times"].append(monotonic() - start)
                if answer["ended"] != "exited" or answer["code"] not in request["exit_codes"]:
                    break
        except OSError as error:  # no room for the output, no process left
            answer.update(ended="unstartable", detail=str(error.strerror))
        finally:
            for output in outputs:
                os.close(output)
        answer["seconds"] = monotonic() - begin
        return answer

    def run_one(
        self, command: list[str], request: dict[str, Any], outputs: list[int], deadline: float, answer: dict[str, Any]
    ) -> None:
        """Runs one command and writes into the answer how it ended."""
        program, failure = self.start(command, request, outputs)
        limit = request["memory"] * MEBI if request["memory"] else None
        exited = os.pidfd_open(program)
        self.events.register(exited, select.POLLIN)
        try:
            ended = self.wait(exited, deadline, limit)
            if ended == "timeout":
                self.terminate(program, exited)
        finally:
            self.events.unregister(exited)
            os.close(exited)
        if ended != "exited":
            self.kill_all()
        _, status, usage = os.wait4(program, 0)
        problem = os.read(failure, 1000).decode(errors="replace")
        os.close(failure)
        if problem:
            answer.update(ended="unstartable", detail=problem)
            return
        if limit and ended == "exited" and usage.ru_maxrss * 1024 > limit:
            ended = "memory"  # it rose and fell between two looks
        code = os.waitstatus_to_exitcode(status)
        answer.update(ended=ended, code=code if code >= 0 else None, signal=-code if code < 0 else None)
        answer["leftovers"] += self.clear(PATIENCE if ended == "exited" else 0.0)

    def start(self, command: list[str], request: dict[str, Any], outputs: list[int]) -> tuple[int, int]:
        """Starts a program; its process number, and a pipe that says why it could not be started, if it could not."""
        reading, writing = os.pipe()
        program = os.fork()
        if program == 0:
            try:
                self.become(command, request, outputs)
            except BaseException as error:  # whatever it is, this copy of the lane must not go on
                os.write(writing, (getattr(error, "strerror", None) or str(error) or repr(error)).encode()[:1000])
            finally:
                os._exit(127)
        os.close(writing)  # the program's end closes when it takes over
        return program, reading

    def become(self, command: list[str], request: dict[str, Any], outputs: list[int]) -> None:
        """Turns this copy of the lane into the program; returns only by an exception."""
        os.setsid()
        self.control(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != self.pid:
            raise ProcessLookupError("the lane has ended")
        for number in CHANGED_BY_PYTHON:
            signal.signal(number, signal.SIG_DFL)
        for target, source in enumerate((self.null, *outputs)):
            os.dup2(source, target)
        os.chdir(request["folder"])
        _restrict(resource.RLIMIT_CORE, 0)
        _restrict(resource.RLIMIT_FSIZE, request["file_size"] * MEBI)
        if request["memory"]:
            # Address space that is only set aside counts here, so this stops what would fill the machine between two
            # looks, well above the limit itself.
            _restrict(resource.RLIMIT_DATA, 2 * request["memory"] * MEBI + 256 * MEBI)
        os.execvpe(command[0], command, request["environment"])

    def wait(self, exited: int, deadline: float, limit: int | None) -> str:
        """Waits for a program: "exited", "timeout", or "memory"; ends this process where the parent has gone."""
        pause = FIRST_LOOK
        while True:
            left = deadline - monotonic()
            if left <= 0:
                return "timeout"
            ready = {number for number, _ in self.events.poll(1e3 * min(left, pause if limit else left, 1e5))}
            if exited in ready:
                return "exited"
            if ready:
                self.abandon()
            if limit and self.exceeds(limit):
                return "memory"
            pause = LOOK

    def terminate(self, program: int, exited: int) -> None:
        """Asks the group of a program to end, and waits a little."""
        os.killpg(program, signal.SIGTERM)
        single = select.poll()
        single.register(exited, select.POLLIN)
        single.poll(1e3 * PATIENCE)

    def abandon(self) -> None:
        """The parent has gone: kills everything and ends."""
        self.kill_all()
        self.clear(0.0)
        os._exit(0)

    def clear(self, patience: float) -> int:
        """Kills what is left of a program; how many processes were still running after ``patience`` seconds."""
        calm = monotonic() + patience
        while self.reap():
            if monotonic() >= calm:
                break
            sleep(0.002)
        else:
            return 0
        found: set[int] = set()
        while self.reap() and monotonic() < calm + STUBBORN:
            found |= self.kill_all()
            sleep(0.001)
        return max(len(found), 1)

    def reap(self) -> bool:
        """Takes note of children that have ended; whether any other is there."""
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return False
        return True

    def kill_all(self) -> set[int]:
        """Kills every descendant, whatever session it is in; returns their numbers."""
        found = self.descendants()
        for process in found:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return found

    def descendants(self) -> set[int]:
        """All processes below this one."""
        found: set[int] = set()
        open_ends = [self.pid]
        while open_ends:
            below = self.children(open_ends.pop())
            open_ends += below - found
            found |= below
        return found

    def children(self, process: int) -> set[int]:
        """The children of one process; none where it has ended."""
        try:
            threads = os.listdir(f"/proc/{process}/task")
        except OSError:
            return set()
        if self.listed:
            return {int(child) for thread in threads for child in _read(f"/proc/{process}/task/{thread}/children").split()}
        # A kernel without lists of children: every process names its parent.
        numbers = [entry for entry in os.listdir("/proc") if entry.isdigit()]
        fields = {number: _read(f"/proc/{number}/stat").rpartition(")")[2].split() for number in numbers}
        return {int(number) for number, found in fields.items() if found and int(found[1]) == process}

    def exceeds(self, limit: int) -> bool:
        """Whether all descendants together hold more than so many bytes of memory."""
        processes = self.descendants()
        sizes = (_read(f"/proc/{process}/statm").split() for process in processes)
        if self.page * sum(int(fields[1]) for fields in sizes if fields) <= limit:
            return False
        return sum(_proportional(process) for process in processes) > limit


def _read(path: str) -> str:
    """A file of /proc, empty where its process has ended."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _proportional(process: int) -> int:
    """Bytes of memory of a process, in which a page that n processes share counts as 1/n."""
    for line in _read(f"/proc/{process}/smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def _restrict(what: int, amount: int) -> None:
    """Sets a limit of this process, within what it may set."""
    most = resource.getrlimit(what)[1]
    amount = amount if most == resource.RLIM_INFINITY else min(amount, most)
    resource.setrlimit(what, (amount, amount))


if __name__ == "__main__":
    try:
        keeper = Keeper(int(sys.argv[1]))
    except ProcessLookupError:
        sys.exit(0)
    keeper.serve()

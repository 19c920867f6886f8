"""Programs that do what programs do: one kind of fault per design, and what becomes of each."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

from archgym.metrics import Status


class Fault(NamedTuple):
    """A kind of fault.

    Attributes:
        kind: in words.
        status: what becomes of the design.
        reason: what its reason contains.
        script: what the program does: lines of a shell script.
    """

    kind: str
    status: Status
    reason: str
    script: str


GOOD = 'echo \'{"latency": 5.0, "power": 2.0}\' > result.json; echo latency 5'
F, T, INVALID = Status.FAILED, Status.TIMEOUT, Status.INVALID
FAULTS = (
    Fault("takes too long", T, "took longer than the time limit", "echo still busy >&2; sleep 60"),
    Fault("takes too long and ignores SIGTERM", T, "took longer than the time limit", "trap '' TERM; sleep 60; sleep 60"),
    Fault("takes too long in a session of its own", T, "took longer than the time limit", "setsid sleep 60 & sleep 60"),
    Fault("crashes", F, "was killed by SIGSEGV; stderr ends: reading netlist", "echo reading netlist >&2; kill -SEGV $$"),
    Fault("aborts and would dump core", F, "was killed by SIGABRT", "ulimit -c unlimited 2> /dev/null; kill -ABRT $$"),
    Fault("exits with an error", F, "exited with 4; stderr ends: no licence", "echo no licence >&2; exit 4"),
    Fault("says that it failed, and exits with 0", F, "says 'internal error'", f"{GOOD}; echo internal error 17"),
    Fault("prints garbage", F, "latency_ns", "echo '{\"power\": 2}' > result.json; echo latency none at all"),
    Fault("prints what is not UTF-8", F, "latency_ns", "head -c 3000 /dev/urandom"),
    Fault("prints without end", F, "was killed by SIGXFSZ (a file larger than disk_limit)", "exec head -c 99999999 /dev/zero"),
    Fault("writes no result", F, "result.json", "echo latency 5"),
    Fault("writes half a result", F, "result.json", 'echo latency 5; printf \'{"latency": 5.0, "po\' > result.json'),
    Fault(
        "gives a number that is not finite",
        F,
        "power_mw is not finite: nan",
        f"{GOOD}; echo '{{\"power\": NaN}}' > result.json",
    ),
    Fault("leaves a process behind", F, "left processes behind, which were killed", f"{GOOD}; setsid sleep 60 &"),
    Fault("fills the disk", F, "No space left on device", f"{GOOD}; cat /dev/zero > /dev/full"),
    Fault("writes a huge file", F, "exited with 153", f"{GOOD}; sh -c 'head -c 99999999 /dev/zero > big'; exit 153"),
    Fault(
        "uses too much memory",
        F,
        "used more than the memory limit of 64 MiB",
        "exec {python} -S -c 'x = bytearray(100 << 20)'",
    ),
    Fault("cannot be found", F, "cannot start no-such-program: No such file or directory", ""),
    Fault("cannot be executed", F, "cannot start ./data.txt: Permission denied", ""),
    Fault("is given a value that does not exist", F, "sizes.txt", ""),
    Fault("says that the design is invalid, by its exit code", INVALID, "which means an invalid design", "exit 3"),
    Fault("says that the design is invalid, in words", INVALID, "says 'does not fit'", "echo the buffer does not fit; exit 1"),
    Fault(
        "kills the process that runs it", F, "lost: the process that runs the programs was killed", "kill -9 $PPID; sleep 60"
    ),
)
FINE = "works"
PROGRAM = (
    '{% if fault == "cannot be found" %}no-such-program'
    '{% elif fault == "cannot be executed" %}./data.txt{% else %}sh{% endif %}'
)

SPEC = """
name = "faulty"
version = "1"
[workloads.only]
sizes = {{known = 1}}
[[parameters]]
name = "fault"
values = [{kinds}]
default = "{fine}"
[[parameters]]
name = "number"
range = {{from = 0, to = {numbers}, step = 1}}
[[inputs]]
file = "program.sh"
text = '''{script}'''
[[inputs]]
file = "data.txt"
text = "{{{{ number }}}}"
[[inputs]]
file = "sizes.txt"
text = '{{% if fault == "is given a value that does not exist" %}}{{{{ sizes.unknown }}}}{{% endif %}}'
[run]
command = [
  '{program}',
  "program.sh",
]
time_limit = {seconds}
memory_limit = 64
disk_limit = 2
jobs = {jobs}
invalid_exit_codes = [3]
invalid_texts = ["does not fit"]
failed_texts = ["internal error"]
[[metrics]]
name = "latency_ns"
source = "stdout"
pattern = 'latency ([0-9.]+)$'
[[metrics]]
name = "power_mw"
source = "result.json"
path = "power"
"""


def write_faulty(folder: Path, numbers: int = 0, jobs: int = 1, seconds: float = 1.5) -> Path:
    """The spec of a program that does what the parameter ``fault`` says; gives its path.

    Args:
        folder: for the spec.
        numbers: each fault stands for ``numbers`` + 1 designs.
        jobs: evaluations at once.
        seconds: the time limit.
    """
    scripts = [f'{{% if fault == "{each.kind}" %}}{each.script}{{% endif %}}' for each in FAULTS]
    scripts.append(f'{{% if fault == "{FINE}" %}}{GOOD}{{% endif %}}')
    kinds = ", ".join(f'"{kind}"' for kind in (FINE, *(each.kind for each in FAULTS)))
    script = "\n".join(scripts).replace("{python}", sys.executable).replace("{{%", "{%").replace("%}}", "%}")
    path = folder / "faulty.toml"
    parts = {
        "program": PROGRAM,
        "kinds": kinds,
        "fine": FINE,
        "numbers": max(numbers, 1),
        "jobs": jobs,
        "seconds": seconds,
        "script": script,
    }
    path.write_text(SPEC.format(**parts))
    return path


def table() -> str:
    """The faults as a table in Markdown, for the README."""
    rows = [("a program that", "status", "reason, or part of it"), ("---", "---", "---")]
    rows += [(each.kind, each.status.name, f"`{each.reason}`") for each in FAULTS]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


if __name__ == "__main__":
    print(table())

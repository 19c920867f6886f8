"""Specs: a simulator described in one TOML file, as the frozen records that everything else here works on.

A spec is self-contained: templates and copied files are read when it is, so that it can travel to another machine.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archgym.errors import UnknownNameError
from archgym.metrics import Metric
from archgym.space import DesignSpace


@dataclass(frozen=True)
class Input:
    """A file that a design's programs find in their scratch folder.

    Attributes:
        file: where, relative to the scratch folder.
        kind: "template" (Jinja2), "copy" (as it is) or "edit" (values set in a JSON, YAML, TOML, INI or XML text).
        content: of the template, the file or the text that is edited.
        executable: whether the file may be run.
        form: of an edit: "json", "yaml", "toml", "ini" or "xml"; else empty.
        assignments: of an edit: (path in the text, expression), in order.
    """

    file: str
    kind: str
    content: bytes = field(repr=False)
    executable: bool = False
    form: str = ""
    assignments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Reading:
    """Where a metric is found once the programs have ended.

    Attributes:
        metric: its declaration.
        source: "stdout", "stderr" or a file, relative to the scratch folder; empty for a value.
        kind: "pattern" (regular expression), "path" (JMESPath), "column" (of a CSV table) or "value" (expression).
        where: the pattern, path, column (a name, or its number from 0 where the table has no header) or expression.
        match: which of several matches of a pattern or rows of a table: "last", "first", "sum", "mean", "min", "max"; "row"
            for the row that ``row`` says.
        row: of a table, from 0, negative from the end.
        form: of the source: "json", "yaml", "toml", "csv", "tsv" or "text".
        factor: what the number found is multiplied by.
    """

    metric: Metric
    source: str
    kind: str
    where: str
    match: str = "last"
    row: int = -1
    form: str = "text"
    factor: float = 1.0


@dataclass(frozen=True)
class Run:
    """How a design's programs are run, and what their ends mean.

    Attributes:
        commands: argument lists, one after the other; each argument is a template.
        time_limit: seconds, for all commands together.
        memory_limit: MiB, resident memory of all processes together; None for no limit.
        disk_limit: MiB, largest file.
        retries: how often a design that FAILED is tried again.
        jobs: evaluations at once.
        order: "finished": agents that can are told results as they finish; "proposed": always in order.
        environment: names of variables that are passed on; all others are dropped.
        set_environment: (name, value) of variables that are set.
        secrets: names of variables that are passed on and whose values are never shown.
        exit_codes: of success.
        invalid_exit_codes: of a design that is INVALID.
        invalid_texts: regular expressions; a match in stdout or stderr makes the design INVALID.
        failed_texts: likewise, FAILED.
        keep: "never", or "failures": the scratch folders of designs that were not OK are kept.
        leftovers: "fail": a design that leaves a process behind is FAILED; "kill": the process is killed, no more.
        cpus: that one evaluation takes, for Ray.
        resources: (name, amount) of other resources, for Ray.
    """

    commands: tuple[tuple[str, ...], ...]
    time_limit: float = 60.0
    memory_limit: int | None = None
    disk_limit: int = 1024
    retries: int = 0
    jobs: int = 1
    order: str = "finished"
    environment: tuple[str, ...] = ("PATH", "LANG", "LC_ALL", "TZ")
    set_environment: tuple[tuple[str, str], ...] = ()
    secrets: tuple[str, ...] = ()
    exit_codes: tuple[int, ...] = (0,)
    invalid_exit_codes: tuple[int, ...] = ()
    invalid_texts: tuple[str, ...] = ()
    failed_texts: tuple[str, ...] = ()
    keep: str = "never"
    leftovers: str = "fail"
    cpus: float = 1.0
    resources: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Spec:
    """A described simulator.

    Attributes:
        path: absolute, of the file it was read from.
        name: an identifier.
        version: free text.
        version_command: a program whose output is part of the version; empty for none.
        doc: one line.
        space: what can be designed; its rules hold the constants of the first workload.
        inputs: files that programs find.
        run: how they are run.
        readings: where the metrics are, in the order of declaration.
        workloads: (name, ((constant, value), ...)); empty where there are none.
        digest: SHA-256 over everything that decides results (``spec_digest``); limits do not.
    """

    path: str
    name: str
    version: str
    version_command: tuple[str, ...]
    doc: str
    space: DesignSpace
    inputs: tuple[Input, ...]
    run: Run
    readings: tuple[Reading, ...]
    workloads: tuple[tuple[str, tuple[tuple[str, Any], ...]], ...] = ()
    digest: str = ""

    @property
    def folder(self) -> Path:
        """Where the spec is; what its relative paths start from."""
        return Path(self.path).parent

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What is measured."""
        return tuple(reading.metric for reading in self.readings)

    @property
    def workload_names(self) -> tuple[str, ...]:
        """Names of the workloads, empty where there are none."""
        return tuple(name for name, _ in self.workloads)

    def constants(self, workload: str | None = None) -> dict[str, Any]:
        """What the names of a workload stand for in templates and expressions.

        Args:
            workload: its name; None or empty for the first one.

        Raises:
            UnknownNameError: no such workload.
        """
        if not workload:
            return dict(self.workloads[0][1]) if self.workloads else {}
        if workload not in self.workload_names:
            raise UnknownNameError("workload", workload, self.workload_names, owner=self.name)
        return dict(dict(self.workloads)[workload])

    def space_of(self, workload: str | None = None) -> DesignSpace:
        """The space with the constants of a workload in its rules; errors as ``constants``."""
        from simulators.command.spec_space import with_constants

        return with_constants(self.space, self.constants(workload))


def read_spec(path: str | os.PathLike[str]) -> Spec:
    """Reads a spec and every file it names, and tries it on its default design.

    Raises:
        SpecError: it cannot be read, or says something that cannot be run; says which key, what was expected and what was got.
    """
    from simulators.command.spec_reading import spec_of_file

    return spec_of_file(Path(os.path.abspath(path)))

"""A spec's file turned into a ``Spec``: every key checked, every file read, everything tried on one design."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archgym.checked_table import short
from archgym.errors import SpecError
from archgym.space import DesignSpace
from simulators.command.arithmetic import is_number
from simulators.command.kinds import kind_of_value
from simulators.command.spec import Spec
from simulators.command.spec_checks import check_templates, try_design
from simulators.command.spec_inputs import read_inputs
from simulators.command.spec_metrics import read_readings
from simulators.command.spec_run import read_run
from simulators.command.spec_space import WORDS, read_constraints, read_parameters
from simulators.command.spec_table import Table

SPEC_KEYS = (
    *("name", "version", "version_command", "doc", "parameters", "constraints", "inputs", "run", "metrics", "workloads"),
)

Workloads = tuple[tuple[str, tuple[tuple[str, Any], ...]], ...]


def spec_of_file(path: Path) -> Spec:
    """Errors as ``simulators.command.spec.read_spec``, which is the way in."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path} cannot be read as the spec of a simulator: {error}") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SpecError(f"{path} is not TOML: {error}") from error
    table = Table(content, SPEC_KEYS, str(path))
    workloads = _workloads(table)
    constants = dict(workloads[0][1]) if workloads else {}
    parameters = read_parameters(table)
    names = [parameter.name for parameter in parameters]
    for name in names:
        if name in constants:
            raise table.error(f"{name!r} is a parameter and a constant of the workloads; one of them needs another name")
    kinds = {parameter.name: kind_of_value(parameter.values[0]) for parameter in parameters}
    kinds |= {name: kind_of_value(value) for name, value in constants.items()}
    spec = Spec(
        path=str(path),
        name=table.identifier("name"),
        version=table.text("version", ""),
        version_command=table.texts("version_command"),
        doc=table.text("doc", ""),
        space=DesignSpace(parameters, read_constraints(table, kinds, constants), name=table.text("name")),
        inputs=read_inputs(table, path.parent, kinds),
        run=read_run(table),
        readings=read_readings(table, kinds),
        workloads=workloads,
    )
    spec = Spec(**{**vars(spec), "digest": spec_digest(spec)})
    check_templates(spec, tuple(kinds), table)
    for workload in spec.workload_names or ("",):
        try_design(spec, workload, table)
    return spec


def _workloads(table: Table) -> Workloads:
    """Name -> constants, all with the same names."""
    found = []
    for name, constants in table.table("workloads").items():
        where = f"{table.where}: [workloads.{name}]"
        if not name.replace("-", "_").isidentifier():
            raise SpecError(f"{where}: a workload's name may have letters, digits, '_' and '-'")
        if not isinstance(constants, Mapping):
            raise SpecError(f"{where} must be a table of constants, got {short(constants)}")
        for key, value in constants.items():
            if not key.isidentifier() or key in WORDS:
                raise SpecError(f"{where}: {key!r} cannot be the name of a constant")
            _check_plain(value, f"{where}: {key}")
        found.append((name, tuple(constants.items())))
    for name, constants in found:
        first, got = _kinds_in(found[0][1]), _kinds_in(constants)
        if got != first:
            raise SpecError(f"{table.where}: [workloads.{name}] must have what {found[0][0]} has: {first}, got {got}")
    return tuple(found)


def _kinds_in(constants: tuple[tuple[str, Any], ...]) -> str:
    return (
        ", ".join(f"{key} ({kind_of_value(value)})" for key, value in sorted(constants, key=lambda item: item[0])) or "nothing"
    )


def _check_plain(value: Any, where: str) -> None:
    if isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            _check_plain(item, where)
    elif not is_number(value) and not isinstance(value, str):
        raise SpecError(f"{where} must be a number, a text, a truth value, or lists and tables of them, got {short(value)}")


def spec_digest(spec: Spec) -> str:
    """SHA-256 over what decides results: space, contents of inputs, commands, what their ends mean, readings, constants.

    Limits, jobs, words for people and what is kept do not decide results; names of passed variables do, their values cannot be
    known.
    """
    run = spec.run
    content = {
        "name": spec.name,
        "space": spec.space.digest,
        "inputs": [
            [item.file, item.kind, hashlib.sha256(item.content).hexdigest(), item.executable, item.form, item.assignments]
            for item in spec.inputs
        ],
        "commands": run.commands,
        "environment": [sorted(run.environment), sorted(run.set_environment), sorted(run.secrets)],
        "ends": [run.exit_codes, run.invalid_exit_codes, run.invalid_texts, run.failed_texts, run.leftovers],
        "readings": [
            [each.metric.name, each.metric.bounds, each.source, each.kind, each.where, each.match, each.row, each.form]
            for each in spec.readings
        ],
        "factors": [each.factor.hex() for each in spec.readings],
        "workloads": spec.workloads,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

"""Whether a folder's sweep and a spec go together."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from archgym.errors import ArchGymError, SpecError
from archgym.sweep.plan import Plan, make_plan
from archgym.sweep.spec import Spec, spec_from_record

NAMED = {"task": ("simulator",), "agent": ("label",)}
SHOWN = 20
"""Lines of a difference that an error message shows at most."""


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What changed from one spec's record to another's, one readable line each; empty if nothing."""
    return list(_changes("", old, new))


def _changes(where: str, old: Any, new: Any) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*old, *(key for key in new if key not in old)]:
            place = f"{where}.{key}" if where else str(key)
            if key not in new:
                yield f"removed {place} = {_short(old[key])}"
            elif key not in old:
                yield f"added {place} = {_short(new[key])}"
            elif key in NAMED and not where:
                yield from _changes(key, _by_name(key, old[key]), _by_name(key, new[key]))
            else:
                yield from _changes(place, old[key], new[key])
    elif old != new:
        yield f"changed {where}: {_short(old)} -> {_short(new)}"


def _by_name(kind: str, entries: list[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    named: dict[str, Mapping[str, Any]] = {}
    for entry in entries:
        name = " ".join(str(entry[key]) for key in NAMED[kind])
        number = 2
        while name in named:
            name, number = f"{name.split(' #')[0]} #{number}", number + 1
        named[name] = entry
    return named


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 200 else f"{text[:197]}..."


def check_fits(record: Mapping[str, Any], spec: Spec, plan: Plan, *, extend: bool, location: str) -> list[str]:
    """What a store's spec would have to be changed by, in lines; empty if it is this spec.

    Raises:
        SpecError: the spec differs and ``extend`` is not given, or runs of the store are not part of the plan.
    """
    changes = difference(record["spec"], spec.record())
    same = record["plan_digest"] == plan.digest
    if not changes and same:
        return []
    if not changes:
        raise SpecError(f"{location} was made by the same spec with other simulators or agents:{_moved(record, plan)}")
    shown = "".join(f"\n  {line}" for line in changes[:SHOWN])
    if len(changes) > SHOWN:
        shown += f"\n  and {len(changes) - SHOWN} more"
    if not extend:
        raise SpecError(f"{location} holds a sweep of another spec:{shown}\nExtend it with --extend, or take another folder.")
    try:
        old = make_plan(spec_from_record(record["spec"], location))
    except ArchGymError as error:
        raise SpecError(f"{location} cannot be extended: its spec can no longer be planned: {error}") from error
    if old.digest != record["plan_digest"]:
        raise SpecError(f"{location} cannot be extended; simulators or agents have changed:{_moved(record, old)}")
    lost = [run for key, run in old.unique.items() if key not in plan.unique]
    if lost:
        whose = Counter(f"{run.label} {run.ticket} on {run.simulator} {run.workload}, {run.objective}" for run in lost)
        named = "".join(f"\n  {name}: {count}" for name, count in list(whose.items())[:SHOWN])
        named += f"\n  and {len(whose) - SHOWN} more" if len(whose) > SHOWN else ""
        raise SpecError(
            f"{location} cannot be extended: {len(lost)} of its runs are not part of the new spec:{named}\n"
            f"The difference:{shown}\nTake another folder, or leave in the spec what it had."
        )
    return changes


def _moved(record: Mapping[str, Any], plan: Plan) -> str:
    """Which tasks of a store the same spec no longer gives, and what they have become."""
    lines = []
    gone = [task for key, task in record["tasks"].items() if key not in plan.tasks]
    for old in gone:
        name, workload = old["simulator"]["name"], old["workload"]["name"]
        for new in plan.tasks.values():
            if (new["simulator"]["name"], new["workload"]["name"], new["objective"]) == (name, workload, old["objective"]):
                lines += [
                    f"  {name} {workload}: version {old['simulator']['version']}, workload {old['workload']['digest'][:12]}, "
                    f"space {old['space']['digest'][:12]} -> version {new['simulator']['version']}, "
                    f"workload {new['workload']['digest'][:12]}, space {new['space']['digest'][:12]}"
                ]
                break
    lines = lines or ["  the settings of an agent (its hyper-parameters or their levels)"]
    more = [f"  and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    advice = "Results of both would be mixed: take another folder, or install the version that made it."
    return "\n".join(["", *lines[:SHOWN], *more, advice])

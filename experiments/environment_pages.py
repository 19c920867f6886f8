"""Text of docs/environments/: one page per registered environment, from what the code declares."""

from __future__ import annotations

import inspect
import json
import math
from itertools import groupby
from pathlib import Path
from typing import Any

from docstrings import MADE, described, markdown, sections, table, without_tables

import archgym
from archgym.env import DesignEnv, SequentialEnv
from archgym.errors import ArchGymError
from archgym.hosting import EXTERNAL
from archgym.registry import environment_ids, simulator_class
from archgym.simulator import Simulator
from archgym.testing.doc_tables import read_tables
from archgym.vector_env import DesignVectorEnv

ROOT = Path(__file__).parent.parent

EXAMPLES = {  # environment -> arguments of gym.make that make a first step quick
    "DRAM-v0": 'workload="random", objective="latency_ns"',
    "Systolic-v0": 'workload="resnet18", objective="edp"',
    "NASAIC-v0": 'workload="W1", accuracy="surrogate"',
    "SoC-v0": 'workload="edge_detection", objective="distance_to_budget"',
    "Synthetic-v0": 'workload="sphere"',
}
SPEC_EXAMPLE = '''from pathlib import Path

import gymnasium as gym

import archgym

Path("cache.toml").write_text("""
name = "cache"
parameters = [{name = "size_kb", values = [4, 8, 16]}]
metrics = [{name = "cycles", source = "stdout", pattern = "cycles: ([0-9.]+)"}]
run = {command = ["echo", "cycles: {{ 4096 / size_kb }}"]}
""")
env = gym.make("archgym/Command-v0", spec="cache.toml")
'''


def pages() -> dict[str, str]:
    """Path below docs/ -> text of every page."""
    listed = environment_ids()
    texts = {f"environments/{file_name(name)}.md": page(name, simulator) for name, simulator in sorted(listed.items())}
    return {"environments/index.md": overview(listed), **texts}


def file_name(environment: str) -> str:
    """``DRAM-v0`` -> ``dram``."""
    return environment.rpartition("-v")[0].lower()


def default(name: str) -> Simulator | None:
    """A simulator with its default arguments; None if it cannot do without one."""
    try:
        return archgym.make_simulator(name)
    except ArchGymError:
        return None


def overview(listed: dict[str, str]) -> str:
    """The page that lists the environments and says what holds for all of them."""
    rows = []
    for environment, name in sorted(listed.items()):
        simulator, about = default(name), sections(simulator_class(name))[""]
        size = count(simulator.space.size) if simulator else "from the spec"
        rows.append((f"[`archgym/{environment}`]({file_name(environment)}.md)", name, size, markdown(about)))
    return f"""{MADE}

# Environments

{table(["id", "simulator", "designs", "what it is"], rows, right=["designs"])}

`gym.make(id, **arguments)` takes the arguments below and those of the simulator. What is said here holds for every
environment; the page of each has its own parameters, metrics and workloads. Your own simulator gets an id by an
[entry point](../add-a-simulator.md#make-it-known-by-name).

```python
import gymnasium as gym

import archgym

env = gym.make("archgym/Synthetic-v0", objective="distance", steps=4, budget=100, log="runs/env")
observation, info = env.reset(seed=0)
terminated = False
while not terminated:
    observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
print(info["status"], reward, info["design"])
env.close()  # seals the log
```

## Arguments of every environment

{_arguments(archgym_env_arguments(), described(_args_of_make_env()))}

The log names the agent `{EXTERNAL}`, because the program that steps the environment is not known to it.

## A design per step

{_environment(DesignEnv)}

## A parameter per step

`formulation="sequential"`.

{_environment(SequentialEnv)}

## Many designs per step

`gym.make_vec(id, num_envs=N)`.

{_environment(DesignVectorEnv)}

## Several agents

`archgym.parallel_env(simulator)` is the PettingZoo form: one agent per parameter or per subsystem. It needs the extra `marl`.
"""


def archgym_env_arguments() -> dict[str, inspect.Parameter]:
    """Arguments of ``make_env`` with their defaults."""
    from archgym.env import make_env

    return {k: v for k, v in inspect.signature(make_env).parameters.items() if v.kind != v.VAR_KEYWORD}


def _args_of_make_env() -> str:
    from archgym.env import make_env

    return sections(make_env)["Args"]


def _environment(kind: type) -> str:
    found = sections(kind)
    wanted = ("Action space", "Observation space", "Rewards", "Starting state", "Episode end", "Information")
    parts = [markdown(found[""]), markdown(found.get("Description", ""))]
    parts += [f"**{name}.** {markdown(found[name])}" for name in wanted if name in found]
    return "\n\n".join(part for part in parts if part)


def page(environment: str, name: str) -> str:
    """The page of one environment."""
    kind, simulator = simulator_class(name), default(name)
    about = sections(kind)
    arguments = dict(inspect.signature(kind).parameters)
    parts = [
        MADE,
        f"# {environment.rpartition('-v')[0]}",
        f"`archgym/{environment}`: {markdown(about[''])}",
        facts(environment, simulator) if simulator else "",
        example(environment),
        section("Description", _description(name, about)),
        section("Workloads", markdown(about.get("Workloads", ""))),
        section("Action space", _actions(simulator, about)),
        section("Constraints", _constraints(simulator, about)),
        section("Observation space", _observations(simulator)),
        section("Metrics", _metrics(simulator, about)),
        section("Known optima", _optima(simulator)),
        section("Validity", markdown(about.get("Validity", ""))),
        section("Arguments", _arguments(arguments, described(about.get("Args", "")))),
        section("Version history", markdown(about.get("Version history", ""))),
        _links(name),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def section(title: str, text: str) -> str:
    """A section, or nothing if there is nothing to say."""
    return f"## {title}\n\n{text}" if text else ""


def facts(environment: str, simulator: Simulator) -> str:
    """What one wants to know at a glance."""
    fidelities = ", ".join(f"{name} (costs {cost:g})" for name, cost in simulator.fidelities.items())
    rows = [
        ("simulator", f"`{simulator.name}`, version {simulator.version}"),
        ("parameters", simulator.space.dimensions),
        ("designs", count(simulator.space.size)),
        ("first metric", f"`{simulator.metric_names[0]}`, the objective if none is given"),
        ("fidelities", fidelities),
        ("known optima", "yes" if simulator.summaries or hasattr(simulator, "optimum") else "no"),
    ]
    return table([f"`archgym/{environment}`", "with default arguments"], rows)


def example(environment: str) -> str:
    """Code that makes the environment and takes a step."""
    if environment in EXAMPLES:
        given = EXAMPLES[environment]
        start = f'import gymnasium as gym\n\nimport archgym\n\nenv = gym.make("archgym/{environment}", {given})\n'
    else:
        start = SPEC_EXAMPLE
    step = "observation, info = env.reset(seed=0)\n"
    step += "observation, reward, terminated, truncated, info = env.step(env.action_space.sample())\n"
    return f"```python\n{start}{step}print(info)\n```"


def _description(name: str, about: dict[str, str]) -> str:
    text = markdown(about.get("Description", ""))
    link = f"[its page](../../simulators/{name}/README.md)"
    return text.replace("README.md of this folder", link).replace(f"`simulators/{name}/README.md`", link)


def _actions(simulator: Simulator | None, about: dict[str, str]) -> str:
    prose = markdown(without_tables(about.get("Design space", "")))
    if simulator is None:
        return prose
    rows = []
    alike = groupby(enumerate(simulator.space.parameters), lambda item: {**vars(item[1]), "name": ""})
    for same in (list(run) for _, run in alike):
        (first, parameter), (last, final) = same[0], same[-1]
        number, name = f"{first}", f"`{parameter.name}`"
        if last > first:
            number, name = f"{first} .. {last}", f"{name} .. `{final.name}`"
        ordered = "yes" if parameter.ordered else "no"
        about_it = (ranged(parameter.values), ordered, parameter.unit, parameter.group, parameter.default, parameter.doc)
        rows.append((number, name, *about_it))
    listed = table(["#", "name", "values", "ordered", "unit", "group", "default", "meaning"], rows)
    lead = f"`MultiDiscrete` with {simulator.space.dimensions} numbers: the index of a level for each parameter."
    return "\n\n".join(part for part in (lead, listed, prose) if part)


def _constraints(simulator: Simulator | None, about: dict[str, str]) -> str:
    prose = markdown(about.get("Constraints", ""))
    if simulator is None or not simulator.space.constraints:
        return prose
    rows = [(f"`{rule.name}`", rule.doc) for rule in simulator.space.constraints]
    return "\n\n".join(part for part in (table(["name", "rule"], rows), prose) if part)


def _observations(simulator: Simulator | None) -> str:
    rest = "[Environments](index.md#a-design-per-step) says how they are scaled, what the reward is and when an episode ends."
    if simulator is None:
        return rest
    d, m = simulator.space.dimensions, len(simulator.metrics)
    rows = [
        (f"0 .. {d - 1}", "the last design"),
        (f"{d} .. {d + m - 1}", "its metrics"),
        (d + m, "by how much it is INVALID"),
        (f"{d + m + 1} .. {d + m + 5}", "its status"),
        (d + m + 6, "share of the episode's designs that were proposed"),
    ]
    return f"`Box(0, 1, ({d + m + 7},), float32)`. {rest}\n\n{table(['number', 'what'], rows)}"


def _metrics(simulator: Simulator | None, about: dict[str, str]) -> str:
    prose = markdown(without_tables(about.get("Metrics", "")))
    if simulator is None:
        return prose
    meanings = {row["name"]: row.get("meaning", "") for t in read_tables(about.get("Metrics", "")) for row in t}
    rows = [
        (f"`{m.name}`", m.goal, bound(m.bounds[0]), bound(m.bounds[1]), markdown(m.doc or meanings.get(m.name, "")))
        for m in simulator.metrics
    ]
    note = "A value outside its bounds makes a design SUSPECT."
    bounded = any(math.isfinite(b) for m in simulator.metrics for b in m.bounds)
    parts = (table(["name", "goal", "least", "most", "meaning"], rows), note if bounded else "", prose)
    return "\n\n".join(part for part in parts if part)


def _optima(simulator: Simulator | None) -> str:
    if simulator is None:
        return ""
    if hasattr(simulator, "optimum"):
        return "The optimum is known by construction: `simulator.optimum` is the design."
    if simulator.summaries is None:
        return ""
    known = sorted(json.loads(simulator.summaries.read_text()).values(), key=lambda entry: entry["workload"])
    names = list(known[0]["best"])
    rows = [(f"`{entry['workload']}`", *(f"{abs(entry['best'][name]):.6g}" for name in names)) for entry in known]
    lead = "The best value of each objective in the whole space, found by `archgym optimum` and shipped with the simulator."
    return f"{lead}\n\n{table(['workload', *names], rows, right=names)}"


def _arguments(parameters: dict[str, inspect.Parameter], meanings: dict[str, str]) -> str:
    rows = []
    for name, parameter in parameters.items():
        needed = parameter.default is inspect.Parameter.empty
        rows.append((f"`{name}`", "" if needed else f"`{parameter.default!r}`", meanings.get(name, "")))
    return table(["argument", "default", "meaning"], rows)


def _links(name: str) -> str:
    readme = ROOT / "simulators" / name / "README.md"
    if not readme.exists():
        return ""
    return f"How it works, what it was checked against and how fast it is: [the model](../../simulators/{name}/README.md)."


def ranged(values: tuple[Any, ...]) -> str:
    """Levels as text; long ones as the first three and the last."""
    shown = [f"{value:g}" if isinstance(value, float) else str(value) for value in values]
    return ", ".join(shown) if len(shown) <= 8 else f"{', '.join(shown[:3])} .. {shown[-1]} ({len(shown)} levels)"


def bound(value: float) -> str:
    """A bound, or nothing where there is none."""
    return f"{value:.6g}" if math.isfinite(value) else ""


def count(size: int) -> str:
    """``442,368``, or ``8.5e76`` from a billion on."""
    return f"{size:,}" if size < 10**9 else f"{size:.1e}".replace("e+", "e")

"""Puts the page together: one file with styles, scripts, plotly.js and the data of all figures and tables."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from archgym.errors import LogError, MissingExtraError
from archgym.report import anytime, costs, efficiency, fronts, importance, lottery, overview, pairwise
from archgym.report.panels import Section, section_record
from archgym.report.reading import Material, read_material
from archgym.report.study import Study

STYLES = ("page.css",)
SCRIPTS = ("figures.js", "page.js")


def build_report(paths: Sequence[str | os.PathLike[str]], out: str | os.PathLike[str]) -> Path:
    """Writes the report of sweeps and runs.

    Args:
        paths: folders or URLs of sweeps, or folders with runs.
        out: the HTML file.

    Returns:
        Where it was written.

    Raises:
        LogError: nothing to report there, damaged files, or an output that cannot be written.
        MissingExtraError: plotly is not installed.
    """
    check_output(Path(out))
    return write_page(render(read_material(paths)), Path(out))


def check_output(target: Path) -> None:
    """Before minutes of work: can a file be written there?

    Raises:
        LogError: it is a folder, or its folder cannot be written.
    """
    if target.is_dir():
        raise LogError(f"cannot write the report: {target} is a folder; name a file, for example {target / 'report.html'}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LogError(f"cannot write the report to {target}: {error.strerror or error}") from error
    if not os.access(target.parent, os.W_OK):
        raise LogError(f"cannot write the report to {target}: its folder is not writable")


def write_page(text: str, target: Path) -> Path:
    """Writes a page in one step; errors as ``check_output``."""
    check_output(target)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise LogError(f"cannot write the report to {target}: {error.strerror or error}") from error
    return target


def render(material: Material, version: int | None = None) -> str:
    """The page as text.

    Args:
        material: what to report.
        version: of a page that is served while a sweep runs: it asks its server for a newer one.

    Raises:
        MissingExtraError: plotly is not installed.
    """
    study = Study(material.summaries, material.tasks)
    data = {
        "agents": study.agents,
        "tickets": _tickets(study),
        "sections": [section_record(section) for section in sections(study, material)],
        "version": version,
    }
    pieces = {
        "connect": "'self'" if version is not None else "'none'",
        "title": html.escape(material.name),
        "styles": "".join(_asset(name) for name in STYLES),
        "heading": html.escape(material.name),
        "made": html.escape(datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC")),
        "facts": "".join(f"<li><b>{html.escape(n)}</b> {html.escape(what)}</li>" for n, what in overview.facts(study)),
        "words": "".join(f"<p>{html.escape(text)}</p>" for text in (*overview.words(study), *material.notes)),
        "data": _embedded(data),
        "scripts": "".join(_asset(name) for name in SCRIPTS),
        "plotly": _plotly(),
    }
    page = _asset("page.html")
    # Pieces are put in one by one, from the front, so that no piece can hold the mark of another.
    done = ""
    for name, piece in pieces.items():
        before, mark, page = page.partition(f"[[{name}]]")
        if not mark:
            raise ValueError(f"page.html has no place for {name} after the pieces before it")
        done += before + piece
    return done + page


def sections(study: Study, material: Material) -> list[Section]:
    """All sections, in the order of the page."""
    return [
        overview.tasks_section(study),
        overview.agents_section(study),
        lottery.lottery_section(study),
        lottery.curve_section(study),
        lottery.variance_section(study),
        anytime.anytime_section(study),
        anytime.rank_section(study),
        efficiency.efficiency_section(study),
        anytime.profile_section(study),
        pairwise.pairwise_section(study),
        importance.importance_section(study),
        fronts.front_section(study),
        fronts.hypervolume_section(study),
        fronts.designs_section(study),
        costs.cost_section(study),
        efficiency.crossover_section(study),
        overview.end_section(study, material.about),
    ]


def _tickets(study: Study) -> dict[str, dict[str, str]]:
    """Agent -> ticket -> its hyper-parameters in words, for what pops up over a dot."""
    found: dict[str, dict[str, str]] = {name: {} for name in study.agents}
    for run, ticket in zip(study.runs, study.ticket, strict=True):
        agent, name = study.tickets[ticket]
        if name not in found[study.agents[agent]]:
            settings = run.get("hyperparameters") or {}
            found[study.agents[agent]][name] = ", ".join(f"{key}={_brief(value)}" for key, value in settings.items())
    return found


def _brief(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _embedded(data: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _asset(name: str) -> str:
    return files("archgym.report").joinpath("assets", name).read_text(encoding="utf-8")


def _plotly() -> str:
    try:
        from plotly.offline import get_plotlyjs
    except ImportError:
        raise MissingExtraError("archgym report", "plotly", "report") from None
    return str(get_plotlyjs()).replace("</script", "<\\/script")

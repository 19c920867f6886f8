"""The page itself, opened in a headless Chromium: every figure draws its marks, in silence, without a network."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from browser import Browser
from summaries import synthetic_summaries, synthetic_tasks

from archgym.report.page import render
from archgym.report.reading import Material

pytest.importorskip("plotly", reason="the report is drawn with plotly")

MARKS = ".figure .point, .figure path.js-line, .figure .js-fill, .figure .heatmaplayer image"
ABOUT = {"protocol": {"margin": 0.05}, "machine": {"numpy": "2.4"}}
NASTY = "</script><img src=x onerror=alert(1)>"


def page(folder: Path, **changes: int) -> Path:
    runs = synthetic_summaries(1200, **{"tickets": 16, "seeds": 2, "objectives": 2, "workloads": 3, **changes})
    path = folder / "report.html"
    path.write_text(render(Material("Lottery on DRAM controllers", runs, synthetic_tasks(), ABOUT)))
    return path


def visit(browser: Browser, key: str) -> None:
    """Scrolls to a section and waits for its figure."""
    browser.run("document.documentElement.style.scrollBehavior = 'auto'")
    browser.run(f"document.getElementById('{key}').scrollIntoView()")
    browser.wait_for(
        f"!document.querySelector('#{key} .figure') || document.querySelector('#{key} .figure').dataset.drawn === 'yes'"
    )


def sections_with_figures(browser: Browser) -> list[str]:
    return list(
        browser.run("[...document.querySelectorAll('section')].filter(s => s.querySelector('.figure')).map(s => s.id)")
    )


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True), (1280, True), (390, False)])
def test_every_figure_draws_its_marks_in_silence(browser: Browser, tmp_path: Path, width: int, dark: bool) -> None:
    browser.open(page(tmp_path), width=width, height=900, dark=dark)
    assert browser.run("document.documentElement.dataset.theme") == ("dark" if dark else "light")
    keys = sections_with_figures(browser)
    assert len(keys) >= 12
    for key in keys:
        visit(browser, key)
        scope = MARKS.replace(".figure", f"#{key} .figure")
        assert browser.run(f"document.querySelectorAll('{scope}').length") > 0, f"{key} drew nothing"
        browser.screenshot(tmp_path / f"{key}-{width}-{'dark' if dark else 'light'}.png")
    assert browser.run("document.documentElement.scrollWidth") <= width, "the page is wider than the screen"
    assert browser.console == []
    assert len(list(tmp_path.glob("*.png"))) == len(keys)
    assert all(path.stat().st_size > 10_000 for path in tmp_path.glob("*.png"))


@pytest.mark.slow
def test_every_choice_of_every_section_draws_and_downloads(browser: Browser, tmp_path: Path) -> None:
    browser.open(page(tmp_path, workloads=2, objectives=1, agents=3))
    browser.run("parts.filter((part) => part.figure && !part.section.skip).forEach((part) => part.draw())")
    empty = browser.run("""(async () => {
        const bad = [];
        for (const part of parts.filter((each) => each.figure && !each.section.skip)) for (const path of part.paths) {
            part.choose(path);
            await part.draw();
            const marks = part.figure.querySelector('.point, path.js-line, .heatmaplayer image');
            if (!marks) bad.push([part.section.key, ...path].join('/'));
            const { columns, rows } = figureRows(part.current());
            if (!rows.length || rows.some((row) => row.length !== columns.length)) bad.push('csv of ' + part.section.key);
        }
        return bad;
    })()""")
    assert empty == [] and browser.console == []


def test_the_switch_restyles_figures_and_is_remembered(browser: Browser, tmp_path: Path) -> None:
    browser.open(page(tmp_path))
    visit(browser, "anytime")
    tick = "getComputedStyle(document.querySelector('#anytime .xtick text')).fill"
    before = browser.run(tick)
    browser.run("document.getElementById('theme').click()")
    browser.wait_for(f"{tick} !== {json.dumps(before)}")
    assert browser.run("document.documentElement.dataset.theme") == "dark"
    browser.call("Page.reload")
    browser.wait_for("document.readyState === 'complete' && document.documentElement.dataset.theme === 'dark'")
    assert browser.console == []


def test_figures_are_drawn_when_they_come_into_view_only(browser: Browser, tmp_path: Path) -> None:
    browser.open(page(tmp_path))
    assert browser.run("document.querySelectorAll('.figure[data-drawn]').length") < len(sections_with_figures(browser))


def test_csv_files_hold_what_is_drawn(browser: Browser, tmp_path: Path) -> None:
    browser.open(page(tmp_path))
    text = browser.run("""(() => { const part = parts.find((each) => each.section.key === 'lottery');
        const { columns, rows } = figureRows(part.current()); return download('x.csv', columns, rows); })()""")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {"series", "ticket", "quantile", "mark"} <= set(rows[0])
    assert {row["series"] for row in rows} >= {"genetic", "random_walk"}
    assert sum(row["mark"] == "default" for row in rows) == len({row["series"] for row in rows})


def test_a_cell_that_a_spreadsheet_would_run_is_text(browser: Browser, tmp_path: Path) -> None:
    browser.open(page(tmp_path))
    assert browser.run("cell('=1+1')") == "'=1+1" and browser.run("cell(-1.5)") == "-1.5"
    assert browser.run("cell('a,\"b\"')") == '"a,""b"""'


@pytest.mark.slow
def test_hostile_names_are_shown_as_text(browser: Browser, tmp_path: Path) -> None:
    runs = [
        dict(run, label=f"{NASTY}{run['label']}", workload=NASTY, reason=NASTY)
        for run in synthetic_summaries(400, tickets=8, seeds=1, fail=0.1)
    ]
    path = tmp_path / "nasty.html"
    path.write_text(render(Material(NASTY, runs, {}, {"protocol": {NASTY: NASTY}}, [NASTY])))
    browser.open(path)
    for key in sections_with_figures(browser):
        visit(browser, key)
    assert browser.console == [] and browser.run("document.images.length") == 0
    assert NASTY in browser.run("document.querySelector('h1').textContent")
    assert NASTY in browser.run("document.getElementById('about').textContent")


def test_the_page_is_one_file_that_asks_for_nothing(tmp_path: Path) -> None:
    text = page(tmp_path).read_text()
    before, begin, _ = text.rpartition("<script>/**\n* plotly.js")
    ours = before if begin else ""  # plotly.js, which comes last, names its makers' servers in comments
    assert "connect-src 'none'" in text and not re.search(r"<(?:link|img|iframe|script)[^>]+(?:src|href)=", ours)
    assert len(ours) > 100_000 and not re.search(r"https?://", ours)
    assert 4e6 < len(text) < 7e6

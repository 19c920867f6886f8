"""The documentation site: it is built strictly, needs no network, and what is made from the code is up to date."""

from __future__ import annotations

import logging
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from sources import ROOT

pytest.importorskip("material", reason="the documentation needs the extra docs: pip install -e '.[docs]'")

LOADED = {("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("object", "data")}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a warning of the strict build fails whoever asks for it."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


class Loaded(HTMLParser):
    """Addresses that a browser loads by itself when it shows a page, and the targets of its links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a" and given.get("href"):
            self.links.append(given["href"] or "")
        self.addresses += [given[name] or "" for kind, name in LOADED if kind == tag and given.get(name)]


def shown(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    loaded = {(path.name, address) for path in shown(site) for address in Loaded(path.read_text()).addresses}
    assert not {pair for pair in loaded if re.match(r"(https?:)?//", pair[1])}
    styles = "".join(path.read_text() for path in site.rglob("*.css"))
    assert "fonts.googleapis" not in styles and not re.search(r"url\(['\"]?https?:", styles)


def test_links_and_pictures_of_the_built_pages_exist(site: Path) -> None:
    missing = []
    for path in shown(site):
        page = Loaded(path.read_text())
        for address in [*page.addresses, *page.links]:
            target = address.partition("#")[0]
            if target and not re.match(r"[a-z]+:", target) and path.name != "404.html" and not (path.parent / target).exists():
                missing.append(f"{path.relative_to(site)}: {address}")
    assert not missing


def test_code_that_a_page_names_is_shown_on_the_site(site: Path) -> None:
    text = (site / "datasets.html").read_text()
    assert 'href="source/archgym/env.py.html"' in text
    assert "class DesignEnv" in re.sub(r"<[^>]*>", "", (site / "source" / "archgym" / "env.py.html").read_text())


def test_every_readme_of_a_simulator_or_an_example_is_a_page(site: Path) -> None:
    readmes = [path for room in ("simulators", "examples") for path in (ROOT / room).rglob("README.md")]
    assert len(readmes) >= 5
    for path in readmes:
        assert (site / path.relative_to(ROOT).parent / "index.html").exists(), path


def test_no_block_is_broken_by_the_other_kind_of_markdown(site: Path) -> None:
    """Lists and tables that a repository browser shows, and the site does not for want of an empty line."""
    for path in shown(site):
        text = re.sub(r"<(pre|code|script|style).*?</\1>", "", path.read_text(), flags=re.DOTALL)
        for paragraph in re.findall(r"<p>(.*?)</p>", text, re.DOTALL):
            assert not re.search(r"^(?:[-*] |\|.*\|$|```)", paragraph, re.MULTILINE), f"{path.name}: {paragraph[:200]}"


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium (apt-get install chromium)")
def test_pages_opened_as_files_are_searched_without_a_network(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "report"))
    from browser import Browser, chromium

    with Browser(str(chromium()), tmp_path) as browser:
        browser.open(f"file://{site}/environments/dram.html?q=leftovers", dark=True)
        browser.wait_for("document.querySelector('.md-search-result__item a') !== null")
        assert "simulators/command" in browser.run("document.querySelector('.md-search-result__item a').href")
        assert browser.run("document.body.dataset.mdColorScheme") == "slate", "dark where the reader's system is"
        assert not [line for line in browser.console if line != "request: about:srcdoc"]


def test_pages_made_from_the_code_are_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "experiments"))
    import generated_pages

    assert not generated_pages.outdated().keys(), "run: python experiments/generated_pages.py --write"


def test_every_environment_has_a_page_in_the_navigation() -> None:
    from archgym.registry import environment_ids

    listed = re.findall(r"environments/(\w+)\.md", (ROOT / "mkdocs.yml").read_text())
    wanted = {name.rpartition("-v")[0].lower() for name in environment_ids()}
    assert wanted <= set(listed)


def test_mkdocs_is_told_to_be_strict_about_everything() -> None:
    class Loader(yaml.SafeLoader):
        """Reads tags of Python objects as nothing."""

    def nothing(loader: Any, suffix: str, node: Any) -> None:
        return None

    Loader.add_multi_constructor("", nothing)
    content = yaml.load((ROOT / "mkdocs.yml").read_text(), Loader)
    assert set(content["validation"]["links"].values()) == {"warn"} and content["theme"]["font"] is False


def test_the_hook_resolves_links_from_where_a_page_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "experiments"))
    logging.getLogger("mkdocs").setLevel(logging.WARNING)
    import site_hook

    assert site_hook._resolve("docs/environments/dram.md", "../../simulators/dram/README.md") == "simulators/dram/README.md"
    assert site_hook._resolve("docs/soc.md", "https://host/x.md") is None
    assert site_hook._site("docs/sweeps.md") == "sweeps.md"
    assert site_hook._site("simulators/dram/README.md") == "simulators/dram/README.md"
    assert site_hook._site("archgym/env.py") == "source/archgym/env.py.md"

"""What the documentation site adds to docs/: pages that are kept beside the code, and links that hold there and here.

Pages are written for whoever browses the repository: a link names a file of it.  On the site such a link leads to the page of
that file.  A README of a simulator or an example, and the changelog, are pages of their own; of any other file that a page
links to, the text is shown.  ``mkdocs.yml`` names this file as a hook.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
BESIDE_THE_CODE = ("CHANGELOG.md", "simulators/**/README.md", "examples/**/README.md")
PICTURES = (".png", ".svg", ".jpg")

_LINK = re.compile(r"(\]\()([^)\s]+)(\))")
_SPAN = re.compile(r"`[^`\n]+`")
_FENCE = re.compile(r"^(```.*?^```)", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"^<!-- (?:\w+:)(?:begin|end) -->\n", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds a page for each file beside the code, and one for each file that any page links to."""
    pages = {f"docs/{file.src_uri}": file.content_string for file in files.documentation_pages()}
    for path in _beside_the_code():
        pages[path] = (ROOT / path).read_text()
        files.append(File.generated(config, path, content=pages[path]))
    for path, text in pages.items():
        for target in _targets(path, text):
            if target.startswith("docs/") or target in pages or not (ROOT / target).is_file():
                continue
            uri = _site(target)
            if files.get_file_from_path(uri) is None:
                files.append(_shown(config, target, uri))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turns links to files of the repository into links to pages of the site."""
    source = page.file.src_uri
    here = source if source in _beside_the_code() else f"docs/{source}"

    def rewrite(link: str) -> str:
        target, hash_, anchor = link.partition("#")
        found = _resolve(here, target)
        if found is None or not (ROOT / found).is_file():
            return link  # a broken one: the strict build names it
        return posixpath.relpath(_site(found), posixpath.dirname(source) or ".") + hash_ + anchor

    def change(text: str) -> str:
        linked = _LINK.sub(lambda m: m[1] + rewrite(m[2]) + m[3], text)
        return _SPAN.sub(lambda m: m[0].replace("\\|", "|"), linked)  # in a table here only repositories need the backslash

    return _outside_code(_COMMENT.sub("", markdown), change)


def _beside_the_code() -> list[str]:
    return sorted(path.relative_to(ROOT).as_posix() for pattern in BESIDE_THE_CODE for path in ROOT.glob(pattern))


def _targets(path: str, text: str) -> Iterable[str]:
    """Files of the repository that a page links to, as paths from its root."""
    links: list[str] = []
    _outside_code(text, lambda part: links.extend(match[2] for match in _LINK.finditer(part)) or part)
    found = (_resolve(path, link.partition("#")[0]) for link in links)
    return [target for target in found if target is not None]


def _resolve(page: str, link: str) -> str | None:
    """The file that a relative link of a page names, from the repository's root; None for other links."""
    if not link or ":" in link or link.startswith("/"):
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), link))


def _site(path: str) -> str:
    """Where the site has a file of the repository: docs/ is its root, other pages and pictures keep their paths."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return path if path in _beside_the_code() or path.endswith(PICTURES) else f"source/{path}.md"


def _shown(config: MkDocsConfig, path: str, uri: str) -> File:
    if path.endswith(PICTURES):
        return File.generated(config, uri, abs_src_path=str(ROOT / path))
    text, language = (ROOT / path).read_text(), Path(path).suffix.lstrip(".") or "text"
    content = f"---\nsearch: {{exclude: true}}\n---\n\n# {path}\n\n````{language}\n{text.rstrip()}\n````\n"
    return File.generated(config, uri, content=content)


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    """Changes what is not in a fenced block."""
    parts = _FENCE.split(text)
    return "".join(part if part.startswith("```") else change(part) for part in parts)

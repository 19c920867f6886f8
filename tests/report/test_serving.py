"""The report of a sweep that is still running: built again when the store changes, for this machine only."""

from __future__ import annotations

import http.client
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browser import Browser
from small_sweep import write_runs

from archgym.errors import LogError
from archgym.report import serving
from archgym.report.serving import LiveReport, ReportServer

pytest.importorskip("plotly", reason="the report is drawn with plotly")


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return str(answer.read().decode())


def test_the_page_follows_the_store(begin: Callable[..., Any]) -> None:
    folder, store, plan = begin()
    published: list[str] = []
    live = LiveReport([str(folder)], published.append)
    assert live.refresh() and live.version == 1 and not published
    assert "Waiting for the first run" in live.page and "<b>agents" not in live.page
    write_runs(store, plan, slice(2))
    assert live.refresh() and live.version == 2 and published == [live.page]
    assert "2 of 10 planned runs" in live.page and "connect-src 'self'" in live.page
    assert not live.refresh() and live.version == 2, "nothing has changed"


def test_only_this_machine_is_answered(sweep: Path) -> None:
    live = LiveReport([str(sweep)])
    live.refresh()
    server = ReportServer(live)
    server.start()
    try:
        assert server.url.startswith("http://127.0.0.1:")
        assert get(server.url) == live.page and get(server.url + "version") == "1"
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(server.url + "../secret")
        stranger = http.client.HTTPConnection(server.url.removeprefix("http://").rstrip("/"), timeout=30)
        stranger.request("GET", "/", headers={"Host": "evil.example"})
        assert stranger.getresponse().status == 403
        stranger.close()
    finally:
        server.stop()


def test_a_taken_port_is_refused_clearly(sweep: Path) -> None:
    server = ReportServer(LiveReport([str(sweep)]))
    server.start()
    try:
        with pytest.raises(LogError, match="another --port"):
            ReportServer(LiveReport([str(sweep)]), int(server.url.rsplit(":", 1)[1].rstrip("/")))
    finally:
        server.stop()


def test_watching_goes_on_through_trouble(sweep: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "EVERY_SECONDS", 0.001)
    said: list[str] = []
    live = LiveReport([str(sweep)])
    server = ReportServer(live, complain=said.append)
    calls = iter(range(3))

    def refresh() -> bool:
        if next(calls) == 2:
            server.stop()
        raise LogError("the disk is away")

    monkeypatch.setattr(live, "refresh", refresh)
    thread = threading.Thread(target=server.watch)
    thread.start()
    thread.join(30)
    assert not thread.is_alive() and said == ["the disk is away"] * 3


@pytest.mark.slow
def test_an_open_page_shows_new_runs_by_itself(begin: Callable[..., Any], browser: Browser) -> None:
    folder, store, plan = begin()
    write_runs(store, plan, slice(4))
    live = LiveReport([str(folder)])
    live.refresh()
    server = ReportServer(live)
    server.start()
    try:
        browser.open(server.url)
        shown = "document.querySelector('.facts b').textContent"
        assert browser.run(shown) == "4" and browser.run("!document.getElementById('live').hidden")
        write_runs(store, plan, slice(4, 10))
        assert live.refresh()
        browser.wait_for(f"document.querySelector('.facts b') && {shown} === '10'")
    finally:
        server.stop()
    assert [line for line in browser.console if server.url not in line and "favicon" not in line] == []

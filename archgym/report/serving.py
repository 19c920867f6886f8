"""Serves the report on this machine while a sweep runs: built again when the store has changed, the page asks for it."""

from __future__ import annotations

import html
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from archgym.errors import ArchGymError, LogError
from archgym.report.page import render
from archgym.report.reading import NothingYetError, fingerprint, read_material

HOST = "127.0.0.1"
EVERY_SECONDS = 3.0
"""Between two looks at the store, counted from the end of a build."""

WAITING = """<!doctype html>
<meta charset="utf-8">
<meta http-equiv="refresh" content="2">
<meta name="color-scheme" content="light dark">
<title>archgym report</title>
<body style="font: 1.1rem system-ui; max-width: 40rem; margin: 20vh auto; padding: 0 1rem">
<h1>Waiting for the first run</h1>
<p>%s</p>
<p>This page asks again every two seconds.</p>
"""


class LiveReport:
    """The newest page of some sweeps.

    Args:
        paths: as for ``archgym.report.build_report``.
        publish: called with the text of every new page.

    Attributes:
        version: rises with every build; 0 before the first.
        page: the newest text.
    """

    def __init__(self, paths: Sequence[str], publish: Callable[[str], object] = lambda text: None) -> None:
        self.paths, self.publish = list(paths), publish
        self.version = 0
        self.page = ""
        self._seen: object = None

    def refresh(self) -> bool:
        """Builds the page again if the store has changed; whether it has.

        Raises:
            LogError: nothing to report there and no sweep either, or nothing could ever be read.
        """
        seen = fingerprint(self.paths)
        if seen == self._seen:
            return False
        try:
            self.page = render(read_material(self.paths), version=self.version + 1)
            self.publish(self.page)
        except NothingYetError as error:
            self.page = WAITING % html.escape(str(error))
        self._seen = seen
        self.version += 1
        return True


class ReportServer:
    """An HTTP server of a live report, for this machine only.

    Args:
        report: what to serve; it must have been refreshed once.
        port: 0 for any free one.
        complain: told about a store that could not be read just now.

    Raises:
        LogError: the port cannot be had.
    """

    def __init__(self, report: LiveReport, port: int = 0, complain: Callable[[str], object] = print) -> None:
        self.report, self.complain = report, complain
        self._stop = threading.Event()
        try:
            self._server = ThreadingHTTPServer((HOST, port), _handler(report))
        except OSError as error:
            raise LogError(
                f"cannot serve on port {port} of {HOST}: {error.strerror or error}. Choose another --port"
            ) from error
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self._server.server_address[1]}/"

    def start(self) -> None:
        """Answers requests from now on, in another thread."""
        self._thread.start()

    def watch(self) -> None:
        """Looks for changes until ``stop`` is called."""
        while not self._stop.wait(EVERY_SECONDS):
            try:
                self.report.refresh()
            except ArchGymError as error:  # a file that is being replaced, a disk that is away: the old page stays
                self.complain(str(error))

    def stop(self) -> None:
        """Ends serving and watching."""
        self._stop.set()
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()


def _handler(report: LiveReport) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            # A page of another site that got a name to point here must not read it.
            if self.headers.get("Host", "").partition(":")[0] not in (HOST, "localhost"):
                self._answer(403, "text/plain", "this server answers to localhost only")
            elif self.path == "/":
                self._answer(200, "text/html", report.page)
            elif self.path == "/version":
                self._answer(200, "text/plain", str(report.version))
            else:
                self._answer(404, "text/plain", "there is only /")

        def _answer(self, code: int, kind: str, text: str) -> None:
            content = text.encode()
            self.send_response(code)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            try:
                self.wfile.write(content)
            except (BrokenPipeError, ConnectionResetError):
                return  # the reader has gone

        def log_message(self, format: str, *arguments: Any) -> None:
            """Says nothing about requests."""

    return Handler

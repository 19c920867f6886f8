"""``archgym report``: writes the page, or serves it while a sweep runs."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

from archgym.cli.show import line, stdout
from archgym.report.page import build_report, write_page
from archgym.report.serving import LiveReport, ReportServer


def report(paths: list[str], out: Path | None, watch: bool, port: int) -> None:
    """Writes or serves the report.

    Args:
        paths: folders or URLs of sweeps or runs.
        out: the HTML file; ``report.html`` if neither it nor ``watch`` is given.
        watch: serve the page until Ctrl-C, and build it again when the store changes; with ``out``, write it there too.
        port: for serving; 0 for any free one.

    Raises:
        ArchGymError: nothing to report, or an output that cannot be written.
    """
    console = stdout()
    if not watch:
        start = perf_counter()
        target = build_report(paths, out or Path("report.html"))
        size = target.stat().st_size / 1e6
        line(console, f"report: {target} ({size:.1f} MB, {perf_counter() - start:.1f} s); open it in a browser")
        return
    live = LiveReport(paths, (lambda text: write_page(text, out)) if out is not None else (lambda text: None))
    live.refresh()
    server = ReportServer(live, port, lambda text: line(console, text))
    line(console, f"report: {server.url} (this machine only; Ctrl-C ends it)")
    server.start()
    try:
        server.watch()
    except KeyboardInterrupt:
        line(console, "no longer served")
    finally:
        server.stop()

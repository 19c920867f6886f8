"""``archgym report``: one page that tells what a sweep, or a folder of runs, has found."""

from __future__ import annotations

from archgym.report.page import build_report

__all__ = ["build_report"]

"""The runs of a sweep, as ``archgym.Dataset`` shows runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import fsspec
import pyarrow as pa

from archgym.dataset import Run
from archgym.errors import LogError
from archgym.manifest import FORMAT
from archgym.sealing import ROWS_PER_GROUP, schema
from archgym.sweep.columns import decoded
from archgym.sweep.store import PARTS, Store


@dataclass(frozen=True)
class SweepRun(Run):
    """One run of a sweep; its name is its id, its location that of its part.

    Attributes:
        store: the sweep.
        part: file name of the part that holds its trials.
        row: its place in the part.
    """

    store: Store = field(kw_only=True, repr=False, compare=False)
    part: str = field(kw_only=True)
    row: int = field(kw_only=True)

    def to_arrow(self) -> pa.Table:
        """Trials of this run; columns as in ``archgym.sealing.schema``; seconds per trial are null.

        Raises:
            LogError: the part is damaged.
        """
        pieces = [decoded(piece, self.manifest) for piece in self._pieces()]
        return pa.concat_tables(pieces) if pieces else schema(self.manifest).empty_table()

    def batches(self, rows: int = ROWS_PER_GROUP, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Trials of this run in order, in pieces of at most ``rows`` rows; errors as ``to_arrow``."""
        for piece in self._pieces():
            for start in range(0, piece.num_rows, rows):
                yield from decoded(piece.slice(start, rows), self.manifest, columns).combine_chunks().to_batches()

    def _pieces(self) -> Iterator[pa.Table]:
        try:
            yield from self.store.run_pieces(self.part, self.row)
        except LogError as error:
            raise LogError(f"run {self.name}: its trials cannot be read from {self.location}: {error}") from error


def sweep_runs(storage: fsspec.AbstractFileSystem, root: str) -> list[SweepRun]:
    """All kept runs of the sweep at ``root``, in the order in which their trials are stored.

    Raises:
        LogError: sweep.json cannot be read.
    """
    store = Store.at(storage, root, root)
    summaries = {run["id"]: run for run in store.summaries()}
    return [
        SweepRun(
            run,
            f"{root}/{PARTS}/{part}",
            rebuilt_manifest(store.record, summaries[run]),
            storage,
            store=store,
            part=part,
            row=row,
        )
        for run, (part, row) in sorted(store.places().items(), key=lambda item: item[1])
    ]


def rebuilt_manifest(record: Mapping[str, Any], summary: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest that the run would have had by itself (``archgym.manifest.describe_run``), with its outcome.

    Args:
        record: the store's.
        summary: the run's.
    """
    design = summary.get("best_design") or {}
    return {
        "format": FORMAT,
        **record["tasks"][summary["task"]],
        **{key: summary.get(key) for key in ("agent", "label", "ticket", "hyperparameters", "seed", "study")},
        "warm_start": None,
        "created": summary.get("started", record["created"]),
        "packages": record["packages"],
        "host": {"name": summary.get("host", "")},
        "command": [],
        **{key: summary.get(key) for key in ("state", "reason", "trials", "distinct", "counts")},
        "best": {"design": design, "score": summary.get("best_score"), "metrics": summary.get("best_metrics") or {}},
        "regret": (summary.get("regret") or [None])[-1],
        "quantile": (summary.get("quantile") or [None])[-1],
    }

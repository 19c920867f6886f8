"""The trial log: what is written is read, whatever happens in between."""

from __future__ import annotations

import json
import sqlite3
import threading
from pathlib import Path

import numpy as np
import pytest

from archgym import Dataset, Faulty, Metrics, Status, TrialLog
from archgym.errors import LogError, RunExistsError
from archgym.testing import in_another_process
from archgym.testing.problems import Mixture, Sphere
from archgym.trials import MANIFEST, RUNNING, SEALED, Chunk, read_chunks, read_manifest
from unit.problems import make_manifest, write_run


def make_chunk(first: int, n: int, seed: int = 0) -> Chunk:
    """Random numbers of every kind, one design per status in turn, with a reason that needs escaping."""
    rng = np.random.default_rng(seed)
    status = (np.arange(n) % len(Status)).astype(np.uint8)
    reasons = {row: f"why “{row}”\n" for row in range(n) if status[row]}
    metrics = Metrics({"distance": rng.normal(size=n)}, status, rng.random(n), reasons)
    metrics.columns["distance"][status == Status.FAILED] = np.nan
    designs = Mixture.space.sample(n, rng)
    return Chunk(first, 7, "full", 1.0, designs, metrics, rng.normal(size=n), 0.25, 0.5)


def assert_equal(a: Chunk, b: Chunk) -> None:
    assert (a.first, a.batch, a.fidelity, a.cost) == (b.first, b.batch, b.fidelity, b.cost)
    assert (a.agent_seconds, a.simulator_seconds) == (b.agent_seconds, b.simulator_seconds)
    assert a.designs.tobytes() == b.designs.tobytes() and a.designs.shape == b.designs.shape
    assert a.metrics["distance"].tobytes() == b.metrics["distance"].tobytes()
    assert a.metrics.status.tobytes() == b.metrics.status.tobytes()
    assert a.metrics.violation.tobytes() == b.metrics.violation.tobytes()
    assert a.scores.tobytes() == b.scores.tobytes() and a.metrics.reasons == b.metrics.reasons


@pytest.fixture
def log(tmp_path: Path) -> TrialLog:
    return TrialLog.create(tmp_path / "run", make_manifest(Mixture()))


def test_chunks_come_back_byte_for_byte(log: TrialLog) -> None:
    chunks = [make_chunk(0, 1), make_chunk(1, 64, 1), make_chunk(65, 5, 2)]
    for chunk in chunks:
        log.append(chunk)
    assert log.trials == 70
    for written, read in zip(chunks, log.chunks(), strict=True):
        assert_equal(written, read)
    log.close("interrupted")
    reopened = TrialLog.reopen(log.folder)
    assert reopened.trials == 70 and reopened.manifest["state"] == "interrupted"
    for written, read in zip(chunks, reopened.chunks(), strict=True):
        assert_equal(written, read)


def test_what_is_read_can_be_written_to(log: TrialLog) -> None:
    log.append(make_chunk(0, 3))
    (chunk,) = log.chunks()
    chunk.designs[0, 0] = 1
    chunk.metrics.columns["distance"][0] = 1.0
    assert chunk.metrics["distance"][0] == 1.0 != next(log.chunks()).metrics["distance"][0]


def test_a_finished_run_is_one_parquet_file_and_a_manifest(log: TrialLog) -> None:
    log.append(make_chunk(0, 5))
    log.close("finished", {"best": {"score": 1.5}})
    assert sorted(path.name for path in log.folder.iterdir()) == [MANIFEST, SEALED]
    manifest = read_manifest(log.folder)
    assert (manifest["state"], manifest["trials"], manifest["best"]) == ("finished", 5, {"score": 1.5})
    with pytest.raises(RunExistsError, match=r"finished run; read it with archgym\.Dataset\.open"):
        TrialLog.reopen(log.folder)


def test_an_interrupted_run_stays_as_it_is(log: TrialLog) -> None:
    log.append(make_chunk(0, 5))
    log.close("interrupted")
    assert (log.folder / RUNNING).exists() and not (log.folder / SEALED).exists()


def test_an_empty_run_can_be_finished(log: TrialLog) -> None:
    log.close("finished")
    table = Dataset.open(log.folder).to_arrow()
    assert table.num_rows == 0 and "size0" in table.column_names


def test_a_folder_holds_one_run(log: TrialLog) -> None:
    with pytest.raises(RunExistsError, match=r"already holds a run \(mixture, random_walk, seed 0; running\).*archgym resume"):
        TrialLog.create(log.folder, make_manifest(Mixture()))
    log.close("finished")
    with pytest.raises(RunExistsError, match=r"finished.*a folder of its own"):
        TrialLog.create(log.folder, make_manifest(Mixture()))


def test_a_process_that_died_while_sealing_lost_nothing(log: TrialLog) -> None:
    log.append(make_chunk(0, 5))
    (log.folder / (SEALED + ".tmp")).write_bytes(b"half of a Parquet file")
    log.close("interrupted")
    assert len(Dataset.open(log.folder)) == 5
    reopened = TrialLog.reopen(log.folder)
    reopened.close("finished")
    assert len(Dataset.open(log.folder)) == 5


def test_two_writers_are_noticed(log: TrialLog) -> None:
    other = TrialLog.reopen(log.folder)
    log.append(make_chunk(0, 5))
    with pytest.raises(LogError, match="being written by another process"):
        other.append(make_chunk(0, 5))
    assert [len(chunk) for chunk in log.chunks()] == [5]


def test_a_reader_sees_whole_chunks_while_they_are_written(log: TrialLog) -> None:
    seen: list[int] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set() or not seen:
            sizes = [len(chunk) for chunk in read_chunks(log.folder, log.manifest)]
            assert sizes == [10] * len(sizes)
            seen.append(sum(sizes))

    reader = threading.Thread(target=read)
    reader.start()
    for first in range(0, 500, 10):
        log.append(make_chunk(first, 10))
    done.set()
    reader.join()
    assert seen == sorted(seen)
    assert in_another_process(_count, log.folder) == 500


def _count(folder: Path) -> int:
    return len(Dataset.open(folder))


def test_a_reader_does_not_create_the_file(log: TrialLog) -> None:
    log.append(make_chunk(0, 2))
    log.close("finished")
    assert list(read_chunks(log.folder, log.manifest)) == []
    assert not (log.folder / RUNNING).exists()


def test_a_full_disk_is_one_clear_error_and_costs_nothing_that_was_logged(log: TrialLog) -> None:
    log.append(make_chunk(0, 10))
    pages = log._database.execute("PRAGMA page_count").fetchone()[0]
    log._database.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(LogError, match=r"full.*What was logged is readable.*archgym resume"):
        log.append(make_chunk(10, 5000))
    assert log.trials == 10 and sum(len(chunk) for chunk in read_chunks(log.folder, log.manifest)) == 10


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LogError, match=f"cannot write the trial log in {tmp_path}/file/run"):
        TrialLog.create(tmp_path / "file" / "run", make_manifest(Sphere()))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "holds no run: there is no manifest.json"),
        ("{", "manifest.json cannot be read"),
        ("[1]", "not the manifest of a run"),
        ('{"simulator": {}}', "it lacks workload, space, metrics, objective, agent, seed, state"),
    ],
)
def test_a_damaged_manifest_is_named(tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / MANIFEST).write_text(content)
    with pytest.raises(LogError, match=message):
        TrialLog.reopen(tmp_path)


def test_a_damaged_file_is_named(log: TrialLog) -> None:
    log.append(make_chunk(0, 5))
    log.close("interrupted")
    (log.folder / RUNNING).write_bytes(b"not a database at all" * 100)
    with pytest.raises(LogError, match="not a database"):
        TrialLog.reopen(log.folder)
    with pytest.raises(LogError, match=r"trials\.sqlite is damaged"):
        Dataset.open(log.folder).to_arrow()


def test_a_row_of_wrong_length_is_named(log: TrialLog) -> None:
    log.append(make_chunk(0, 5))
    log._database.execute("UPDATE chunks SET designs = X'0011'")
    with pytest.raises(LogError, match="damaged and cannot be read"):
        list(log.chunks())


def test_a_database_without_its_table_yet_holds_nothing(log: TrialLog) -> None:
    log.close("interrupted")
    (log.folder / RUNNING).unlink()
    sqlite3.connect(log.folder / RUNNING).close()
    assert list(read_chunks(log.folder, log.manifest)) == []


def test_a_truncated_parquet_file_is_named(tmp_path: Path) -> None:
    write_run(tmp_path / "run", Sphere())
    sealed = tmp_path / "run" / SEALED
    sealed.write_bytes(sealed.read_bytes()[:-200])
    with pytest.raises(LogError, match=r"trials\.parquet cannot be read as Parquet"):
        Dataset.open(tmp_path).to_arrow()


def test_sealing_keeps_every_column(tmp_path: Path) -> None:
    simulator = Faulty(Mixture(), share=0.5)
    write_run(tmp_path / "run", simulator, (40, 1, 9), close="interrupted")
    before = Dataset.open(tmp_path).to_arrow()
    TrialLog.reopen(tmp_path / "run").close("finished")
    after = Dataset.open(tmp_path).to_arrow()
    assert after.schema == before.schema and after.to_pandas().equals(before.to_pandas()) and after.num_rows == 50
    designs = np.stack([after[f"{name}_level"].to_numpy() for name in simulator.space.names], axis=1)
    assert after["policy2"].to_pylist() == simulator.space.decode(designs)["policy2"].tolist()
    result = simulator.evaluate(designs)
    assert np.array_equal(after["distance"].to_numpy(), result["distance"], equal_nan=True)
    assert after["status"].to_pylist() == [Status(status).name for status in result.status]
    assert after["reason"].to_pylist() == [result.reasons.get(row) for row in range(50)]
    assert after["batch"].to_pylist() == [0] * 40 + [1] + [2] * 9 and after["trial"].to_pylist() == list(range(50))
    metadata = Dataset.open(tmp_path).runs[0].to_arrow().schema
    assert metadata.field("size0").metadata == {b"unit": b"kB"} and json.loads(metadata.metadata[b"archgym"])["seed"] == 0


def test_long_runs_are_sealed_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archgym.sealing.ROWS_PER_GROUP", 10)
    write_run(tmp_path / "run", Sphere(), (7, 7, 7, 30, 1))
    from pyarrow import parquet

    sealed = parquet.ParquetFile(tmp_path / "run" / SEALED)
    assert [sealed.metadata.row_group(i).num_rows for i in range(sealed.num_row_groups)] == [14, 37, 1]
    assert sealed.read()["trial"].to_pylist() == list(range(52))

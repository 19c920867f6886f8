from __future__ import annotations

import errno
import json
import os
import warnings
from pathlib import Path
from typing import Any

import fsspec
import pytest
from stores import BASE, keep, made_up, small_spec, small_store

import archgym
from archgym.errors import LogError, SpecError
from archgym.sweep.plan import make_plan
from archgym.sweep.store import Store


@pytest.fixture(params=["local", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "local":
        return str(tmp_path / "sweep")
    fsspec.filesystem("memory").rm("/", recursive=True) if fsspec.filesystem("memory").ls("/") else None
    return "memory://sweep"


def test_what_is_written_is_read(place: str) -> None:
    store, plan = small_store(place)
    keep(store, plan, list(plan.runs[:4]))
    keep(store, plan, list(plan.runs[4:]))
    again = Store.open(place)
    assert again.completed() == set(plan.unique) and again.spec == small_spec() and again.tasks == plan.tasks
    assert again.summaries(plan) == [made_up(run, plan)[0] for run in plan.runs]
    tables = {json.loads(table.schema.metadata[b"archgym_run"])["id"]: table for table in again.trials()}
    assert set(tables) == set(plan.unique)
    for run in plan.runs:
        assert tables[run.id].equals(made_up(run, plan)[1])


def test_some_trials_can_be_read_alone(place: str) -> None:
    store, plan = small_store(place)
    keep(store, plan, list(plan.runs))
    chosen = {plan.runs[2].id, plan.runs[5].id}
    tables = list(store.trials(chosen))
    assert {json.loads(table.schema.metadata[b"archgym_run"])["id"] for table in tables} == chosen


def test_writing_again_changes_nothing(place: str) -> None:
    store, plan = small_store(place)
    name = keep(store, plan, list(plan.runs[:4]))
    path = f"{store.root}/parts/{name}"
    before = store.storage.cat_file(path)
    assert keep(store, plan, list(reversed(plan.runs[:4]))) == name
    assert store.storage.cat_file(path) == before and len(store.completed()) == 4


def test_a_run_in_two_parts_counts_once_and_the_finished_one_wins(place: str) -> None:
    store, plan = small_store(place)
    run, other = plan.runs[0], plan.runs[1]
    failed, table = made_up(run, plan, "failed")
    store.write_part(run.task, [failed], [table.slice(0, 2)])
    assert [each["state"] for each in store.summaries()] == ["failed"] and run.id in store.completed()
    keep(store, plan, [run, other])
    again = Store.open(place)
    assert sorted(each["state"] for each in again.summaries()) == ["finished", "finished"]
    assert sorted(table.num_rows for table in again.trials()) == [8, 8]


def test_summaries_carry_the_labels_of_the_plan(place: str) -> None:
    store, plan = small_store(place)
    keep(store, plan, list(plan.runs))
    agents = [{"name": "genetic"}, {"name": "genetic", "label": "again"}]
    relabelled = make_plan(small_spec(agent=agents))
    found = store.summaries(relabelled)
    assert [(run["label"], run["ticket"], run["seed"]) for run in found] == [
        ("genetic", "default", 0),
        ("genetic", "default", 1),
        ("again", "default", 0),
        ("again", "default", 1),
    ]


@pytest.mark.parametrize("damage", ["half", "empty", "text", "foreign"])
def test_damaged_parts_are_left_out_and_moved_aside(tmp_path: Path, damage: str) -> None:
    store, plan = small_store(tmp_path)
    keep(store, plan, list(plan.runs[:4]))
    name = keep(store, plan, list(plan.runs[4:]))
    path = tmp_path / "parts" / name
    content = path.read_bytes()
    if damage == "foreign":
        from pyarrow import parquet, table

        parquet.write_table(table({"x": [1]}), path)
    else:
        path.write_bytes({"half": content[: len(content) // 2], "empty": b"", "text": b"PAR1 nothing PAR1"}[damage])
    again = Store.open(tmp_path)
    with pytest.warns(UserWarning, match=name):
        assert again.completed() == {run.id for run in plan.runs[:4]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(again.summaries()) == 4  # the warning comes once
    assert path.exists()
    (line,) = again.mend()
    assert line.startswith(name) and not path.exists() and path.with_name(name + ".damaged").exists()
    keep(again, plan, list(plan.runs[4:]))
    assert Store.open(tmp_path).completed() == set(plan.unique)


def test_damaged_trials_under_a_sound_footer_are_found(tmp_path: Path) -> None:
    store, plan = small_store(tmp_path)
    name = keep(store, plan, list(plan.runs))
    path = tmp_path / "parts" / name
    content = bytearray(path.read_bytes())
    content[300:320] = bytes(20)
    path.write_bytes(content)
    reader = Store.open(tmp_path)
    assert reader.completed() == set(plan.unique)
    with pytest.warns(UserWarning, match=name):
        assert not list(reader.trials())
    with pytest.warns(UserWarning, match=name):
        assert len(Store.open(tmp_path).mend(thorough=True)) == 1
    assert not Store.open(tmp_path).completed()


def test_a_damaged_remote_part_stays_where_it_is() -> None:
    store, plan = small_store("memory://damaged")
    name = keep(store, plan, list(plan.runs))
    store.storage.pipe_file(f"{store.root}/parts/{name}", b"PAR1")
    again = Store.open("memory://damaged")
    with pytest.warns(UserWarning, match=name):
        assert len(again.mend()) == 1
    assert again.storage.exists(f"{store.root}/parts/{name}")


def test_unfinished_files_are_removed_and_never_read(tmp_path: Path) -> None:
    store, plan = small_store(tmp_path)
    name = keep(store, plan, list(plan.runs[:2]))
    leftover = tmp_path / "parts" / ".other.parquet.77.tmp"
    leftover.write_bytes((tmp_path / "parts" / name).read_bytes()[:100])
    again = Store.open(tmp_path)
    assert len(again.completed()) == 2 and not again.mend() and not leftover.exists()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EFBIG])
def test_a_full_disk_says_what_to_do_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    store, plan = small_store(tmp_path)
    keep(store, plan, list(plan.runs[:4]))

    def full(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LogError, match=r"(?s)cannot write .*Free some space .* same sweep again"):
        keep(store, plan, list(plan.runs[4:]))
    monkeypatch.undo()
    assert len(list((tmp_path / "parts").iterdir())) == 1
    assert Store.open(tmp_path).completed() == {run.id for run in plan.runs[:4]}
    keep(store, plan, list(plan.runs[4:]))
    assert Store.open(tmp_path).completed() == set(plan.unique)


def test_the_same_spec_goes_on(place: str) -> None:
    store, plan = small_store(place)
    keep(store, plan, list(plan.runs[:4]))
    again, _ = small_store(place)
    assert len(again.completed()) == 4 and again.record == store.record


def test_another_spec_is_refused_with_the_difference(place: str) -> None:
    small_store(place)
    with pytest.raises(SpecError, match=r"(?s)changed seeds: \[0, 1\] -> \[0, 1, 2\].*--extend"):
        small_store(place, seeds=3)


def test_a_larger_spec_extends(place: str) -> None:
    store, plan = small_store(place)
    keep(store, plan, list(plan.runs))
    spec = small_spec(seeds=3, agent=[{"name": "genetic", "tickets": {"random": 4}}, {"name": "random_walk"}])
    larger = make_plan(spec)
    extended = Store.create(place, spec, larger, extend=True)
    assert extended.completed() == set(plan.unique) < set(larger.unique)
    assert extended.spec == spec == Store.open(place).spec
    assert "changed seeds: [0, 1] -> [0, 1, 2]" in extended.record["history"][0]["changes"]
    assert small_spec() != spec
    with pytest.raises(SpecError):
        small_store(place)  # the smaller spec has had its day


def test_an_extension_may_not_lose_runs(place: str) -> None:
    small_store(place)
    spec = small_spec(agent=[{"name": "genetic", "tickets": {"random": 2}}])
    with pytest.raises(SpecError, match=r"(?s)4 of its runs.*genetic t0002.*random_walk default"):
        Store.create(place, spec, make_plan(spec), extend=True)


@pytest.mark.parametrize("extend", [False, True])
def test_another_version_of_a_simulator_is_refused(place: str, extend: bool) -> None:
    from archgym.registry import simulator_class
    from archgym.sweep import describing

    small_store(place)
    synthetic = simulator_class("synthetic")
    version = synthetic.version
    describing._describe.cache_clear()
    synthetic.version = "99"
    try:
        spec = small_spec(seeds=3) if extend else small_spec()
        with pytest.raises(SpecError, match=rf"synthetic.*version {version}.*99"):
            Store.create(place, spec, make_plan(spec), extend=extend)
    finally:
        synthetic.version = version
        describing._describe.cache_clear()


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"format": 99}', b'{"format": 1}'])
def test_a_record_that_cannot_be_read_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "sweep.json").write_bytes(content)
    with pytest.raises(LogError, match=r"sweep\.json"):
        Store.open(tmp_path)


def test_a_folder_without_a_sweep_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="holds no sweep"):
        Store.open(tmp_path)
    with pytest.raises(LogError, match="cannot be opened"):
        Store.open("nothing://here")


def test_datasets_read_sweeps(place: str) -> None:
    store, plan = small_store(place)
    keep(store, plan, list(plan.runs[:4]))
    keep(store, plan, list(plan.runs[4:]))
    dataset = archgym.Dataset.open(place)
    assert {run.name for run in dataset.runs} == set(plan.unique)
    table = dataset.to_arrow()
    assert len(dataset) == table.num_rows == 8 * len(plan.runs)
    assert set(table["agent"].to_pylist()) == {"genetic", "random_walk"} and set(table["seed"].to_pylist()) == {0, 1}
    run = dataset.runs[0]
    levels = made_up(plan.unique[run.name], plan)[1]["x0_level"].to_pylist()
    assert run.to_arrow()["x0"].to_pylist() == [run.space["x0"].values[level] for level in levels]
    assert run.manifest["hyperparameters"] == dict(plan.unique[run.name].hyperparameters)


def test_datasets_read_sweeps_beside_single_runs(tmp_path: Path) -> None:
    archgym.search("random_walk", "synthetic", budget=10, log=tmp_path / "single")
    store, plan = small_store(tmp_path / "sweep")
    with pytest.raises(LogError, match="no sweep with complete runs"):
        archgym.Dataset.open(tmp_path / "sweep")
    keep(store, plan, list(plan.runs[:1]))
    archgym.search("random_walk", "synthetic", budget=10, log=tmp_path / "sweep" / "running" / plan.runs[0].id)
    dataset = archgym.Dataset.open(tmp_path)
    assert sorted(run.name for run in dataset.runs) == sorted(["single", plan.runs[0].id])
    columns = [run.to_arrow().schema.remove_metadata() for run in dataset.runs]
    assert columns[0] == columns[1] and len(dataset) == 18


def test_an_s3_bucket_is_a_store(monkeypatch: pytest.MonkeyPatch) -> None:
    moto = pytest.importorskip("moto.server", reason="moto is not installed")
    s3fs = pytest.importorskip("s3fs", reason="s3fs is not installed")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        settings: dict[str, Any] = {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_DEFAULT_REGION": "us-east-1"}
        settings |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        s3fs.S3FileSystem.clear_instance_cache()
        fsspec.filesystem("s3").mkdir("bucket")
        location = "s3://bucket/sweep"
        with Store.lock(location, heartbeat=0.2):
            store, plan = small_store(location)
            keep(store, plan, list(plan.runs))
        again = Store.open(location)
        assert again.local is None and again.completed() == set(plan.unique)
        assert len(archgym.Dataset.open(location)) == 8 * len(plan.runs)
        with pytest.raises(SpecError, match="budget"):
            small_store(location, budget=BASE["budget"] + 1)
    finally:
        server.stop()
        s3fs.S3FileSystem.clear_instance_cache()

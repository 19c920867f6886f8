"""What a spec and a program cannot do: reach a shell, see what was not passed on, show a secret, be unpickled."""

from __future__ import annotations

import ast
import json
import os
from pathlib import Path

import pytest
from sources import ROOT, files, module_name, tree
from toys import build, write

from archgym import Status, errors, search
from archgym.explanation import Explanation
from archgym.optimum import cache_folder
from simulators.command import Command
from simulators.command.scratch import home, room

SECRET = "hunter2-$(id)-licence"
SOURCES = files("simulators/command")
FORBIDDEN = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "pickle.load", "pickle.loads", "marshal.loads"}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHGYM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ARCHGYM_TEST_LICENCE", SECRET)
    monkeypatch.setenv("ARCHGYM_TEST_OTHER", "not passed on")


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_no_source_uses_a_shell_or_runs_text(path: Path) -> None:
    calls = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    for call in calls:
        name = ast.unparse(call.func)
        assert name not in FORBIDDEN, f"{path}:{call.lineno} {name}"
        assert not any(word.arg == "shell" for word in call.keywords), f"{path}:{call.lineno} shell="
    attributes = {ast.unparse(node) for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
    assert not attributes & {f"yaml.{name}" for name in ("Loader", "FullLoader", "UnsafeLoader", "full_load", "unsafe_load")}
    imported = {alias.name for node in ast.walk(tree(path)) if isinstance(node, ast.Import) for alias in node.names}
    assert not imported & {"pickle", "marshal", "shelve", "dill", "cloudpickle"}


@pytest.mark.parametrize("word", ["; touch ../touched", "$(touch touched)", "`touch touched`", "a b  c", "*", "|cat", "-n"])
def test_words_of_a_command_reach_the_program_as_they_are(tmp_path: Path, word: str) -> None:
    path = write(tmp_path, 'printf "%s" "$2" | od -An -c >&2; ls >&2; echo "latency 5"; exit 7')
    path.write_text(path.read_text().replace('"{{ size }}"]', f'"{{{{ size }}}}", {json.dumps(word)}]'))
    simulator = Command(path, cache=False)
    (reason,) = simulator.evaluate(simulator.space.default).reasons.values()
    shown = "".join(reason.partition("stderr ends: ")[2].replace("program.sh", "").replace(" | ", "").split())
    assert shown == "".join(word.split())
    assert "touched" not in os.listdir(simulator.spec.folder)


def test_a_parameter_cannot_become_a_second_word_or_a_command(tmp_path: Path) -> None:
    path = write(tmp_path, 'echo "words $# first $1"; exit 7')
    path.write_text(path.read_text().replace("values = [1, 2, 3, 4, 5, 6, 7, 8]", 'values = ["a; id", "$(id) b"]'))
    simulator = Command(path, cache=False)
    result = simulator.evaluate(simulator.space.sample(10, 0))
    assert set(result.reasons.values()) <= {
        "sh exited with 7; stdout ends: words 1 first a; id",
        "sh exited with 7; stdout ends: words 1 first $(id) b",
    }


def test_only_listed_variables_are_passed_on(tmp_path: Path) -> None:
    run = 'environment = ["PATH"]\nset_environment = {MODE = "fast"}\nsecrets = ["ARCHGYM_TEST_LICENCE"]'
    simulator = build(tmp_path, "env | cut -d= -f1 | sort | tr '\\n' ' '; exit 1", run=run)
    (reason,) = simulator.evaluate(simulator.space.default).reasons.values()
    names = set(reason.partition("stdout ends: ")[2].split())
    assert names - {"PWD", "OLDPWD", "SHLVL", "_"} == {"PATH", "MODE", "TMPDIR", "ARCHGYM_LANE", "ARCHGYM_TEST_LICENCE"}


def leaky(folder: Path, **arguments: object) -> Command:
    """A program that prints its secret and gives it to files; it fails for the larger sizes."""
    program = (
        'echo "$ARCHGYM_TEST_LICENCE" >&2; echo "licence $ARCHGYM_TEST_LICENCE"\n'
        'case $1 in 1|2) echo "latency 5";; 3) echo "refused: $ARCHGYM_TEST_LICENCE"; exit 3;;\n'
        '4) echo "latency $ARCHGYM_TEST_LICENCE";; *) exit 1;; esac'
    )
    run = 'secrets = ["ARCHGYM_TEST_LICENCE"]\ninvalid_exit_codes = [3]\ninvalid_texts = ["refused: .*"]'
    return build(folder, program, run=run, arguments={"cache": True, **arguments})


def test_secrets_are_passed_on_and_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    simulator = leaky(tmp_path / "spec", keep="failures")
    search("random_walk", simulator, budget=40, log=tmp_path / "run")
    result = simulator.evaluate([[level] for level in range(8)])
    assert result.status.tolist()[:5] == [Status.OK, Status.OK, Status.INVALID, Status.FAILED, Status.FAILED]
    assert all("***" in reason for reason in result.reasons.values())
    explanations = [simulator.explain([level]) for level in (0, 3, 4)]
    assert all(isinstance(each, Explanation) and "***" in repr(each) for each in explanations)
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "program.sh"]
    assert any("manifest" in path.name for path in written) and any(cache_folder() in path.parents for path in written)
    assert any(home() / "kept" in path.parents for path in written)
    for path in written:
        assert SECRET.encode() not in path.read_bytes(), path
    assert SECRET not in repr(result) + repr(explanations) + repr(simulator.__dict__)


@pytest.mark.parametrize("source", ["stdout", "result.txt"])
def test_of_a_secret_not_even_a_part_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    secret = " ".join(f"part-{number}  'x\\y'" for number in range(40))
    monkeypatch.setenv("ARCHGYM_TEST_LICENCE", secret)
    more = f'[[metrics]]\nname = "other"\nsource = "{source}"\npattern = \'nowhere (.*)\''
    program = 'echo "latency 5"; printenv ARCHGYM_TEST_LICENCE | tee result.txt'
    simulator = build(tmp_path / "spec", program, run='secrets = ["ARCHGYM_TEST_LICENCE"]', more=more)
    result = simulator.evaluate(simulator.space.default)
    assert result.status[0] == Status.FAILED and "part-" not in result.reasons[0] and "***" in result.reasons[0]


def test_a_secret_within_another_is_hidden_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHGYM_TEST_LONGER", f"{SECRET}-and-more")
    run = 'secrets = ["ARCHGYM_TEST_LICENCE", "ARCHGYM_TEST_LONGER", "ARCHGYM_TEST_UNSET"]'
    simulator = build(tmp_path, 'echo "$ARCHGYM_TEST_LONGER $ARCHGYM_TEST_LICENCE"; exit 1', run=run)
    (reason,) = simulator.evaluate(simulator.space.default).reasons.values()
    assert reason == "sh exited with 1; stdout ends: *** ***"


@pytest.mark.parametrize("file", ["/etc/archgym-test", "../outside", "a/../../outside", "", "."])
def test_a_spec_that_writes_outside_its_folder_is_refused(tmp_path: Path, file: str) -> None:
    with pytest.raises(errors.SpecError):
        build(tmp_path, inputs=f'[[inputs]]\nfile = "{file}"\ntext = "x"')


def test_a_metric_is_not_read_through_a_link_that_leaves_the_folder(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("latency 17\n")
    program = f'ln -s {tmp_path}/outside result; ln -s {tmp_path} folder; echo "latency 5"'
    for source in ("result", "folder/outside"):
        more = f'[[metrics]]\nname = "other"\nsource = "{source}"\npattern = \'latency (.*)\''
        simulator = build(tmp_path / "spec", program, more=more)
        result = simulator.evaluate(simulator.space.default)
        assert result.status[0] == Status.FAILED and "17" not in result.reasons[0]


def test_yaml_that_would_run_something_is_only_unreadable(tmp_path: Path) -> None:
    program = f"echo 'a: !!python/object/apply:os.system [\"touch {tmp_path}/touched\"]' > result.yaml; echo latency 5"
    simulator = build(tmp_path / "spec", program, more='[[metrics]]\nname = "other"\nsource = "result.yaml"\npath = "a"')
    result = simulator.evaluate(simulator.space.default)
    assert result.status[0] == Status.FAILED and "result.yaml" in result.reasons[0]
    assert not (tmp_path / "touched").exists()


def test_scratch_folders_are_for_their_owner_only(tmp_path: Path) -> None:
    simulator = build(tmp_path, "stat -c %a . ..; exit 1")
    (reason,) = simulator.evaluate(simulator.space.default).reasons.values()
    assert reason == "sh exited with 1; stdout ends: 700 | 700"
    assert home().stat().st_mode & 0o777 == 0o700 and room().stat().st_mode & 0o777 == 0o700


def test_templates_are_sandboxed(tmp_path: Path) -> None:
    for attack in ("{{ size.__class__.__mro__ }}", "{{ ''.__class__ }}", "{% include '/etc/passwd' %}"):
        with pytest.raises(errors.SpecError):
            build(tmp_path, inputs=f'[[inputs]]\nfile = "x"\ntext = """{attack}"""')


def test_nothing_of_the_lane_is_on_a_command_line(tmp_path: Path) -> None:
    simulator = build(tmp_path, "tr '\\0' ' ' < /proc/$PPID/cmdline; exit 1", run='secrets = ["ARCHGYM_TEST_LICENCE"]')
    (reason,) = simulator.evaluate(simulator.space.default).reasons.values()
    assert "lane.py" in reason and "***" not in reason and str(ROOT) in reason

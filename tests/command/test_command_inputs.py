from __future__ import annotations

from pathlib import Path

import pytest
from spec_files import default_of, spec_of

from simulators.command.inputs import InputError, render_commands, render_inputs
from simulators.command.templates import LARGEST_OUTPUT, TemplateError, environment, names_in, render

VALUES = {"width": 16, "kind": "select", "fast": True, "share": 0.1, "layers": [{"rows": 3}, {"rows": 4}]}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("plain } text", "plain } text"),
        ("{{ width }}/{{ share }}/{{ fast }}/{{ fast | int }}/{{ kind }}", "16/0.1/True/1/select"),
        ("{{ width * 2 + 1 }} {{ width // 3 }} {{ 2 ** 4 }} {{ width % 5 }}", "33 5 16 1"),
        ("{{ '%04x' | format(width) }} {{ '%5.2f' % share }}|", "0010  0.10|"),
        ("{{ max(width, 20) }} {{ ceil(log2(width + 1)) }} {{ share | round(0) }}", "20 5 0.0"),
        ("{{ kind | tojson }} {{ layers | tojson }}", '"select" [{"rows": 3}, {"rows": 4}]'),
        ("{% for layer in layers %}\n  {{ layer.rows }};\n{% endfor %}\nend\n", "  3;\n  4;\nend\n"),
        ("{% for i in range(3) %}{{ i }}{% if not loop.last %},{% endif %}{% endfor %}", "0,1,2"),
        ("{% if fast %}\nquick\n{% else %}\nslow\n{% endif %}\n", "quick\n"),
        ("{{ 'a\nb' | indent(2) }}|{{ 'a\nb' | indent(1, true) }}", "a\n  b| a\n b"),
        ("{% raw %}{{4{a}}, b}{% endraw %}", "{{4{a}}, b}"),
        (
            "{% set n = namespace(all=0) %}{% for l in layers %}{% set n.all = n.all + l.rows %}{% endfor %}{{ n.all }}",
            "7",
        ),
        ("{{ layers | map(attribute='rows') | sum }} {{ layers | length }}", "7 2"),
        ("<{{ '<&>' }}>", "<<&>>"),
    ],
)
def test_templates(text: str, result: str) -> None:
    assert render(text, VALUES) == result


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__ }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ ().__class__.__bases__[0] }}",
        "{{ ''['__class__'] }}",
        "{{ ''|attr('__class__') }}",
        "{{ layers.__init__ }}",
        "{{ layers.append(3) }}",
        "{{ layers[0].update(rows=9) }}",
        "{{ range.__self__ }}",
        "{{ min.__globals__ }}",
        "{{ min.__code__ }}",
        "{{ namespace.__init__.__globals__ }}",
        "{{ self.__init__.__globals__ }}",
        "{{ self._TemplateReference__context }}",
        "{{ dict.mro() }}",
        "{{ dict.__subclasses__() }}",
        "{{ cycler.__init__.__globals__.os }}",
        "{{ lipsum.__globals__ }}",
        "{{ joiner.__init__ }}",
        "{{ '{0.__class__}'.format(1) }}",
        "{{ '{0.__class__}'.format_map({'a': 1}) }}",
        "{{ ['{0.__class__}'] | map(attribute='format') | first }}",
        "{{ '%s' % missing }}",
        "{% for x in [1] recursive %}{{ loop.__init__.__globals__ }}{% endfor %}",
        "{% macro m() %}{% endmacro %}{{ m.__globals__ }}",
        "{% macro m() %}{{ caller }}{% endmacro %}{{ m._func.__globals__ }}",
        "{{ open('/etc/passwd').read() }}",
        "{{ __import__('os') }}",
        "{{ eval('1') }}",
        "{{ config }}",
        "{{ environment }}",
    ],
)
def test_the_sandbox_holds(text: str) -> None:
    with pytest.raises(TemplateError):
        print(render(text, VALUES))


@pytest.mark.parametrize(
    "text",
    [
        "{% for x in range(1000000000) %}{% endfor %}",
        "{{ range(1000000000) | list }}",
        "{{ 'x' * 1000000000 }}",
        "{{ [0] * 1000000000 }}",
        "{{ 9 ** (9 ** 9) }}",
        "{{ 1000000000 * 'x' }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '%*d' % (1000000000, 1) }}",
        "{{ '%1000000000d' | format(1) }}",
        "{{ '%.1000000000f' | format(1.0) }}",
        "{{ '%(a)1000000000d' | format }}",
        "{{ 'x'.center(1000000000) }}",
        "{{ 'x'.ljust(1000000000) }}",
        "{{ '{:1000000000}'.format(1) }}",
        "{{ 1 | round(1000000000) }}",
        "{{ 'x' | center(1000000000) }}",
        "{{ [1] | batch(1000000000) | list }}",
        "{{ [1, 2] | random }}",
        "{{ 'x' | wordwrap(0) }}",
    ],
)
def test_slips_of_the_pen_are_not_endless(text: str) -> None:
    with pytest.raises(TemplateError):
        render(text, VALUES)


def test_a_file_cannot_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert LARGEST_OUTPUT <= 2**26
    monkeypatch.setattr("simulators.command.templates.LARGEST_OUTPUT", 1000)
    text = "{% for x in range(100) %}{{ kind }}{% endfor %}"
    assert len(render(text, VALUES)) == 600
    with pytest.raises(TemplateError, match="grows beyond"):
        render(text + text, VALUES)


def test_an_indent_has_a_limit() -> None:
    assert len(render("{{ 'a\nb' | indent(1000000000) }}", VALUES)) < 1000


@pytest.mark.parametrize(
    "text",
    [
        "{% include 'a' %}",
        "{% include kind %}",
        "{% import 'a' as b %}",
        "{% from 'a' import b %}",
        "{% extends 'a' %}",
        "{% if",
        "{{ width",
        "{{ width | nofilter }}",
        "{% endfor %}",
        "{{ " + "(" * 2000 + ")" * 2000 + " }}",
    ],
)
def test_what_is_no_template_is_found_when_it_is_read(text: str) -> None:
    with pytest.raises(TemplateError):
        names_in(text)


def test_names_are_those_that_values_are_needed_for() -> None:
    text = "{% for i in range(depth) %}{{ i + max(width, 2) }}{{ loop.index }}{% set k = 3 %}{{ k }}{% endfor %}"
    assert names_in(text) == {"depth", "width"}


def test_a_template_sees_no_file_and_no_loader(tmp_path: Path) -> None:
    assert environment().loader is None
    (tmp_path / "secret").write_text("hidden")
    with pytest.raises(TemplateError):
        render(f"{{% include '{tmp_path}/secret' %}}", VALUES)


def test_errors_name_file_and_cause(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, '[[inputs]]\nfile = "a.v"\ntext = "{{ 64 // (width - 16) }}"\n')
    assert render_inputs(spec, {**default_of(spec), "width": 32}) == {"a.v": b"4"}
    with pytest.raises(InputError, match=r"input a\.v: ZeroDivisionError"):
        render_inputs(spec, {**default_of(spec), "width": 16})


def test_commands_are_lists_of_arguments(tmp_path: Path) -> None:
    run = (
        '[run]\ncommands = [["make", "WIDTH={{ width }}"], ["./sim", "{{ kind }}; rm -rf $HOME", "", "{{ spec_folder }}/x"]]\n'
    )
    spec = spec_of(tmp_path, run=run)
    first, second = render_commands(spec, default_of(spec))
    assert first == ["make", "WIDTH=8"]
    assert second == ["./sim", "ripple; rm -rf $HOME", "", f"{tmp_path}/x"]


def test_a_program_needs_a_name(tmp_path: Path) -> None:
    run = """[run]\ncommand = ["{{ 'p' if width < 32 else '' }}"]\n"""
    spec = spec_of(tmp_path, run=run)
    assert render_commands(spec, default_of(spec)) == [["p"]]
    with pytest.raises(InputError, match="command 1"):
        render_commands(spec, {**default_of(spec), "width": 32})


def test_inputs_are_made_of_what_was_there_when_the_spec_was_read(tmp_path: Path) -> None:
    (tmp_path / "a.j2").write_text("é {{ width }}\n")
    (tmp_path / "b.bin").write_bytes(b"\xff\0{{ width }}")
    (tmp_path / "c.json").write_text('{"a": {"b": [1, 2]}}')
    middle = """
[[inputs]]
file = "sub/a.txt"
template = "a.j2"
[[inputs]]
file = "b.bin"
copy = "b.bin"
[[inputs]]
file = "c.json"
edit = "c.json"
set = {"a.b[1]" = "width / 2", "a.b[0]" = "kind"}
"""
    spec = spec_of(tmp_path, middle)
    for name in ("a.j2", "b.bin", "c.json"):
        (tmp_path / name).unlink()
    files = render_inputs(spec, {**default_of(spec), "width": 32})
    assert files["sub/a.txt"].decode() == "é 32\n"
    assert files["b.bin"] == b"\xff\0{{ width }}"
    assert files["c.json"].decode() == '{\n  "a": {\n    "b": [\n      "ripple",\n      16.0\n    ]\n  }\n}\n'


def test_executable_files_stay_so(tmp_path: Path) -> None:
    for name in ("tool", "tool.j2", "data"):
        (tmp_path / name).write_text("#!/bin/sh\n")
    (tmp_path / "tool").chmod(0o755)
    (tmp_path / "tool.j2").chmod(0o755)
    middle = "".join(
        f'[[inputs]]\nfile = "{file}"\n{kind} = "{name}"\n'
        for file, kind, name in (("a", "copy", "tool"), ("b", "template", "tool.j2"), ("c", "copy", "data"))
    )
    assert [item.executable for item in spec_of(tmp_path, middle).inputs] == [True, True, False]

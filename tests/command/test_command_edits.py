from __future__ import annotations

import configparser
import json
import tomllib
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from simulators.command.edits import EditError, edited, steps_of

JSON = '{"memory": {"rows": 1, "banks": [{"size": 1}, {"size": 2}], "odd.key": true}, "name": "x"}'
YAML = "# sizes\nmemory: &base\n  rows: 1\n  banks: [{size: 1}, {size: 2}]\ncopy: *base\nname: x\n"
INI = """; of the machine
top = 1
[memory]
rows = 1   # lines
Rows: 2
path=/a=b
long = one
    two
[system.cpu]
  width = 4
  depth = 5
empty =
"""
TOML = """top = 1
[memory]
rows = 1 # lines
name = "a # b"
on = true
[[layer]]
size = 3
[a.b]
c = 1.5
many = [1,
  2]
"""
XML = """<?xml version="1.0"?>
<!DOCTYPE root>
<!-- of the chip -->
<root>
  <component id="core"><param name="width" value="4"/><param name="depth" value="8"/></component>
  <component id="cache"><!-- KB --><size>32</size></component>
</root>
"""

PLAIN = st.one_of(st.integers(-(2**60), 2**60), st.booleans(), st.floats(allow_nan=False, allow_infinity=False), st.text())


def test_json() -> None:
    text = edited(
        JSON, "json", [("memory.rows", 64), ("memory.banks[1].size", 0.5), ('memory."odd.key"', False), ("name", "é\n")]
    )
    expected = {"memory": {"rows": 64, "banks": [{"size": 1}, {"size": 0.5}], "odd.key": False}, "name": "é\n"}
    assert json.loads(text) == expected and "é" in text
    assert json.loads(edited(JSON, "json", [("memory.banks[-1].size", 7)]))["memory"]["banks"] == [{"size": 1}, {"size": 7}]


def test_the_text_that_is_kept_between_designs_is_not_changed() -> None:
    first = edited(JSON, "json", [("memory.banks[0].size", 5)])
    assert edited(JSON, "json", [("name", "x")]) != first
    assert json.loads(edited(JSON, "json", [("name", "x")])) == json.loads(JSON)


def test_yaml() -> None:
    tree = yaml.safe_load(edited(YAML, "yaml", [("memory.rows", 64), ("memory.banks[0].size", 2.5), ("name", "on")]))
    assert tree["memory"] == {"rows": 64, "banks": [{"size": 2.5}, {"size": 2}]} and tree["name"] == "on"
    assert tree["copy"] == {"rows": 1, "banks": [{"size": 1}, {"size": 2}]}  # what an alias stands for is not changed with it


@given(PLAIN)
@example("\x85")
def test_json_and_yaml_hold_what_was_set(value: Any) -> None:
    assert json.loads(edited(JSON, "json", [("memory.rows", value)]))["memory"]["rows"] == value
    found = yaml.safe_load(edited(YAML, "yaml", [("memory.rows", value)]))["memory"]["rows"]
    assert found == value and type(found) is type(value)


@example("\x7f")
@example("a\u2028b")
@given(
    st.one_of(st.integers(-(2**60), 2**60), st.booleans(), st.floats(allow_nan=False), st.text(st.characters(codec="utf-8")))
)
def test_toml_holds_what_was_set(value: Any) -> None:
    tree = tomllib.loads(TOML)
    tree["memory"]["rows"] = value
    assert tomllib.loads(edited(TOML, "toml", [("memory.rows", value)])) == tree


def test_toml_keeps_comments() -> None:
    text = edited(TOML, "toml", [("memory.rows", 9), ("top", 2), ("a.b.c", 2.5), ("memory.on", False)])
    assert "rows = 9 # lines\n" in text and text.startswith("top = 2\n") and "c = 2.5\n" in text and "on = false\n" in text


def test_ini_changes_its_lines_only() -> None:
    text = edited(INI, "ini", [("memory.rows", 64), ("memory.Rows", 65), ("system.cpu.depth", 0.5), ("top", True)])
    assert text == INI.replace("rows = 1 ", "rows = 64 ").replace("Rows: 2", "Rows: 65").replace("5", "0.5").replace(
        "top = 1", "top = true"
    ).replace("60.5", "65")
    assert edited(INI, "ini", [("memory.path", "/c=d")]).count("path=/c=d\n") == 1
    assert "empty =x\n" in edited(INI, "ini", [("system.cpu.empty", "x")]).replace("= x", "=x")


def test_ini_is_what_configparser_reads() -> None:
    text = "[a]\nx = 1\ny: 2\n[b c]\n  x = 3\n  z = 4\n"
    parser = configparser.ConfigParser()
    parser.read_string(edited(text, "ini", [("a.y", 20), ("b c.x", "30 40"), ("b c.z", -1.5)]))
    assert {name: dict(parser[name]) for name in parser.sections()} == {
        "a": {"x": "1", "y": "20"},
        "b c": {"x": "30 40", "z": "-1.5"},
    }


def test_line_ends_stay() -> None:
    assert edited("[a]\r\nx = 1\r\ny = 2", "ini", [("a.x", 3), ("a.y", 4)]) == "[a]\r\nx = 3\r\ny = 4"


def test_xml() -> None:
    assignments = [
        ("component[@id='core']/param[@name='width']/@value", 16),
        ("component[2]/size", 0.5),
        ("component[@id='core']/@id", "a<b"),
    ]
    text = edited(XML, "xml", assignments)
    root = ElementTree.fromstring(text)
    assert [param.get("value") for param in root.iter("param")] == ["16", "8"]
    assert root.findtext("component/size") == "0.5" and root[0].get("id") == "a<b"
    assert text.startswith(XML[: XML.index("<root>")]) and "<!-- KB -->" in text
    assert edited("<a x='1'/>", "xml", [("@x", True)]) == '<a x="true" />\n'


BOMB = """<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;">]><a><x>&d;</x></a>"""
OUTSIDE = """<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a><x>&b;</x></a>"""
PARAMETER = """<!DOCTYPE a [<!ENTITY % b SYSTEM "file:///etc/passwd"> %b;]><a><x>1</x></a>"""


@pytest.mark.parametrize("text", [BOMB, OUTSIDE, PARAMETER])
def test_xml_entities_are_refused(text: str) -> None:
    with pytest.raises(EditError, match="entities"):
        edited(text, "xml", [("x", 1)])


def test_an_outside_document_type_is_not_looked_at() -> None:
    text = '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a><x>0</x></a>'
    assert edited(text, "xml", [("x", 1)]).endswith("<a><x>1</x></a>\n")


@pytest.mark.parametrize("text", ["!!python/object/apply:os.getcwd []", "a: !!python/name:os.system ''", "!!python/module:os"])
def test_yaml_tags_make_nothing(text: str) -> None:
    with pytest.raises(EditError, match="not YAML"):
        edited(text, "yaml", [("a", 1)])


@pytest.mark.parametrize(
    ("form", "text", "path", "message"),
    [
        ("json", JSON, "memory.row", "Did you mean 'rows'"),
        ("json", JSON, "memory", "is a table, not a value"),
        ("json", JSON, "memory.banks", "is a list, not a value"),
        ("json", JSON, "memory.banks[2].size", "no place [2] in a list of 2"),
        ("json", JSON, "memory.rows.x", "no key 'x' in 1"),
        ("json", JSON, "name[0]", "no place [0] in 'x'"),
        ("json", JSON, ".name", "is no path"),
        ("json", JSON, "a..b", "is no path"),
        ("json", JSON, "", "must not be empty"),
        ("json", "{", "a", "not JSON"),
        ("json", "[" * 100_000, "a", "nested too deeply"),
        ("yaml", "a: [1", "a", "not YAML"),
        ("yaml", "a: &x [*x]", "a[0].b", "no key 'b'"),
        ("ini", INI, "memory.row", "Did you mean 'memory.rows'"),
        ("ini", INI, "memory.long", "several lines"),
        ("ini", "[a]\nx=1\n[a]\nx=2\n", "a.x", "2 times, in lines 2, 4"),
        ("toml", TOML, "layer.size", "no key named 'layer.size'"),
        ("toml", TOML, "[layer].size", "cannot be set on its line"),
        ("toml", TOML, "memory.size", "no key named 'memory.size'"),
        ("toml", TOML, "a.b.many", "several lines"),
        ("xml", XML, "component/param/@value", "it leads to 2"),
        ("xml", XML, "component[3]", "it leads to 0"),
        ("xml", XML, "component[1]/@ID", "has no attribute 'ID', it has id"),
        ("xml", XML, "component[1]", "element with children"),
        ("xml", XML, "component[", "is no path"),
        ("xml", "<a>", "b", "not XML"),
    ],
)
def test_what_cannot_be_set_says_why(form: str, text: str, path: str, message: str) -> None:
    with pytest.raises(EditError) as caught:
        edited(text, form, [(path, 5)])
    assert message in str(caught.value)


def test_values_that_a_form_does_not_have() -> None:
    with pytest.raises(EditError, match="JSON has no such number"):
        edited(JSON, "json", [("memory.rows", float("inf"))])
    with pytest.raises(EditError, match="on one line"):
        edited(INI, "ini", [("memory.rows", "a\n[evil]\nb = 1")])


def test_paths() -> None:
    assert steps_of('a.b[0]."c.d"[-1].e-f') == ("a", "b", 0, "c.d", -1, "e-f")
    assert steps_of("[3].x") == (3, "x")

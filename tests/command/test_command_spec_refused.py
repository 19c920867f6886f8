from __future__ import annotations

from pathlib import Path

import pytest
from spec_files import HEAD, METRIC, RUN, write_spec

from archgym.errors import SpecError
from simulators.command.spec import read_spec


def head(parameter: str) -> str:
    return f'name = "a"\n[[parameters]]\nname = "width"\n{parameter}\n'


def middle(kind: str, keys: str) -> str:
    return f"[[{kind}]]\n{keys}\n"


def inputs(keys: str) -> dict[str, str]:
    return {"middle": middle("inputs", keys)}


def run(keys: str) -> dict[str, str]:
    return {"run": RUN + keys + "\n"}


def metrics(keys: str) -> dict[str, str]:
    return {"metrics": middle("metrics", keys)}


BAD: list[tuple[dict[str, str], str]] = [
    # The file as a whole
    ({"head": "name = "}, "is not TOML"),
    ({"middle": "[runn]\n"}, "no key named 'runn'. Did you mean 'run'"),
    ({"head": HEAD.replace('"adder"', '"my adder"')}, "name must be a name of letters, digits and underscores"),
    ({"head": HEAD.replace('name = "adder"', "")}, "name is missing"),
    ({"head": "version = 3\n" + HEAD}, "version must be a text, got 3"),
    ({"head": 'version_command = "yosys -V"\n' + HEAD}, "version_command must be a list of texts"),
    # Parameters
    ({"head": 'name = "a"\n'}, "at least one [[parameters]] is needed"),
    ({"head": 'name = "a"\nparameters = {}\n'}, "must be an array of tables, written [[parameters]]"),
    ({"head": 'name = "a"\nparameters = [3]\n'}, "[[parameters]] 1 must be a table, got 3"),
    ({"head": head("")}, "[[parameters]] 1 (width): exactly one of values, range is needed, got none"),
    ({"head": head("values = [1]\nrange = {}")}, "is needed, got values and range"),
    ({"head": head("values = []")}, "values must be a list of numbers, texts or truth values"),
    ({"head": head("values = [1, 'a']")}, "values must be all numbers, all strings or all booleans"),
    ({"head": head("values = [1, true]")}, "values must be all numbers"),
    ({"head": head("values = [1, 1.0]")}, "values must be distinct"),
    ({"head": head("values = [[1]]")}, "values must be all numbers"),
    ({"head": head("values = [1.0, nan]")}, "values must be finite"),
    ({"head": head("values = [1, 2]\ndefault = 3")}, "default must be one of [1, 2], got 3"),
    ({"head": head("values = [1, 2]\ndefault = true")}, "default must be one of [1, 2], got True"),
    ({"head": head("values = [1, 2]\nordered = 1")}, "ordered must be true or false, got 1"),
    ({"head": head("value = [1, 2]")}, "[[parameters]] 1 (width): no key named 'value'. Did you mean 'values'"),
    ({"head": head("values = [1]") + head("values = [1]")[11:]}, "two [[parameters]] are called 'width'"),
    ({"head": HEAD.replace('"kind"', '"max"')}, "name cannot be 'max': expressions use that word themselves"),
    ({"head": HEAD.replace('"kind"', '"if"')}, "name cannot be 'if'"),
    ({"head": HEAD.replace('"kind"', '"a-b"')}, "name must be a name of letters"),
    ({"head": head("range = 3")}, "range must be a table, got 3"),
    ({"head": head("range = {from = 1, to = 2}")}, "range: exactly one of step, factor, count is needed, got none"),
    ({"head": head("range = {to = 2, step = 1}")}, "range: from is missing"),
    ({"head": head("range = {from = 2, to = 1, step = 1}")}, "range: from must not be above to, got 2 and 1"),
    ({"head": head("range = {from = 1, to = 2, step = 0}")}, "range: step must be above 0"),
    ({"head": head("range = {from = 1, to = 2, step = '1'}")}, "range: step must be a number, got '1'"),
    ({"head": head("range = {from = 1, to = inf, step = 1}")}, "range: to must be a number, got inf"),
    ({"head": head("range = {from = 0, to = 9, factor = 2}")}, "needs a factor above 1 and from above 0"),
    ({"head": head("range = {from = 1, to = 9, factor = 1}")}, "needs a factor above 1 and from above 0"),
    ({"head": head("range = {from = 1, to = 9, count = 1}")}, "count must be a whole number, 2 or more"),
    ({"head": head("range = {from = 1, to = 1e12, step = 1}")}, "more than 100,000 values"),
    ({"head": head("range = {from = 1, to = 1e300, factor = 1.00001}")}, "more than 1,000 values"),
    ({"head": head("range = {from = 1, to = 9, count = 10000000000}")}, "count must be at most 100,000"),
    ({"head": head("range = {from = 1, to = 9, stop = 1}")}, "range: no key named 'stop'. Did you mean 'step'"),
    # Constraints
    ({"middle": middle("constraints", 'name = "c"')}, "[[constraints]] 1 (c): holds is missing"),
    ({"middle": middle("constraints", 'name = "c"\nholds = "widht <= 3"')}, "no name named 'widht'. Did you mean 'width'"),
    ({"middle": middle("constraints", 'name = "c"\nholds = "width <"')}, "holds: 'width <' is no expression: invalid syntax"),
    (
        {"middle": middle("constraints", 'name = "c"\nholds = "width * 2"')},
        "holds must be true or false, but 'width * 2' is a number",
    ),
    ({"middle": middle("constraints", 'name = "c"\nholds = "kind < 3"')}, "compares a number with a text"),
    ({"middle": middle("constraints", 'name = "c"\nholds = 3')}, "an expression must be a text"),
    ({"middle": middle("constraints", 'name = "c"\nholds = "open(kind)"')}, "no function named 'open'"),
    ({"middle": middle("constraints", 'name = "c"\nholds = "fast"') * 2}, "two [[constraints]] are called 'c'"),
    ({"middle": middle("constraints", 'name = "c"\nhold = "fast"')}, "Did you mean 'holds'"),
    # Inputs
    (inputs('file = "a"'), "[[inputs]] 1 (a): exactly one of template, text, copy, edit is needed, got none"),
    (inputs('text = "a"'), "[[inputs]] 1: file is missing"),
    (inputs('file = "/etc/passwd"\ntext = ""'), "file must be a relative path"),
    (inputs('file = "../a"\ntext = ""'), "file must be a relative path"),
    (inputs('file = "a/../../b"\ntext = ""'), "file must be a relative path"),
    (inputs('file = "C:a"\ntext = ""'), "file must be a relative path"),
    (inputs("file = 'a\\b'\ntext = \"\""), "file must be a relative path"),
    (inputs('file = "a\\nb"\ntext = ""'), "file must be a relative path"),
    (inputs('file = "a/"\ntext = ""'), "file must be a relative path"),
    (inputs('file = ""\ntext = ""'), "file must be a text, not empty"),
    (inputs('file = "."\ntext = ""'), "file must be the path of a file"),
    (inputs(f'file = "{"a" * 300}"\ntext = ""'), "file must be the path of a file, each part at most 255 bytes"),
    (inputs('file = "a"\ntext = ""\n[[inputs]]\nfile = "./a"\ntext = ""'), "file 'a' is written by two [[inputs]]"),
    (inputs('file = "a"\ntext = ""\n[[inputs]]\nfile = "a/b"\ntext = ""'), "one is a folder of the other"),
    (inputs('file = "a"\ntemplate = "absent.j2"'), "cannot be read: No such file"),
    (inputs('file = "a"\ncopy = "../x"'), "copy must be a relative path"),
    (inputs('file = "a"\ncopy = "/etc/passwd"'), "copy must be a relative path"),
    (inputs('file = "a"\ncopy = "outside"'), "copy: outside is a link that leads out of the spec's folder"),
    (inputs('file = "a"\ncopy = "folder"'), "is no file"),
    (inputs('file = "a"\ntemplate = "binary"'), "template: binary is no UTF-8 text"),
    (inputs('file = "a"\ntext = "{{ widht }}"'), "template of a: no name named 'widht'. Did you mean 'width'"),
    (inputs('file = "a"\ntext = "{% if fast %}"'), "template of a: line 1: "),
    (inputs('file = "a"\ntext = "{% include \'b\' %}"'), "cannot include, import or extend"),
    (inputs('file = "a"\ntext = "{{ kind.x }}"'), "input a: UndefinedError"),
    (inputs('file = "a"\ntext = "{{ kind.__class__ }}"'), "unsafe. (design: width = 8, kind = 'ripple', fast = False)"),
    (inputs('file = "a"\ntext = ""\nset = {a = "1"}'), "set goes with edit, not with text"),
    (inputs('file = "a"\nedit = "base.json"'), "edit needs values to set"),
    (inputs('file = "a"\nedit = "base.json"\nset = {"m.row" = "width"}'), "m.row: no key named 'row'. Did you mean 'rows'"),
    (inputs('file = "a"\nedit = "base.json"\nset = {"m.rows" = "widht"}'), "set: m.rows: 'widht': no name named 'widht'"),
    (inputs('file = "a"\nedit = "base.json"\nset = {"m.rows" = 3}'), "an expression must be a text"),
    (inputs('file = "a"\nedit = "base.json"\nset = {"m.rows" = "kind * 2"}'), "needs numbers, not a text"),
    (inputs('file = "a"\nedit = "bad.yaml"\nset = {a = "1"}'), "is not YAML"),
    (inputs('file = "a"\nedit = "odd.txt"\nset = {a = "1"}'), "write format = one of json, yaml, toml, ini, xml"),
    (inputs('file = "a"\nedit = "base.json"\nformat = "jsn"\nset = {a = "1"}'), "format must be 'json' or 'yaml'"),
    # Run
    ({"run": ""}, "run is missing"),
    ({"run": "[run]\n"}, "[run]: exactly one of command, commands is needed, got none"),
    ({"run": '[run]\ncommand = "make all"\n'}, "command must be a list of texts such as"),
    ({"run": "[run]\ncommand = []\n"}, "command must be a list of texts"),
    ({"run": '[run]\ncommand = [" "]\n'}, "command: the program's name is empty"),
    ({"run": '[run]\ncommands = ["make"]\n'}, "commands must be a list of commands, each a list of texts"),
    ({"run": "[run]\ncommands = []\n"}, "commands must be a list of commands"),
    ({"run": '[run]\ncommand = ["a", 3]\n'}, "command must be a list of texts"),
    ({"run": '[run]\ncommand = ["a\\u0000"]\n'}, "holds a zero byte"),
    ({"run": '[run]\ncommand = ["a", "{{ widht }}"]\n'}, "[run] command 1: '{{ widht }}': no name named 'widht'"),
    ({"run": '[run]\ncommands = [["a"], ["b", "{{ width"]]\n'}, "[run]: commands: 2: '{{ width': line 1"),
    (run("time_limits = 3"), "[run]: no key named 'time_limits'. Did you mean 'time_limit'"),
    (run("time_limit = 0"), "time_limit must be a number above 0, got 0"),
    (run("time_limit = inf"), "time_limit must be a number above 0"),
    (run("memory_limit = 0"), "memory_limit must be a whole number, 1 or more, got 0"),
    (run("memory_limit = 1.5"), "memory_limit must be a whole number"),
    (run("disk_limit = -1"), "disk_limit must be a whole number, 1 or more"),
    (run("retries = -1"), "retries must be a whole number, 0 or more"),
    (run("jobs = 0"), "jobs must be a whole number, 1 or more, or 'cores', got 0"),
    (run('jobs = "all"'), "or 'cores', got 'all'"),
    (run('order = "any"'), "order must be 'finished' or 'proposed', got 'any'"),
    (run('environment = "PATH"'), "environment must be a list of texts"),
    (run("set_environment = {A = 1}"), "set_environment: A must be a text, got 1"),
    (run('set_environment = {A = "1"}\nsecrets = ["A"]'), "A is a secret: its value must come from outside"),
    (run('exit_codes = ["0"]'), "exit_codes must be a list of whole numbers"),
    (run("exit_codes = []"), "exit_codes must hold at least one code"),
    (run("invalid_exit_codes = [0]"), "exit code 0 cannot mean both"),
    (run('invalid_texts = ["("]'), "invalid_texts: '(' is no regular expression"),
    (run('failed_texts = "x"'), "failed_texts must be a list of texts"),
    (run("keep = true"), "keep must be 'never' or 'failures', got True"),
    (run('leftovers = "no"'), "leftovers must be 'fail' or 'kill'"),
    (run("cpus = 0"), "cpus must be a number above 0"),
    (run("resources = {gpu = 0}"), "resources: gpu must be a number above 0"),
    # Metrics
    ({"metrics": ""}, "at least one [[metrics]] is needed"),
    (metrics('source = "stdout"\npath = "a"'), "[[metrics]] 1: name is missing"),
    (metrics('name = "m"\nsource = "stdout"'), "exactly one of pattern, path, column, value is needed, got none"),
    (metrics("name = \"m\"\npattern = '(x)'"), "[[metrics]] 1 (m): source is missing"),
    (metrics('name = "m"\nsource = "../x"\npattern = \'(x)\''), "source must be a relative path"),
    (metrics('name = "m"\nsource = "/proc/self/environ"\npattern = \'(x)\''), "source must be a relative path"),
    (metrics('name = "m"\nsource = "stdout"\npattern = \'x\''), "pattern: 'x' needs a group in round brackets"),
    (metrics('name = "m"\nsource = "stdout"\npattern = \'(x\''), "pattern: '(x' is no regular expression: missing )"),
    (metrics("name = \"m\"\nsource = \"stdout\"\npattern = '(x)'\nmatch = 'any'"), "match must be 'last' or 'first'"),
    (metrics('name = "m"\nsource = "stdout"\npattern = \'(x)\'\nrow = 3'), "row goes with column, not with pattern"),
    (metrics('name = "m"\nsource = "a.json"\npath = "a["'), "path: 'a[' is no JMESPath"),
    (metrics('name = "m"\nsource = "a.txt"\npath = "a"'), "write format = one of json, toml, yaml"),
    (metrics('name = "m"\nsource = "a.json"\npath = "a"\nformat = "xml"'), "format must be 'json' or 'yaml' or 'toml'"),
    (metrics('name = "m"\nsource = "a.csv"\ncolumn = -1'), "column must be the name of a column"),
    (metrics('name = "m"\nsource = "a.csv"\ncolumn = "a"\nrow = "total"'), "row must be a whole number"),
    (metrics('name = "m"\nsource = "a.csv"\ncolumn = "a"\nrow = 1.5'), "row must be a whole number"),
    (metrics('name = "m"\nvalue = "n + 1"'), "value: 'n + 1': no name named 'n'"),
    (metrics('name = "m"\nvalue = "m + 1"'), "no name named 'm'"),
    (metrics('name = "m"\nvalue = "kind"'), "value must be a number or true or false, but 'kind' is a text"),
    (metrics('name = "m"\nvalue = "width"\nsource = "stdout"'), "has no source"),
    (metrics('name = "width"\nvalue = "width"'), "is a parameter or constant already"),
    (metrics('name = "m"\nvalue = "width"') | {"middle": METRIC.replace("cells", "m")}, "two [[metrics]] are called 'm'"),
    (metrics('name = "m ns"\nvalue = "width"'), "name must be a name of letters"),
    (metrics('name = "m"\nvalue = "width"\ngoal = "low"'), "goal must be 'min' or 'max' or 'info', got 'low'"),
    (metrics('name = "m"\nvalue = "width"\nbounds = [1, 0]'), "bounds must be (low, high)"),
    (metrics('name = "m"\nvalue = "width"\nbounds = 3'), "bounds must be two numbers [low, high]"),
    (metrics('name = "m"\nvalue = "width"\nscale = nan'), "scale must be a number, got nan"),
    # Workloads
    ({"middle": "[workloads]\na = 3\n"}, "[workloads.a] must be a table of constants, got 3"),
    ({"middle": "[workloads.a]\nx = 1\n[workloads.b]\ny = 1\n"}, "[workloads.b] must have what a has: x (a number), got y"),
    ({"middle": '[workloads.a]\nx = 1\n[workloads.b]\nx = "1"\n'}, "got x (a text)"),
    ({"middle": "[workloads.a]\nwidth = 1\n"}, "'width' is a parameter and a constant of the workloads"),
    ({"middle": "[workloads.a]\nmin = 1\n"}, "'min' cannot be the name of a constant"),
    ({"middle": "[workloads.a]\nx = 2020-01-01\n"}, "x must be a number, a text, a truth value"),
    ({"middle": '[workloads."a b"]\nx = 1\n'}, "a workload's name may have letters"),
    (
        {"middle": '[workloads.a]\nx = [1]\n[[constraints]]\nname = "c"\nholds = "x < 3"\n'},
        "x is a list or table, which only templates can use",
    ),
]


@pytest.mark.parametrize(("parts", "message"), BAD, ids=[message[:50] for _, message in BAD])
def test_what_cannot_be_run_is_refused_when_it_is_read(tmp_path: Path, parts: dict[str, str], message: str) -> None:
    folder = tmp_path / "spec"
    (folder / "folder").mkdir(parents=True)
    (tmp_path / "secret").write_text("hidden")
    (folder / "outside").symlink_to(tmp_path / "secret")
    (folder / "binary").write_bytes(b"\xff\xfe")
    (folder / "base.json").write_text('{"m": {"rows": 1}}')
    (folder / "bad.yaml").write_text("a: !!python/object/apply:os.getcwd []")
    (folder / "odd.txt").write_text("a = 1")
    path = write_spec(folder, **parts)
    with pytest.raises(SpecError) as caught:
        read_spec(path)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(path))
    assert len(str(caught.value)) < 700

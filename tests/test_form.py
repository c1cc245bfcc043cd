import ast
import math

import ipyform.parser
import pytest
from colab_gen.form import (
    Parameter,
    literal,
    printable,
    read_parameters,
    set_values,
)
from colab_gen.values import check_value
from hypothesis import given
from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
VALUES = TEXT | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('s = "v"  # @param {"type": "string"}', ("string", "v")),
        ('s = "v" #@param {type:"string", placeholder:"enter, a: value"}', ("string", "v")),
        ('i = 10 #@param {type:"integer"}', ("integer", 10)),
        ('n = -1.5 #@param {type:"number"}', ("number", -1.5)),
        ('b = True #@param {"type":"boolean"}', ("boolean", True)),
        ('k = 0.5 #@param {type:"slider", min:0, max:1, step:0.1}', ("slider", 0.5)),
        ('d = "2026-11-22" #@param {type:"date"}', ("date", "2026-11-22")),
        ("r = a + b #@param {type:'raw'}", ("raw", "a + b")),
        ("r = a + b #@param", ("raw", "a + b")),
        ('c = "a" #@param ["a", "b"]', ("choice", "a")),
        ("c = 'a' #@param ['a', 'b'] {allow-input: true}", ("choice", "a")),
        ('s = "# @param []"  # @param {"type": "string"}', ("string", "# @param []")),
        ('ü = "ß"  # @param {"type": "string"}', ("string", "ß")),
    ],
)
def test_reads_every_kind_of_field(line, expected):
    (parameter,) = read_parameters(f"import x\n{line}\n!ls 'unfinished\n%cd /content")
    assert (parameter.kind, parameter.default) == expected


def test_reads_lists_and_sliders():
    choice, slider = read_parameters(
        'c = 1  # @param [1, 2] {"allow-input": true}\n'
        'k = 3  # @param {"type": "slider", "min": 1, "max": 8, "step": 1}'
    )
    assert (choice.options, choice.allow_input) == ((1, 2), True)
    assert (slider.minimum, slider.maximum, slider.step) == (1, 8, 1)


@pytest.mark.parametrize(
    "code",
    [
        "x = 1  # no field",
        'text = """\na = 1  # @param {"type": "integer"}\n"""',
        'def f():\n    a = 1  # @param {"type": "integer"}',
        'a = b = 1  # @param {"type": "integer"}',
        'a = (1,\n 2)  # @param {"type": "raw"}',
    ],
)
def test_takes_nothing_else_for_a_field(code):
    assert read_parameters(code) == ()
    assert set_values(code, {"a": 5, "x": 5}) == code


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('a = 1  # @param {"type": "colour"}', "no field type 'colour'"),
        ('a = f()  # @param {"type": "string"}', "no plain literal"),
        ('a = 1  # @param {"type": ', "cannot read the field"),
        ('a = [1]  # @param {"type": "string"}', "no plain literal"),
    ],
)
def test_names_the_line_of_a_faulty_field(line, words):
    with pytest.raises(ValueError, match=f"line 1: a.*{words}"):
        read_parameters(line)


def parameter(kind, default="", **more):
    return Parameter(name="p", kind=kind, default=default, **more)


@pytest.mark.parametrize(
    ("kind", "given_value", "expected"),
    [
        (parameter("string"), "5", "5"),
        (parameter("integer"), "5", 5),
        (parameter("integer"), 5, 5),
        (parameter("number"), "5", 5),
        (parameter("number"), "5.5", 5.5),
        (parameter("boolean"), "Yes", True),
        (parameter("boolean"), "off", False),
        (parameter("boolean"), True, True),
        (parameter("date"), "2026-11-30", "2026-11-30"),
        (parameter("slider", 1, minimum=1, maximum=9, step=1), "9", 9),
        (parameter("slider", 0.5, minimum=0, maximum=1, step=0.1), "0.25", 0.25),
        (parameter("choice", "a", options=("a", 2)), "2", 2),
        (parameter("choice", "a", options=("a",), allow_input=True), "z", "z"),
        (parameter("raw"), 1.5, 1.5),
    ],
)
def test_takes_values_and_their_text(kind, given_value, expected):
    value = check_value(kind, given_value)
    assert (value, type(value)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("kind", "given_value", "words"),
    [
        (parameter("string"), 5, "text"),
        (parameter("integer"), "5.5", "whole number"),
        (parameter("integer"), True, "whole number"),
        (parameter("integer"), "9" * 5000, "whole number"),
        (parameter("number"), "nan", "a number"),
        (parameter("choice", "a", options=("a",), allow_input=True), float("nan"), "takes text"),
        (parameter("number"), math.inf, "a number"),
        (parameter("boolean"), "maybe", "true or false"),
        (parameter("boolean"), 1, "true or false"),
        (parameter("date"), "30.11.2026", "a date such as"),
        (parameter("slider", 1, minimum=1, maximum=9, step=1), "10", "from 1 to 9"),
        (parameter("slider", 1, minimum=1, maximum=9, step=1), "1.5", "whole number"),
        (parameter("choice", "a", options=("a", "b")), "c", "one of a, b"),
    ],
)
def test_refuses_values_a_field_does_not_take(kind, given_value, words):
    with pytest.raises(ValueError, match=words):
        check_value(kind, given_value)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("é😀\U0001fae8", '"é😀\U0001fae8"'),  # the last one is unknown to Python 3.11
        ("\u2066\u200f\U0001343a\U000e0001\ue000", r'"\u2066\u200f\U0001343a\U000e0001\ue000"'),
        ("\t\r\n\0\x7f\ud800", r'"\t\r\n\x00\x7f\ud800"'),
        ("'\"\\", '"\'\\"\\\\"'),
    ],
)
def test_a_literal_is_the_same_in_every_version_of_python(text, written):
    assert literal(text) == written


@given(VALUES)
def test_a_literal_reads_back_as_the_value(value):
    written = literal(value)
    assert all(map(printable, written))
    read = ast.literal_eval(written)
    assert (read, type(read)) == (value, type(value))


@given(VALUES, TEXT)
def test_a_value_set_is_the_value_run_and_read_back(value, other):
    code = (
        f'é = 1; other = 2\na = "#"  # @param {{"type": "raw"}}\nb = {literal(other)}\nprint(a)\n'
    )
    changed = set_values(code, {"a": value, "é": 3})
    (field,) = read_parameters(changed)
    assert (field.default, type(field.default)) == (value, type(value))
    names = {"print": lambda _: None}
    exec(compile(changed, "cell", "exec"), names)
    assert (names["a"], names["b"], names["é"]) == (value, other, 1)
    assert len(changed.split("\n")) == len(code.split("\n"))


def test_another_reader_of_forms_finds_the_same_fields(catalog):
    found = {}
    for snippet in catalog.snippets.values():
        for cell in snippet.cells:
            if cell.kind == "python":
                form = ipyform.parser.parse(cell.source)
                assert not form.errors
                found |= {p.variable: p.value for p in form.params}
    assert found == {name: p.default for name, p in catalog.parameters().items()}

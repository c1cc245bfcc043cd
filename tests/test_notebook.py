import ast
import json
from itertools import combinations

import nbformat
import pytest
from colab_gen.errors import NotebookError
from colab_gen.form import read_parameters
from colab_gen.notebook import build, dumps, loads, recipe_of, snippets_of
from colab_gen.plan import make_plan
from colab_gen.recipe import Recipe
from colab_gen.render import render
from conftest import GOLDEN
from hypothesis import given, settings
from hypothesis import strategies as st

FEATURES = (
    "memory", "keepalive", "drive", "imports", "staging", "dump", "images", "download",
)  # fmt: skip
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)
AWKWARD = [
    "",
    '"',
    "'",
    "\\",
    '\\"',
    "\n\r\t\0",
    "{{ 7 * 7 }}{% raw %}#: x",
    "äöü ß 日本 🎉",
    "\u2028\u2029\x85",
    '"""',
    "# @param [1]",
    "</script><b>",
    "%%bash\n!ls",
]


def make(catalog, *features, **recipe):
    plan = make_plan(catalog, Recipe(features=features, **recipe))
    return build(plan, render(plan))


def sources(notebook):
    return ["".join(cell["source"]) for cell in notebook["cells"]]


def test_the_eight_features_are_there(catalog):
    assert set(catalog.features) == set(FEATURES)


@pytest.mark.parametrize("feature", FEATURES)
def test_each_feature_alone_is_as_it_was_read(catalog, feature, golden):
    golden(dumps(make(catalog, feature)), GOLDEN / f"{feature}.ipynb")


def test_all_features_with_everything_set(catalog, golden):
    notebook = make(
        catalog,
        *FEATURES,
        title="Everything: <all> of *it*",
        repository="ada/photos",
        branch="dev",
        accelerator="T4",
        high_ram=True,
        file="nb/everything.ipynb",
        values={"archive_name": 'my "photos".zip'},
    )
    golden(dumps(notebook), GOLDEN / "all.ipynb")


@pytest.mark.parametrize(
    "features",
    [*((f,) for f in FEATURES), *combinations(FEATURES, 2), FEATURES],
    ids="+".join,
)
def test_every_choice_is_a_valid_notebook(catalog, features):
    notebook = make(catalog, *features)
    nbformat.validate(notebook)
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    assert all(cell["metadata"]["id"] == cell["id"] for cell in notebook["cells"])
    assert all(cell["metadata"]["colab_gen"]["snippet"] for cell in notebook["cells"])
    cover = sources(notebook)[0]
    for feature in features:
        assert f"(#scrollTo={feature}-1)" in cover
        assert f"{feature}-1" in ids


def test_typing_in_another_order_gives_the_same_bytes(catalog):
    assert dumps(make(catalog, *FEATURES)) == dumps(make(catalog, *reversed(FEATURES)))


@pytest.mark.parametrize(
    ("recipe", "metadata"),
    [
        ({}, (None, None, None)),
        ({"high_ram": True}, (None, None, "hm")),
        ({"accelerator": "A100"}, ("GPU", "A100", None)),
        ({"accelerator": "V5E1", "high_ram": True}, ("TPU", "V5E1", "hm")),
    ],
)
def test_the_runtime_asked_for_is_in_the_metadata(catalog, recipe, metadata):
    found = make(catalog, "memory", **recipe)["metadata"]
    colab = found["colab"]
    assert (
        found.get("accelerator"), colab.get("gpuType"), colab.get("machine_shape"),
    ) == metadata  # fmt: skip
    assert colab["provenance"] == []
    assert colab["toc_visible"] is True
    assert found["kernelspec"] == {"display_name": "Python 3", "name": "python3"}
    assert found["language_info"]["name"] == "python"


def test_a_badge_leads_to_the_repository_only_where_there_is_one(catalog):
    assert "colab-badge" not in sources(make(catalog, "drive"))[0]
    cover = sources(make(catalog, "drive", title="A b", repository="ada/x", branch="a#b"))[0]
    assert "(https://colab.research.google.com/github/ada/x/blob/a%23b/a-b.ipynb)" in cover


def test_a_long_cell_opens_as_a_form(catalog):
    for cell in make(catalog, *FEATURES)["cells"]:
        hidden = cell["metadata"].get("cellView") == "form"
        long = cell["cell_type"] == "code" and len(cell["source"]) > 20
        assert hidden == long, cell["id"]


def test_every_code_cell_has_a_title_and_no_magic(catalog):
    for cell in make(catalog, *FEATURES)["cells"]:
        if cell["cell_type"] == "code":
            assert cell["source"][0].startswith("# @title "), cell["id"]
            # A line of another language inside a string is no magic: the cell is plain Python.
            ast.parse("".join(cell["source"]))


@pytest.mark.parametrize("title", AWKWARD)
def test_an_awkward_title_is_text(catalog, title):
    title = title.strip() or "-"
    notebook = make(catalog, "drive", title=title)
    nbformat.validate(notebook)
    cover = sources(notebook)[0]
    assert "<b>" not in cover
    assert "49" not in cover
    assert recipe_of(loads(dumps(notebook))).title == title


def text_parameters(catalog):
    return [
        (snippet.name, p.name)
        for snippet in catalog.snippets.values()
        for p in snippet.parameters
        if p.kind == "string"
    ]


@pytest.mark.parametrize("value", AWKWARD)
def test_awkward_values_everywhere_at_once(catalog, value):
    values = {name: value for _, name in text_parameters(catalog)}
    assert_values_hold(catalog, values)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_value_is_valid_compiles_and_reads_back(catalog, data):
    kinds = {
        "string": TEXT,
        "integer": st.integers(),
        "number": st.floats(allow_nan=False, allow_infinity=False),
        "boolean": st.booleans(),
        "raw": TEXT,
        "date": st.dates().map(str),
    }
    values = {}
    for p in catalog.parameters().values():
        if p.kind in kinds:
            strategy = kinds[p.kind]
        elif p.options:
            strategy = st.sampled_from(p.options)
        else:
            strategy = st.integers(int(p.minimum), int(p.maximum))
        values[p.name] = data.draw(strategy, label=p.name)
    assert_values_hold(catalog, values)


def assert_values_hold(catalog, values):
    notebook = loads(dumps(make(catalog, *FEATURES, values=values)))
    nbformat.validate(notebook)
    found = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            source = "".join(cell["source"])
            compile(source, cell["id"], "exec")
            found |= {p.name: p.default for p in read_parameters(source)}
    for name, value in values.items():
        assert (found[name], type(found[name])) == (value, type(value))
    again = recipe_of(notebook)
    assert dict(again.values) == values
    assert dumps(make(catalog, *again.features, values=again.values)) == dumps(notebook)


def test_the_snippets_of_a_notebook_are_found(catalog):
    found = snippets_of(loads(dumps(make(catalog, "staging"))))
    assert set(found) == {"cover", "drive", "staging"}
    assert any("archive_name" in source for source in found["staging"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "no nbformat"),
        ('{"nbformat": 3, "worksheets": []}', "nbformat 3"),
        ('{"nbformat": 4, "cells": 5}', "nbformat 4"),
    ],
)
def test_what_is_no_notebook_is_told(text, words):
    with pytest.raises(NotebookError, match=words):
        loads(text)


def test_a_notebook_of_others_has_no_recipe():
    with pytest.raises(NotebookError, match="holds no recipe"):
        recipe_of({"nbformat": 4, "cells": [], "metadata": {}})


def test_the_text_is_what_jupyter_writes(catalog):
    text = dumps(make(catalog, "drive"))
    node = nbformat.reads(text, as_version=4)
    assert json.loads(nbformat.writes(node)) == json.loads(text)
    assert text.endswith("\n")

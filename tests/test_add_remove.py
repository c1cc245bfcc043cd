"""What adding, removing, setting and adopting do to the cells of a notebook."""

import json

import nbformat
import pytest
from colab_gen.errors import NotebookError, NotOurs, RecipeError
from colab_gen.hold import read_document
from colab_gen.lifecycle import add, adopt, remove, set_fields
from lives import V1, V2, life, made, sources, states, updated


def test_what_is_added_is_as_if_made_so():
    assert add(read_document(made("tally")), V1, ["greet", "clock"]).text == made(
        "greet", "clock", "tally"
    )
    assert set_fields(read_document(made("greet")), V1, {"greet_times": "3"}).text == made(
        "greet", values={"greet_times": 3}
    )


@pytest.mark.parametrize("catalog", [V1, V2], ids=["current", "outdated"])
def test_adding_brings_nothing_else_up_to_date_and_removing_undoes_it(catalog):
    one = life("greet", "old") if catalog is V1 else life("greet")
    one.insert(2)
    cover = one.source(one.cells[0])
    one.source(one.cells[0], cover.replace("\n\nA notebook", "\n\nMine.\n\nA notebook"))
    edit = add(read_document(one.text()), catalog, ["clock"])
    assert set(states(edit)) == {"cover-1", "clock-1", "clock-2"}
    # An outdated line beside the new one stands in the way, until all is brought up to date.
    assert ("Tell the time" in sources(edit.text)[0]) == (catalog is V1)
    assert "Mine." in sources(edit.text)[0]
    assert "Tell the time" in sources(updated(edit.text, catalog).text)[0]
    assert remove(read_document(edit.text), catalog, ["clock"]).text == one.text()


def test_a_line_of_the_users_that_a_feature_would_bring_stays_theirs():
    one = life("tally")
    cell = one.find("tally-2")
    line = 'print(greet_line("tally"))\ntally_lines = '
    one.source(cell, one.source(cell).replace("tally_lines = ", line, 1))
    edit = add(read_document(one.text()), V1, ["greet"])
    assert "tally, cell 2: your edits stand in the way" in edit.notes[0]
    assert remove(read_document(edit.text), V1, ["greet"]).text == one.text()


def test_removing_leaves_edited_cells_to_the_user():
    one = life("greet", "clock")
    cell = one.find("clock-2")
    one.source(cell, one.source(cell) + "\nprint('mine')")
    edit = remove(read_document(one.text()), V1, ["clock"])
    assert states(edit) | {"cover-1": ""} == {
        "cover-1": "", "then clock-1": "removed", "then clock-2": "released",
    }  # fmt: skip
    assert "mine" in sources(edit.text)[1]
    assert updated(edit.text, V1).own == 1


def test_setting_wins_over_what_was_typed_and_over_edits_nothing():
    one = life()
    cell = one.find("greet-2")
    one.source(cell, one.source(cell).replace('"world"', '"Ada"') + "\nmine = 1")
    edit = set_fields(read_document(one.text()), V2, {"greet_name": "Bob"})
    source = sources(edit.text)[2]
    assert 'greet_name = "Bob"' in source
    assert "mine = 1" in source
    assert "greet_loud" not in source  # outdated as before
    assert 'greet_name = "Bob"' in sources(updated(edit.text).text)[2]


FOREIGN = (
    '{"cells": [ {"cell_type":"markdown","metadata":{},"source":"# H\\u00e9"},\n'
    '{"cell_type":"code","execution_count":1,"outputs":[{"output_type":"execute_result",'
    '"data":{"application/json":1e400000},"metadata":{},"execution_count":1}],"metadata":'
    '{"x":1.50},"source":["a\\n","b"]}], "metadata": { },"nbformat":4,"nbformat_minor":4}'
).replace("1e400000", "1.50E+3")


@pytest.mark.parametrize("text", [FOREIGN, FOREIGN.replace("\n", "\r\n") + "\r\n\r\n"])
def test_a_foreign_notebook_is_as_it_was_after_all_is_removed(text):
    with pytest.raises(NotOurs, match="colab-gen adopt"):
        updated(text)
    edit = adopt(read_document(text), V1, ["tally", "greet"])
    assert edit.own == 2
    assert sources(edit.text)[0] == "# Hé"
    assert sources(edit.text)[1].startswith("## Greet")
    assert updated(edit.text, V1).text == edit.text
    nbformat.validate(json.loads(edit.text))
    assert remove(read_document(edit.text), V1, [], everything=True).text == text


def test_pasted_cells_are_recognised_and_given_back():
    one = life("greet", "clock")
    one.clear_notebook()
    for cell in one.cells:
        cell["metadata"] = {}
        cell["id"] = f"x{one.cells.index(cell)}"
    one.cells[4]["source"].append("\nmine = 1")
    edit = adopt(read_document(one.text()), V1)
    assert states(edit) == {
        "greet-1": "current", "greet-2": "edited", "clock-1": "current", "clock-2": "current",
    }  # fmt: skip
    assert sources(edit.text) == sources(one.text())
    later = updated(edit.text)
    assert "greet_loud" in "".join(sources(later.text))
    assert "mine = 1" in "".join(sources(later.text))
    assert remove(read_document(edit.text), V1, [], everything=True).text == one.text()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: add(d, V1, ["clokc"]), "no feature is named clokc (did you mean clock?)"),
        (lambda d: remove(d, V1, ["clock"]), "there is no feature clock in it"),
        (lambda d: remove(d, V1, ["cover"]), "cover is needed by every notebook"),
        (lambda d: set_fields(d, V1, {"x": 1}), "there is no form field x in it; it has greet_n"),
        (lambda d: set_fields(d, V1, {"greet_times": "a"}), "greet_times takes a whole number"),
    ],
)
def test_what_cannot_be_done_is_told(change, words):
    with pytest.raises(RecipeError) as error:
        change(read_document(made("greet")))
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not plain JSON"),
        ("[]", "it begins with no {"),
        ('{"cells": [], "cells": []}', "the key 'cells' twice"),
        ('{"cells": [{"a": 1, "a": 2}]}', "the key 'a' twice"),
        ('{"cells": [NaN]}', "it holds NaN"),
        ('{"cells": ["\\ud800"]}', "half a surrogate pair"),
        ('{"cells": []} x', "something follows its end"),
        ('{"cells": [1 2]}', "line 1 lacks a comma"),
        ('{"cells": %s}' % ("[" * 100_000), "nested too deeply"),
        ("{}", "it has no nbformat"),
        ('{"nbformat": 3, "nbformat_minor": 0, "worksheets": []}', "--upgrade makes it nbformat 4"),
        ('{"nbformat": 5, "nbformat_minor": 0}', "nbformat 4 is needed"),
        ('{"nbformat": 4, "nbformat_minor": 5, "cells": []}', "lacks metadata or cells"),
        ('{"nbformat": 4, "nbformat_minor": 5, "cells": [1], "metadata": {}}', "cell 0 lacks"),
    ],
)
def test_what_cannot_be_read_with_certainty_is_told(text, words):
    with pytest.raises(NotebookError) as error:
        read_document(text)
    assert words in str(error.value)
    assert str(error.value).isprintable()


def test_two_cells_of_one_id_are_told():
    one = life()
    one.cells[1]["id"] = "cover-1"
    with pytest.raises(NotebookError, match="two of its cells have the id cover-1"):
        read_document(one.text())

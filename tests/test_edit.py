"""What becomes of a notebook's cells, edit by edit, between two versions of a pack."""

import json

import nbformat
import pytest
from colab_gen.errors import NotebookError
from colab_gen.hold import read_document
from colab_gen.lifecycle import add, remove
from lives import FEATURES, V1, V2, Life, life, made, sources, states, updated

ALL = {
    "cover-1": "current", "greet-1": "current", "greet-2": "current", "tally-1": "current",
    "tally-2": "current", "tally-3": "current", "clock-1": "current", "clock-2": "current",
    "old-1": "current", "old-2": "current",
}  # fmt: skip


def test_a_new_notebook_is_current_and_stays_as_it_is():
    text = made(*FEATURES)
    edit = updated(text, V1)
    assert (edit.text, states(edit), edit.own) == (text, ALL, 0)


def test_an_untouched_notebook_becomes_what_would_be_made_today():
    edit = updated(made("greet", "clock"))
    assert edit.text == made("greet", "clock", catalog=V2)
    assert states(edit)["greet-2"] == "updated"
    assert states(edit)["clock-2"] == "current"


def test_outputs_of_a_replaced_cell_are_cleared_and_no_others():
    one = life("greet", "clock")
    for place in range(len(one.cells)):
        one.run(place)
    cells = {c["id"]: c for c in json.loads(updated(one.text()).text)["cells"]}
    assert (cells["greet-2"]["outputs"], cells["greet-2"]["execution_count"]) == ([], None)
    assert cells["clock-2"]["execution_count"] == 7


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ('"Ada"', '"Ada"'),
        ("'world'", '"everybody"'),  # the same value in other quotes is none that was typed
        ("names[0]", "names[0]"),
        ('"world"', '"everybody"'),
    ],
)
def test_a_typed_value_wins_over_a_new_default(typed, kept):
    one = life()
    cell = one.find("greet-2")
    one.source(cell, one.source(cell).replace('"world"', typed))
    edit = updated(one.text())
    assert states(edit)["greet-2"] == "updated"
    assert f"greet_name = {kept}  # @param" in "\n".join(sources(edit.text))
    assert "greet_times = 2" in "\n".join(sources(edit.text))


def test_a_value_of_the_recipe_wins_too():
    edit = updated(made("greet", values={"greet_times": 9}))
    assert edit.text == made("greet", values={"greet_times": 9}, catalog=V2)


@pytest.mark.parametrize(
    ("old", "new", "state"),
    [
        ("print(greet_line", "print('>', greet_line", "merged"),
        ("return f", "return 1 or f", "conflict"),
        ("for _ in range(greet_times):", "for _ in range(greet_times: (", "merged"),
        ('"world"  # @param {"type": "string"}', '"world"', "merged"),
    ],
)
def test_an_edit_is_merged_or_stays(old, new, state):
    one = life()
    cell = one.find("greet-2")
    one.source(cell, one.source(cell).replace(old, new))
    one.run(2)
    edit = updated(one.text())
    assert states(edit)["greet-2"] == state
    cells = json.loads(edit.text)["cells"]
    source = "".join(cells[2]["source"])
    assert new in source
    assert cells[2]["execution_count"] == 7
    if state == "merged":
        assert "text.upper()" in source
    else:
        assert source == one.source(cell)
        beneath = "".join(cells[3]["source"])
        assert all(line.startswith("#") for line in beneath.split("\n"))
        assert "#     return text.upper() if greet_loud else text" in beneath
    again = updated(edit.text)
    assert again.text == edit.text


def conflict():
    one = life("greet", "clock")
    cell = one.find("greet-2")
    one.source(cell, one.source(cell).replace("return f", "return 1 or f"))
    return one.text()


@pytest.mark.parametrize("choice", ["mine", "theirs"])
def test_a_conflict_is_decided_before_or_after(choice):
    before = updated(conflict(), on_conflict=choice)
    opened = updated(conflict()).text
    after = updated(opened, on_conflict=choice)
    assert sources(before.text) == sources(after.text)
    assert len(sources(before.text)) == len(sources(opened)) - 1
    assert ("1 or f" in "".join(sources(before.text))) == (choice == "mine")
    assert (
        states(updated(before.text))["greet-2"] == {"mine": "edited", "theirs": "current"}[choice]
    )


def test_deleting_the_cell_beneath_closes_a_conflict():
    one = Life(updated(conflict()).text)
    one.cells.remove(one.find("greet-2-new"))
    edit = updated(one.text())
    assert "1 or f" in sources(edit.text)[4]
    assert 'greet_name = "everybody"' in sources(edit.text)[4]
    again = updated(edit.text)
    assert (states(again)["greet-2"], again.text) == ("edited", edit.text)


def test_the_cell_beneath_can_take_the_place_of_the_other():
    one = Life(updated(conflict()).text)
    offer = one.find("greet-2-new")
    one.cells.remove(one.find("greet-2"))
    lines = one.source(offer).split("\n")[3:]
    one.source(offer, "\n".join(line[2:] for line in lines))
    edit = updated(one.text())
    assert states(edit)["greet-2"] == "current"


def test_what_the_user_deleted_stays_deleted():
    one = life("greet", "tally")
    one.cells.remove(one.find("greet-2"))
    for id in ("tally-1", "tally-2", "tally-3"):
        one.cells.remove(one.find(id))
    edit = updated(one.text())
    assert {k: v for k, v in states(edit).items() if v == "deleted"} == dict.fromkeys(
        ("greet-2", "tally-1", "tally-2", "tally-3"), "deleted"
    )
    titles = "".join(sources(edit.text))
    assert "# @title Greet" not in titles
    assert "# @title Tally" not in titles
    assert "# @title Prepare" not in titles
    assert updated(edit.text).text == edit.text


def test_new_cells_and_required_features_come_to_their_places():
    one = life("greet", "tally")
    one.insert(3)
    edit = updated(one.text())
    ids = [cell["id"] for cell in json.loads(edit.text)["cells"]]
    assert ids == [
        "cover-1", "clock-1", "clock-2", "greet-1", "greet-2", "user-1", "tally-1", "tally-2",
        "tally-3",
    ]  # fmt: skip
    assert states(edit)["tally-2"] == "added"
    assert "# @title Prepare" in sources(edit.text)[7]
    nbformat.validate(json.loads(edit.text))


def test_a_value_of_a_field_that_is_no_more_is_not_lost():
    one = life("tally")
    cell = one.find("tally-2")
    one.source(cell, one.source(cell).replace('";"', '"|"'))
    edit = updated(one.text())
    assert states(edit)["tally-3"] == "conflict"
    assert any('tally_sign = "|"' in source for source in sources(edit.text))


def test_a_cell_that_is_no_more_goes_unless_it_was_edited():
    one = life("tally")
    assert "Show the lines" not in "".join(sources(updated(one.text()).text))
    cell = one.find("tally-3")
    one.source(cell, one.source(cell) + "\nprint('mine')")
    edit = updated(one.text())
    assert states(edit)["then tally-3"] == "released"
    (mine,) = (c for c in json.loads(edit.text)["cells"] if "mine" in "".join(c["source"]))
    assert "colab_gen" not in mine["metadata"]
    # Where a tool cleans the metadata, ours are known by their ids.
    assert mine["id"] == mine["metadata"]["id"] == "tally-3-yours"


def test_a_snippet_that_is_not_there_is_left_as_it_is():
    text = made("old", "greet")
    edit = updated(text)
    assert ["An old feature" in source for source in sources(edit.text)].count(True) >= 2
    assert "old is left as it is" in edit.notes[0]
    assert updated(edit.text).text == edit.text
    gone = remove(read_document(edit.text), V2, ["old"])
    assert sources(gone.text) == sources(made("greet", catalog=V2))
    assert gone.notes == ()


@pytest.mark.parametrize("first_is_new", [False, True])
def test_of_a_split_cell_the_first_part_is_ours(first_is_new):
    one = life()
    one.split(2, 9, first_is_new=first_is_new)
    second = json.dumps(one.cells[3], indent=1, ensure_ascii=False)
    edit = updated(one.text(), on_conflict="mine")
    assert edit.own == 1
    assert json.dumps(json.loads(edit.text)["cells"][3], indent=1, ensure_ascii=False) == second


def test_of_copies_the_first_is_ours():
    one = life()
    one.duplicate(2)
    edit = updated(one.text())
    assert "greet_loud" in sources(edit.text)[2]
    assert sources(edit.text)[3] == one.source(one.cells[3])
    assert (states(edit)["greet-2"], edit.own) == ("updated", 1)


def test_a_copy_is_not_taken_for_the_cell_that_has_its_number_now():
    one = life("tally")
    one.duplicate(2)
    edit = updated(one.text())
    assert states(edit)["tally-2"] == "added"
    again = updated(edit.text)
    assert (again.text, again.own) == (edit.text, 1)


def test_what_records_nothing_is_updated_first():
    one = life("greet")
    one.clear_notebook()
    with pytest.raises(NotebookError, match="run colab-gen update on it first"):
        add(read_document(one.text()), V1, ["clock"])
    text = updated(one.text(), V1).text
    assert states(add(read_document(text), V1, ["clock"]))["clock-1"] == "added"


def test_moved_cells_stay_where_they_are():
    one = life("greet", "clock")
    one.cells.reverse()
    edit = updated(one.text())
    assert [c["id"] for c in json.loads(edit.text)["cells"]] == [c["id"] for c in one.cells]


@pytest.mark.parametrize("colab", [False, True])
@pytest.mark.parametrize("cleared", ["cells", "notebook", "both", "ids"])
def test_cells_are_known_when_metadata_is_cleaned(cleared, colab):
    one = life("greet", "tally")
    if colab:
        one.save_in_colab()
    if cleared in ("cells", "both"):
        one.clear_cells()
    if cleared in ("notebook", "both"):
        one.clear_notebook()
    if cleared == "ids":
        for cell in one.cells:
            cell["metadata"] = {}
            if "id" in cell:
                cell["id"] = f"other-{one.cells.index(cell)}"
    edit = updated(one.text())
    unknown = cleared == "both"
    assert states(edit)["greet-2"] == ("conflict" if unknown else "updated")
    assert edit.own == unknown  # of a cell that is no more nothing is known then
    again = updated(edit.text)
    assert again.text == edit.text
    nbformat.validate(json.loads(edit.text))


def test_colabs_format_gets_no_ids():
    one = life("greet", "tally")
    one.save_in_colab()
    edit = updated(one.text(indent=2))
    notebook = json.loads(edit.text)
    assert notebook["nbformat_minor"] == 0
    assert not any("id" in cell for cell in notebook["cells"])
    assert all(cell["metadata"]["id"] for cell in notebook["cells"])
    assert edit.text.startswith('{\n  "cells": [\n    {')


def test_sources_of_one_text_stay_so():
    one = life()
    for cell in one.cells:
        cell["source"] = one.source(cell)
    cells = json.loads(add(read_document(one.text()), V1, ["clock"]).text)["cells"]
    assert all(isinstance(cell["source"], str) for cell in cells)

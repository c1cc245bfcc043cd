"""Notebooks in their users' hands, between two versions of a pack: nothing of theirs is lost."""

import json
import os
import re

import nbformat
from colab_gen.errors import NotOurs
from colab_gen.hold import read_document
from colab_gen.lifecycle import add, adopt, remove
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from lives import FEATURES, V1, V2, Life, made, sources, updated

# More for a night: COLAB_GEN_EXAMPLES=5000.
EXAMPLES = int(os.environ.get("COLAB_GEN_EXAMPLES", "100"))
RANDOM = settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.generate],
    derandomize="COLAB_GEN_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
SPOT, LINE = st.integers(0, 12), st.integers(0, 20)
EDITS = {
    "insert": (SPOT, st.sampled_from(["code", "markdown", "raw"])),
    "delete": (SPOT,),
    "move": (SPOT, SPOT),
    "split": (SPOT, LINE),
    "duplicate": (SPOT,),
    "merge": (SPOT,),
    "run": (SPOT,),
    "edit": (SPOT, LINE, st.sampled_from(["insert", "replace", "delete", "spoil"])),
    "fill": (SPOT,),
    "clear_cell": (SPOT,),
}
ONCE = ("clear_cells", "clear_notebook", "save_in_colab")
STEP = st.sampled_from(sorted(EDITS)).flatmap(
    lambda name: st.tuples(st.just(name), st.tuples(*EDITS[name]))
)
STYLES = st.sampled_from(
    [{}, {"indent": 2}, {"indent": None}, {"ensure_ascii": True}, {"sort_keys": True},
     {"indent": None, "separators": (",", ":")}, {"indent": "\t", "sort_keys": True}]
)  # fmt: skip


CHOICES = st.lists(st.sampled_from(FEATURES), unique=True)


@st.composite
def lives(draw, features=CHOICES):
    """Return a notebook of the first version that a user had in hand, and how it is written."""
    values = draw(st.sampled_from([{}, {"greet_name": "tok0é", "tally_sign": "tok00é"}]))
    chosen = draw(features)
    owners = {"greet_name": "greet", "tally_sign": "tally"}
    life = Life(made(*chosen, values={n: v for n, v in values.items() if owners[n] in chosen}))
    for name, arguments in draw(st.lists(STEP, max_size=8)):
        life.story.append((name, *arguments))
        getattr(life, name)(*arguments)
    for name in draw(st.lists(st.sampled_from(ONCE), unique=True, max_size=2)):
        life.story.append(name)
        getattr(life, name)()
    return life, draw(STYLES)


def tokens(text):
    return set(re.findall(r"tok\d+é", "\n".join(sources(text))))


def own_cells(text):
    """Return the texts of the user's cells as they stand in the file, in order."""
    document = read_document(text)
    parts = next(part for part in document._top.parts if part.key == "cells").inside.parts
    return [text[p.start : p.end] for p in parts if "user" in p.value["metadata"]]


def assert_well(old, new):
    assert own_cells(old) == own_cells(new)
    assert tokens(old) <= tokens(new)
    nbformat.validate(json.loads(new))
    before, after = json.loads(old), json.loads(new)
    for notebook in (before, after):
        del notebook["cells"]
        notebook["metadata"].pop("colab_gen", None)
    assert before == after


@RANDOM
@given(lived=lives())
def test_nothing_of_the_users_is_lost_and_a_second_update_changes_nothing(lived):
    life, style = lived
    text = life.text(**style)
    try:
        new = updated(text)
    except NotOurs:
        assume(False)  # all that was ours is gone, or cannot be known any more
    assert_well(text, new.text)
    again = updated(new.text)
    assert again.text == new.text
    assert {c.state for c in again.changes} <= {"current", "edited", "deleted", "conflict"}
    assert_well(new.text, updated(new.text, V1).text)


@RANDOM
@given(lived=lives(), choice=st.sampled_from(["mine", "theirs"]))
def test_a_decided_conflict_leaves_none(lived, choice):
    life, style = lived
    assume("colab_gen" in life.notebook["metadata"])
    text = life.text(**style)
    new = updated(text, on_conflict=choice)
    assert own_cells(text) == own_cells(new.text)
    assert "conflict" not in {c.state for c in (*new.changes, *updated(new.text).changes)}


@RANDOM
@given(lived=lives(st.just(["tally"])), outdated=st.booleans())
def test_adding_and_removing_gives_back_the_same_bytes(lived, outdated):
    life, style = lived
    assume("colab_gen" in life.notebook["metadata"])
    text, catalog = life.text(**style), V2 if outdated else V1
    new = add(read_document(text), catalog, ["greet"])
    assert_well(text, new.text)
    assert remove(read_document(new.text), catalog, ["greet"]).text == text


@RANDOM
@given(lived=lives(), features=st.lists(st.sampled_from(FEATURES), unique=True, min_size=1))
def test_a_notebook_of_others_is_as_it_was_after_all_is_removed(lived, features):
    life, style = lived
    life.clear_notebook()
    for cell in life.cells:
        cell["metadata"].pop("colab_gen", None)
    text = life.text(**style)
    new = adopt(read_document(text), V1, features)
    assert_well(text, new.text)
    assert remove(read_document(new.text), V1, [], everything=True).text == text

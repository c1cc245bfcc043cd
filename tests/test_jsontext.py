import json
import random

import pytest
from colab_gen.jsontext import Document, in_order
from hypothesis import given, settings
from hypothesis import strategies as st

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
CELLS = st.lists(st.dictionaries(TEXTS, VALUES, max_size=3), max_size=4)


def spaced(value, pick):
    """Return the value as JSON with whitespace and spellings that no program would write."""

    def gap():
        return pick(["", "", " ", "\n", "\r\n\t", "\n  "])

    if isinstance(value, dict):
        members = [f"{gap()}{spaced(k, pick)}{gap()}:{gap()}{spaced(v, pick)}{gap()}"
                   for k, v in value.items()]  # fmt: skip
        return "{" + (",".join(members) or gap()) + "}"
    if isinstance(value, list):
        return "[" + (",".join(f"{gap()}{spaced(v, pick)}{gap()}" for v in value) or gap()) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=pick([True, False])).replace("/", pick(["/", "\\/"]))
    if isinstance(value, float):
        return pick([repr, "{:.17e}".format])(value)
    return json.dumps(value)


def document(cells, rest, seed):
    pick = random.Random(seed).choice
    return spaced({"a": rest, "cells": cells, "metadata": rest}, pick) + pick(["", "\n", " \r\n"])


@settings(max_examples=200, deadline=None)
@given(cells=CELLS, rest=st.dictionaries(TEXTS, VALUES, max_size=3), seed=st.integers())
def test_nothing_changed_is_the_same_text(cells, rest, seed):
    text = document(cells, rest, seed)
    doc = Document(text, "cells")
    assert doc.data == {"a": rest, "cells": cells, "metadata": rest}
    same = [(n, cell) for n, cell in enumerate(doc.data["cells"])]
    assert doc.rewritten(same, metadata=doc.data["metadata"]) == text
    equal = [(n, json.loads(json.dumps(cell))) for n, cell in same]
    assert doc.rewritten(equal, metadata=json.loads(json.dumps(rest))) == text


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_what_is_put_in_and_taken_out_leaves_no_trace(data):
    cells = data.draw(CELLS)
    rest = data.draw(st.dictionaries(TEXTS, VALUES, max_size=3))
    text = document(cells, rest, data.draw(st.integers()))
    doc = Document(text, "cells")
    order = [(n, cell) for n, cell in enumerate(doc.data["cells"])]
    for _ in range(data.draw(st.integers(0, 3))):
        order.insert(data.draw(st.integers(0, len(order))), (None, {"new": ["x", {"é": 1}]}))
    metadata = {**doc.data["metadata"], "ours": {"b": [], "c": {}}}
    new = doc.rewritten(order, metadata=metadata)
    again = Document(new, "cells")
    assert again.data == {"a": rest, "cells": [cell for _, cell in order], "metadata": metadata}
    kept = [(n, again.data["cells"][n]) for n, (old, _) in enumerate(order) if old is not None]
    rest = {k: v for k, v in again.data["metadata"].items() if k != "ours" or "ours" in rest}
    if "ours" not in doc.data["metadata"]:
        assert again.rewritten(kept, metadata=rest) == text


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_change_is_what_was_asked_for(data):
    cells, rest = data.draw(CELLS), data.draw(st.dictionaries(TEXTS, VALUES, max_size=3))
    doc = Document(document(cells, rest, data.draw(st.integers())), "cells")
    new = data.draw(CELLS)
    numbers = st.none() | st.integers(0, len(cells) - 1) if cells else st.none()
    order = [(data.draw(numbers), cell) for cell in new]
    metadata = data.draw(st.dictionaries(TEXTS, VALUES, max_size=3))
    text = doc.rewritten(order, metadata=metadata)
    assert json.loads(text) == {"a": rest, "cells": new, "metadata": metadata}
    found = Document(text, "cells").data
    assert json.dumps(found["metadata"], sort_keys=True) == json.dumps(metadata, sort_keys=True)


STYLES = [
    {"indent": 1},
    {"indent": 4, "ensure_ascii": True},
    {"indent": "\t"},
    {"indent": None},
    {"separators": (",", ":")},
    {"indent": 2, "sort_keys": True},
]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("style", STYLES, ids=str)
def test_what_is_new_is_written_in_the_files_own_style(style, newline):
    def dumps(cells, metadata):
        data = {"cells": cells, "metadata": metadata, "nbformat": 4}
        text = json.dumps(data, **{"ensure_ascii": False, **style})
        return text.replace("\n", newline)

    old = [{"a": "é", "b": ["x\n", "y"]}, {"a": "b", "b": []}]
    doc = Document(dumps(old, {"k": {"x": 1}}), "cells")
    first = {"a": "é", "b": ["x\n", "new", "y"]}
    new = [{"a": "ü", "b": [{"c": 1}]}, first, {"a": "b", "b": []}, {"a": 1}]
    order = [(None, new[0]), (0, first), (1, doc.data["cells"][1]), (None, new[3])]
    text = doc.rewritten(order, metadata={"k": {"x": 2, "y": [1]}, "z": {}})
    assert text == dumps(new, {"k": {"x": 2, "y": [1]}, "z": {}})


def test_a_number_that_only_looks_different_is_another():
    doc = Document('{"cells": [], "metadata": {"a": 1.0, "b": 1, "c": 1e2}}', "cells")
    text = doc.rewritten([], metadata={"a": 1, "b": True, "c": 100.0})
    assert text == '{"cells": [], "metadata": {"a": 1, "b": true, "c": 1e2}}'


def test_new_keys_come_after_those_before_them():
    assert in_order(["b", "a", "x"], ["a", "b", "c", "d"]) == ["b", "c", "d", "a"]
    assert in_order([], ["a", "b"]) == ["a", "b"]
    assert in_order(["b"], ["a", "b"]) == ["a", "b"]

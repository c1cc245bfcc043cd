"""The table of memory.md: the largest variables, by what they really hold, in under a second."""

import collections
import mmap
import random
import re
import sys
import time
import tracemalloc
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from cells import execute
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from PIL import Image

MB = 2**20


@pytest.fixture(scope="module")
def cell(catalog):
    return execute(catalog, "memory-2")[0]


@pytest.fixture
def measured(cell):
    """Return the size of a value, as a number and in the words of the table."""

    def size(value):
        return cell["memory_size"](value, {}, time.thread_time() + 60)

    return size


@dataclass
class Holder:
    data: object


class Slotted:
    __slots__ = ("data",)

    def __init__(self, data):
        self.data = data


class Rude:
    @property
    def __dict__(self):
        raise RuntimeError("leave me alone")

    def __sizeof__(self):
        raise RuntimeError("leave me alone")


def ring(length):
    first = node = [bytes(MB)]
    for _ in range(length):
        node.append([])
        node = node[-1]
    node.append(first)
    return first


ARRAY = np.zeros((4, MB))
TEXTS = [f"{n:0>1000}" for n in range(4000)]


@pytest.mark.parametrize(
    ("value", "megabytes"),
    [
        (ARRAY, 32),
        (ARRAY[0], 32),  # what it looks at cannot be freed without it
        (ARRAY.T[::2, :1], 32),
        (np.zeros(MB, "f2"), 2),
        (np.broadcast_to(np.zeros(1), (1000, 1000)), 0),
        (np.frombuffer(bytes(3 * MB), "u1"), 3),
        ([ARRAY, ARRAY[0], ARRAY[1]], 32),
        ({"a": ARRAY, "b": {"c": ARRAY}}, 32),
        ((Holder(ARRAY), Slotted(np.ones(MB))), 40),
        (collections.deque([bytes(MB), bytes(MB)]), 2),
        (collections.OrderedDict(a=bytes(MB)), 1),
        (collections.defaultdict(list, a=[bytes(MB)]), 1),
        ({frozenset([bytes(MB)])}, 1),
        (bytearray(MB), 1),
        ("x" * MB, 1),
        ("\u05e9" * MB, 2),
        ([0] * MB, 8),
        (range(10**12), 0),
        (ring(10_000), 1.8),
        (np.array([bytes(MB), bytes(MB), None], object), 2),
        (Image.new("RGB", (1024, 1024)), 4),
        (Image.new("L", (1024, 1024)), 1),
        (Image.new("I;16", (1024, 1024)), 2),
        ([Image.new("1", (1024, 1024))] * 5, 1),
        (pd.DataFrame({"a": np.zeros(MB), "b": np.zeros(MB, "f4")}), 12),
        (pd.Series(TEXTS, dtype=object), 4),
        (pd.DataFrame({"a": pd.Series(TEXTS, dtype=object)}), 4),
        (pd.Index(range(MB)).astype(float), 8),
        (pd.DataFrame(), 0),
        (pd.Series(["a", "b"] * MB, dtype="category"), 2),
        (sys, 0),
        (Holder, 0),
        (lambda: ARRAY, 0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_real_size(measured, value, megabytes):
    size, _ = measured(value)
    assert size / MB == pytest.approx(megabytes, rel=0.05, abs=0.02)


def test_a_frame_is_as_pandas_says(measured):
    # As objects: texts that Arrow holds are counted to the byte.
    texts = pd.Series([str(n) * 5 for n in range(20_000)], dtype=object)
    frame = pd.DataFrame({"n": range(20_000), "t": texts})
    size, sign = measured(frame)
    assert sign == "about"
    assert size == pytest.approx(frame.memory_usage(deep=True).sum(), rel=0.02)


def test_what_is_mapped_from_a_file_is_not_memory(measured, tmp_path):
    array = np.lib.format.open_memmap(tmp_path / "a.npy", "w+", "u1", (4 * MB,))
    assert measured(array[5:])[0] < 1000
    assert measured(np.frombuffer(mmap.mmap(-1, MB), "u1"))[0] < 1000


def test_a_picture_that_is_not_read_yet(measured, tmp_path):
    Image.new("RGB", (2000, 2000)).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert measured(image) == (0, "")
        image.load()
        assert measured(image)[0] == 16_000_000


@pytest.mark.parametrize(
    "value", [Rude(), [Rude()], {1: Rude()}], ids=["alone", "in a list", "in a dict"]
)
def test_an_object_that_refuses(measured, value):
    assert measured(value)[0] < 1000


def true_size(value, seen):
    """Return the size of nested plain values, each counted once: what the cell must come to."""
    if id(value) in seen:
        return 0
    seen.add(id(value))
    parts = [*value, *value.values()] if isinstance(value, dict) else ()
    parts = value if isinstance(value, (list, tuple, set, frozenset)) else parts
    return sys.getsizeof(value) + sum(true_size(part, seen) for part in parts)


PLAIN = st.recursive(
    st.none() | st.integers() | st.text() | st.binary() | st.floats(),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(), inner)
        | st.frozensets(st.integers())
    ),
    max_leaves=40,
)


@settings(deadline=None, max_examples=50, phases=(Phase.generate,))
@given(PLAIN)
def test_small_values_are_exact(cell, value):
    size, sign = cell["memory_size"](value, {}, time.thread_time() + 60)
    assert (size, sign) == (true_size(value, set()), "")


def many(kind):
    rng = random.Random(1)
    return {
        "different": lambda: [float(n) for n in range(60_000)],
        "the same": lambda: [1.5] * 60_000,
        "few": lambda: [rng.choice(TEXTS) for _ in range(60_000)],
        "growing": lambda: [[float(n)] * (n % 3) for n in range(20_000)],
        "dict": lambda: {n + 1000: float(n) for n in range(60_000)},
        "set": lambda: {n + 1000 for n in range(60_000)},
        "objects": lambda: [Slotted(float(n)) for n in range(20_000)],
        "arrays": lambda: [np.zeros(n % 100) for n in range(20_000)],
    }[kind]()


@pytest.mark.parametrize(
    "kind", ["different", "the same", "few", "growing", "dict", "set", "objects", "arrays"]
)
def test_an_estimate_is_near(measured, kind):
    assert TEXTS
    tracemalloc.start()
    try:
        value = many(kind)
        held = tracemalloc.get_traced_memory()[0] + (kind == "few") * true_size(TEXTS, set())
    finally:
        tracemalloc.stop()
    size, sign = measured(value)
    assert sign == "about"
    assert size == pytest.approx(held, rel=0.2)


def test_ten_million_elements_are_looked_at_by_chance(cell):
    value = list(range(10**7))
    seen = {}
    size, sign = cell["memory_size"](value, seen, time.thread_time() + 60)
    assert len(seen) < 10_000  # this is what keeps it fast, however slow the machine is
    assert sign == "about"
    assert size == pytest.approx(36e7, rel=0.05)


def test_time_that_is_up_is_said(cell):
    size, sign = cell["memory_size"]([bytes(MB)], {}, time.thread_time() - 1)
    assert (size, sign) == (0, "over")


def test_the_table_of_a_notebook(catalog):
    cached = bytes(5 * MB)
    names = {
        "__name__": "__main__",
        "In": ["x" * 9 * MB],
        "Out": {5: cached, 7: ARRAY},
        "_5": cached,
        "_": cached,
        "_i5": "y" * 9 * MB,
        "ARRAY": ARRAY,
        "first": ARRAY[0],
        "alias": ARRAY,
        "_mine": bytes(2 * MB),
        "function": lambda: None,
        "module": sys,
        **{f"list_{n}": [0] * n * 150_000 for n in range(3, 12)},
    }
    state = random.getstate()
    _, said = execute(catalog, "memory-2", names)
    table = said.partition("largest variables")[2].splitlines()[1:]
    assert len(table) == 10
    assert [line.split()[0] for line in table] == [
        "ARRAY", *(f"list_{n}" for n in range(11, 4, -1)), "Out[5]", "list_4",
    ]  # fmt: skip
    assert table[0].startswith("ARRAY = alias = Out[7]   ")
    assert "ndarray 4 x 1048576" in table[0]
    assert table[0].endswith(" 32 MB")
    assert random.getstate() == state


def test_what_knows_all_variables_does_not_hold_them(cell):
    names = {"Out": {2: bytes(2 * MB)}, "data": bytes(3 * MB)}
    holder = Holder([names, names["Out"]])
    table, unseen = cell["memory_variables"]({"holder": holder, **names})
    assert [name for name, *_ in table] == ["holder", "Out[2]"]  # a dict of one's own holds
    names["holder"] = holder
    table, unseen = cell["memory_variables"](names)
    assert [name for name, *_ in table] == ["data", "Out[2]"]
    assert unseen == 0


def test_a_notebook_with_nothing_in_it(catalog):
    _, said = execute(catalog, "memory-2")
    assert re.search(r"This notebook holds \d+ MB. None of its variables holds 1 MB.\n\Z", said)

from collections import Counter

import pytest
from colab_gen.choice import find_notebooks, shard
from colab_gen.errors import NotebookError
from hypothesis import given
from hypothesis import strategies as st
from test_pool import jobs

FILES = [
    "a.ipynb", "b.txt", "in/c.ipynb", "in/deep/d.ipynb", "in/.ipynb_checkpoints/c.ipynb",
    "in/.hidden/e.ipynb", "in/.f.ipynb", "in/g.md", "empty/h.md", "[x].ipynb",
]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["a.ipynb"], "a.ipynb"),
        (["b.txt"], "b.txt"),
        (["in"], "in/c.ipynb in/deep/d.ipynb"),
        (["in/", "in/deep", "./a.ipynb", "a.ipynb"], "a.ipynb in/c.ipynb in/deep/d.ipynb"),
        (["in/../a.ipynb", "a.ipynb"], "in/../a.ipynb"),
        (["."], "[x].ipynb a.ipynb in/c.ipynb in/deep/d.ipynb"),
        (["**/*.ipynb"], "[x].ipynb a.ipynb in/c.ipynb in/deep/d.ipynb"),
        (["i*"], "in/c.ipynb in/deep/d.ipynb"),
        (["[x].ipynb"], "[x].ipynb"),
        (["in/.hidden"], "in/.hidden/e.ipynb"),
    ],
)
def test_words_name_notebooks(tmp_path, monkeypatch, words, found):
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    assert [p.as_posix() for p in find_notebooks(words)] == found.split()


def test_words_that_name_nothing_are_told_together(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.ipynb").touch()
    with pytest.raises(NotebookError) as caught:
        find_notebooks(["a.ipynb", "none.ipynb", "empty", "x*"])
    assert str(caught.value) == (
        "cannot read none.ipynb: No such file or directory; there is no notebook in empty; "
        "no notebook matches x*"
    )


TIMES = st.floats(0, 1000, allow_nan=False)


@given(
    names=st.lists(st.text("abcdef", max_size=3), max_size=30),
    n=st.integers(1, 7),
    seconds=st.dictionaries(st.text("abcdef", max_size=3), TIMES),
)
def test_every_job_is_in_one_shard(names, n, seconds):
    given_jobs = jobs(*names)
    shards = [shard(given_jobs, k, n, seconds) for k in range(1, n + 1)]
    assert Counter(j.name for s in shards for j in s) == Counter(names)
    again = [shard(given_jobs, k, n, dict(reversed(seconds.items()))) for k in range(1, n + 1)]
    assert again == shards
    order = {id(job): index for index, job in enumerate(given_jobs)}
    for share in shards:
        assert [order[id(j)] for j in share] == sorted(order[id(j)] for j in share)


@given(costs=st.lists(TIMES, min_size=1, max_size=30), n=st.integers(1, 6))
def test_shards_are_balanced(costs, n):
    seconds = {str(i): cost for i, cost in enumerate(costs)}
    totals = [
        sum(seconds[j.name] for j in shard(jobs(*seconds), k, n, seconds)) for k in range(1, n + 1)
    ]
    # What the greedy rule promises (Graham): no share exceeds the mean by more than one job.
    assert max(totals) <= sum(costs) / n + max(costs) + 1e-6


@pytest.mark.parametrize(
    ("seconds", "shares"),
    [
        ({}, ["ac", "bd"]),
        ({"a": 10, "b": 1, "c": 1, "d": 1}, ["a", "bcd"]),
        ({"a": 3}, ["ac", "bd"]),
    ],
)
def test_shards_by_hand(seconds, shares):
    found = ["".join(j.name for j in shard(jobs(*"abcd"), k, 2, seconds)) for k in (1, 2)]
    assert found == shares

import subprocess

import pytest
from colab_gen.merge import merge, overlap
from hypothesis import given, settings
from hypothesis import strategies as st


def merged(base, mine, theirs):
    """Return the merged text, by what lines come from where, or None."""
    lines = merge(base, mine, theirs)
    return lines if lines is None else [(mine if own else theirs)[n] for own, n in lines]


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "result"),
    [
        ("abc", "abc", "abc", "abc"),
        ("abc", "aXc", "abc", "aXc"),
        ("abc", "abc", "aXc", "aXc"),
        ("abc", "aXc", "aXc", "aXc"),
        ("abcde", "aXcde", "abcdY", "aXcdY"),
        ("abcde", "Xabcde", "abcdeY", "XabcdeY"),
        ("abcde", "acde", "abce", "ace"),
        ("abcde", "", "abcde", ""),
        ("abc", "aXc", "aYc", None),
        ("abc", "aXc", "ac", None),
        ("abc", "aXbc", "aYbc", None),
        ("abcd", "aXcd", "abYd", None),  # changes that touch each other
        ("", "X", "", "X"),
        ("", "X", "Y", None),
        ("a", "", "b", None),
    ],
)
def test_what_one_side_changed_is_taken_over(base, mine, theirs, result):
    expected = None if result is None else list(result)
    assert merged(list(base), list(mine), list(theirs)) == expected
    assert merged(list(base), list(theirs), list(mine)) == expected


TEXT = st.lists(st.sampled_from("abcdefgh"), max_size=12)


@settings(max_examples=200, deadline=None)
@given(base=TEXT, mine=TEXT)
def test_against_no_change_the_other_side_is_the_result(base, mine):
    assert merged(base, mine, base) == mine
    assert merged(base, base, mine) == mine
    assert merged(base, mine, mine) == mine


@settings(max_examples=200, deadline=None)
@given(base=TEXT, mine=TEXT, theirs=TEXT)
def test_no_line_comes_from_nowhere_and_no_side_is_preferred(base, mine, theirs):
    result = merged(base, mine, theirs)
    assert result == merged(base, theirs, mine)
    if result is not None:
        new = (set(mine) | set(theirs)) - set(base)
        assert new <= set(result)
        assert set(result) <= set(mine) | set(theirs)


@st.composite
def edited(draw, base):
    """Return a text with lines replaced, put in and taken out; no line is in it twice."""
    lines = list(base)
    for n in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(lines)))
        count = draw(st.integers(0, 2))
        new = [f"{draw(st.sampled_from('xyz'))}{n}"] * draw(st.integers(0, 1))
        lines[at : at + count] = [line for line in new if line not in lines]
    return lines


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_git_merges_the_same(data, tmp_path_factory):
    base = [f"line {n}" for n in range(data.draw(st.integers(0, 12)))]
    mine, theirs = data.draw(edited(base)), data.draw(edited(base))
    folder = tmp_path_factory.mktemp("git")
    for name, lines in (("base", base), ("mine", mine), ("theirs", theirs)):
        (folder / name).write_text("".join(f"{line}\n" for line in lines))
    done = subprocess.run(
        ["git", "merge-file", "-p", "--quiet", "mine", "base", "theirs"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    ours = merged(base, mine, theirs)
    if ours is not None:
        assert (done.returncode, done.stdout.splitlines()) == (0, ours)
    elif done.returncode == 0:
        # git takes over what both sides did alike in a part of a change; we call that a conflict.
        assert set(mine) & set(theirs) - set(base) or set(base) - set(mine) - set(theirs)


def test_a_text_too_long_is_left_alone():
    base = [str(n) for n in range(5000)]
    assert merged(base, [*base, "x"], ["y", *base]) is None


def test_overlap_is_of_the_shorter_text():
    assert overlap("abcd", "ab") == 1.0
    assert overlap("ab", "bc") == 0.5
    assert overlap("", "bc") == 0.0

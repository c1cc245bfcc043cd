"""Three texts become one by lines: what one side changed and the other did not is taken over."""

from collections.abc import Sequence
from difflib import SequenceMatcher

__all__ = ["merge", "overlap"]

# difflib's time grows with the square of the lines; no cell that we generate comes near.
_MOST = 4_000


def merge(
    base: Sequence[str], mine: Sequence[str], theirs: Sequence[str]
) -> list[tuple[bool, int]] | None:
    """Return where each line of the merged text comes from, or None where both sides changed.

    The texts are given as digests of their lines. A line is (True, n), the n-th of mine, or
    (False, n), the n-th of theirs. Changes that touch each other are not merged, as with git.
    """
    if max(len(base), len(mine), len(theirs)) > _MOST:
        return None
    to_mine, to_theirs = _positions(base, mine), _positions(base, theirs)
    merged: list[tuple[bool, int]] = []
    b = m = t = 0
    for anchor in [*sorted(to_mine.keys() & to_theirs.keys()), len(base)]:
        next_m, next_t = to_mine.get(anchor, len(mine)), to_theirs.get(anchor, len(theirs))
        ours, new, old = mine[m:next_m], theirs[t:next_t], base[b:anchor]
        if ours == old:
            merged += [(False, n) for n in range(t, next_t)]
        elif new in (old, ours):
            merged += [(True, n) for n in range(m, next_m)]
        else:
            return None
        if anchor < len(base):
            merged.append((True, next_m))
        b, m, t = anchor + 1, next_m + 1, next_t + 1
    return merged


def overlap(one: Sequence[str], other: Sequence[str]) -> float:
    """Return how much of the shorter text's lines the other has too, from 0 to 1."""
    few, many = sorted((set(one), set(other)), key=len)
    return len(few & many) / len(few) if few else 0.0


def _positions(base: Sequence[str], text: Sequence[str]) -> dict[int, int]:
    """Return the places in the base of lines that are in the text too, and their places there."""
    blocks = SequenceMatcher(None, base, text, autojunk=False).get_matching_blocks()
    return {block.a + n: block.b + n for block in blocks for n in range(block.size)}

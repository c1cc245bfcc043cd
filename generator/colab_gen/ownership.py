"""Whose a cell is: which cells of a notebook are ours, and which of today's cells they were."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from colab_gen.merge import overlap
from colab_gen.record import Text, digest, read_text, split
from colab_gen.render import RenderedCell

__all__ = ["NOTHING", "Claims", "Key", "Known", "Seen", "claim", "key_of", "known", "pair"]

Key = tuple[str, int]

# Kinds ("" where it is not known) and lines' digests of what a cell may be.
_Texts = list[tuple[str, tuple[str, ...]]]
_Way = Callable[["Seen", Key, _Texts], bool]

# A cell whose mark is lost is ours only if it has this much in common with what we make.
_ALIKE = 0.5


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A cell as it stands in a notebook, and its number there from 0."""

    index: int
    cell: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """Whether it is "code", "markdown" or "raw"."""
        return str(self.cell.get("cell_type"))

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Its metadata."""
        return _mapping(self.cell.get("metadata"))

    @property
    def mark(self) -> Mapping[str, Any]:
        """What its metadata says of where it is from; empty where it says nothing."""
        return _mapping(self.metadata.get("colab_gen"))

    @property
    def key(self) -> Key | None:
        """The snippet and the number of the cell it was made from, by its mark."""
        snippet, number = self.mark.get("snippet"), self.mark.get("cell")
        return (snippet, number) if isinstance(snippet, str) and type(number) is int else None

    @property
    def ids(self) -> tuple[Any, Any]:
        """Its id, and Colab's own in its metadata."""
        return self.cell.get("id"), self.metadata.get("id")

    @cached_property
    def source(self) -> str:
        """Its text."""
        return "".join(self.cell["source"])

    @cached_property
    def text(self) -> Text:
        """Its text as lines with the values of its form fields apart."""
        return read_text(self.source, code=self.kind == "code")

    @property
    def is_offer(self) -> bool:
        """Whether we put it beneath an edited cell, and nobody has touched it since."""
        return "offer" in self.mark and self.mark["offer"] == digest(self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a notebook's metadata says: its recipe, lines and fields as generated.

    `recipe` is None in a notebook without any, `recorded` is false where lines are not recorded.
    `declined` are snippets that every notebook has and this one is to have not.
    """

    recipe: Mapping[str, Any] | None
    recorded: bool
    lines: Mapping[Key, tuple[str, ...]]
    fields: Mapping[str, str]
    declined: frozenset[str] = frozenset()


NOTHING = Known(recipe=None, recorded=False, lines={}, fields={})


@dataclass(slots=True)
class Claims:
    """The cells that are ours, by what they were made from, and the offers beneath some of them."""

    cells: dict[Key, Seen] = field(default_factory=dict)
    offers: dict[Key, Seen] = field(default_factory=dict)

    def keys(self, snippet: str) -> list[Key]:
        """Return what is there of a snippet."""
        return sorted(key for key in self.cells if key[0] == snippet)


def known(notebook: Mapping[str, Any]) -> Known:
    """Return what the notebook's metadata says; what is spoilt there counts as not there."""
    ours = _mapping(_mapping(notebook.get("metadata")).get("colab_gen"))
    recipe, cells, fields = ours.get("recipe"), ours.get("cells"), _mapping(ours.get("fields"))
    lines = {key_of(id): split(kept) for id, kept in _mapping(cells).items()}
    return Known(
        recipe=recipe if isinstance(recipe, Mapping) else None,
        recorded=isinstance(cells, Mapping),
        lines={key: keys for key, keys in lines.items() if key and keys},
        fields={name: value for name, value in fields.items() if isinstance(value, str)},
        declined=frozenset(
            key[0] for id, kept in _mapping(cells).items() if kept == "" and (key := key_of(id))
        ),
    )


def key_of(id: object) -> Key | None:
    """Return the snippet and the number in an id of ours, `<snippet>-<number>`."""
    snippet, sign, number = str(id).rpartition("-")
    return (snippet, int(number)) if sign and number.isascii() and number.isdecimal() else None


def claim(
    cells: Sequence[Mapping[str, Any]],
    said: Known,
    today: Mapping[Key, RenderedCell],
    *,
    pasted: bool = False,
) -> Claims:
    """Return which cells are ours: by mark, id, Colab's id, the same text, the same title.

    Of several that claim the same, the first has it. Where nothing is recorded, an id counts only
    with a text like one of today's, and text and title only if `pasted`.
    """
    seen = [Seen(index=index, cell=cell) for index, cell in enumerate(cells)]
    claims = Claims()
    for one in seen:
        if one.key and one.is_offer:
            claims.offers.setdefault(one.key, one)
    free = [one for one in seen if not one.is_offer and one.kind in ("code", "markdown")]
    # An offer that was edited may have become the cell itself, but only if nothing else has.
    for one in sorted(free, key=lambda one: "offer" in one.mark):
        if one.key and _is_marked(one, said.lines.get(one.key), said.recorded):
            claims.cells.setdefault(one.key, one)
    free = [one for one in free if not one.key]
    if not said.recorded:
        # What it was is not known, so it is ours if it is like any of today's of its snippet.
        for one in free:
            for key in filter(None, map(key_of, one.ids)):
                texts: _Texts = [
                    (cell.kind, cell.text.keys) for k, cell in today.items() if k[0] == key[0]
                ]
                if one not in claims.cells.values() and any(_alike(one, texts)):
                    claims.cells.setdefault(key, one)
    ways: list[_Way] = [_by_id, _by_colab_id] if said.recorded else []
    ways += [_by_text, _by_title] if said.recorded or pasted else []
    for way in ways:
        for key in said.lines if said.recorded else today:
            texts = _texts(key, said, today)
            ours = {seen.index for seen in claims.cells.values()}
            found = (one for one in free if one.index not in ours and way(one, key, texts))
            if key not in claims.cells and (first := next(found, None)):
                claims.cells[key] = first
    return claims


def pair(old: Mapping[int, tuple[str, ...]], new: Mapping[int, tuple[str, ...]]) -> dict[int, int]:
    """Return which of today's cells of a snippet each old one is, by their numbers.

    The same text comes first, then the same first line (a title, a heading), then lines in common,
    then the same number.
    """
    pairs: dict[int, int] = {}

    def take(candidates: Iterable[tuple[int, int]]) -> None:
        for one, other in candidates:
            if one not in pairs and other not in pairs.values():
                pairs[one] = other

    every = [(one, other) for one in old for other in new]
    # Of equals those nearest to each other.
    every.sort(key=lambda pair: (abs(pair[0] - pair[1]), pair))
    take((a, b) for a, b in every if old[a] == new[b])
    take((a, b) for a, b in every if old[a][0] == new[b][0])
    alike = {(a, b): overlap(old[a], new[b]) for a, b in every}
    take(p for p in sorted(every, key=lambda p: -alike[p]) if alike[p] >= _ALIKE)
    take((a, b) for a, b in every if a == b)
    return pairs


def _is_marked(one: Seen, lines: tuple[str, ...] | None, recorded: bool) -> bool:
    """Tell whether a cell's mark says what the notebook does.

    A copy keeps the mark of its time, and another cell may have that number by now.
    """
    if not lines or not recorded:
        return not recorded
    return one.mark.get("digest") in (None, digest("".join(lines)))


def _texts(key: Key, said: Known, today: Mapping[Key, RenderedCell]) -> _Texts:
    texts: _Texts = []
    if key in said.lines:
        texts.append(("", said.lines[key]))
    if key in today:
        texts.append((today[key].kind, today[key].text.keys))
    return texts


def _by_id(one: Seen, key: Key, _texts: _Texts) -> bool:
    return bool(one.ids[0] == f"{key[0]}-{key[1]}")


def _by_colab_id(one: Seen, key: Key, _texts: _Texts) -> bool:
    return bool(one.ids[1] == f"{key[0]}-{key[1]}")


def _by_text(one: Seen, _key: Key, texts: _Texts) -> bool:
    return any(kind in ("", one.kind) and keys == one.text.keys for kind, keys in texts)


def _by_title(one: Seen, _key: Key, texts: _Texts) -> bool:
    if one.kind != "code" or not one.source.startswith(("# @title", "#@title")):
        return False
    return any(one.text.keys[0] == keys[0] for keys in _alike(one, texts))


def _alike(one: Seen, texts: _Texts) -> Iterator[tuple[str, ...]]:
    for kind, keys in texts:
        if kind in ("", one.kind) and overlap(one.text.keys, keys) >= _ALIKE:
            yield keys


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}

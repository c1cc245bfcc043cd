"""A cell as it was generated, as it is, and as it is generated today: what becomes of it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from colab_gen.jsontext import Document
from colab_gen.merge import merge
from colab_gen.notebook import mark
from colab_gen.ownership import Claims, Key, Seen
from colab_gen.patch import Patch
from colab_gen.record import Text, digest
from colab_gen.render import RenderedCell

__all__ = ["Change", "OnConflict", "State", "Work"]

State = Literal[
    "current", "edited", "deleted",
    "updated", "merged", "added", "removed", "released", "conflict",
]  # fmt: skip
OnConflict = Literal["both", "mine", "theirs"]

_ABOVE = "colab-gen: the new text of the cell above, which you have edited."
_REMEDY = "Take over what you want of it, then delete this cell."


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What becomes of a cell of ours.

    With the first three states nothing does; `released` is a cell that becomes the user's. Its
    texts are `before` and `after`, in a conflict the user's and that of the cell put beneath; where
    there is no cell they are None.
    """

    snippet: str
    number: int
    state: State
    before: str | None = None
    after: str | None = None

    @property
    def outdated(self) -> bool:
        """Whether the cell is not as it would be made today."""
        return self.state not in ("current", "edited", "deleted")


class Work:
    """A notebook being changed, cell by cell; `patch` has the outcome, `changes` tells of it."""

    def __init__(
        self, document: Document, claims: Claims, on_conflict: OnConflict = "both"
    ) -> None:
        self.claims, self.on_conflict = claims, on_conflict
        self.patch = Patch(document)
        self.changes: list[Change] = []
        # Where today's cells are: their numbers, and the last of what stands beneath each.
        self._there: dict[Key, tuple[int, int]] = {}

    @property
    def own(self) -> int:
        """How many cells are the user's."""
        return len(self.patch.cells) - len(self.claims.cells) - len(self.claims.offers)

    def keep(self, key: Key, today: RenderedCell) -> None:
        """Say which of today's cells one in the notebook is, for the places of new ones."""
        index, offer = self.claims.cells[key].index, self.claims.offers.get(key)
        last = max(index, offer.index if offer else -1)
        self._there[today.snippet, today.number] = (index, last)

    def bring(
        self,
        key: Key,
        base: tuple[str, ...] | None,
        today: RenderedCell,
        choose: Callable[[str, str | None], str | None],
        *,
        needed: Collection[str] = (),
        update: bool = True,
        record: bool = True,
    ) -> State:
        """Bring a cell to today's text, with what the user changed in it since.

        Args:
            key: what the cell was made from then.
            base: its lines then, where they are known.
            today: the cell as it is generated now.
            choose: gives the value of a field, by its name and its value in the notebook.
            needed: fields whose values must not get lost.
            update: whether outputs are cleared, and a text that cannot be merged is put beneath;
                else outputs stay, and such a cell is left alone.
            record: whether the cell is to say that today's text is what was generated.
        """
        self.keep(key, today)
        seen = self.claims.cells[key]
        mine, theirs = seen.text, today.text
        if base is None and seen.mark.get("digest") == mine.digest:
            base = mine.keys
        values = {
            name: choose(name, mine.values.get(name)) or value
            for name, value in {**theirs.values, **mine.values}.items()
        }
        is_open = update and key in self.claims.offers
        lines = None if is_open else _merged(mine, base, theirs)
        if mine.lines == theirs.lines:
            lines = mine.lines
        if lines and any(n in mine.values and n not in _names(lines, values) for n in needed):
            lines = None
        if lines and base and not update and not _can_undo(lines, mine.keys, base, theirs.keys):
            lines = None
        if lines is None and not update:
            self._note(today, "edited", seen.source, seen.source)
            return "conflict"
        if lines is None and self.on_conflict == "mine":
            lines = mine.lines
        elif lines is None and self.on_conflict == "theirs":
            lines, base = theirs.lines, mine.keys
        if record:
            self._mark(seen, today)
        if lines is None:
            self._offer(key, seen, today, theirs.source(values))
            return "conflict"
        if is_open:
            self.patch.remove(self.claims.offers[key].index)
        source = Text(lines=lines, values=values).source()
        if source == seen.source:
            self._note(today, state := _as_is(seen, today), source, source)
            return state
        untouched = mine.keys in (base, theirs.keys)
        if update and not seen.mark:
            self._mark(seen, today, mark(today))
        self._write(seen, source, clear=untouched and update)
        state = "updated" if untouched else "merged"
        self._note(today, state, seen.source, source)
        return state

    def drop(self, key: Key, base: tuple[str, ...] | None, *, needed: Collection[str] = ()) -> None:
        """Take out a cell that is made no longer; one that the user edited becomes the user's."""
        if key in self.claims.offers:
            self.patch.remove(self.claims.offers[key].index)
        seen = self.claims.cells.get(key)
        if seen is None:
            return
        untouched = seen.text.keys == base or seen.mark.get("digest") == seen.text.digest
        state: State = "released"
        if untouched and "adopted" not in seen.mark and not set(needed) & seen.text.values.keys():
            self.patch.remove(seen.index)
            state = "removed"
        elif seen.mark:
            self.patch.change(seen.index, _released(seen))
        self.changes.append(
            Change(snippet=key[0], number=key[1], state=state, before=seen.source, after=None)
        )

    def add(self, cell: RenderedCell, plan: Sequence[RenderedCell], source: str) -> None:
        """Put in a new cell with this text, where the plan has it."""
        key = (cell.snippet, cell.number)
        place = self._place(key, [c.snippet for c in plan])
        self._there[key] = (place + 1, place)
        self.patch.put_after(place, self.patch.new(cell.kind, source, cell.id, mark(cell)))
        self._note(cell, "added", None, source)

    def adopt(self, key: Key, today: RenderedCell) -> None:
        """Mark a cell that was pasted as ours; its text stays, and if removed it is the user's."""
        seen = self.claims.cells[key]
        self._mark(seen, today, {**mark(today), "adopted": True})
        self._note(today, _as_is(seen, today), seen.source, seen.source)

    def gone(self, cell: RenderedCell) -> None:
        """Tell of a cell that the user deleted."""
        self._note(cell, "deleted", None, None)

    def _note(self, cell: RenderedCell, state: State, old: str | None, new: str | None) -> None:
        snippet, number = cell.snippet, cell.number
        self.changes.append(
            Change(snippet=snippet, number=number, state=state, before=old, after=new)
        )

    def _offer(self, key: Key, seen: Seen, today: RenderedCell, new: str) -> None:
        source = _commented(new, today.kind)
        said = {"snippet": today.snippet, "cell": today.number, "offer": digest(source)}
        self._note(today, "conflict", seen.source, source)
        there = self.claims.offers.get(key)
        if there is None:
            cell = self.patch.new(today.kind, source, f"{today.id}-new", said)
            cell["metadata"].pop("cellView", None)
            self.patch.put_beneath(seen.index, cell)
        elif there.source != source or there.mark != said:
            metadata = {**there.metadata, "colab_gen": said}
            self.patch.change(there.index, {**there.cell, "metadata": metadata}, source=source)

    def _write(self, seen: Seen, source: str, *, clear: bool) -> None:
        cell = dict(self.patch.now(seen.index))
        if clear and seen.kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        self.patch.change(seen.index, cell, source=source)

    def _mark(self, seen: Seen, today: RenderedCell, said: Mapping[str, Any] | None = None) -> None:
        """Let a cell say what it is made from; one without a mark gets none for that alone."""
        said = said or (_marked(seen, today) if seen.mark else None)
        metadata, cell = dict(seen.metadata), dict(seen.cell)
        if said and seen.mark != said:
            metadata["colab_gen"] = said
        if seen.key and seen.key != (today.snippet, today.number):
            # Its place in the snippet is another now, and so is its id.
            for where in (cell, metadata):
                if where.get("id") == f"{seen.key[0]}-{seen.key[1]}":
                    where["id"] = today.id
        if metadata != seen.metadata or cell != seen.cell:
            self.patch.change(seen.index, {**cell, "metadata": metadata})

    def _place(self, key: Key, plan: Sequence[str]) -> int:
        """Return the number of the cell after which a new one belongs."""
        siblings = {k[1]: place for k, place in self._there.items() if k[0] == key[0]}
        if before := [number for number in siblings if number < key[1]]:
            return siblings[max(before)][1]
        if siblings:
            return min(first for first, _ in siblings.values()) - 1
        order = list(dict.fromkeys(plan))
        at = order.index(key[0])
        for snippet in reversed(order[:at]):
            if places := [last for k, (_, last) in self._there.items() if k[0] == snippet]:
                return max(places)
        for snippet in order[at + 1 :]:
            if places := [first for k, (first, _) in self._there.items() if k[0] == snippet]:
                return min(places) - 1
        return _below_title(self.patch.cells)


def _merged(mine: Text, base: tuple[str, ...] | None, theirs: Text) -> tuple[str, ...] | None:
    """Return the lines of both, or None for a conflict."""
    if base is None:
        return None
    if mine.keys == base:
        return theirs.lines
    merged = merge(base, mine.keys, theirs.keys)
    if merged is None:
        return None
    return tuple((mine if own else theirs).lines[n] for own, n in merged)


def _can_undo(
    lines: tuple[str, ...], mine: tuple[str, ...], base: tuple[str, ...], theirs: tuple[str, ...]
) -> bool:
    # Where the user has a line already that is to come, taking it out again would take theirs.
    new = Text(lines=lines).keys
    back = merge(theirs, new, base)
    return back is not None and mine == tuple((new if own else base)[n] for own, n in back)


def _released(seen: Seen) -> dict[str, Any]:
    """Return the cell without our mark, and without an id by which it could be ours again."""
    metadata = {k: v for k, v in seen.metadata.items() if k != "colab_gen"}
    cell = {**seen.cell, "metadata": metadata}
    if "adopted" not in seen.mark:  # those have ids of the user's
        for place in (cell, metadata):
            if isinstance(place.get("id"), str):
                place["id"] = f"{place['id'][:56]}-yours"
    return cell


def _marked(seen: Seen, today: RenderedCell) -> dict[str, Any]:
    return {**mark(today), **({"adopted": True} if "adopted" in seen.mark else {})}


def _as_is(seen: Seen, today: RenderedCell) -> State:
    return "current" if seen.text.lines == today.text.lines else "edited"


def _names(lines: tuple[str, ...], values: Mapping[str, str]) -> set[str]:
    text = Text(lines=lines, values=values)
    return {text.name(line) for line in lines}


def _commented(source: str, kind: str) -> str:
    if kind == "code":
        lines = [_ABOVE, _REMEDY, "", *source.split("\n")]
        return "\n".join(f"# {line}".rstrip() for line in lines)
    quoted = "\n".join(f"> {line}".rstrip() for line in source.split("\n"))
    return f"**{_ABOVE}** {_REMEDY}\n\n{quoted}"


def _below_title(cells: Sequence[Mapping[str, Any]]) -> int:
    """Return the number of the last of the cells that stay on top: Colab's badge, the title."""
    last = -1
    for index, cell in enumerate(cells[:2]):
        source = "".join(cell["source"]).lstrip()
        badge = cell.get("metadata", {}).get("id") == "view-in-github"
        if cell["cell_type"] == "markdown" and (badge or source.startswith("# ")):
            last = index
    return last

"""Cells of a notebook replaced, taken out and put in, and the notebook's new text."""

from collections.abc import Mapping
from typing import Any, Literal

from colab_gen.jsontext import Document
from colab_gen.notebook import new_cell

__all__ = ["Patch"]


class Patch:
    """What is to change in the cells of a notebook, by their numbers from 0."""

    def __init__(self, document: Document) -> None:
        self.cells: list[Mapping[str, Any]] = document.data["cells"]
        self._document = document
        self._changed: dict[int, Mapping[str, Any]] = {}
        self._removed: set[int] = set()
        self._beneath: dict[int, Mapping[str, Any]] = {}
        self._added: dict[int, list[Mapping[str, Any]]] = {}

    def now(self, index: int) -> Mapping[str, Any]:
        """Return a cell as it is to be so far."""
        return self._changed.get(index, self.cells[index])

    def change(self, index: int, cell: Mapping[str, Any], *, source: str | None = None) -> None:
        """Replace a cell; a `source` is written as a text or as lines, as the cell had it."""
        if source is not None:
            lines = source.splitlines(keepends=True)
            cell = {**cell, "source": source if isinstance(cell["source"], str) else lines}
        self._changed[index] = cell

    def remove(self, index: int) -> None:
        """Take a cell out."""
        self._removed.add(index)

    def put_beneath(self, index: int, cell: Mapping[str, Any]) -> None:
        """Put a new cell right beneath one, above all others put in there."""
        self._beneath[index] = cell

    def put_after(self, index: int, cell: Mapping[str, Any]) -> None:
        """Put a new cell after one and what was put in there before; -1 is the top."""
        self._added.setdefault(index, []).append(cell)

    def new(
        self, kind: Literal["markdown", "code"], source: str, id: str, mark: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return a new cell as this notebook's format has it, to be put in."""
        cell = new_cell(kind, source, id=id, mark=mark)
        if self._document.data["nbformat_minor"] < 5:
            del cell["id"]  # forbidden before 4.5, where there is only Colab's own place
        if self.cells and all(isinstance(other["source"], str) for other in self.cells):
            cell["source"] = source
        return cell

    def text(self, ours: Mapping[str, Any] | None) -> str:
        """Return the new text; `ours` becomes `colab_gen` in the notebook's metadata."""
        order: list[tuple[int | None, Any]] = [(None, cell) for cell in self._added.get(-1, [])]
        for index in range(len(self.cells)):
            if index not in self._removed:
                order.append((index, self.now(index)))
            if index in self._beneath:
                order.append((None, self._beneath[index]))
            order += [(None, cell) for cell in self._added.get(index, [])]
        metadata = {k: v for k, v in self._document.data["metadata"].items() if k != "colab_gen"}
        if ours is not None:
            metadata["colab_gen"] = ours
        return self._document.rewritten(self._with_ids(order), metadata=metadata)

    def _with_ids(self, order: list[tuple[int | None, Any]]) -> list[tuple[int | None, Any]]:
        """Give new cells, and those whose id is another now, one that no cell has."""

        def settled(index: int | None, cell: Mapping[str, Any]) -> bool:
            return index is not None and cell.get("id") == self.cells[index].get("id")

        taken = {cell["id"] for n, cell in order if settled(n, cell) and "id" in cell}
        # Colab's own ids may stand twice, in copies of the user's; a new cell avoids them all.
        avoided = {cell["metadata"].get("id") for n, cell in order if n is not None}
        done = []
        for index, cell in order:
            if not settled(index, cell):
                cell = _with_id(cell, taken, avoided if index is None else set())
            done.append((index, cell))
        return done


def _with_id(cell: Mapping[str, Any], taken: set[Any], avoided: set[Any]) -> Mapping[str, Any]:
    wanted = cell["id"] if "id" in cell else cell["metadata"]["id"]
    id, count = wanted, 1
    while id in taken or id in avoided:
        count += 1
        id = f"{wanted}-{count}"
    taken.add(id)
    if id == wanted:
        return cell
    both = {"id": id} if "id" in cell else {}
    return {**cell, **both, "metadata": {**cell["metadata"], "id": id}}

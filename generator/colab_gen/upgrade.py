"""A notebook of another nbformat made one of 4.5, when its user asks for it."""

import json
import re
import warnings
from itertools import count
from typing import Any

import nbformat

from colab_gen.errors import NotebookError
from colab_gen.text import one_line

__all__ = ["upgrade"]


def upgrade(text: str) -> str:
    """Return the notebook as nbformat 4.5; the same text where it is of it.

    Raises:
        NotebookError: nbformat cannot read it.
    """
    try:
        data = json.loads(text)
        if data["nbformat"] == 4 and data["nbformat_minor"] >= 5:
            return text
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            notebook: Any = nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]
            minor = notebook.nbformat_minor
            notebook = nbformat.v4.upgrade(notebook, 4, minor)  # type: ignore[no-untyped-call]
            _give_ids(notebook.cells)
            nbformat.validate(notebook)
            return str(nbformat.writes(notebook)) + "\n"  # type: ignore[no-untyped-call]
    except (
        ValueError,
        KeyError,
        AttributeError,
        TypeError,
        RecursionError,
        nbformat.ValidationError,
    ) as error:
        raise NotebookError(f"nbformat cannot upgrade it: {one_line(error)}") from None


def _give_ids(cells: list[Any]) -> None:
    # nbformat makes up new ids at random; Colab's own are better, and places make the same ones
    # every time.
    colab = [str(cell.metadata.get("id", "")) for cell in cells]
    taken = set[str]()
    for number, (cell, wanted) in enumerate(zip(cells, colab, strict=True), start=1):
        if not re.fullmatch(r"[a-zA-Z0-9-_]{1,64}", wanted) or wanted in taken:
            wanted = next(id for n in count(number) if (id := f"cell-{n}") not in {*taken, *colab})
        taken.add(wanted)
        cell["id"] = wanted

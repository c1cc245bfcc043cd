"""Cells become a notebook: the plain JSON that Jupyter and Colab read, nbformat 4.5."""

import copy
import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from colab_gen.errors import NotebookError
from colab_gen.plan import Plan
from colab_gen.recipe import TPUS, Recipe, read_recipe
from colab_gen.render import RenderedCell
from colab_gen.text import one_line

__all__ = [
    "Notebook",
    "blank",
    "build",
    "dumps",
    "loads",
    "mark",
    "new_cell",
    "recipe_of",
    "record",
    "snippets_of",
]

Notebook = dict[str, Any]

# A code cell of more lines opens in Colab with its form shown and its code hidden.
_LONG = 20


def build(plan: Plan, cells: Iterable[RenderedCell]) -> Notebook:
    """Return the notebook of these cells, with the metadata Colab writes and reads."""
    whole = list(cells)
    return {
        "cells": [new_cell(cell.kind, cell.source, id=cell.id, mark=mark(cell)) for cell in whole],
        "metadata": _metadata(plan.recipe, whole),
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def mark(cell: RenderedCell) -> dict[str, Any]:
    """Return what the metadata of a cell of ours says: where it is from, what it was."""
    return {"snippet": cell.snippet, "cell": cell.number, "digest": cell.text.digest}


def record(cells: Iterable[RenderedCell]) -> dict[str, Any]:
    """Return what the notebook records of its cells as generated, for a merge with later ones.

    `cells` has the digests of each cell's lines by the cell's id, `fields` the values of all form
    fields as they were written.
    """
    whole = list(cells)
    return {
        "cells": {cell.id: cell.text.kept for cell in whole},
        "fields": {name: value for cell in whole for name, value in cell.text.values.items()},
    }


def new_cell(
    kind: Literal["markdown", "code"],
    source: str,
    *,
    id: str,
    mark: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a cell with its id in both places: nbformat's, and Colab's own in the metadata."""
    metadata: dict[str, Any] = {"id": id}
    if kind == "code" and source.count("\n") >= _LONG and "# @title" in source:
        metadata["cellView"] = "form"
    if mark:
        metadata["colab_gen"] = dict(mark)
    cell: dict[str, Any] = {"cell_type": kind, "id": id, "metadata": metadata}
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return cell | {"source": source.splitlines(keepends=True)}


def blank(notebook: Mapping[str, Any]) -> Notebook:
    """Return a copy without what earlier runs left in it, be it a valid notebook or not."""
    copied = copy.deepcopy(dict(notebook))
    cells = copied.get("cells")
    for cell in cells if isinstance(cells, list) else ():
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            cell.update(outputs=[], execution_count=None)
    return copied


def dumps(notebook: Mapping[str, Any]) -> str:
    """Return the notebook as the text of an `.ipynb` file, indented as Jupyter does it."""
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=False) + "\n"


def loads(text: str) -> Notebook:
    """Return the notebook in the text of an `.ipynb` file.

    Raises:
        NotebookError: the text is no notebook; it says what is wrong with it.
    """
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotebookError(f"not a notebook, since not JSON: {one_line(error)}") from None
    if not isinstance(notebook, dict) or "nbformat" not in notebook:
        raise NotebookError("not a notebook: it has no nbformat")
    if notebook["nbformat"] != 4 or not isinstance(notebook.get("cells"), list):
        version = one_line(notebook["nbformat"])
        raise NotebookError(f"a notebook of nbformat {version}; nbformat 4 is needed")
    return notebook


def recipe_of(notebook: Mapping[str, Any]) -> Recipe:
    """Return the recipe kept in a notebook of ours.

    Raises:
        NotebookError: there is none.
        RecipeError: what is there is no recipe.
    """
    recipe = _mapping(_mapping(notebook.get("metadata")).get("colab_gen")).get("recipe")
    if not isinstance(recipe, Mapping):
        raise NotebookError("the notebook holds no recipe: colab-gen did not make it")
    return read_recipe(recipe)


def snippets_of(notebook: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return, by the name of each snippet in the notebook, the sources of its code cells."""
    found: dict[str, list[str]] = {}
    for cell in map(_mapping, notebook.get("cells", [])):
        name = _mapping(_mapping(cell.get("metadata")).get("colab_gen")).get("snippet")
        if isinstance(name, str):
            sources = found.setdefault(name, [])
            if cell.get("cell_type") == "code":
                sources.append("".join(cell.get("source", "")))
    return found


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _metadata(recipe: Recipe, cells: Iterable[RenderedCell]) -> dict[str, Any]:
    colab: dict[str, Any] = {"name": recipe.name, "provenance": [], "toc_visible": True}
    metadata: dict[str, Any] = {}
    if recipe.accelerator:
        metadata["accelerator"] = "TPU" if recipe.accelerator in TPUS else "GPU"
        colab["gpuType"] = recipe.accelerator
    if recipe.high_ram:
        colab["machine_shape"] = "hm"
    metadata["colab"] = colab
    metadata["colab_gen"] = {"recipe": recipe.as_dict(), **record(cells)}
    metadata["kernelspec"] = {"display_name": "Python 3", "name": "python3"}
    metadata["language_info"] = {"name": "python"}
    return metadata

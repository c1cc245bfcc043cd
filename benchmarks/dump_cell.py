"""The code of the dump cell, taken from a notebook that is made of it, for scripts and tests."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from colab_gen.catalog import load_catalog
from colab_gen.notebook import build
from colab_gen.plan import make_plan
from colab_gen.recipe import Recipe
from colab_gen.render import render

__all__ = ["Cell", "cell_source", "run_cell"]


def cell_source(**values: Any) -> str:
    """Return the source of the cell that defines `dump`, with these values of its form fields."""
    plan = make_plan(load_catalog(), Recipe(features=("dump",), values=values))
    cells = [c for c in build(plan, render(plan))["cells"] if c["cell_type"] == "code"]
    sources = ["".join(cell["source"]) for cell in cells]
    return next(source for source in sources if "\ndef dump(" in source)


class Cell(SimpleNamespace):
    """What the cell defines; `names` are its globals."""

    def __repr__(self) -> str:
        return f"Cell({str(self.DRIVE)!r})"


def run_cell(drive: Path, source: str = "", **values: Any) -> Cell:
    """Run the cell as if Drive were this folder; return what it defines.

    Args:
        drive: the folder.
        source: the cell, if it is not to be made anew.
        values: of its form fields.
    """
    names: dict[str, Any] = {"DRIVE": drive, "__name__": "notebook"}
    exec(compile(source or cell_source(**values), "<dump cell>", "exec"), names)
    return Cell(**{n: v for n, v in names.items() if n.isidentifier()}, names=names)

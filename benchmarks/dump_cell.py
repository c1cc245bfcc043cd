"""The code of the dump cell, taken from a notebook that is made of it, for scripts and tests."""

import sys
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from cells import sources

__all__ = ["Cell", "cell_source", "run_cell"]


@cache
def cell_source(**values: Any) -> str:
    """Return the source of the cell that defines `dump`, with these values of its form fields."""
    return next(source for source in sources("dump", **values) if "\ndef dump(" in source)


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

"""Cells of snippets, executed as they stand in a notebook, but without a kernel."""

import contextlib
import io
from pathlib import Path
from typing import Any

from colab_gen.catalog import load_catalog
from colab_gen.form import read_parameters, set_values
from colab_gen.notebook import build
from colab_gen.plan import make_plan
from colab_gen.recipe import Recipe
from colab_gen.render import render

__all__ = ["Cells", "execute", "printed_by", "source", "sources", "tree"]


def sources(feature: str, **values: Any) -> list[str]:
    """Return the code of a feature's code cells, with these values in its form fields."""
    plan = make_plan(load_catalog(), Recipe(features=(feature,), values=values))
    return [c.source for c in render(plan) if c.snippet == feature and c.kind == "code"]


class Cells:
    """The code cells of a feature over one set of globals.

    The cells without form fields, which define functions, are run at once; the others by `run`.
    """

    def __init__(self, feature: str, **names: Any) -> None:
        self.sources = sources(feature)
        self.names: dict[str, Any] = {"__name__": "__main__", **names}
        self._forms = [source for source in self.sources if read_parameters(source)]
        for source in self.sources:
            if source not in self._forms:
                self._execute(source)

    def run(self, field: str, **values: Any) -> str:
        """Run the cell that has this form field, with these values; return what it printed."""
        (source,) = [
            s for s in self._forms if field in {parameter.name for parameter in read_parameters(s)}
        ]
        return self._execute(set_values(source, values))

    def _execute(self, source: str) -> str:
        return printed_by(exec, compile(source, "cell", "exec"), self.names)


def tree(folder: Path) -> dict[str, Any]:
    """Return path -> content of a file, target of a link, or None for an empty folder."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file():
            found[name] = path.read_bytes()
        elif not any(path.iterdir()):
            found[name] = None
    return found


def source(catalog, cell_id, **values):
    """Return the code of a cell such as "images-2", with these values in its form fields."""
    plan = make_plan(catalog, Recipe(features=(cell_id.rpartition("-")[0],), values=values))
    (cell,) = [c for c in build(plan, render(plan))["cells"] if c["id"] == cell_id]
    return "".join(cell["source"])


def execute(catalog, cell_id, names=None, **values):
    """Execute the cell among these names; return all names, and what it printed."""
    names = {"__name__": "__main__"} if names is None else names
    return names, printed_by(
        exec, compile(source(catalog, cell_id, **values), cell_id, "exec"), names
    )


def printed_by(function, *arguments, **options):
    """Return what the call printed."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        function(*arguments, **options)
    return out.getvalue()

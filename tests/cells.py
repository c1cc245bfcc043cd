"""Single cells of snippets, executed as they stand in a notebook, but without a kernel."""

import contextlib
import io

from colab_gen.notebook import build
from colab_gen.plan import make_plan
from colab_gen.recipe import Recipe
from colab_gen.render import render


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

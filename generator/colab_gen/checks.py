"""What the snippets of a notebook need to be executed: an archive, a module, an image.

A snippet `staging.md` may have a `staging.check.py` beside it with one function,
`prepare(drive, values)`, that makes these things in the folder that stands for My Drive.
"""

import runpy
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from colab_gen.catalog import Catalog
from colab_gen.errors import SnippetError
from colab_gen.form import Value, read_parameters
from colab_gen.notebook import snippets_of
from colab_gen.text import one_line

__all__ = ["preparation"]

# runpy changes sys.argv and sys.modules while it runs a file, which are every thread's.
_RUNPY = threading.Lock()


def preparation(catalog: Catalog, notebook: Mapping[str, Any]) -> Callable[[Path], None]:
    """Return a function that fills a folder with what the notebook's snippets need.

    The values are those in the form fields now, which the notebook's user may have changed.
    """
    found = snippets_of(notebook)
    checks = {
        name: file.with_name(f"{name}.check.py")
        for name in found
        if (file := catalog.files.get(name)) and file.with_name(f"{name}.check.py").is_file()
    }
    values = {
        name: value
        for name, sources in found.items()
        if name in catalog.snippets
        for name, value in _values(catalog, name, sources).items()
    }

    def prepare(drive: Path) -> None:
        for name, file in checks.items():
            try:
                with _RUNPY:
                    names = runpy.run_path(str(file))
                names["prepare"](drive, values)
            except Exception as error:  # the check is code of the snippet's author
                raise SnippetError(
                    f"snippet {name}: its check failed: {type(error).__name__}: {one_line(error)}"
                ) from error

    return prepare


def _values(catalog: Catalog, name: str, sources: list[str]) -> dict[str, Value]:
    values = {p.name: p.default for p in catalog.snippets[name].parameters}
    for source in sources:
        try:
            values |= {p.name: p.default for p in read_parameters(source) if p.name in values}
        except (SyntaxError, ValueError):
            continue  # the static check will tell of a cell that is no Python
    return values

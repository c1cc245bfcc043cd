"""The page as a folder of plain files for any static host, with Python for the browser."""

from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from colab_gen.catalog import Catalog
from colab_gen.errors import NotebookError
from colab_gen.web.page import page_files
from colab_gen.web.pyodide import pack, pyodide_files

__all__ = ["write_site"]

# What makes a notebook and its preview, in pure Python all of it: distribution -> package.
_PACKAGES = {"jinja2": "jinja2", "markupsafe": "markupsafe", "mistune": "mistune", "pyyaml": "yaml"}
_OURS = ("__init__", "arguments", "catalog", "errors", "form", "notebook", "plan", "recipe",
         "record", "render", "snippet", "text", "values", "web/answer", "web/preview")  # fmt: skip


def write_site(catalog: Catalog, folder: Path, *, force: bool = False) -> int:
    """Write the site into the folder; return how many bytes its files have.

    Raises:
        NotebookError: there is something in the folder and `force` is off, or it cannot be written.
        EnvironmentProblem: Pyodide cannot be downloaded.
    """
    try:
        if not force and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise NotebookError(f"{folder} is there already; --force writes into it")
        files = page_files(catalog, engine="worker")
        files["python.zip"] = pack(_modules(catalog))
        files |= {f"pyodide/{name}": content for name, content in pyodide_files().items()}
        (folder / "pyodide").mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise NotebookError(f"cannot write {folder}: {error.strerror}") from None
    return sum(map(len, files.values()))


def _modules(catalog: Catalog) -> Iterator[tuple[str, bytes]]:
    """Yield what Python imports in the browser: path in the zip and content."""
    ours = Path(__file__).parents[1]
    for name in _OURS:
        yield f"colab_gen/{name}.py", (ours / f"{name}.py").read_bytes()
    # There the package of the page needs no server.
    yield "colab_gen/web/__init__.py", b""
    for name, file in catalog.files.items():
        yield f"colab_gen/snippets/{name}.md", file.read_bytes()
    for distribution, package in _PACKAGES.items():
        spec = find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        inside = Path(spec.origin).parent
        for file in inside.rglob("*.py"):
            yield f"{package}/{file.relative_to(inside).as_posix()}", file.read_bytes()
        yield from _licences(distribution)


def _licences(distribution: str) -> Iterator[tuple[str, bytes]]:
    for file in metadata.files(distribution) or ():
        if "LICEN" in file.name.upper():
            yield f"licences/{distribution}/{file.name}", Path(str(file.locate())).read_bytes()

"""The files of the page, as they are in the folder `files`, and the form they begin with."""

import json
from pathlib import Path
from typing import Literal

from colab_gen.catalog import Catalog
from colab_gen.web.answer import form_data

__all__ = ["POLICY", "TYPES", "page_files"]

# What the page may load and do; `wasm-unsafe-eval` lets Python start, and nothing else.
POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'"
)
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}


def page_files(catalog: Catalog, *, engine: Literal["server", "worker"]) -> dict[str, bytes]:
    """Return the page's files by name; `engine` says what makes its notebooks."""
    folder = Path(__file__).with_name("files")
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in TYPES}
    files["index.html"] = files["index.html"].replace(b"$POLICY", POLICY.encode())
    form = {"engine": engine, **form_data(catalog)}
    return {**files, "form.json": json.dumps(form).encode()}

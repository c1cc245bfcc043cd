"""One notebook's file held: read with care, backed up, replaced in one step."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha1, sha256
from pathlib import Path
from typing import Any

from colab_gen.errors import NotebookError
from colab_gen.files import write_whole
from colab_gen.jsontext import Document
from colab_gen.text import one_line

__all__ = ["Held", "hold", "read_document"]

_LARGEST = 100_000_000


class Held:
    """A notebook's file and its text; nobody else who holds it writes it meanwhile."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            NotebookError: it cannot be read, is no UTF-8 text, or too large.
        """
        self.path = Path(os.path.realpath(path))  # a link stays one, and what it names is replaced
        try:
            if self.path.stat().st_size > _LARGEST:
                size = self.path.stat().st_size // 1_000_000
                raise ValueError(f"it has {size} MB; clear its outputs to come below 100")
            self._data = self.path.read_bytes()
            if self._data.startswith(b"\xef\xbb\xbf"):
                raise ValueError("it begins with a byte order mark, which JSON forbids")
            self.text = self._data.decode("utf-8")
        except UnicodeError:
            raise NotebookError(f"cannot read {path}: it is not UTF-8 text") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise NotebookError(f"cannot read {path}: {reason}") from None

    def replace(self, text: str) -> None:
        """Write the text in place of the file's, which is kept in `.bak` unless git has it.

        Raises:
            NotebookError: the file was changed meanwhile, or cannot be written.
        """
        try:
            changed = self.path.read_bytes() != self._data
        except OSError:
            changed = True
        if changed:
            raise NotebookError(f"{self.path} was changed meanwhile; nothing was written")
        if not _in_git(self.path, self._data):
            write_whole(self.path.with_name(f"{self.path.name}.bak"), self.text, overwrite=True)
        write_whole(self.path, text, overwrite=True)


@contextmanager
def hold(path: Path) -> Iterator[Held]:
    """Hold a notebook's file; others who want to hold one of the same folder wait.

    Raises:
        NotebookError: as for `Held`.
    """
    handle = _locked(Path(os.path.realpath(path)).parent)
    try:
        yield Held(path)
    finally:
        if handle is not None:
            os.close(handle)


def read_document(text: str) -> Document:
    """Return a notebook's text, ready to be changed.

    Raises:
        NotebookError: it is no notebook of nbformat 4, or one that programs read in different ways.
    """
    try:
        document = Document(text, elements_of="cells")
    except ValueError as error:
        raise NotebookError(f"not a notebook, since not plain JSON: {one_line(error)}") from None
    data = document.data
    version, minor = data.get("nbformat"), data.get("nbformat_minor")
    if type(version) is not int or type(minor) is not int:
        raise NotebookError("not a notebook: it has no nbformat")
    if version < 4:
        raise NotebookError(f"a notebook of nbformat {version}; --upgrade makes it nbformat 4")
    if version > 4:
        raise NotebookError(f"a notebook of nbformat {version}; nbformat 4 is needed")
    if not isinstance(data.get("metadata"), dict) or not isinstance(data.get("cells"), list):
        raise NotebookError("not a notebook: it lacks metadata or cells")
    ids = set[Any]()
    for number, cell in enumerate(data["cells"]):
        if not _is_cell(cell):
            raise NotebookError(f"not a notebook: cell {number} lacks its type, source or metadata")
        if "id" in cell and cell["id"] in ids:
            raise NotebookError(f"two of its cells have the id {one_line(cell['id'])}")
        ids.add(cell.get("id"))
    return document


def _is_cell(cell: object) -> bool:
    if not isinstance(cell, dict) or not isinstance(cell.get("metadata"), dict):
        return False
    source = cell.get("source")
    lines = source if isinstance(source, list) else [source]
    named = isinstance(cell.get("cell_type"), str) and isinstance(cell.get("id", ""), str)
    return named and all(isinstance(line, str) for line in lines)


def _locked(folder: Path) -> int | None:
    """Return the handle of the locked folder; None where the system has no such locks."""
    try:
        import fcntl  # not on Windows
    except ImportError:
        return None
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError:  # some network drives; the comparison before writing must do
            os.close(handle)
            raise
        return handle
    return None


def _in_git(path: Path, data: bytes) -> bool:
    """Tell whether the last commit has these very bytes, whatever filters git applies."""
    command = ["git", "-C", str(path.parent), "rev-parse", "--verify", "-q", f"HEAD:./{path.name}"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    name = done.stdout.decode("ascii", "replace").strip()
    kind = sha256 if len(name) == 64 else sha1
    return name == kind(b"blob %d\0" % len(data) + data).hexdigest()

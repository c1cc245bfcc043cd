"""Files are written whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path

from colab_gen.errors import NotebookError

__all__ = ["write_whole"]


def write_whole(path: Path, text: str, *, overwrite: bool = False) -> None:
    """Write the text to the path in one step: beside it first, then renamed.

    Raises:
        NotebookError: the path is taken and `overwrite` is off, or it cannot be written.
    """
    beside = path.with_name(f".{path.name[:100]}.{os.urandom(4).hex()}.tmp")
    try:
        if not overwrite and os.path.lexists(path):
            raise FileExistsError
        _write(beside, text, like=path)
        if overwrite:
            os.replace(beside, path)
        else:
            _link(beside, path)
        _sync_folder(path.parent)
    except FileExistsError:
        raise NotebookError(f"{path} is there already; --force replaces it") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise NotebookError(f"cannot write {path}: {reason}") from None
    finally:
        with suppress(OSError, ValueError):
            beside.unlink()


def _write(path: Path, text: str, *, like: Path) -> None:
    mode = 0o666
    with suppress(OSError):
        mode = like.stat().st_mode & 0o777
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _link(beside: Path, path: Path) -> None:
    # A hard link is refused where a name is taken, which a rename is not: no race with others.
    try:
        os.link(beside, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        os.replace(beside, path)


def _sync_folder(folder: Path) -> None:
    # Without this the new name may be lost in a power cut; Windows cannot open folders.
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

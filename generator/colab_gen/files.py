"""Files are written whole or not at all, and those of several notebooks under distinct names."""

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePath

from colab_gen.errors import NotebookError
from colab_gen.text import one_line

__all__ = ["distinct_names", "write_whole"]


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


def distinct_names(paths: Sequence[str]) -> list[str]:
    """Return a file name `….ipynb` for each of these notebooks, no two alike, whatever their case.

    Where notebooks in several folders share a name, the names of the folders go before it.
    """
    split = [_parts(path) for path in paths]
    depths = [1] * len(split)
    for _ in range(max(map(len, split), default=0)):
        tails = [_tail(parts, depth) for parts, depth in zip(split, depths, strict=True)]
        often = Counter(tail.casefold() for tail in tails)
        depths = [
            depth + (often[tail.casefold()] > 1 and depth < len(parts))
            for tail, depth, parts in zip(tails, depths, split, strict=True)
        ]
    return list(_numbered(_tail(parts, d) for parts, d in zip(split, depths, strict=True)))


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


def _parts(path: str) -> tuple[str, ...]:
    # Windows has no file with any of these in its name.
    parts = [re.sub(r'[<>:"|?*\\]', "_", part) for part in PurePath(one_line(path, 1000)).parts]
    parts = [part for part in parts if part.strip("/_. ")]
    last = parts[-1] if parts and parts[-1] != "-" else "notebook"
    last = last if last.endswith(".ipynb") else f"{last}.ipynb"
    return (*parts[:-1], last)


def _tail(parts: Sequence[str], depth: int) -> str:
    # Most file systems take names of 255 bytes; a number may yet be added.
    return "-".join(parts[-depth:]).encode()[-200:].decode(errors="ignore")


def _numbered(names: Iterator[str]) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        number, free = 1, name
        while free.casefold() in seen:
            number += 1
            free = f"{name.removesuffix('.ipynb')}-{number}.ipynb"
        seen.add(free.casefold())
        yield free

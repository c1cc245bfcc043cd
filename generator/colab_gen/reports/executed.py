"""Executed notebooks as files in a folder."""

import copy
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from typing import Any

import nbformat
from nbformat.v4.rwbase import split_lines

from colab_gen.errors import NotebookError
from colab_gen.files import write_whole
from colab_gen.notebook import dumps
from colab_gen.report import Report
from colab_gen.reports.material import Named
from colab_gen.text import one_line

__all__ = ["save_executed"]


def save_executed(folder: Path, reports: Sequence[Named]) -> tuple[Path, ...]:
    """Write each notebook that was executed, with its outputs; return the files written.

    A notebook in which the static check found something was not executed, and has no file. Where
    notebooks in several folders share a name, the names of the folders go before it.

    Raises:
        NotebookError: the folder or a file cannot be written.
    """
    executed = [(name, report) for name, report in reports if not report.problems]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotebookError(f"cannot make {folder}: {error.strerror}") from None
    paths = [folder / name for name in _names([name for name, _ in executed])]
    for path, (_, report) in zip(paths, executed, strict=True):
        write_whole(path, _text(report), overwrite=True)
    return tuple(paths)


def _text(report: Report) -> str:
    node: Any = nbformat.from_dict(copy.deepcopy(report.notebook))  # type: ignore[no-untyped-call]
    text = dumps(split_lines(node))  # type: ignore[no-untyped-call]
    # Half a surrogate pair, which a cell may print, has no UTF-8; JSON has an escape for it.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _names(names: Sequence[str]) -> list[str]:
    """Return a file name for each notebook, no two alike even where case makes no difference."""
    paths = [_parts(name) for name in names]
    depths = [1] * len(paths)
    for _ in range(max(map(len, paths), default=0)):
        tails = [_tail(path, depth) for path, depth in zip(paths, depths, strict=True)]
        often = Counter(tail.casefold() for tail in tails)
        depths = [
            depth + (often[tail.casefold()] > 1 and depth < len(path))
            for tail, depth, path in zip(tails, depths, paths, strict=True)
        ]
    return list(_numbered(_tail(p, d) for p, d in zip(paths, depths, strict=True)))


def _parts(name: str) -> tuple[str, ...]:
    # Windows has no file with any of these in its name.
    parts = [re.sub(r'[<>:"|?*\\]', "_", part) for part in PurePath(one_line(name, 1000)).parts]
    parts = [part for part in parts if part.strip("/_. ")]
    last = parts[-1] if parts and parts[-1] != "-" else "notebook"
    last = last if last.endswith(".ipynb") else f"{last}.ipynb"
    return (*parts[:-1], last)


def _tail(path: Sequence[str], depth: int) -> str:
    # Most file systems take names of 255 bytes; a number may yet be added.
    return "-".join(path[-depth:]).encode()[-200:].decode(errors="ignore")


def _numbered(names: Iterator[str]) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        number, free = 1, name
        while free.casefold() in seen:
            number += 1
            free = f"{name.removesuffix('.ipynb')}-{number}.ipynb"
        seen.add(free.casefold())
        yield free

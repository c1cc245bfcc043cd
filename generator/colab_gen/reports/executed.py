"""Executed notebooks as files in a folder."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4.rwbase import split_lines

from colab_gen.errors import NotebookError
from colab_gen.files import distinct_names, write_whole
from colab_gen.notebook import dumps
from colab_gen.report import Report
from colab_gen.reports.material import Named

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
    paths = [folder / name for name in distinct_names([name for name, _ in executed])]
    for path, (_, report) in zip(paths, executed, strict=True):
        write_whole(path, _text(report), overwrite=True)
    return tuple(paths)


def _text(report: Report) -> str:
    node: Any = nbformat.from_dict(copy.deepcopy(report.notebook))  # type: ignore[no-untyped-call]
    text = dumps(split_lines(node))  # type: ignore[no-untyped-call]
    # Half a surrogate pair, which a cell may print, has no UTF-8; JSON has an escape for it.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")

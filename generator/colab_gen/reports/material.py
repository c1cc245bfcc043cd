"""What every kind of report needs of a `Report`: counts, tracebacks, text that is fit to write."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from colab_gen.report import Outcome, Report, Status
from colab_gen.text import one_line

__all__ = [
    "Named",
    "as_printed",
    "cell_name",
    "cells_of",
    "count",
    "error_text",
    "joined",
    "traceback_of",
    "verdict",
    "writable",
]

Named = tuple[str, Report]

# An operating system command, a control sequence, any other escape, an escape character alone.
_ANSI = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-Z\\^_]|\x1b")
# XML 1.0 has no place for most of these, UTF-8 has none for half a pair.
_UNWRITABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)


def verdict(report: Report) -> str:
    """Return "passed" or "FAILED"."""
    return "passed" if report.passed else "FAILED"


def count(report: Report, status: Status) -> int:
    """Return how many of the code cells ended so."""
    return sum(outcome.status == status for outcome in report.outcomes)


def cell_name(outcome: Outcome) -> str:
    """Return the id and the title of a cell in one line; without an id, its position."""
    name = one_line(outcome.id, 80) or f"cell {outcome.cell}"
    title = one_line(outcome.title, 80)
    return f"{name}: {title}" if title else name


def cells_of(report: Report) -> list[Mapping[str, Any]]:
    """Return the cells of the notebook, or none where it has no cells to speak of."""
    # With a problem found, the notebook may be of any shape.
    cells = report.notebook.get("cells")
    if not isinstance(cells, list) or not all(isinstance(cell, Mapping) for cell in cells):
        return []
    return cells


def traceback_of(report: Report, outcome: Outcome) -> str:
    """Return the traceback of a failed cell as text, or its message where it left none."""
    cells = cells_of(report)
    cell = cells[outcome.cell] if outcome.cell < len(cells) else {}
    outputs = cell.get("outputs")
    errors = [
        error_text(output)
        for output in (outputs if isinstance(outputs, list) else ())
        if isinstance(output, Mapping) and output.get("output_type") == "error"
    ]
    return "\n".join(errors) or as_printed(outcome.message)


def joined(value: object) -> str:
    """Return a text that a notebook may hold as a list of lines."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""


def writable(text: str) -> str:
    """Return the text with U+FFFD for each character that XML or UTF-8 cannot hold."""
    return _UNWRITABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def as_printed(text: str) -> str:
    """Return what a plain terminal would show in the end: without colours and bare redrawings."""
    text = _ANSI.sub("", text)
    if "\r" in text:  # a progress bar goes back to the start of its line
        text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return writable(text.replace("\a", "").replace("\b", ""))


def error_text(output: Mapping[Any, Any]) -> str:
    """Return the traceback in an output of type error, or at least its name and value."""
    lines = output.get("traceback")
    text = "\n".join(map(str, lines)) if isinstance(lines, list) else ""
    return as_printed(text or f"{output.get('ename')}: {output.get('evalue')}")

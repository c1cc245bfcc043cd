"""Reports as plain tables for a terminal."""

import unicodedata
from collections.abc import Sequence

from colab_gen.reports.material import Named, cell_name, count, verdict
from colab_gen.text import one_line

__all__ = ["slowest", "table", "width"]

_HEAD = ("Notebook", "Verdict", "Passed", "Failed", "Not run", "Seconds")
_LEFT = 2  # so many columns hold words, the others figures


def table(reports: Sequence[Named]) -> str:
    """Return a table with a line for each notebook, and one of totals where there are several."""
    rows = [
        (
            one_line(name, 200),
            verdict(report) if not report.problems else f"{verdict(report)}, not run",
            *(str(count(report, status)) for status in ("passed", "failed", "not run")),
            f"{report.seconds:.1f}",
        )
        for name, report in reports
    ]
    if len(rows) > 1:
        figures = [sum(int(row[column]) for row in rows) for column in (2, 3, 4)]
        good = sum(report.passed for _, report in reports)
        seconds = sum(report.seconds for _, report in reports)
        rows.append(("", f"{good} of {len(rows)} passed", *map(str, figures), f"{seconds:.1f}"))
    return _aligned([_HEAD, *rows])


def slowest(reports: Sequence[Named], n: int) -> tuple[str, ...]:
    """Return a line for each of the `n` cells that took longest, the longest first."""
    cells = [
        (outcome.seconds, one_line(name, 200), cell_name(outcome))
        for name, report in reports
        for outcome in report.outcomes
        if outcome.status != "not run"
    ]
    cells.sort(key=lambda cell: -cell[0])
    return tuple(f"{seconds:8.1f} s  {name}  {cell}" for seconds, name, cell in cells[: max(n, 0)])


def width(text: str) -> int:
    """Return how many columns of a terminal the text takes."""
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        parts = []
        for column, text in enumerate(row):
            gap = " " * (widths[column] - width(text))
            parts.append(text + gap if column < _LEFT else gap + text)
        lines.append("  ".join(parts).rstrip() + "\n")
    return "".join(lines)

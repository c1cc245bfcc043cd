"""Reports for GitHub Actions: workflow commands in the log, Markdown for the job's summary.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from colab_gen.reports.material import (
    Named,
    as_printed,
    cell_name,
    count,
    traceback_of,
    verdict,
)
from colab_gen.text import markdown, one_line

__all__ = ["annotations", "summary"]

# GitHub cuts an annotation at 4 KiB, and drops a summary of more than 1 MiB.
_LONGEST = 3000  # of a traceback, whose end tells most
_MOST_TRACEBACKS = 50


def annotations(reports: Sequence[Named], *, root: Path | None = None) -> str:
    """Return a workflow command, a line each, for every failed cell and every problem found.

    Args:
        reports: the names of the notebooks and how they went.
        root: the folder of the repository, which GitHub takes paths to be relative to; without
            it the names stay as they are.
    """
    lines = [
        f"::error {_file(name, root)}title={_property(title)}::{_data(text)}\n"
        for name, title, text in _findings(reports)
    ]
    return "".join(lines)


def summary(reports: Sequence[Named]) -> str:
    """Return a table of the notebooks in Markdown, and below it what failed, with tracebacks."""
    rows = [
        f"| {markdown(one_line(name, 200))} | {'✅' if report.passed else '❌'} {verdict(report)} "
        f"| {count(report, 'passed')} | {count(report, 'failed')} | {count(report, 'not run')} "
        f"| {report.seconds:.1f} |\n"
        for name, report in reports
    ]
    head = (
        "### Notebooks, executed in a stand-in of Colab\n\n"
        "| Notebook | Verdict | Cells passed | failed | not run | Seconds |\n"
        "|:--|:--|--:|--:|--:|--:|\n"
    )
    return head + "".join(rows) + "".join(_failures(reports))


def _failures(reports: Sequence[Named]) -> Iterator[str]:
    for number, (name, title, text) in enumerate(_findings(reports)):
        if number == _MOST_TRACEBACKS:
            yield "\nThere is more that failed; the log of the job has it all.\n"
            return
        # No run of backticks in the text may close the fence.
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
        yield (
            f"\n<details><summary>{_html_line(name)}, {_html_line(title)}</summary>\n\n"
            f"{fence}text\n{text}\n{fence}\n\n</details>\n"
        )


def _findings(reports: Sequence[Named]) -> Iterator[tuple[str, str, str]]:
    for name, report in reports:
        for problem in report.problems:
            yield name, "static check", as_printed(problem)
        for outcome in report.outcomes:
            if outcome.status == "failed":
                message = one_line(outcome.message, 500)
                text = traceback_of(report, outcome)[-_LONGEST:]
                yield (
                    name,
                    cell_name(outcome),
                    message if text == message else f"{message}\n\n{text}",
                )


def _file(name: str, root: Path | None) -> str:
    # What came by standard input is no file that GitHub could show.
    return "" if name == "-" else f"file={_property(_path(one_line(name, 300), root))},"


def _path(name: str, root: Path | None) -> str:
    if root is None:
        return name
    try:
        path = Path(os.path.relpath(name, root)).as_posix()
    except ValueError:  # on another drive of Windows
        return name
    return name if path.startswith("../") else path


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _html_line(text: str) -> str:
    return one_line(text, 200).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

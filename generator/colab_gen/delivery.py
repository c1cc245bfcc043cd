"""Results written where others read them: files, GitHub's log and summary, the terminal."""

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from colab_gen import console
from colab_gen.errors import NotebookError
from colab_gen.files import write_whole
from colab_gen.job import Result
from colab_gen.report import Report
from colab_gen.reports import annotations, image, page, table
from colab_gen.reports.executed import save_executed
from colab_gen.reports.junit import junit as junit_text

__all__ = ["deliver"]


def deliver(
    results: Sequence[Result],
    *,
    html: Path | None = None,
    junit: Path | None = None,
    executed: Path | None = None,
    slowest: int | None = None,
    as_json: bool = False,
) -> None:
    """Write what was asked for; under GitHub Actions also its annotations and summary.

    Raises:
        NotebookError: a file cannot be written.
    """
    reports = [(result.name, _report(result)) for result in results]
    if html:
        write_whole(html, page.page(reports, made=datetime.now(UTC)), overwrite=True)
    if junit:
        write_whole(junit, junit_text(reports), overwrite=True)
    if executed:
        save_executed(executed, reports)
    told = list(table.slowest(reports, slowest)) if slowest else []
    if len(reports) > 1 and sys.stdout.isatty():
        told.insert(0, table.table(reports).rstrip("\n"))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        told += _github(reports)
    if others := [v for v in image.versions(reports) if not v.same]:
        differ = ", ".join(f"{v.package} {v.here} ({v.colab})" for v in others)
        console.say(f"Versions that differ from Colab's image (in brackets): {differ}", dim=True)
    for text in told:
        # stdout is the result; where that is JSON, all else is prose.
        (console.say if as_json else console.tell)(text)


def _report(result: Result) -> Report:
    return result.report or Report(problems=(result.fault,), notebook={"cells": []})


def _github(reports: Sequence[tuple[str, Report]]) -> list[str]:
    root = os.environ.get("GITHUB_WORKSPACE")
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        try:
            with open(summary, "a", encoding="utf-8") as file:
                file.write(annotations.summary(reports))
        except OSError as error:
            raise NotebookError(f"cannot write {summary}: {error.strerror}") from None
    return annotations.annotations(reports, root=Path(root) if root else None).splitlines()

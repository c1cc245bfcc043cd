"""How far several notebooks are: live lines on a terminal, plain lines elsewhere; on stderr."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from colab_gen import console
from colab_gen.text import one_line

if TYPE_CHECKING:
    from colab_gen.job import Job, Result

__all__ = ["Watch", "watching"]


class Watch:
    """Prints one plain line for each notebook that has ended."""

    def __init__(self, total: int, *, quiet: bool = False) -> None:
        self._total = total
        self._ended = 0
        self._quiet = quiet

    def started(self, job: "Job", cells: int) -> None:
        """Be told that a notebook of so many code cells begins to run, in any thread."""

    def cell(self, job: "Job") -> None:
        """Be told that one of its cells has ended, in any thread."""

    def left(self, job: "Job") -> None:
        """Be told that it runs no longer, for good or for another try, in any thread."""

    def ended(self, result: "Result") -> None:
        """Be told of a result for good."""
        self._ended += 1
        if not self._quiet:
            console.say(f"[{self._ended}/{self._total}] {_line(result)}")


class _LiveWatch(Watch):
    """Keeps a line for each running notebook and one for all on the terminal."""

    def __init__(self, total: int, live: Any) -> None:
        super().__init__(total)
        self._live = live
        self._all = live.add_task("notebooks", total=total)
        self._tasks: dict[tuple[int, str], Any] = {}

    def started(self, job: "Job", cells: int) -> None:
        task = self._live.add_task(f"  {one_line(job.name, 50)}", total=cells)
        self._tasks[_key(job)] = task

    def cell(self, job: "Job") -> None:
        self._live.advance(self._tasks[_key(job)])

    def left(self, job: "Job") -> None:
        self._live.remove_task(self._tasks.pop(_key(job)))

    def ended(self, result: "Result") -> None:
        self._live.advance(self._all)
        if not result.passed:
            self._live.console.print(_line(result), markup=False, highlight=False, soft_wrap=True)


@contextmanager
def watching(total: int, *, quiet: bool = False) -> Iterator[Watch]:
    """Give what is to be told how far so many notebooks are, while the block lasts."""
    if quiet or not sys.stderr.isatty():
        yield Watch(total, quiet=quiet)
        return
    from rich.console import Console  # many imports that only a terminal's user needs
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        speed_estimate_period=3600,  # a notebook may take minutes, and few of them tell the speed
    ) as live:
        yield _LiveWatch(total, live)


def _key(job: "Job") -> tuple[int, str]:
    return threading.get_ident(), job.name


def _line(result: "Result") -> str:
    if result.passed:
        return f"{result.name}: passed, {result.seconds:.1f} s"
    if not result.report:
        return f"{result.name}: {'FAILED, ' if result.code else ''}{result.fault}"
    failed = next((o for o in result.report.outcomes if o.status == "failed"), None)
    why = failed.message if failed else "; ".join(result.report.problems[:1])
    return f"{result.name}: FAILED, {result.seconds:.1f} s, {one_line(why, 120)}"

"""The notebooks of one command: read, performed here or on a cluster, watched, and kept."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import psutil

from colab_gen import console
from colab_gen.arguments import read_text
from colab_gen.cluster import scheduler
from colab_gen.errors import NotebookError
from colab_gen.files import distinct_names
from colab_gen.job import Job, Result, perform
from colab_gen.ledger import Ledger
from colab_gen.notebook import loads
from colab_gen.pool import run_all
from colab_gen.progress import Watch, watching
from colab_gen.standin import WarmParent

__all__ = ["most_at_once", "open_ledger", "own_options", "read_jobs", "run_batch"]

T = TypeVar("T")

_LEDGER = Path(".colab-gen")
_KERNEL = 200 * 2**20  # bytes that a kernel takes before its cells take any


def read_jobs(
    names: Iterable[str], directories: Iterable[Path], options: Mapping[str, Any]
) -> tuple[list[Job], list[Result]]:
    """Return the jobs of these notebooks, and the results of those that cannot be read."""
    names, directories = list(names), tuple(directories)
    jobs, unread = [], []
    for name, own in zip(names, own_options(names, options), strict=True):
        try:
            jobs.append(Job(name=name, text=read_text(name), snippets=directories, options=own))
        except NotebookError as error:
            unread.append(Result(name=name, digest="", fault=str(error), code=1, tries=0))
    return jobs, unread


def own_options(names: Sequence[str], options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the options of each notebook: of several, each keeps downloads in its own folder."""
    if "downloads_to" not in options or len(names) < 2:
        return [dict(options) for _ in names]
    folders = [name.removesuffix(".ipynb") for name in distinct_names(names)]
    return [{**options, "downloads_to": options["downloads_to"] / folder} for folder in folders]


def open_ledger(folder: Path | None, *, needed: bool, useful: bool) -> Ledger | None:
    """Return the ledger in the folder, or that in `.colab-gen` if needed, or useful and there."""
    if folder or needed or (useful and _LEDGER.is_dir()):
        return Ledger(folder or _LEDGER)
    return None


def run_batch(
    jobs: Sequence[Job],
    *,
    at_once: int | None,
    address: str | None,
    ledger: Ledger | None,
    warm: WarmParent | None,
    alone: bool,
    fail_fast: bool,
    retries: int,
) -> list[Result]:
    """Perform the jobs and return their results, telling meanwhile how far they are.

    Args:
        jobs: what to perform.
        at_once: how many at once; by default as many as the machine, or the cluster, can.
        address: that of a scheduler, to perform them there.
        ledger: where each result is kept at once.
        warm: what forks the kernels, unless it is done on a cluster.
        alone: tell of each cell of each notebook, in place of the progress of all.
        fail_fast: begin nothing more after a failure.
        retries: how often a failed notebook is tried again.

    Raises:
        EnvironmentProblem: there is no such scheduler, or dask is missing.
        NotebookError: the ledger cannot be written.
    """
    if not jobs:
        return []
    executor: Executor
    if address:
        executor = cluster = scheduler(address)
        in_flight = at_once or cluster.size
    else:
        in_flight = min(at_once or most_at_once(), len(jobs))
        # One at a time is done right here, where Ctrl-C reaches it: a machine of Colab that is
        # waited for by another thread would not be released.
        executor = ThreadPoolExecutor(in_flight) if in_flight > 1 else _Here()
    with executor, watching(len(jobs), quiet=alone) as watch:

        def work(job: Job) -> Result:
            return _alone(job, warm) if alone else _watched(job, watch, warm)

        def keep(result: Result) -> None:
            if ledger:
                ledger.add(result)
            watch.ended(result)

        return run_all(
            jobs,
            executor,
            in_flight=in_flight,
            fail_fast=fail_fast,
            retries=retries,
            on_result=keep,
            work=perform if address else work,
        )


class _Here(Executor):
    """Performs each job in the thread that submits it, before `submit` returns."""

    def submit(self, call: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(call(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def most_at_once() -> int:
    """Return how many kernels this machine can run at once: by its cores and its free memory."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(cores or 1, int(psutil.virtual_memory().available) // _KERNEL))


def _alone(job: Job, warm: WarmParent | None) -> Result:
    with suppress(NotebookError):  # the result tells of it
        console.print_start(job.name, loads(job.text), on_colab="on" in job.options)
    return perform(job, on_cell=console.print_outcome, warm=warm)


def _watched(job: Job, watch: Watch, warm: WarmParent | None) -> Result:
    try:
        cells = sum(cell.get("cell_type") == "code" for cell in loads(job.text)["cells"])
    except (NotebookError, AttributeError):
        cells = 0
    watch.started(job, cells)
    try:
        return perform(job, on_cell=lambda _outcome: watch.cell(job), warm=warm)
    finally:
        watch.left(job)

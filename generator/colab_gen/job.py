"""A notebook to execute as plain data, and the pure function from it to its result."""

import contextvars
import hashlib
import json
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from jupyter_core.utils import ensure_event_loop

from colab_gen.catalog import Catalog, load_catalog, shipped
from colab_gen.checks import preparation
from colab_gen.errors import ColabGenError
from colab_gen.notebook import loads
from colab_gen.remote import run_at
from colab_gen.report import Outcome, Report
from colab_gen.run import run
from colab_gen.standin import WarmParent, kill_kernels
from colab_gen.text import one_line

__all__ = ["Job", "Result", "perform", "stop"]

# The digests of the jobs that this process performs, by the thread that does.
_RUNNING: dict[int, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A notebook to execute; it can be pickled, and performed by any process that has colab_gen.

    Attributes:
        name: what the notebook is called in results, usually its path.
        text: the text of its `.ipynb` file.
        snippets: directories of snippets beside those shipped. These, and paths among the
            options, are looked up where the job is performed; the shipped snippets are those of
            the colab_gen there.
        options: keyword arguments of `run.run`; with `on`, a place, those of `remote.run_at`.
        retries: how often it is tried again after a failure; None leaves that to the runner.
    """

    name: str
    text: str
    snippets: tuple[Path, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    retries: int | None = None

    @property
    def digest(self) -> str:
        """The SHA-256 of all that decides the result: text, options, files, and our own code."""
        options = json.dumps(dict(self.options), sort_keys=True, default=str)
        parts = [self.text, options, _own_code()]
        parts += [_digest_of(folder.glob("*")) for folder in self.snippets]
        parts.append(_digest_of(map(Path, self.options.get("uploads", ()))))
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a job.

    Attributes:
        name: that of the job.
        digest: that of the job, as the process that performed it saw it.
        report: how the notebook went; None when there was a fault instead.
        fault: why the notebook could not be executed, in one line; else empty.
        code: the exit code that a command gives for it: 0, 1, or that of the fault.
        seconds: what the last try took.
        tries: how often it was executed; 0 when it was not.
    """

    name: str
    digest: str
    report: Report | None = None
    fault: str = ""
    code: int = 0
    seconds: float = 0.0
    tries: int = 1

    @property
    def passed(self) -> bool:
        """There is a report and nothing failed in it."""
        return self.report is not None and self.report.passed

    def as_dict(self) -> dict[str, Any]:
        """Return all but the notebook as plain data, the report's own keys among the others."""
        told = self.report.as_dict() if self.report else {"passed": False, "fault": self.fault}
        return {"notebook": self.name, **told, "tries": self.tries}


def perform(
    job: Job,
    *,
    on_cell: Callable[[Outcome], None] | None = None,
    warm: WarmParent | None = None,
) -> Result:
    """Execute the notebook and return what became of it; whatever goes wrong is in the result.

    With a `warm` parent the kernel is forked from it, which changes nothing but the time.
    """
    thread = threading.current_thread()
    start = time.perf_counter()
    _RUNNING[thread.ident or 0] = digest = job.digest
    report, fault, code = None, "", 0
    try:
        with _own_loop() as call:
            report = call(_execute, job, on_cell, warm)
        code = 0 if report.passed else 1
    except ColabGenError as error:
        fault, code = one_line(error, 400), error.exit_code
    except Exception as error:
        # One notebook that brings a fault of ours to light is not to end all the others.
        fault, code = f"a fault of ours: {type(error).__name__}: {one_line(error, 300)}", 1
    finally:
        _RUNNING.pop(thread.ident or 0, None)
    seconds = time.perf_counter() - start
    return Result(
        name=job.name, digest=digest, report=report, fault=fault, code=code, seconds=seconds
    )


def stop(digests: Collection[str]) -> int:
    """Kill the kernels of these jobs in this process; return how many have not ended yet.

    A job whose kernel is only being started escapes, so that this is called until there is none.
    """
    threads = [thread for thread, digest in list(_RUNNING.items()) if digest in digests]
    kill_kernels(threads)
    return len(threads)


def _execute(
    job: Job, on_cell: Callable[[Outcome], None] | None, warm: WarmParent | None
) -> Report:
    notebook = loads(job.text)
    options = dict(job.options)
    if place := options.pop("on", ""):
        return run_at(place, notebook, on_cell=on_cell, **options)
    prepare = preparation(_catalog(job.snippets), notebook)
    return run(notebook, prepare=prepare, on_cell=on_cell, warm=warm, **options)


@contextmanager
def _own_loop() -> Iterator[Callable[..., Any]]:
    """Give a thread an event loop for one job, which would else be left open when it ends."""
    if threading.current_thread() is threading.main_thread():
        yield lambda function, *arguments: function(*arguments)
        return
    context = contextvars.Context()  # where jupyter_core keeps the loop of a thread
    try:
        yield lambda function, *arguments: context.run(function, *arguments)
    finally:
        loop = context.run(ensure_event_loop)
        if not loop.is_running():
            loop.close()


@lru_cache
def _catalog(directories: tuple[Path, ...]) -> Catalog:
    return load_catalog(directories)


@lru_cache
def _own_code() -> str:
    package = Path(__file__).parent
    files = [*package.rglob("*.py"), *shipped().glob("*")]
    return _digest_of(files)


def _digest_of(files: Iterable[Path]) -> str:
    whole = hashlib.sha256()
    for file in sorted(files):
        try:
            # Names and lengths before contents: nothing can slip from one file into the next.
            content = file.read_bytes()
            whole.update(f"{file.name}:{len(content)}:".encode("utf-8", "surrogateescape"))
            whole.update(content)
        except OSError:
            continue  # not there, or a folder; the run will tell what it cannot read
    return whole.hexdigest()

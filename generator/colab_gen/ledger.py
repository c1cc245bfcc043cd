"""Results kept in a folder, so that an interrupted run goes on where it was."""

import json
import os
from dataclasses import fields
from pathlib import Path
from typing import Any

from colab_gen.errors import ColabGenError, NotebookError
from colab_gen.files import write_whole
from colab_gen.job import Job, Result
from colab_gen.report import Outcome, Report

__all__ = ["Ledger"]

_NAME = "ledger.jsonl"


class Ledger:
    """The results in `ledger.jsonl` of a folder, one line each, and the executed notebooks beside.

    Attributes:
        folder: where they are.
    """

    def __init__(self, folder: Path) -> None:
        """Read what there is; a line that is not whole, as after a power cut, is passed over.

        Raises:
            NotebookError: the file is there and cannot be read.
        """
        self.folder = folder
        self._by_digest: dict[str, dict[str, Any]] = {}
        self._by_name: dict[str, dict[str, Any]] = {}
        try:
            text = (folder / _NAME).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            text = ""
        except OSError as error:
            raise _unusable(folder, error) from None
        for line in text.split("\n"):
            self._take(line)

    def _take(self, line: str) -> None:
        try:
            entry = json.loads(line)
            digest, name, _ = entry["digest"], entry["name"], float(entry["seconds"])
        except (ValueError, TypeError, KeyError, RecursionError):
            return
        if isinstance(digest, str) and isinstance(name, str):
            self._by_digest[digest] = self._by_name[name] = entry

    @property
    def seconds(self) -> dict[str, float]:
        """What each notebook took when it was last executed, by its name."""
        return {n: float(e["seconds"]) for n, e in self._by_name.items() if e.get("report")}

    @property
    def failed(self) -> set[str]:
        """The names of the notebooks whose last result is a failure."""
        return {name for name, entry in self._by_name.items() if not entry.get("passed")}

    def result(self, job: Job) -> Result | None:
        """Return the result of a job that was executed before, failed or not, else None.

        What ended in a fault was not executed. The result has the name that the job has now.
        """
        entry = self._by_digest.get(job.digest)
        if not entry or not entry.get("report"):
            return None
        try:
            notebook = json.loads(self._notebook(job.digest).read_text(encoding="utf-8"))
            return Result(
                name=job.name,
                digest=job.digest,
                report=_report(entry["report"], notebook),
                code=0 if entry["passed"] else 1,
                seconds=float(entry["seconds"]),
                tries=int(entry["tries"]),
            )
        except (OSError, ValueError, TypeError, KeyError):
            return None  # another version's, or half of it is gone: it is executed again

    def add(self, result: Result) -> None:
        """Write a result, which is safe on the disk when this returns.

        Raises:
            NotebookError: the folder cannot be written.
        """
        entry = {
            "digest": result.digest,
            "name": result.name,
            "passed": result.passed,
            "seconds": round(result.seconds, 3),
            "tries": result.tries,
            "fault": result.fault,
            "report": result.report.as_dict() if result.report else None,
        }
        path = self._notebook(result.digest)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if result.report:  # before the line, which promises that it is there
                write_whole(path, json.dumps(result.report.notebook), overwrite=True)
            _append(self.folder / _NAME, json.dumps(entry, allow_nan=False))
        except ColabGenError:
            raise
        except OSError as error:
            raise _unusable(self.folder, error) from None
        self._by_digest[result.digest] = self._by_name[result.name] = entry

    def _notebook(self, digest: str) -> Path:
        return self.folder / "executed" / f"{digest}.ipynb"


def _append(path: Path, line: str) -> None:
    with open(path, "a+b") as file:
        file.seek(0, os.SEEK_END)
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = "\n" + line  # what is torn stays one line, and this is another
        file.write(line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _report(data: dict[str, Any], notebook: dict[str, Any]) -> Report:
    known = {f.name: data[f.name] for f in fields(Report) if f.name in data}
    given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in known.items()}
    given["outcomes"] = tuple(Outcome(**outcome) for outcome in data["outcomes"])
    return Report(**{**given, "notebook": notebook})


def _unusable(folder: Path, error: OSError) -> NotebookError:
    return NotebookError(f"cannot keep results in {folder}: {error.strerror or error}")

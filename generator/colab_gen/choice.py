"""Which notebooks to execute: those that words name, and one of several equal shares of them."""

import glob
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from colab_gen.errors import NotebookError
from colab_gen.text import one_line

if TYPE_CHECKING:
    from colab_gen.job import Job

__all__ = ["find_notebooks", "shard"]


def find_notebooks(words: Iterable[str]) -> list[Path]:
    """Return the notebooks that files, folders and patterns name: sorted, each once.

    Of a folder, and of a folder that a pattern matches, it is every `*.ipynb` below that is not
    hidden, nor in a hidden folder as `.ipynb_checkpoints` is. A file may have any suffix.

    Raises:
        NotebookError: there is nothing of that name, or no notebook in it; it tells of all.
    """
    found: dict[str, Path] = {}
    problems = []
    for word in words:
        paths = list(_below(word))
        for path in paths:
            found.setdefault(os.path.abspath(path), path)
        if not paths:
            problems.append(_problem(word))
    if problems:
        raise NotebookError("; ".join(problems))
    return sorted(found.values())


def shard(jobs: Sequence["Job"], k: int, n: int, seconds: Mapping[str, float]) -> list["Job"]:
    """Return the k-th of n shares (1 to n) of about equal times, in the order of the jobs.

    Every job is in one share, and the same arguments give the same shares on every machine.

    Args:
        jobs: all of them.
        k: which share.
        n: how many shares there are.
        seconds: what each took last, by its name; for others the median of these is taken.
    """
    known = [seconds[job.name] for job in jobs if job.name in seconds]
    unknown = median(known) if known else 1.0
    costs = [max(seconds.get(job.name, unknown), 0.0) for job in jobs]
    totals = [(0.0, 0, share) for share in range(n)]
    mine = []
    # The longest first, each to the share that has the least so far.
    for index in sorted(range(len(jobs)), key=lambda i: (-costs[i], jobs[i].name, i)):
        total, count, share = min(totals)
        totals[share] = (total + costs[index], count + 1, share)
        if share == k - 1:
            mine.append(index)
    return [jobs[index] for index in sorted(mine)]


def _below(word: str) -> Iterator[Path]:
    if os.path.isdir(word):
        yield from _in_folder(Path(word))
    elif os.path.exists(word):
        yield Path(word)
    elif glob.has_magic(word):
        for match in glob.glob(word, recursive=True):
            if os.path.isdir(match):
                yield from _in_folder(Path(match))
            elif match.endswith(".ipynb"):
                yield Path(match)


def _in_folder(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*.ipynb"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and path.is_file():
            yield path


def _problem(word: str) -> str:
    name = one_line(word, 200)
    if os.path.isdir(word):
        return f"there is no notebook in {name}"
    if glob.has_magic(word):
        return f"no notebook matches {name}"
    return f"cannot read {name}: No such file or directory"

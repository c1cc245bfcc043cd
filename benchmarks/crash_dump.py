"""The ways of dumping for crash.py: our cell, and `pickle.dump(value, open(path, "wb"))`.

A process dumps one value after the other under one name and tells after each. Whole is what was
told last, or the one that was being written; none is the value from before the process began.
"""

import pickle
import shutil
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from crash import Way
from dump_cell import cell_source, run_cell

__all__ = ["ways"]

WORKER = """
import sys
sys.path[:0] = [sys.argv[1]]
import crash_dump
crash_dump.work(*sys.argv[2:])
"""
DUMPS = {"ours": 15, "pickle": 120}  # about as long, and longer than Python takes to start


def value_of(number: int) -> dict[str, Any]:
    """Return the value of this number; every part of it tells which one it is."""
    arrays = [np.full(40_000, number) for _ in range(12)]
    return {"arrays": arrays, "one": np.full(300_000, number), "text": [str(number)] * 2000}


def number_of(value: Any) -> int:
    """Return the number of a whole value, or -1."""
    try:
        number = int(value["one"][0])
        whole = value_of(number)
        same = value["text"] == whole["text"] and np.array_equal(value["one"], whole["one"])
        same = same and len(value["arrays"]) == len(whole["arrays"])
        return number if same and all((a == number).all() for a in value["arrays"]) else -1
    except (KeyError, IndexError, TypeError, ValueError):
        return -1


def dumping(way: str, place: Path) -> tuple[Callable[[Any], Any], Callable[[], Any]]:
    """Return what dumps a value and what loads it."""
    if way == "ours":
        cell = run_cell(place, (place / "cell.py").read_text())
        return partial(cell.dump, "value"), partial(cell.load, "value", verify=True)
    path = place / "value.pickle"

    def write(value: Any) -> None:
        with path.open("wb") as file:
            pickle.dump(value, file)

    return write, lambda: pickle.loads(path.read_bytes())


def work(way: str, place: str) -> None:
    """Dump value after value; tell after each by one more byte in a file."""
    dump, _ = dumping(way, Path(place))
    with open(Path(place, "told"), "ab", buffering=0) as told:
        for number in range(1, DUMPS[way] + 1):
            dump(value_of(number))
            told.write(b".")


def ways(folder: Path) -> Mapping[str, Way]:
    """Return what is killed."""
    source = cell_source()

    def prepare(way: str, place: Path) -> None:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        (place / "cell.py").write_text(source)
        (place / "told").touch()
        dumping(way, place)[0](value_of(0))

    def command(way: str, place: Path) -> list[str]:
        return [sys.executable, "-c", WORKER, str(Path(__file__).parent), way, str(place)]

    def verdict(way: str, place: Path) -> str:
        told = (place / "told").stat().st_size
        try:
            number = number_of(dumping(way, place)[1]())
        except Exception:
            return "lost"
        if number == -1:
            return "false"
        if number not in (told, told + 1):
            return "lost"
        return "whole" if number else "none"

    labels = {"ours": "ours", "pickle": 'pickle.dump(value, open(path, "wb"))'}
    return {
        label: Way(
            prepare=partial(prepare, way),
            command=partial(command, way),
            verdict=partial(verdict, way),
        )
        for way, label in labels.items()
    }

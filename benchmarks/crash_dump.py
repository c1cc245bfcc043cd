"""Kills a process at random moments while it dumps, and looks what is left.

    uv run python benchmarks/crash_dump.py [--kills 200] [--folder DIR] [--seed 1]

The cell that dumps, taken from a notebook, and `pickle.dump(value, open(path, "wb"))`, the same
loop over both. A kill is in the middle when a dump had begun and its end was not told. Afterwards
what is loaded must be whole and either the last dump whose end was told or the one in the middle:
`lost` counts the times when nothing could be loaded or an older one came, `partial` those when
something came that was never dumped.
"""

import argparse
import contextlib
import functools
import os
import pickle
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from dump_cell import cell_source, run_cell

__all__ = ["ways"]

Told = dict[str, int]


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


def work(dump: Callable[[Any], Any], told: int) -> None:
    """Dump one value after the other; tell before and after each."""
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115  it ends with the process
    number = 0
    while True:
        number += 1
        value = value_of(number)
        os.write(told, b"(")
        dump(value)
        os.write(told, b")")


def kill_once(dump: Callable[[Any], Any], moment: float) -> tuple[int, bool]:
    """Kill a process that dumps, so many seconds after its first dump.

    Returns:
        How many dumps had ended, and whether one had begun and not ended.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            os.close(reading)
            work(dump, writing)
        os._exit(1)
    os.close(writing)
    marks = b""
    while b")" not in marks:
        marks += os.read(reading, 1) or sys.exit("the process that dumps has failed")
    time.sleep(moment)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while rest := os.read(reading, 4096):
        marks += rest
    os.close(reading)
    return marks.count(b")"), marks.endswith(b"(")


def kill_often(
    dump: Callable[[Any], Any], load: Callable[[], Any], rng: random.Random, kills: int
) -> Told:
    """Kill so often; return how often it was in the middle, and what came of it."""
    told = {"kills": kills, "in the middle": 0, "lost": 0, "partial": 0}
    start = time.perf_counter()
    dump(value_of(0))
    each = time.perf_counter() - start
    for _ in range(kills):
        ended, middle = kill_once(dump, rng.uniform(0, 4 * each))
        told["in the middle"] += middle
        try:
            number = number_of(load())
        except Exception:
            told["lost"] += 1
            continue
        told["partial"] += number == -1
        told["lost"] += number not in (-1, ended, ended + middle)
    return told


def ways(folder: Path, rng: random.Random) -> dict[str, Callable[[int], Told]]:
    """Return what is compared: a number of kills -> how many of them did what.

    Args:
        folder: where the dumps are written.
        rng: draws the moments.
    """
    cell = run_cell(folder, cell_source())
    plain = folder / "plain.pickle"

    def quietly(value: Any) -> None:
        with contextlib.redirect_stdout(None):
            cell.dump("value", value)

    def cell_load() -> Any:
        value = cell.load("value", verify=True)
        # The one before is to be whole too.
        before = cell.load("value", version=-1, verify=True)
        return value if number_of(before) >= 0 else None

    def write(value: Any) -> None:
        with plain.open("wb") as file:
            pickle.dump(value, file)

    def read() -> Any:
        with plain.open("rb") as file:
            return pickle.load(file)

    return {
        "this cell": functools.partial(kill_often, quietly, cell_load, rng),
        'pickle.dump(value, open(path, "wb"))': functools.partial(kill_often, write, read, rng),
    }


def main() -> None:
    """Kill, count, print; the exit code is 1 when the cell lost anything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--folder", type=Path, help="where to write; a folder below it is removed")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print("| way | kills | in the middle | lost | partial |\n|---|---|---|---|---|")
    failed = False
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="crash-") as name:
        for label, kill in ways(Path(name), random.Random(options.seed)).items():
            told = kill(options.kills)
            print(f"| {label} | {' | '.join(map(str, told.values()))} |", flush=True)
            failed |= label == "this cell" and bool(told["lost"] or told["partial"])
    sys.exit(failed)


if __name__ == "__main__":
    main()

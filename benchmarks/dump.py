"""What dumping and loading a value takes: the dump cell, pickle, joblib, and a raw write.

    uv run --with joblib python benchmarks/dump.py [--rounds 5] [--size MB] [--folder DIR]

Every way is a fresh process that makes the value, writes it with the same fsync, and is watched for
the memory it needs on top; then it writes it three times more, and the median of these is its time:
a virtual machine gets memory from its host at the first touch, up to six times slower. Another
process loads it. The cell's own code is taken from a notebook made of it. A raw write of the bytes
of the cell's file is 1.0 in the last column. `load` is the time until the value is ready in a
process that has not seen the file before, all checksums included; `again` is the next load in that
process, when they are known to be right, and `load MB` the memory of the first. The figures go to
results/dump.json beside this file, unless --json names another one.
"""

import argparse
import contextlib
import functools
import io
import json
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from dump_cell import cell_source, run_cell
from side_by_side import Figures, machine, measure, median, save, table, watched

CHUNK = 8 << 20


def make(case: str, megabytes: float) -> Any:
    """Return the value of this case, about so large."""
    rng = np.random.default_rng(0)
    size = int(megabytes * 1e6)
    if case == "image arrays":
        shape = (224, 214, 3)
        return [rng.integers(0, 256, shape, "u1") for _ in range(size // 143_808)]
    if case == "one float32 array":
        return rng.random(size // 4, np.float32)
    if case == "Pillow images":
        from PIL import Image

        pixels = (rng.integers(0, 256, (500, 500, 3), "u1") for _ in range(size // 750_000))
        return [Image.fromarray(each) for each in pixels]
    import pandas as pd

    columns = {f"column {n}": rng.random(size // 80) for n in range(10)}
    if case == "pandas frame":
        return pd.DataFrame(columns)
    half = {key: {"weights": value, "step": 3} for key, value in columns.items()}
    return {"model": half, "names": ["a", "b"], "bias": [np.float32(2), (3, {4})]}


CASES = {
    "image arrays": 287.6,
    "one float32 array": 268.5,
    "Pillow images": 300.0,
    "pandas frame": 250.0,
    "nested dict": 250.0,
}


def synced(path: Path, write: Callable[[Any], Any]) -> None:
    """Let a function write a file, and wait until the disk has it."""
    with path.open("wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())


def raw(path: Path, data: memoryview) -> None:
    """Write bytes as they are."""
    with path.open("wb", buffering=0) as file:
        for start in range(0, len(data), CHUNK):
            file.write(data[start : start + CHUNK])
        os.fsync(file.fileno())


def dumper(way: str, folder: Path, value: Any) -> Callable[[], Any]:
    """Return what dumps the value in this way."""
    path = folder / way.replace(" ", "-")
    path.unlink(missing_ok=True)  # to delete what was before is not to count
    if way == "this cell":
        cell = run_cell(folder, (folder / "cell.py").read_text())
        cell.forget("value")
        return functools.partial(cell.dump, "value", value)
    if way == "raw write":
        (written,) = sorted((folder / "dumps").iterdir())[-1:]
        return functools.partial(raw, path, memoryview(written.read_bytes()))
    if way == "joblib":
        import joblib

        return functools.partial(synced, path, functools.partial(joblib.dump, value))
    protocol = 5 if way == "pickle protocol 5" else pickle.DEFAULT_PROTOCOL
    return functools.partial(synced, path, lambda file: pickle.dump(value, file, protocol))


def dumped(way: str, folder: Path, value: Any) -> tuple[float, float]:
    """Dump the value in this way; return the seconds and the MB on top."""
    work = dumper(way, folder, value)
    os.sync()  # the disk may still be busy with what was deleted
    _, seconds, extra = watched(work)
    return seconds, extra


def loader(way: str, folder: Path) -> Callable[[], Any]:
    """Return what loads what was dumped in this way."""
    path = folder / way.replace(" ", "-")
    if way == "this cell":
        return functools.partial(run_cell(folder, (folder / "cell.py").read_text()).load, "value")
    if way == "raw write":
        return path.read_bytes
    if way == "joblib":
        import joblib

        return functools.partial(joblib.load, path)

    def load() -> Any:
        with path.open("rb") as file:
            return pickle.load(file)

    return load


def worker(what: str, case: str, megabytes: float, way: str, folder: Path) -> None:
    """Do one thing and print its figures as JSON; runs in a process of its own."""
    import pandas  # noqa: F401  what a session has imported is not to count
    from PIL import Image  # noqa: F401

    with contextlib.redirect_stdout(io.StringIO()):
        if what == "dump":
            value = make(case, megabytes) if way != "raw write" else None
            _, extra = dumped(way, folder, value)
            times = [dumped(way, folder, value)[0] for _ in range(3)]
            figures = {"seconds": statistics.median(times), "MB": extra}
        else:
            load = loader(way, folder)
            value, seconds, extra = watched(load)
            del value
            _, again, _ = watched(load)
            figures = {"load": seconds, "again": again, "load MB": extra}
    print(json.dumps(figures))


def both(case: str, megabytes: float, way: str, folder: Path) -> Mapping[str, float]:
    """Dump and load in a process each; return the figures of both."""
    figures: dict[str, float] = {}
    for what in ("dump", "load"):
        words = ["--worker", what, case, str(megabytes), way, str(folder)]
        done = subprocess.run(
            [sys.executable, __file__, *words], check=True, stdout=subprocess.PIPE, text=True
        )
        figures |= json.loads(done.stdout)
    return figures


def verdict(figures: Figures, megabytes: float) -> str:
    """Return how the cell stands to what is asked of it."""
    time_ratio = median(figures, "this cell") / median(figures, "raw write")
    pickled = median(figures, "pickle", "load")
    first, again = (median(figures, "this cell", name) / pickled for name in ("load", "again"))
    extra = median(figures, "this cell", "MB")
    return (
        f"dump {time_ratio:.2f} of the raw write (at most 1.15), {extra:.0f} MB on top "
        f"({extra / megabytes:.1%}; at most 5 % and 64 MB); load {first:.2f} of pickle's with all "
        f"checksums, {again:.3f} when they are known (at most 0.1)"
    )


def main() -> None:
    """Measure, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=float, help="MB of each value")
    parser.add_argument("--case", choices=CASES, action="append", help="only this value")
    parser.add_argument("--folder", type=Path, help="where to write; a folder below it is removed")
    parser.add_argument("--json", type=Path, default=Path(__file__).parent / "results/dump.json")
    parser.add_argument("--worker", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        what, case, megabytes, way, place = options.worker
        worker(what, case, float(megabytes), way, Path(place))
        return
    print(f"{options.rounds} rounds; {machine()}")
    everything: Figures = {}
    for case in options.case or CASES:
        megabytes = options.size or CASES[case]
        with tempfile.TemporaryDirectory(dir=options.folder, prefix="dump-") as name:
            folder = Path(name)
            (folder / "cell.py").write_text(cell_source(dump_keep_versions=0))
            names = ("this cell", "raw write", "pickle", "pickle protocol 5", "joblib")
            ways = {way: functools.partial(both, case, megabytes, way, folder) for way in names}
            ways["this cell"]()  # a raw write needs its file
            figures = measure(ways, options.rounds, warm_up=False)
        print(f"\n{case}, {megabytes:.0f} MB\n\n{table(figures, 'raw write')}\n")
        print(verdict(figures, megabytes), flush=True)
        everything |= {f"{case}: {way}": values for way, values in figures.items()}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    save(options.json, "dumping and loading", everything, rounds=options.rounds)


if __name__ == "__main__":
    main()

"""How fast an archive is staged: the cells, `cp` and `unzip -qq`, and the limit of the machine.

    uv run python benchmarks/staging.py [--size 1] [--rounds 3] [--case NAME] [--folder DIR]
        [--python PATH ...] [--isal] [--tidy] [--json FILE]

Every case makes its archive in the folder, reads it once so that all find it in memory, and does
all ways one after the other, round by round. The limit creates the same files from memory in C,
in two processes. In the case of the slow Drive the archive lies on a file system of our own that
answers late and gives so many bytes a second, and the limit is reading it once. What is executed
is the code of the notebook's cells, with the modules loaded that a kernel has loaded, in this
Python and in those that --python names, which need ipykernel and tqdm: Colab's and those of Linux
distributions are built with optimisations that others often lack. Memory is what all processes of a
way have resident at most, in a run of its own; processes that share memory count it each. A virtual
machine gets memory from its host at the first touch, which can take longer than all the rest; so as
much as a run may fill is touched and given back right before each.

Many files that a run made are deleted when all is measured, for which the folder needs 40 GB, and
10 more for each other Python: ext4 without a journal passes over the inodes of files that were
deleted within the last six minutes, and looks at each of them whenever a file is made, so that
100,000 files take a minute instead of seconds. So start it when nothing large was deleted there for
a while. On another file system, or with less room, --tidy deletes what each run made at once.
"""

import argparse
import functools
import json
import mmap
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
from side_by_side import Figures, machine, measure, median, save, table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from cells import sources
from fusemount import CANNOT, mounted

LATENCY, BANDWIDTH = 0.01, 40e6  # seconds a request of 1 MiB, bytes a second
RUNNER = """
import json, sys, time
from pathlib import Path
import IPython, ipykernel.kernelapp  # a kernel has loaded these before its first cell
names, start = {"DRIVE": Path("/")}, time.perf_counter()
for source in json.load(open(sys.argv[1])):
    exec(compile(source, "cell", "exec"), names)
print("seconds", time.perf_counter() - start)
"""
LIMIT = r"""
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv) {
  long count = atol(argv[2]), size = atol(argv[3]), piece = size < 1 << 20 ? size : 1 << 20;
  char name[64], *data = malloc(piece);
  memset(data, 7, piece);
  if (chdir(argv[1])) return 1;
  for (long n = 0; n * 1000 < count; n++) {
    sprintf(name, "d%03ld", n);
    if (mkdir(name, 0755)) return 1;
  }
  long half = fork() == 0;
  for (long n = half; n < count; n += 2) {
    sprintf(name, "d%03ld/f%06ld", n / 1000, n);
    int file = open(name, O_WRONLY | O_CREAT | O_EXCL, 0644);
    for (long done = 0; done < size; done += piece)
      if (write(file, data, piece) != piece) return 1;
    close(file);
  }
  return half ? 0 : (wait(0), 0);
}
"""


@dataclass(frozen=True)
class Case:
    """An archive: so many files of so many bytes; `text` can be compressed, other bytes cannot."""

    name: str
    count: int
    size: int
    text: bool
    method: int = zipfile.ZIP_DEFLATED
    slow: bool = False


CASES = (
    Case("100,000 files of 2 KB", 100_000, 2048, text=True),
    Case("10,000 files of 100 KB, deflated", 10_000, 100_000, text=False),
    Case("10,000 files of 100 KB, stored", 10_000, 100_000, False, zipfile.ZIP_STORED),
    Case("4 files of 256 MB", 4, 256 << 20, text=True),
    Case("slow Drive, 2,000 files of 100 KB", 2_000, 100_000, text=False, slow=True),
)


def make_archive(path: Path, case: Case) -> None:
    """Write the archive of a case."""
    chance = random.Random(1)
    words = [chance.randbytes(chance.randint(2, 6)).hex().encode() for _ in range(3000)]
    with zipfile.ZipFile(path, "w", case.method, compresslevel=6) as archive:
        for number in range(case.count):
            name = f"data/d{number // 1000:03}/f{number:06}.bin"
            info = zipfile.ZipInfo(name)
            info.compress_type = case.method
            with archive.open(info, "w") as file:
                left = case.size
                while left:
                    piece = min(left, 1 << 20)
                    text = b" ".join(chance.choices(words, k=piece // 5 + 1)) if case.text else b""
                    file.write(text[:piece] or chance.randbytes(piece))
                    left -= piece


def cells(archive: Path, stage: Path, *, isal: bool) -> list[str]:
    """Return the code of the notebook's cells that stage this archive there."""
    return sources("staging", archive_name=str(archive), stage_folder=str(stage), isal=isal)


class Bench:
    """The ways to stage one archive, each into a folder of its own that is empty before."""

    def __init__(self, folder: Path, archive: Path, case: Case, *, tidy: bool) -> None:
        self.folder, self.archive, self.case, self.tidy = folder, archive, case, tidy

    def timed(self, action: Callable[[Path], float | None]) -> Mapping[str, float]:
        """Do it in a fresh folder; return its seconds."""
        place = Path(tempfile.mkdtemp(dir=self.folder))
        os.sync()
        touch_memory(2 * self.archive.stat().st_size + self.case.count * (self.case.size + 8192))
        start = time.perf_counter()
        told = action(place)
        seconds = time.perf_counter() - start
        (place / "a.zip").unlink(missing_ok=True)
        if self.tidy or self.case.count < 100:
            shutil.rmtree(place)
        return {"seconds": told or seconds}

    def ours(self, place: Path, *, python: str = sys.executable, isal: bool = False) -> float:
        """Run the cells; the time is that of the cells, without Python's start."""
        file = self.folder / "cells.json"
        file.write_text(json.dumps(cells(self.archive, place / "stage", isal=isal)))
        done = subprocess.run(
            [python, "-c", RUNNER, str(file)], check=True, capture_output=True, text=True
        )
        assert f"Staged {self.case.count} files" in done.stdout, done.stdout
        return float(done.stdout.split()[-1])

    def unzip(self, place: Path) -> None:
        """Copy and unpack as people do."""
        copy = shutil.which("cp") or "cp"
        subprocess.run([copy, str(self.archive), str(place / "a.zip")], check=True)
        unzip = ["unzip", "-qq", str(place / "a.zip"), "-d", str(place / "stage")]
        subprocess.run(unzip, check=True)

    def limit(self, place: Path, program: Path) -> None:
        """Create the same files from memory."""
        numbers = [str(self.case.count), str(self.case.size)]
        subprocess.run([str(program), str(place), *numbers], check=True)

    def read(self, _place: Path) -> None:
        """Read the archive once."""
        with self.archive.open("rb", buffering=0) as file:
            buffer = bytearray(1 << 21)
            while file.readinto(buffer):
                pass


def touch_memory(size: int) -> None:
    """Have so many bytes of memory used and free, so that the run need not wait for the host."""
    with mmap.mmap(-1, size) as memory:
        for page in range(0, size, mmap.PAGESIZE):
            memory[page] = 1


def peak(action: Callable[[], object]) -> float:
    """Return the most MB that all processes below this one had resident meanwhile."""
    most, over = [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            total = 0
            for process in psutil.Process().children(recursive=True):
                try:
                    total += process.memory_info().rss
                except psutil.Error:
                    continue
            most[0] = max(most[0], total / 1e6)

    thread = threading.Thread(target=watch)
    thread.start()
    action()
    over.set()
    thread.join()
    return most[0]


def compiled(folder: Path) -> Path | None:
    """Return the program of the limit, or None without a compiler."""
    if not shutil.which("cc"):
        return None
    (folder / "limit.c").write_text(LIMIT)
    subprocess.run(["cc", "-O2", "-o", folder / "limit", folder / "limit.c"], check=True)
    return folder / "limit"


@contextmanager
def placed(case: Case, folder: Path) -> Iterator[Path]:
    """Make the archive where it is read from, which is a slow Drive in that case."""
    real = folder / "drive"
    real.mkdir()
    make_archive(real / "data.zip", case)
    try:
        if case.slow:
            faults = {"latency": LATENCY, "bandwidth": BANDWIDTH}
            with mounted(real, folder / "mounted", faults) as mount:
                yield mount.point / "data.zip"
        else:
            yield real / "data.zip"
    finally:
        shutil.rmtree(real)


def measured(case: Case, folder: Path, options: argparse.Namespace) -> Figures:
    """Do all ways of a case in the folder and print what comes out; return the figures."""
    if case.count > 100:
        case = replace(case, count=max(10, int(case.count * options.size)))
    else:
        case = replace(case, size=max(1 << 20, int(case.size * options.size)))
    with placed(case, folder) as archive:
        bench = Bench(folder, archive, case, tidy=options.tidy)
        ways = {"cp + unzip -qq": bench.unzip, "ours": bench.ours}
        for python in options.python:
            ways[f"ours in {python}"] = functools.partial(bench.ours, python=python)
        if options.isal:
            ways["ours with isal"] = functools.partial(bench.ours, isal=True)
        if case.slow:
            ways["limit: read once"] = bench.read
        elif program := compiled(folder):
            ways["limit: files from memory"] = functools.partial(bench.limit, program=program)
        timed = {label: functools.partial(bench.timed, way) for label, way in ways.items()}
        memory = peak(timed["ours"])
        figures = measure(timed, options.rounds, warm_up=not case.slow)
    figures["ours"]["peak MB"] = [memory]
    print(f"{case.name}:\n\n{table(figures, 'cp + unzip -qq')}\n", flush=True)
    if case.slow:
        ratio = median(figures, "ours") / median(figures, "limit: read once")
        print(f"Ours takes {ratio:.2f} times as long as reading the archive once.\n")
    return {f"{case.name}: {label}": values for label, values in figures.items()}


def main() -> None:
    """Time, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=float, default=1, help="0.1 takes a tenth of the files")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--case", default="", help="cases whose names hold this text")
    parser.add_argument("--folder", type=Path, help="where to work; its disk is measured")
    parser.add_argument("--python", action="append", default=[], help="also in this interpreter")
    parser.add_argument("--isal", action="store_true", help="also with isal, which is installed")
    parser.add_argument("--tidy", action="store_true", help="delete what each run made at once")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    print(f"{options.rounds} rounds, size {options.size:g}; {machine()}\n")
    with ExitStack() as stack:
        everything: Figures = {}
        for case in CASES:
            if options.case not in case.name:
                continue
            if case.slow and CANNOT:
                print(f"{case.name}: not checked, since {CANNOT}\n")
                continue
            folder = stack.enter_context(tempfile.TemporaryDirectory(dir=options.folder))
            everything |= measured(case, Path(folder), options)
        if options.json:
            options.json.parent.mkdir(exist_ok=True)
            facts = {"size": options.size, "folder": str(options.folder or tempfile.gettempdir())}
            save(options.json, "staging an archive", everything, **facts)


if __name__ == "__main__":
    main()

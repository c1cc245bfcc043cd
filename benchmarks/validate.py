"""How fast notebooks are executed: other runners, and ours with the whole stand-in around each.

    uv run python benchmarks/validate.py [--rounds 5] [--notebooks 20] [--science] [--json FILE]

Every runner executes the same generated notebooks of ten light cells, each of them in a fresh
process. The runs are interleaved and the medians compared, since machines are noisy; 1.0 is
nbconvert's ExecutePreprocessor in a process that is up and has done its imports, one notebook after
the other. Ours are in such a process too; the others are commands and pay for their own start.
papermill and nbmake take part where they are installed.
"""

import argparse
import functools
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import nbformat
from colab_gen.run import run
from colab_gen.standin import WarmParent, preload_for
from nbconvert.preprocessors import ExecutePreprocessor
from side_by_side import machine, measure, save, table

LIGHT = (
    "import json, math, random",
    "values = [{n} + i * i for i in range(1000)]",
    "print(sum(values))",
    "def double(n):\n    return n * 2\n\ndouble(21)",
    "text = json.dumps({{'values': values[:10]}})",
    "len(text)",
    "for i in range(5):\n    print(i, math.sqrt(i))",
    "sorted(values, reverse=True)[:3]",
    "words = {{str(v): random.random() for v in values}}",
    "len(words)",
)
SCIENCE = (
    "import numpy as np\nimport pandas as pd",
    "rng = np.random.default_rng({n})",
    "a = rng.normal(size=(200, 5))",
    "a.mean(axis=0)",
    "table = pd.DataFrame(a, columns=list('abcde'))",
    "table.describe()",
    "table['f'] = table.a > 0",
    "table.groupby('f').mean()",
    "print(table.shape)",
    "np.linalg.norm(a)",
)
Runner = Callable[[list[Path]], None]


def make_notebooks(folder: Path, number: int, cells: tuple[str, ...]) -> list[Path]:
    """Write notebooks that differ in one number; return their paths."""
    paths = []
    for n in range(number):
        node = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell.format(n=n)) for cell in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        for index, cell in enumerate(node.cells):
            cell.id = f"cell-{index}"
        paths.append(folder / f"notebook-{n:03}.ipynb")
        nbformat.write(node, paths[-1])
    return paths


def in_process(paths: list[Path]) -> None:
    """Execute with nbconvert's ExecutePreprocessor, one by one."""
    for path in paths:
        quiet = ["--IPKernelApp.log_level=40"]
        executor = ExecutePreprocessor(timeout=600, extra_arguments=quiet)
        executor.preprocess(nbformat.read(path, as_version=4), {})


def command(*words: str, each: bool = False) -> Runner:
    """Return what runs a command over all notebooks, or once for each."""

    def execute(paths: list[Path]) -> None:
        for some in [[p] for p in paths] if each else [paths]:
            with tempfile.TemporaryDirectory() as out:
                names = [str(path) for path in some]
                line = [w.format(out=out) for w in words]
                line[line.index("FILES") : line.index("FILES") + 1] = names
                subprocess.run(line, check=True, capture_output=True)

    return execute


def ours(jobs: int, *, warm: bool) -> Runner:
    """Return what runs our own way, with the start of the warm parent in the time."""

    def execute(paths: list[Path]) -> None:
        notebooks: list[dict[str, Any]] = [json.loads(path.read_text()) for path in paths]
        parent = WarmParent(preload=preload_for(notebooks)) if warm else nullcontext()
        with parent as started, ThreadPoolExecutor(jobs) as pool:
            for report in pool.map(functools.partial(run, warm=started), notebooks):
                assert report.passed, report.as_dict()

    return execute


def runners() -> dict[str, Runner]:
    """Return what there is to compare, by what the table calls it."""
    python = [sys.executable, "-m"]
    found: dict[str, Runner] = {
        "ExecutePreprocessor, in process": in_process,
        "jupyter nbconvert --execute, one call": command(
            *python, "nbconvert", "--to", "notebook", "--execute", "--output-dir", "{out}", "FILES"
        ),
    }
    if importlib.util.find_spec("papermill"):
        found["papermill, a call each"] = command(
            *python, "papermill", "FILES", "{out}/out.ipynb", each=True
        )
    if importlib.util.find_spec("nbmake") and importlib.util.find_spec("xdist"):
        plain = ["-q", "-p", "no:cacheprovider", "-c", os.devnull]
        found["pytest --nbmake -n 2"] = command(
            *python, "pytest", "--nbmake", "-n", "2", *plain, "FILES"
        )
    for warm in (False, True):
        for jobs in (1, 2, 4):
            found[f"colab-gen -j {jobs}, {'warm' if warm else 'cold'}"] = ours(jobs, warm=warm)
    return found


def main() -> None:
    """Time, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--notebooks", type=int, default=20)
    parser.add_argument("--science", action="store_true", help="cells of numpy and pandas")
    parser.add_argument("--only", default="", help="runners whose names hold this text, and 1.0")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    todo = runners()
    first = next(iter(todo))
    todo = {name: todo[name] for name in todo if name == first or options.only in name}
    with tempfile.TemporaryDirectory() as name:
        cells = SCIENCE if options.science else LIGHT
        paths = make_notebooks(Path(name), options.notebooks, cells)
        for execute in todo.values():  # files are in memory and modules compiled from here on
            execute(paths[:1])
        ways = {label: functools.partial(execute, paths) for label, execute in todo.items()}
        figures = measure(ways, options.rounds, warm_up=False)
    print(f"{options.notebooks} notebooks, {options.rounds} rounds; {machine()}\n")
    print(table(figures, first))
    if options.json:
        save(options.json, "executing notebooks", figures, notebooks=options.notebooks)


if __name__ == "__main__":
    main()

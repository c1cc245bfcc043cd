"""How long `colab-gen new` takes as a whole process, beside the floor and beside cookiecutter.

    uv run python benchmarks/startup.py [--rounds 15] [--json FILE]

The runs are interleaved and the medians compared, since machines are noisy. Python's own start-up
(`python -c pass`) is in every figure.
"""

import argparse
import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from side_by_side import machine, measure, median, save, table

ROOT = Path(__file__).resolve().parents[1]


def one_notebook_template(folder: Path) -> Path:
    """Make the smallest cookiecutter template that writes one notebook."""
    notebook = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    inside = folder / "template" / "{{cookiecutter.name}}"
    inside.mkdir(parents=True)
    (folder / "template" / "cookiecutter.json").write_text('{"name": "made"}')
    (inside / "{{cookiecutter.name}}.ipynb").write_text(json.dumps(notebook))
    return folder / "template"


def script(name: str) -> str:
    """Return the path of a command of this environment."""
    return str(Path(sys.executable).with_name(name))


def commands(folder: Path) -> dict[str, list[str]]:
    """Return the commands to time, by what the table calls them."""
    template = one_notebook_template(folder)
    python = sys.executable
    features = "memory,keepalive,drive,imports,staging,dump,images,download"
    return {
        "python -c pass": [python, "-c", "pass"],
        "import jinja2, yaml, click": [python, "-c", "import jinja2, yaml, click"],
        "colab-gen new, 1 feature": [
            script("colab-gen"), "new", str(folder / "one.ipynb"), "-f", "drive", "--force",
        ],
        "colab-gen new, 8 features": [
            script("colab-gen"), "new", str(folder / "all.ipynb"), "-f", features, "--force",
        ],
        "cookiecutter, one notebook": [
            script("cookiecutter"), str(template), "--no-input", "-f", "-o", str(folder),
        ],
    }  # fmt: skip


def main() -> None:
    """Time, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        todo = commands(Path(name))
        # Compiled modules are kept, as they are on everybody's machine after the first start.
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

        def run(command: list[str]) -> None:
            subprocess.run(command, check=True, cwd=name, env=environment, capture_output=True)

        ways = {label: functools.partial(run, command) for label, command in todo.items()}
        figures = measure(ways, options.rounds)
    print(f"{options.rounds} rounds; {machine()}\n")
    print(table(figures, "import jinja2, yaml, click"))
    ours = median(figures, "colab-gen new, 8 features")
    floor = median(figures, "import jinja2, yaml, click")
    cookiecutter = median(figures, "cookiecutter, one notebook")
    print(f"\ncolab-gen with 8 features takes {ours / floor:.2f} of the imports' time,")
    print(f"and {ours / cookiecutter:.2f} of cookiecutter's")
    if options.json:
        save(options.json, "start-up of a whole process", figures)


if __name__ == "__main__":
    main()

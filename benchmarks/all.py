"""Runs every benchmark of this folder, and makes the tables of the documents from their figures.

    uv run --with joblib --with isal python benchmarks/all.py [--quick] [--only NAME] [--folder DIR]
        [--python PATH]
    uv run python benchmarks/all.py --tables

The figures of each script go to results/NAME.json. `--tables` runs nothing and writes the tables
anew. `--quick` tries every script with little work and keeps its figures apart, since they tell
little. What stands between `<!-- NAME -->` and `<!-- end -->` in a document is such a table.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
DOCUMENTS = (ROOT / "README.md", HERE / "README.md", *sorted((ROOT / "docs").glob("*.md")))
TABLE = re.compile(r"(<!-- ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
# result -> what its script, NAME.py or NAME-OTHER's NAME.py, is told for real figures and for a try
SCRIPTS: dict[str, tuple[list[str], list[str]]] = {
    "startup": ([], ["--rounds", "1"]),
    "validate": (["--rounds", "3"], ["--rounds", "1", "--notebooks", "2"]),
    "staging": ([], ["--rounds", "1", "--size", "0.01"]),
    "staging-memory": (
        ["--tidy", "--isal", "--folder", "/dev/shm"],
        ["--tidy", "--rounds", "1", "--size", "0.01", "--folder", "/dev/shm"],
    ),
    "dump": ([], ["--rounds", "1", "--size", "10"]),
    "images": ([], ["--rounds", "1", "--photos", "3"]),
    "web": ([], ["--rounds", "2"]),
    "crash": ([], ["--kills", "3"]),
}
# result -> the way that the others are compared with, in each case
COMPARED = {
    "startup": "import jinja2, yaml, click",
    "validate": "ExecutePreprocessor, in process",
    "staging": "cp + unzip -qq",
    "staging-memory": "cp + unzip -qq",
    "dump": "raw write",
}
FOLDER_TAKEN = ("staging", "dump", "images", "crash")


def results(name: str) -> dict[str, Any] | None:
    """Return the figures that are kept under this name, if there are any."""
    file = HERE / "results" / f"{name}.json"
    return json.loads(file.read_text()) if file.is_file() else None


def speed(rows: dict[str, dict[str, float]], way: str, other: str) -> float:
    """Return how many times as fast as the other way in the same case a way was."""
    cases = [row.removesuffix(other) for row in rows if row.endswith(other)]
    case = next(case for case in cases if way.startswith(case))
    return rows[f"{case}{other}"]["seconds"] / rows[way]["seconds"]


def table_of(name: str) -> str:
    """Return the Markdown table of one result: medians, and the machine that they are from."""
    result = results(name)
    if result is None:
        return "Not measured yet.\n"
    rows: dict[str, dict[str, float]] = result.get("rows") or result["medians"]
    told = ""
    if name in COMPARED:
        rows = {way: {**row, "x": speed(rows, way, COMPARED[name])} for way, row in rows.items()}
        told = f"; x: times as fast as {COMPARED[name]}"
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    lines = [f"| way | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for way, row in rows.items():
        cells = (f"{row[c]:.3g}" if c in row else "" for c in columns)
        lines.append(f"| {way} | {' | '.join(cells)} |")
    facts = {k: v for k, v in result.items() if k not in ("what", "machine", "medians", "rows")}
    more = "".join(f", {key} {value}" for key, value in facts.items() if key != "all")
    return "\n".join([f"On {result['machine']}{more}{told}.", "", *lines, ""])


def write_tables() -> None:
    """Put the tables where the documents want them."""
    for document in DOCUMENTS:
        if document.is_file():
            text = document.read_text()
            new = TABLE.sub(lambda found: f"{found[1]}{table_of(found[2])}{found[3]}", text)
            if new != text:
                document.write_text(new)


def main() -> None:
    """Run, keep, write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="try every script with little work")
    parser.add_argument("--only", choices=SCRIPTS, action="append", help="this script alone")
    parser.add_argument("--folder", type=Path, help="where to work; its disk is measured")
    parser.add_argument("--python", help="stage in this interpreter too, for the disk's figures")
    parser.add_argument("--tables", action="store_true", help="write the tables, run nothing")
    options = parser.parse_args()
    failed = []
    with tempfile.TemporaryDirectory() as tried:
        for name in [] if options.tables else options.only or SCRIPTS:
            words = SCRIPTS[name][options.quick]
            kept = Path(tried) if options.quick else HERE / "results"
            if options.folder and name in FOLDER_TAKEN:
                words = [*words, "--folder", str(options.folder)]
            if options.python and name == "staging":
                words = [*words, "--python", options.python]
            print(f"\n{name}\n", flush=True)
            script = [sys.executable, str(HERE / f"{name.partition('-')[0]}.py"), *words]
            if subprocess.run([*script, "--json", str(kept / f"{name}.json")]).returncode:
                failed.append(name)
    if not options.quick:
        write_tables()
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()

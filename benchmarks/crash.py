"""What is left after kill -9 at random moments: of ours, and of what people paste today.

    uv run python benchmarks/crash.py [--what dump] [--kills 200] [--folder DIR] [--json FILE]

Each round makes the folder as it is before, starts the work in a process of its own, kills that
with all its children at a random moment of the time that it takes, and looks at what is there.
`false`: something looks finished and is not whole. `lost`: what was there before is gone and the
new is not there. Both must be 0; `whole` and `none` are the rounds that ended well and those
after which everybody can see that it has to be done again.
"""

import argparse
import collections
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from side_by_side import machine

VERDICTS = ("whole", "none", "false", "lost")


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way to do something that may be killed.

    Attributes:
        prepare: makes the folder as it is before; it may be there from the round before.
        command: what does the work, as a command for that folder.
        verdict: looks at the folder and returns one of VERDICTS.
    """

    prepare: Callable[[Path], None]
    command: Callable[[Path], list[str]]
    verdict: Callable[[Path], str]


def ways_of(what: str, folder: Path) -> Mapping[str, Way]:
    """Return the ways of one kind of work, by what the table calls them."""
    module = __import__(f"crash_{what}")
    ways: Mapping[str, Way] = module.ways(folder)
    return ways


def killed(way: Way, place: Path, after: float | None) -> float:
    """Do it, and kill it after so many seconds, or let it end; return how long it lived."""
    way.prepare(place)
    start = time.perf_counter()
    process = subprocess.Popen(
        way.command(place),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return time.perf_counter() - start


def count(way: Way, place: Path, kills: int) -> dict[str, int]:
    """Return verdict -> how often, over so many kills."""
    takes = max(killed(way, place, None) for _ in range(2))
    assert way.verdict(place) == "whole", "it does not even work when nobody kills it"
    found: collections.Counter[str] = collections.Counter()
    for _ in range(kills):
        killed(way, place, random.uniform(0, takes * 1.02))
        found[way.verdict(place)] += 1
    return {verdict: found[verdict] for verdict in VERDICTS}


def main() -> None:
    """Kill, look, count, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--what", action="append", help="staging, and what has a crash_<what>.py")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--folder", type=Path, help="where to work")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    random.seed(options.seed)
    here = Path(__file__).parent
    what = options.what or sorted(p.stem[6:] for p in here.glob("crash_*.py"))
    rows: dict[str, dict[str, int]] = {}
    for name in what:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder, redirect_stdout(None):
            for label, way in ways_of(name, Path(folder)).items():
                place = Path(folder, "place")
                place.mkdir(exist_ok=True)
                rows[f"{name}: {label}"] = count(way, place, options.kills)
    print(f"{options.kills} kills each; {machine()}\n")
    print("| way | " + " | ".join(VERDICTS) + " |")
    print("|---" * (len(VERDICTS) + 1) + "|")
    for label, row in rows.items():
        print(f"| {label} | " + " | ".join(str(row[v]) for v in VERDICTS) + " |")
    if options.json:
        facts = {"what": "killed at random moments", "machine": machine()}
        data = {**facts, "kills": options.kills, "rows": rows}
        options.json.write_text(json.dumps(data, indent=1) + "\n")
    ours = [row for label, row in rows.items() if ": ours" in label]
    sys.exit(any(row["false"] or row["lost"] for row in ours))


if __name__ == "__main__":
    main()

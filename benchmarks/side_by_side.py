"""Measures several ways of doing one thing side by side, for the scripts of this folder."""

import gc
import json
import os
import platform
import random
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

__all__ = [
    "Figures", "Way", "machine", "measure", "median", "save", "status", "table", "watched",
]  # fmt: skip

# A way does the work once. It returns what it measured, "seconds" among it, or nothing, and then
# the call as a whole is timed: what is set up and cleared away is not to be in the time.
Way = Callable[[], Mapping[str, float] | None]
# label of the way -> name of the measure -> a value for each round
Figures = dict[str, dict[str, list[float]]]


def measure(ways: Mapping[str, Way], rounds: int, *, warm_up: bool = True) -> Figures:
    """Return the figures of all rounds; each round does every way once, one after the other.

    Each round has an order of its own, since what one leaves behind weighs on the next.

    Args:
        ways: what to measure, by what the table calls it.
        rounds: how often each is measured.
        warm_up: do each once before, so that files are in memory and modules compiled.
    """
    labels = list(ways)
    figures: Figures = {label: {} for label in labels}
    for number in range(-1 if warm_up else 0, rounds):
        for label in random.Random(number).sample(labels, len(labels)):
            start = time.perf_counter()
            values = ways[label]()
            taken = values or {"seconds": time.perf_counter() - start}
            if number >= 0:
                for name, value in taken.items():
                    figures[label].setdefault(name, []).append(value)
    return figures


def status(name: str) -> float:
    """Return a line of this process's status in MB, such as VmRSS; Linux has it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name + ":")) * 1024 / 1e6


def watched(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return what the work returns, its seconds, and the most MB it needed on top."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew here
    before = status("VmRSS")
    start = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    return result, seconds, status("VmHWM") - before


def median(figures: Figures, label: str, name: str = "seconds") -> float:
    """Return the median of one measure of one way."""
    return statistics.median(figures[label][name])


def table(figures: Figures, base: str) -> str:
    """Return a Markdown table of medians; its last column tells how often as fast as `base`."""
    names = list(dict.fromkeys(name for values in figures.values() for name in values))
    lines = ["| way | " + " | ".join(names) + " | x |", "|---" * (len(names) + 2) + "|"]
    for label, values in figures.items():
        cells = [f"{median(figures, label, n):.3g}" if n in values else "" for n in names]
        ratio = median(figures, base) / median(figures, label)
        lines.append(f"| {label} | {' | '.join(cells)} | {ratio:.2f} |")
    return "\n".join(lines)


def machine() -> str:
    """Return in one line what the figures are measured on, its load included."""
    names = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").is_file() else ""
    cpu = next((x.split(":")[1] for x in names.splitlines() if x.startswith("model name")), "")
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{os.cpu_count()} x {cpu.strip() or platform.machine()}, {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}{load}"
    )


def save(path: Path, what: str, figures: Figures, **facts: Any) -> None:
    """Write the figures, and the facts that they depend on, as JSON."""
    medians = {label: {n: median(figures, label, n) for n in figures[label]} for label in figures}
    result = {"what": what, "machine": machine(), **facts, "medians": medians, "all": figures}
    path.write_text(json.dumps(result, indent=1) + "\n")

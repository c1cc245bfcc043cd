"""What the builder page transfers, and how fast a change in it shows.

    uv run python benchmarks/web.py [--rounds 40] [--json FILE]

The static site is written and served from this machine, so its start tells what Python takes to
begin, not what a network takes. A change is a letter typed into a field with all features ticked;
its time ends when the preview has been drawn. Both engines are measured in turns.
"""

import argparse
import functools
import gzip
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from colab_gen.catalog import load_catalog
from colab_gen.web import make_server, write_site
from playwright.sync_api import sync_playwright
from side_by_side import machine, measure, save, table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from webpages import file_server, find_chromium, serving


def transferred(folder: Path) -> dict[str, int]:
    """Return the bytes of each file as a host that compresses sends it."""
    files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*")}
    return {
        name: min(len(gzip.compress(text, 6)), len(text)) for name, text in sorted(files.items())
    }


def type_letter(page: Any) -> dict[str, float]:
    """Type a letter and return how long it took to show."""
    page.evaluate("performance.clearMeasures()")
    page.get_by_label("archive name").press_sequentially("a")
    page.locator("body[data-settled]").wait_for()
    taken = page.evaluate("performance.getEntriesByName('shown').at(-1).duration")
    return {"seconds": taken / 1000}


def main() -> None:
    """Write the site, open both pages, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    chromium = find_chromium()
    if not chromium:
        sys.exit("there is no Chromium here")
    catalog = load_catalog()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        write_site(catalog, folder)
        sizes = transferred(folder)
        addresses = {
            "local server": stack.enter_context(serving(make_server(catalog))),
            "Pyodide": stack.enter_context(serving(file_server(folder))),
        }
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        ways, starts = {}, {}
        for label, address in addresses.items():
            page = browser.new_page()
            page.goto(address)
            page.get_by_text("Ready:").wait_for(timeout=300_000)
            first = "performance.getEntriesByName('shown')[0]"
            starts[label] = page.evaluate(f"{first}.startTime + {first}.duration")
            page.get_by_role("button", name="Tick all", exact=True).click()
            ways[label] = functools.partial(type_letter, page)
        figures = measure(ways, options.rounds)
        browser.close()
    for name, size in sizes.items():
        print(f"{size:>10,}  {name}")
    print(f"{sum(sizes.values()):>10,}  bytes in all, compressed by gzip\n")
    for label, milliseconds in starts.items():
        print(f"{label}: ready after {milliseconds / 1000:.1f} s")
    print(f"\nA change, {options.rounds} rounds; {machine()}\n")
    print(table(figures, "local server"))
    if options.json:
        save(options.json, "a change in the builder page", figures, bytes=sum(sizes.values()))


if __name__ == "__main__":
    main()

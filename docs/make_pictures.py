"""Make the pictures of the documents: `uv run python docs/make_pictures.py` (needs Chromium).

With the word `builder` only those of the builder page.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbformat
from colab_gen import Recipe, build, load_catalog, make_plan, render
from colab_gen.checks import preparation
from colab_gen.notebook import dumps
from colab_gen.run import run
from colab_gen.web import make_server
from nbconvert import HTMLExporter
from PIL import Image
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from webpages import find_chromium, serving

PICTURES = Path(__file__).with_name("pictures")
FEATURES = ("staging", "images", "download")
BUILT = {
    "title": "Photos from Drive",
    "features": [*FEATURES],
    "values": {"archive_name": "holiday photos.zip", "image_columns": "5"},
    "accelerator": "T4",
}
WRONG = {**BUILT, "title": " ", "repository": "my photos", "values": {"image_columns": "99"}}
# name -> state, width, height, colours, what is scrolled to
BUILDER: dict[str, tuple[dict[str, Any], int, int, Any, str]] = {
    "builder": (BUILT, 1280, 860, "light", ""),
    "builder-dark": (BUILT, 1280, 860, "dark", "#cell-images-2"),
    "builder-errors": (WRONG, 1280, 860, "light", ""),
    "builder-phone": (BUILT, 390, 844, "light", "#feature-staging"),
}


def executed_page() -> str:
    """Return the HTML of a notebook that was generated and executed just now."""
    catalog = load_catalog()
    plan = make_plan(catalog, Recipe(title="Photos from Drive", features=FEATURES))
    notebook = build(plan, render(plan))
    report = run(notebook, prepare=preparation(catalog, notebook))
    if not report.passed:
        sys.exit("the notebook failed: " + "; ".join(o.message for o in report.outcomes))
    node = nbformat.from_dict(report.notebook)
    for cell in node.cells:
        # Colab hides the code of a form; the picture shows the fields and no more.
        if cell.metadata.get("cellView") == "form":
            fields = [line for line in cell.source.splitlines() if line.startswith("# @title")]
            fields += [line for line in cell.source.splitlines() if "# @param" in line]
            cell.source = "\n".join(fields)
    page, _ = HTMLExporter(template_name="lab").from_notebook_node(node)
    return page


def report_page(folder: Path) -> Path:
    """Return the HTML report of two notebooks, one of which fails."""
    catalog = load_catalog()
    plan = make_plan(catalog, Recipe(title="Photos", features=("memory", "images", "download")))
    (folder / "photos.ipynb").write_text(dumps(build(plan, render(plan))))
    cells = [
        nbformat.v4.new_code_cell("# @title Read the table\nrows = [3, 1, 2]"),
        nbformat.v4.new_code_cell("# @title Sort it\nprint(sorted(row))"),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "table.ipynb")
    page = folder / "report.html"
    words = ["validate", "photos.ipynb", "table.ipynb", "--html", page.name]
    subprocess.run([sys.executable, "-m", "colab_gen", *words], cwd=folder, capture_output=True)
    return page


def take_builder(browser: Any) -> None:
    """Take the pictures of the builder page."""
    with serving(make_server(load_catalog())) as url:
        for name, (state, width, height, colours, place) in BUILDER.items():
            page = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme=colours,
                reduced_motion="reduce",
            )
            page.goto(f"{url}#{quote(json.dumps(state))}")
            page.get_by_role("status").filter(has_text="Ready:").wait_for()
            if place:
                page.locator(place).evaluate("(e) => e.scrollIntoView({ block: 'center' })")
            take(page, name)
            page.close()


def take(page: Any, name: str) -> None:
    """Write a picture, with few colours, so that it is small."""
    path = PICTURES / f"{name}.png"
    page.screenshot(path=path)
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


def main() -> None:
    """Write the pictures of a notebook, of a report and of the builder page."""
    chromium = find_chromium()
    if not chromium:
        sys.exit("there is no Chromium here")
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        if sys.argv[1:] != ["builder"]:
            file = Path(folder, "page.html")
            file.write_text(executed_page(), encoding="utf-8")
            page = browser.new_page(viewport={"width": 1000, "height": 1500})
            page.goto(file.as_uri(), wait_until="load")
            take(page, "notebook")
            page.goto(report_page(Path(folder)).as_uri(), wait_until="load")
            page.locator("details summary", has_text="photos.ipynb").first.click()
            take(page, "report")
        take_builder(browser)
        browser.close()


if __name__ == "__main__":
    main()

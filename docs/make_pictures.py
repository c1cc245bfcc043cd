"""Make the pictures of the README: `uv run python docs/make_pictures.py` (needs Chromium)."""

import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
from colab_gen import Recipe, build, load_catalog, make_plan, render
from colab_gen.checks import preparation
from colab_gen.run import run
from nbconvert import HTMLExporter
from playwright.sync_api import sync_playwright

PICTURES = Path(__file__).with_name("pictures")
FEATURES = ("staging", "images", "download")


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


def main() -> None:
    """Write pictures/notebook.png."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        sys.exit("there is no Chromium here")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder, "page.html")
        file.write_text(executed_page(), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1000, "height": 1500})
        page.goto(file.as_uri(), wait_until="load")
        PICTURES.mkdir(exist_ok=True)
        page.screenshot(path=PICTURES / "notebook.png")
        browser.close()


if __name__ == "__main__":
    main()

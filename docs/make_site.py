"""Add the documents to the site of the builder page: `uv run python docs/make_site.py SITE`."""

import html
import re
import shutil
import sys
from pathlib import Path

import mistune

ROOT = Path(__file__).resolve().parents[1]
BENCHMARKS = ROOT / "benchmarks" / "README.md"
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", BENCHMARKS]
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'self'; base-uri 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="../icon.svg">
<link rel="stylesheet" href="site.css">
</head>
<body>
<nav aria-label="Documents"><a href="../index.html">Build a notebook</a> {links}</nav>
<main>
{body}
</main>
</body>
</html>
"""


def main() -> None:
    """Write a page for each document in SITE/docs, and a link to them into the builder page."""
    if len(sys.argv) != 2 or not Path(sys.argv[1], "index.html").is_file():
        sys.exit("usage: make_site.py SITE, which `colab-gen web --out SITE` has written")
    index = Path(sys.argv[1], "index.html")
    folder = index.with_name("docs")
    shutil.copytree(ROOT / "docs" / "pictures", folder / "pictures", dirs_exist_ok=True)
    shutil.copy(ROOT / "docs" / "site.css", folder)
    documents = [*DOCUMENTS, *sorted((ROOT / "docs").glob("*.md"))]
    links = " ".join(
        f'<a href="{name(document)}">{title(document).capitalize()}</a>' for document in documents
    )
    markdown = mistune.create_markdown(plugins=["table", "strikethrough", "url"])
    for document in documents:
        body = str(markdown(with_links(document.read_text(encoding="utf-8"))))
        heading = html.escape(f"colab-gen: {title(document)}")
        page = PAGE.format(title=heading, links=links, body=body)
        (folder / name(document)).write_text(page, encoding="utf-8", newline="\n")
    link = '<p><a href="docs/readme.html">Documents</a></p>\n</footer>'
    page = index.read_text(encoding="utf-8").replace(link, "</footer>").replace("</footer>", link)
    index.write_text(page, encoding="utf-8", newline="\n")


def title(document: Path) -> str:
    """Return what a document is called."""
    return "benchmarks" if document == BENCHMARKS else document.stem.lower()


def name(document: Path) -> str:
    """Return the file name of a document's page."""
    return f"{title(document)}.html"


def with_links(text: str) -> str:
    """Return the text with links to other documents and pictures as they lie in the site."""
    text = text.replace("](benchmarks/README.md)", "](benchmarks.html)")
    text = re.sub(r"\]\((?:docs/)?(\w+)\.md\)", lambda m: f"]({m[1].lower()}.html)", text)
    return text.replace("](docs/pictures/", "](pictures/")


if __name__ == "__main__":
    main()

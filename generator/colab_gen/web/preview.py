"""The cells of a notebook as the page draws them: Markdown as a tree, code with its form fields.

A node of the tree is a text, or a list of a tag's name, its attributes and its children. The page
makes elements of them one by one, so nothing in a cell can become markup.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from html import unescape
from typing import Any

import mistune

from colab_gen.form import Parameter, read_parameters

__all__ = ["Node", "preview"]

Node = str | list[Any]

# What mistune calls a thing -> the tag. What is not here is shown as its children or its text.
_TAGS = {
    "paragraph": "p",
    "emphasis": "em",
    "strong": "strong",
    "strikethrough": "s",
    "codespan": "code",
    "block_quote": "blockquote",
    "list_item": "li",
    "table": "table",
    "table_body": "tbody",
    "table_row": "tr",
    "thematic_break": "hr",
    "linebreak": "br",
}
_parse = mistune.create_markdown(renderer=None, plugins=["strikethrough", "table"])


def preview(notebook: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the cells: `id`, `snippet` and `kind`, and of Markdown its `tree`.

    Of code it is the `source`, the `title` and `fields` of its form, and whether Colab opens it
    with its code hidden.
    """
    return [_cell(cell) for cell in notebook["cells"]]


def _cell(cell: Mapping[str, Any]) -> dict[str, Any]:
    source = "".join(cell["source"])
    metadata = cell["metadata"]
    shown = {
        "id": cell["id"],
        "snippet": metadata["colab_gen"]["snippet"],
        "kind": cell["cell_type"],
    }
    if cell["cell_type"] == "markdown":
        return shown | {"tree": _tree(source)}
    return shown | {
        "source": source,
        "title": _title(source),
        "fields": _fields(source),
        "hidden": metadata.get("cellView") == "form",
    }


def _title(source: str) -> str:
    first = source.partition("\n")[0]
    return first.removeprefix("# @title").strip() if first.startswith("# @title") else ""


# A change in one cell leaves the others as they were.
@lru_cache(maxsize=256)
def _fields(source: str) -> list[dict[str, Any]]:
    return [_field(parameter) for parameter in read_parameters(source)]


def _field(parameter: Parameter) -> dict[str, Any]:
    value = parameter.default
    return {
        "name": parameter.name,
        "kind": parameter.kind,
        "value": value if isinstance(value, bool) else str(value),
        "minimum": parameter.minimum,
        "maximum": parameter.maximum,
    }


@lru_cache(maxsize=256)
def _tree(source: str) -> list[Node]:
    try:
        tokens = _parse(source)
    except RecursionError:
        return [["pre", {}, source]]
    return _nodes(tokens if isinstance(tokens, list) else [])


def _nodes(tokens: Iterable[Mapping[str, Any]]) -> list[Node]:
    return [node for token in tokens for node in _node(token)]


def _node(token: Mapping[str, Any]) -> list[Node]:
    kind, attributes = token["type"], token.get("attrs", {})
    children: list[Node] = _nodes(token["children"]) if "children" in token else [_raw(token)]
    match kind:
        case "blank_line":
            return []
        case "heading":
            return [[f"h{attributes['level']}", {}, *children]]
        case "list":
            return [["ol" if attributes.get("ordered") else "ul", {}, *children]]
        case "link":
            return [["a", {"href": attributes["url"]}, *children]]
        case "image":  # no picture is loaded; the one of our badge is drawn by the style sheet
            badge = attributes["url"].endswith("/colab-badge.svg")
            return [["span", {"class": "badge" if badge else "picture"}, *children]]
        case "block_code":
            return [["pre", {}, *children]]
        case "softbreak":
            return ["\n"]
        case "table_head":
            return [["thead", {}, ["tr", {}, *children]]]
        case "table_cell":
            return [["th" if attributes.get("head") else "td", {}, *children]]
        case _ if kind in _TAGS:
            return [[_TAGS[kind], {}, *(children if _TAGS[kind] not in ("hr", "br") else [])]]
    return children


def _raw(token: Mapping[str, Any]) -> str:
    raw = str(token.get("raw", ""))
    return unescape(raw) if token["type"] == "text" else raw

"""One Markdown file becomes one `Snippet`: front matter, prose cells and code cells."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from colab_gen.errors import SnippetError
from colab_gen.form import Parameter, read_parameters
from colab_gen.text import did_you_mean, one_line

__all__ = ["SECTIONS", "Cell", "Snippet", "parse_snippet"]

SECTIONS = ("cover", "session", "storage", "code", "data", "work", "results")

_FRONT_MATTER = re.compile(r"\A---\n(.*?)^---\n", re.DOTALL | re.MULTILINE)
_FENCE = re.compile(r"^(`{3,}|~{3,})([^\n`]*)\n(.*?)^\1[`~]*[ \t]*$", re.DOTALL | re.MULTILINE)
_MAGICS = {"bash": "%%bash", "javascript": "%%javascript", "html": "%%html"}
_REQUIRED = ("title", "summary", "section")
_LISTS = ("requires", "after", "conflicts")
_KEYS = (*_REQUIRED, *_LISTS, "always")
# Keys with one line of text or a list of names each: what nearly all front matter is.
_PLAIN = re.compile(r"([a-z]+): (?:([A-Za-z][ -~]*)|\[([a-z_, ]*)\])")
_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])  # no text to YAML


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell as the file has it: `markdown` and `python` are templates, `magic` is not."""

    kind: Literal["markdown", "python", "magic"]
    source: str
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """The cells of one feature and what it needs around it; `name` is the stem of its file."""

    name: str
    title: str
    summary: str
    section: str
    requires: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    always: bool = False
    cells: tuple[Cell, ...]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The form fields of all its cells, in order."""
        return tuple(p for cell in self.cells for p in cell.parameters)


def parse_snippet(name: str, text: str) -> Snippet:
    """Return the snippet that the text of `<name>.md` describes.

    Raises:
        SnippetError: the file breaks the format; the text names the file and the fault.
    """
    try:
        return _parse(name, text.replace("\r\n", "\n"))
    except (ValueError, SyntaxError) as error:
        raise SnippetError(f"snippet {one_line(name)}: {one_line(error, 300)}") from None


def _parse(name: str, text: str) -> Snippet:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name):
        raise ValueError("its name must be of small letters, digits and _, as in my_feature.md")
    front = _FRONT_MATTER.match(text)
    if front is None:
        raise ValueError("the file must begin with front matter between two lines of ---")
    cells = tuple(_cells(text[front.end() :]))
    if not cells:
        raise ValueError("there is no cell after the front matter")
    names = [p.name for cell in cells for p in cell.parameters]
    if twice := next((n for n in names if names.count(n) > 1), None):
        raise ValueError(f"the parameter {twice} stands in two places")
    return Snippet(name=name, cells=cells, **_front_matter(front[1]))


def _front_matter(text: str) -> dict[str, Any]:
    data: object = _plain(text)
    if data is None:
        data = _yaml(text)
    if not isinstance(data, Mapping):
        raise ValueError("the front matter must hold keys and values")
    for key in data:
        if key not in _KEYS:
            raise ValueError(
                f"there is no key {key}{did_you_mean(str(key), _KEYS)}; "
                f"there are {', '.join(_KEYS)}"
            )
    for key in _REQUIRED:
        if not isinstance(data.get(key), str) or not data[key].strip():
            raise ValueError(f"the front matter needs {key} with a text")
    if data["section"] not in SECTIONS:
        raise ValueError(f"there is no section {data['section']}; there are {', '.join(SECTIONS)}")
    if not isinstance(data.get("always", False), bool):
        raise ValueError("always takes true or false")
    for key in _LISTS:
        names = data.get(key, [])
        if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
            raise ValueError(f"{key} takes a list of names, as in [drive]")
    return {**data, **{key: tuple(data.get(key, ())) for key in _LISTS}}


def _plain(text: str) -> dict[str, Any] | None:
    """Return what YAML makes of the plainest front matter, or None for any other.

    Importing PyYAML takes a tenth of the start-up, which the shipped snippets need not cost.
    """
    data: dict[str, Any] = {}
    for line in text.splitlines():
        match = _PLAIN.fullmatch(line)
        if not match:
            return None
        key, value, names = match.groups()
        words = [value] if names is None else [name.strip() for name in names.split(",")]
        if value == "true":
            data[key] = True
            continue
        if not all(words) or any(": " in w or " #" in w or w[-1:] in ": " for w in words):
            return None
        if key in data or any(word.lower() in _WORDS for word in (key, *words)):
            return None
        data[key] = value if names is None else words
    return data


def _yaml(text: str) -> object:
    import yaml

    # The C loader is many times as fast; a PyYAML built without it has only the other.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(text, Loader=loader)
    except yaml.YAMLError as error:
        raise ValueError(f"the front matter is not YAML: {error}") from None


def _cells(body: str) -> Iterator[Cell]:
    prose, position = "", 0
    for fence in _FENCE.finditer(body):
        language = fence[2].strip()
        prose += body[position : fence.start()]
        position = fence.end()
        if language != "python" and language not in _MAGICS:
            prose += fence[0]  # such a fence is part of the text
            continue
        if prose.strip():
            yield Cell(kind="markdown", source=prose.strip())
        prose = ""
        code = fence[3].rstrip("\n")
        if not code.strip():
            raise ValueError(f"an empty {language} fence")
        if language == "python":
            yield Cell(kind="python", source=code, parameters=read_parameters(code))
        else:
            yield Cell(kind="magic", source=f"{_MAGICS[language]}\n{code}")
    prose += body[position:]
    if re.search(r"^(`{3,}|~{3,})\w", _FENCE.sub("", prose), re.MULTILINE):
        raise ValueError("a fence is opened and never closed")
    if prose.strip():
        yield Cell(kind="markdown", source=prose.strip())

"""Form-field lines of a code cell: read them, check values for them, write values into them.

A field is an assignment of one line with its comment, `name = default  # @param {...}`, as in
Colab's own forms notebook (https://colab.research.google.com/notebooks/forms.ipynb).
"""

import ast
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

__all__ = [
    "Field",
    "Kind",
    "Parameter",
    "Value",
    "fields",
    "literal",
    "printable",
    "read_parameters",
    "set_values",
]

Value = str | int | float | bool
Kind = Literal["string", "integer", "number", "boolean", "slider", "date", "raw", "choice"]

_FIELD = re.compile(rb"\s*#\s*@param\b(.*)$", re.DOTALL)
_LOOSE = re.compile(
    r"""(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?P<key>[A-Za-z_-]+)(?=\s*:)"""
)
_KINDS = ("string", "integer", "number", "boolean", "slider", "date", "raw")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One form field: its name, what kind of value it takes, and the value the code gives it.

    `options` are the entries of a list, `minimum`, `maximum` and `step` those of a slider.
    """

    name: str
    kind: Kind
    default: Value
    options: tuple[Value, ...] = ()
    allow_input: bool = False
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None


def read_parameters(code: str) -> tuple[Parameter, ...]:
    """Return the form fields of a cell in the order of their lines.

    Raises:
        ValueError: a field's comment or its value cannot be understood; the text names the line.
        SyntaxError: the code is not Python, its magics and shell lines aside.
    """
    return tuple(_parameter(field) for field in fields(code))


def set_values(code: str, values: Mapping[str, Value]) -> str:
    """Return the code with the right-hand side of each named field replaced by a literal."""
    lines = _lines(code)
    for field in fields(code):
        if field.name in values:
            line = lines[field.line]
            written = literal(values[field.name]).encode()
            lines[field.line] = line[: field.start] + written + line[field.end :]
    return b"\n".join(lines).decode("utf-8", "surrogatepass")


def literal(value: Value) -> str:
    """Return a Python literal of one printable line that evaluates to the value."""
    if not isinstance(value, str):
        return repr(value)
    return '"' + "".join(map(_character, value)) + '"'


def printable(character: str) -> bool:
    """Tell whether a character may stand in code as it is; in every version of Python the same.

    Each version knows more of Unicode, and what one does not know yet is an emoji of the next.
    So unassigned characters may stand, but for those set aside for what nobody can see.
    """
    if "\U00013430" <= character <= "\U0001345f":  # format marks that came one by one
        return False
    unseen = character >= "\U000e0000"
    return character.isprintable() or (not unseen and unicodedata.category(character) == "Cn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A form field in a cell: its line from 0, and where in the UTF-8 bytes of it its value is."""

    name: str
    line: int
    start: int
    end: int
    value: str
    node: ast.expr
    comment: str


def _character(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if printable(character) else ascii(character)[1:-1]


def _lines(code: str) -> list[bytes]:
    # Python counts lines by "\n" and columns in UTF-8 bytes, and so does this.
    return code.encode("utf-8", "surrogatepass").split(b"\n")


# A cell is read as a template, filled in and recorded; parsing it takes most of the time of each.
@lru_cache(maxsize=256)
def fields(code: str) -> tuple[Field, ...]:
    """Return the form fields of a cell as they are written, in the order of their lines.

    Raises:
        SyntaxError: the code is not Python, its magics and shell lines aside.
    """
    return tuple(_find_fields(code)) if "@param" in code else ()


def _find_fields(code: str) -> Iterator[Field]:
    lines = _lines(code)
    for statement in _statements(lines):
        if not isinstance(statement, ast.Assign) or statement.lineno != statement.end_lineno:
            continue
        target, value = statement.targets[0], statement.value
        line = lines[statement.lineno - 1]
        comment = _FIELD.match(line[value.end_col_offset or 0 :])
        if comment and isinstance(target, ast.Name) and len(statement.targets) == 1:
            start, end = value.col_offset, value.end_col_offset or 0
            yield Field(
                name=target.id,
                line=statement.lineno - 1,
                start=start,
                end=end,
                value=line[start:end].decode(),
                node=value,
                comment=comment[1].decode().strip(),
            )


def _statements(lines: list[bytes]) -> list[ast.stmt]:
    # Magics and shell lines are no Python; a comment in their place keeps the numbers of lines.
    python = [b"#" if line[:1] in (b"!", b"%") else line for line in lines]
    last = max(number for number, line in enumerate(lines) if b"@param" in line)
    try:
        # Fields stand at the top, and parsing what follows them would take most of the time.
        return ast.parse(b"\n".join(python[: last + 1])).body
    except SyntaxError:  # the last of them is inside of something, or there is a real fault
        return ast.parse(b"\n".join(python)).body


def _parameter(field: Field) -> Parameter:
    where = f"line {field.line + 1}: {field.name}"
    options, settings = _settings(field.comment, where)
    kind = settings.get("type", "choice" if options is not None else "raw")
    if kind not in (*_KINDS, "choice"):
        raise ValueError(f"{where}: there is no field type {kind!r}; there are {', '.join(_KINDS)}")
    try:
        default = ast.literal_eval(field.node)
        if not isinstance(default, Value):
            raise ValueError
    except ValueError:
        if kind != "raw":
            raise ValueError(f"{where}: {field.value} is no plain literal") from None
        default = field.value
    return Parameter(
        name=field.name,
        kind="choice" if options is not None else kind,
        default=default,
        options=tuple(options or ()),
        allow_input=bool(settings.get("allow-input")),
        minimum=settings.get("min"),
        maximum=settings.get("max"),
        step=settings.get("step"),
    )


def _settings(comment: str, where: str) -> tuple[list[Value] | None, dict[str, Any]]:
    """Split what follows @param into the options of a list and the settings in braces."""
    found: list[Any] = []
    rest = comment
    while rest:
        try:
            item, end = json.JSONDecoder().raw_decode(rest)
        except ValueError:
            # Colab also reads keys without quotes, and people write lists in Python's quotes.
            loose = _LOOSE.sub(_as_json, rest)
            try:
                item, end = json.JSONDecoder().raw_decode(loose)
            except ValueError:
                raise ValueError(f"{where}: cannot read the field {comment!r}") from None
            rest = loose
        found.append(item)
        rest = rest[end:].strip()
    options = next((item for item in found if isinstance(item, list)), None)
    settings = next((item for item in found if isinstance(item, dict)), {})
    return options, settings


def _as_json(match: re.Match[str]) -> str:
    return json.dumps(ast.literal_eval(match["text"]) if match["text"] else match["key"])

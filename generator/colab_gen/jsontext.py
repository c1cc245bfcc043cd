"""Parts of a JSON text are changed, and the bytes of all others stay as they are."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

__all__ = ["Document", "in_order"]

_SPACE = re.compile(r"[ \t\n\r]*")
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_ESCAPED = re.compile(r"\\u(?:00[89a-fA-F]|0[1-9a-fA-F]|[1-9a-fA-F])")


class Document:
    """A JSON object as text and as data, and how to write it anew with parts changed.

    Raises:
        ValueError: the text is no JSON object, or one that programs read in different ways: with
            a key twice in an object, with NaN, or with half a surrogate pair.
    """

    def __init__(self, text: str, elements_of: str) -> None:
        """Read the text; `elements_of` is the key of the array whose elements are changed."""
        self.text = text
        start = _skip(text, 0)
        if text[start : start + 1] != "{":
            raise ValueError("it begins with no {")
        self._top = _split(text, start, elements_of)
        if rest := text[_skip(text, self._top.end) :]:
            raise ValueError(f"something follows its end: {rest[:20]!r}")
        self._key = elements_of
        self.data: dict[str, Any] = {part.key: part.value for part in self._top.parts}
        if _HALF.search(text):
            try:
                json.dumps(self.data, ensure_ascii=False).encode()
            except UnicodeEncodeError:
                raise ValueError("it holds half a surrogate pair") from None
        self._style = _style(text, self._top)

    def rewritten(self, elements: Iterable[tuple[int | None, Any]], **members: Any) -> str:
        """Return the text with the array's elements and members of the object replaced.

        Each element comes with the number of the one it was, or None; of one that is the very same
        object as before the bytes stay, and so do those of the equal parts of all others.
        """
        pieces = []
        for part in self._top.parts:
            margin = part.margin
            if part.key == self._key and part.inside:
                old = part.inside
                inner = _inner_margin(old, margin, self._style)
                items = [self._element(old, n, value, inner) for n, value in elements]
                new = _joined(self.text, old, items, margin, self._style)
            elif part.key in members:
                value = members[part.key]
                new = _edited(self.text, part, value, margin, self._style)
            else:
                new = self.text[part.start : part.end]
            pieces.append((part.gap, part.head + new))
        whole = _joined(self.text, self._top, pieces, "", self._style)
        return self.text[: self._top.start] + whole + self.text[self._top.end :]

    def _element(
        self, old: "_Container", number: int | None, value: Any, margin: str
    ) -> tuple[str | None, str]:
        if number is None:
            return None, self._style.dumps(value, margin)
        part = old.parts[number]
        return part.gap, _edited(self.text, part, value, margin, self._style)


def in_order(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """Return the new keys, the old among them as they stood, each other after its predecessor."""
    order = [key for key in old if key in new]
    for place, key in enumerate(new):
        if key not in order:
            order.insert(order.index(new[place - 1]) + 1 if place else 0, key)
    return order


@dataclass(slots=True)
class _Style:
    """How a file is written: line ends, indentation (None: all in one line), signs, escapes."""

    newline: str
    indent: str | None
    item: str
    colon: str
    ascii: bool

    def dumps(self, value: Any, margin: str) -> str:
        text = json.dumps(
            value,
            indent=self.indent,
            ensure_ascii=self.ascii,
            separators=(self.item, self.colon),
        )
        return text.replace("\n", self.newline + margin)


@dataclass(slots=True)
class _Part:
    """A member or an element: what stands before it, its key, its value and where that is."""

    gap: str
    key: str
    head: str
    start: int
    end: int
    value: Any
    inside: "_Container | None" = None

    @property
    def margin(self) -> str:
        return self.gap.rpartition(",")[2].rpartition("\n")[2] if "\n" in self.gap else ""


@dataclass(slots=True)
class _Container:
    start: int
    parts: list[_Part]
    tail: str
    end: int


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"it holds {name}, which is no JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"an object has the key {twice!r} twice")
    return data


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)


def _skip(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _decode(text: str, position: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, position)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _split(text: str, start: int, within: str = "") -> _Container:
    """Return the parts of the object or array that begins at `start`, and those of one member."""
    is_object = text[start] == "{"
    close = "}" if is_object else "]"
    parts: list[_Part] = []
    before = start + 1
    while True:
        position = _skip(text, before)
        if text[position : position + 1] == close and not parts:
            break
        if parts:
            if text[position : position + 1] == close:
                break
            if text[position : position + 1] != ",":
                raise ValueError(f"line {text.count(chr(10), 0, position) + 1} lacks a comma")
            position = _skip(text, position + 1)
        gap, first, key = text[before:position], position, ""
        if is_object:
            key, position = _decode(text, position)
            position = _skip(text, position)
            if not isinstance(key, str) or text[position : position + 1] != ":":
                raise ValueError(f"line {text.count(chr(10), 0, position) + 1} lacks a key")
            position = _skip(text, position + 1)
        head, inside = text[first:position], None
        if within and key == within and text[position : position + 1] == "[":
            inside = _split(text, position)
            value, end = [part.value for part in inside.parts], inside.end
        else:
            value, end = _decode(text, position)
        parts.append(_Part(gap, key, head, position, end, value, inside))
        before = end
    if is_object:
        _object([(part.key, part.value) for part in parts])
    return _Container(start, parts, text[before:position], position + 1)


def _style(text: str, top: _Container) -> _Style:
    newline, indent, item, colon = "\n", None, ", ", ": "
    if top.parts:
        first = top.parts[0]
        colon = ":" + ("" if first.head.endswith(":") else " ")
        if "\n" in first.gap:
            newline = "\r\n" if "\r\n" in first.gap else "\n"
            indent, item = first.margin, ","
    if len(top.parts) > 1:
        item = "," + top.parts[1].gap.partition(",")[2].partition("\n")[0].rstrip("\r")
    plain = text.isascii() and _ESCAPED.search(text) is not None
    return _Style(newline, indent, item, colon, plain)


def _inner_margin(container: _Container, margin: str, style: _Style) -> str:
    if container.parts and "\n" in container.parts[0].gap:
        return container.parts[0].margin
    return margin + (style.indent or "")


def _joined(
    text: str,
    old: _Container,
    items: Sequence[tuple[str | None, str]],
    margin: str,
    style: _Style,
) -> str:
    """Return a container of other parts; what was between the old ones stays where it can.

    An item is the gap before it, None for a new one, and its text.
    """
    opening, closing = text[old.start], text[old.end - 1]
    pretty = style.indent is not None
    line = style.newline + margin + (style.indent or "") if pretty else ""
    if old.parts:
        lead, tail = old.parts[0].gap, old.tail
        if not items:
            usual = pretty and (lead, tail) == (line, style.newline + margin)
            return opening + ("" if usual or not lead + tail else lead + tail) + closing
    elif old.tail or not pretty:
        lead, tail = old.tail, ""
    else:
        lead, tail = line, style.newline + margin
    if not items:
        return opening + old.tail + closing
    between = "," + (lead if "\n" in lead else " " if pretty else style.item[1:])
    if len(old.parts) > 1:
        between = old.parts[1].gap
    written = [lead + items[0][1]]
    written += [(gap if gap and "," in gap else between) + body for gap, body in items[1:]]
    return opening + "".join(written) + tail + closing


def _edited(text: str, part: _Part, value: Any, margin: str, style: _Style) -> str:
    """Return a value's new text, in which the parts that are as before keep their bytes."""
    if _same(part.value, value):
        return text[part.start : part.end]
    if not isinstance(value, dict | list) or type(value) is not type(part.value):
        return style.dumps(value, margin)
    old = part.inside or _split(text, part.start)
    inner = _inner_margin(old, margin, style)
    if isinstance(value, list):
        items = _elements(text, old, value, inner, style)
    else:
        known = {p.key: p for p in old.parts}
        items = [
            (p.gap, p.head + _edited(text, p, value[key], inner, style))
            if (p := known.get(key))
            else (None, json.dumps(key) + style.colon + style.dumps(value[key], inner))
            for key in in_order([p.key for p in old.parts], list(value))
        ]
    return _joined(text, old, items, margin, style)


def _same(old: Any, new: Any) -> bool:
    # To Python 1, 1.0 and True are equal.
    return old is new or (type(old) is type(new) and json.dumps(old) == json.dumps(new))


def _elements(
    text: str, old: _Container, value: list[Any], margin: str, style: _Style
) -> list[tuple[str | None, str]]:
    most = min(len(old.parts), len(value))
    front = 0
    while front < most and _same(old.parts[front].value, value[front]):
        front += 1
    back = 0
    while back < most - front and _same(old.parts[-1 - back].value, value[-1 - back]):
        back += 1
    kept = [(p.gap, text[p.start : p.end]) for p in old.parts]
    new = [(None, style.dumps(v, margin)) for v in value[front : len(value) - back]]
    return [*kept[:front], *new, *kept[len(kept) - back :]]

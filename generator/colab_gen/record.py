"""A cell's text as lines, values and digests: what a notebook records of it, to know it again.

A digest of a line is 8 characters of base64 (48 bits of BLAKE2b), so two different lines of one
cell share one with a probability of about 1 in 10 ** 10.
"""

import ast
from binascii import b2a_base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b

from colab_gen.form import Field, fields

__all__ = ["Text", "digest", "read_text", "same_value", "split"]

_HOLE = "\0"
_BYTES, _LENGTH = 6, 8


@dataclass(frozen=True, kw_only=True)
class Text:
    """A cell's lines with holes for the values of its form fields, and these values as written."""

    lines: tuple[str, ...]
    values: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The digests of the lines."""
        return split(self.kept) or ()

    @property
    def kept(self) -> str:
        """The digests of the lines as the one text that is kept in a notebook."""
        data = "\n".join(self.lines).encode("utf-8", "surrogatepass")
        return _base64(blake2b(line, digest_size=_BYTES).digest() for line in data.split(b"\n"))

    @property
    def digest(self) -> str:
        """The digest of all lines, whatever the values are; it can be had from their own too."""
        return digest(self.kept)

    def source(self, values: Mapping[str, str] | None = None) -> str:
        """Return the text with values in its holes: those given, else its own."""
        known = {**self.values, **(values or {})}
        return "\n".join(
            line.replace(_HOLE, known[self.name(line)], 1) if self.name(line) else line
            for line in self.lines
        )

    def name(self, line: str) -> str:
        """Return the name of the form field in one of the lines, or ""."""
        name, sign, _ = line.partition("=")
        return name.strip() if sign and self.values and _HOLE in line else ""


def read_text(source: str, *, code: bool = True) -> Text:
    """Return the text of a cell; only code has form fields."""
    values: dict[str, str] = {}
    if code and "@param" in source and _HOLE not in source:
        source, values = _cut_values(source)
    return Text(lines=tuple(source.split("\n")), values=values)


def digest(text: str) -> str:
    """Return 8 characters that tell the text from others."""
    data = text.encode("utf-8", "surrogatepass")
    return _base64([blake2b(data, digest_size=_BYTES).digest()])


def same_value(one: str | None, other: str | None) -> bool:
    """Tell whether two values of a field, as they are written, are the same to Python."""
    if one == other or one is None or other is None:
        return one == other
    try:
        values = ast.literal_eval(one), ast.literal_eval(other)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return False
    return repr(values[0]) == repr(values[1])


def split(kept: object) -> tuple[str, ...] | None:
    """Return the digests in a text as `Text.kept`; None for what is none."""
    if not isinstance(kept, str) or not kept or len(kept) % _LENGTH:
        return None
    return tuple(kept[i : i + _LENGTH] for i in range(0, len(kept), _LENGTH))


def _cut_values(code: str) -> tuple[str, dict[str, str]]:
    """Return the code with a hole for the value of each field, and the values by name.

    Code that is no Python is read line by line. Of several fields of one name the first is cut.
    """
    lines, values = code.encode("utf-8", "surrogatepass").split(b"\n"), dict[str, str]()
    try:
        found = [(one.line, one) for one in fields(code)]
    except (SyntaxError, ValueError):
        found = [(n, one) for n, line in enumerate(lines) for one in _lone_field(line)]
    for number, one in found:
        if one.name not in values:
            values[one.name], line = one.value, lines[number]
            lines[number] = line[: one.start] + _HOLE.encode() + line[one.end :]
    return b"\n".join(lines).decode("utf-8", "surrogatepass"), values


def _lone_field(line: bytes) -> tuple[Field, ...]:
    try:
        return fields(line.decode("utf-8", "surrogatepass"))
    except (SyntaxError, ValueError):
        return ()


def _base64(digests: Iterable[bytes]) -> str:
    # Of 6 bytes base64 makes 8 characters, so many in a row are as one by one.
    return b2a_base64(b"".join(digests), newline=False).decode()

"""Text for people, shared by every floor."""

import re
from collections.abc import Iterable

__all__ = ["did_you_mean", "markdown", "one_line"]


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Return " (did you mean X?)" for the nearest of the words, or an empty string."""
    from difflib import get_close_matches  # slow to import, and for faults only

    near = get_close_matches(word, list(words), n=1, cutoff=0.5)
    return f" (did you mean {near[0]}?)" if near else ""


def one_line(text: object, limit: int = 120) -> str:
    """Return the text as one printable line, cut at `limit` characters."""
    line = "".join(c if c.isprintable() else " " for c in str(text))
    line = " ".join(line.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def markdown(text: str) -> str:
    """Return one line of Markdown that shows the text as it is, in HTML and formulas too."""
    line = re.sub(r"([\\`*_\[\]#|~$])", r"\\\1", " ".join(text.split()))
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

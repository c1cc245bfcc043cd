"""Edits told: a summary line, a table of features, a diff, plain data."""

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

import click

from colab_gen.edit import Change
from colab_gen.subject import Edit

__all__ = ["as_data", "diff", "features", "summary"]

_WORDS = {
    "updated": "updated",
    "merged": "merged with your edits",
    "added": "added",
    "removed": "removed",
    "released": "now yours",
}
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def summary(edit: Edit) -> str:
    """Return one line that says how many cells of what kind change, and how many do not."""
    states = [change.state for change in edit.changes]
    parts = [f"{states.count(s)} {words}" for s, words in _WORDS.items() if s in states]
    if names := [change.snippet for change in edit.changes if change.state == "conflict"]:
        plural = "" if len(names) == 1 else "s"
        parts.append(f"{len(names)} conflict{plural} ({', '.join(dict.fromkeys(names))})")
    plural = "" if edit.own == 1 else "s"
    yours = [f"{edit.own} cell{plural} of yours untouched"] if edit.own else []
    return ", ".join([*(parts or ["up to date"]), *yours])


def features(edit: Edit) -> dict[str, list[str]]:
    """Return, by snippet, what is to be said of its cells: "current", or other words."""
    found: dict[str, list[str]] = {}
    for change in edit.changes:
        found.setdefault(change.snippet, []).append(change.state)
    return {name: list(_words(set(states))) for name, states in found.items()}


def diff(edit: Edit) -> Iterator[str]:
    """Give the lines of a diff of all cells that change, coloured."""
    for change in edit.changes:
        if change.outdated:
            words = _WORDS.get(change.state, "conflict; your text stays, and beneath it comes")
            yield click.style(f"{change.snippet}, cell {change.number}: {words}", bold=True)
            yield from _lines(change)
            yield ""


def as_data(edit: Edit, path: str, *, written: bool) -> dict[str, Any]:
    """Return an edit as plain data."""
    return {
        "path": path,
        "written": written,
        "outdated": any(change.outdated for change in edit.changes),
        "conflicts": [c.snippet for c in edit.changes if c.state == "conflict"],
        "own": edit.own,
        "features": features(edit),
        "cells": [{"snippet": c.snippet, "cell": c.number, "state": c.state} for c in edit.changes],
        "notes": list(edit.notes),
    }


def _words(states: set[str]) -> Iterator[str]:
    if states == {"current"}:
        yield "current"
    if states & {"updated", "merged", "added", "removed", "released"}:
        yield "outdated"
    if "conflict" in states:
        yield "conflict"
    if states & {"edited", "merged", "released", "conflict"}:
        yield "edited by you"
    if states == {"deleted"}:
        yield "deleted by you"
    elif "deleted" in states:
        yield "partly deleted by you"


def _lines(change: Change) -> Iterable[str]:
    if change.state == "released":
        return
    if change.state == "conflict":
        old, new = [], (change.after or "").split("\n")
    else:
        old, new = (
            [] if text is None else text.split("\n") for text in (change.before, change.after)
        )
    for number, line in enumerate(difflib.unified_diff(old, new, lineterm="")):
        if number > 1:  # the first two name files
            yield click.style(line, fg=_COLOURS.get(line[:1]))

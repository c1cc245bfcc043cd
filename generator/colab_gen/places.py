"""A notebook run in every place: what works there, and what a person is told to do instead.

A cell that cannot do its work in a place says so in one sentence: as a `RuntimeError`, or in a
printed line that begins with "No Colab page" or "There is no Colab here".
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from colab_gen.catalog import Catalog
from colab_gen.checks import preparation
from colab_gen.notebook import build
from colab_gen.plan import make_plan
from colab_gen.recipe import Recipe
from colab_gen.render import render
from colab_gen.report import Outcome, Report
from colab_gen.run import run
from colab_gen.standin import TARGETS

__all__ = [
    "Verdict",
    "by_feature",
    "everywhere",
    "in_all_places",
    "markdown_table",
    "places",
    "plain_table",
    "verdicts",
]

_INSTEAD = re.compile(r"^(?:No Colab page|There is no Colab here)\b.*$", re.MULTILINE)
_OWN = "(own cells)"
# Of several cells the later of these says how their snippet did.
_RANK = ("works", "not run", "instead", "fails")


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a feature does in a place; `text` is the sentence of all but what works."""

    word: Literal["works", "instead", "fails", "not run"]
    text: str = ""


# Feature -> target -> verdict.
Table = Mapping[str, Mapping[str, Verdict]]


def places(catalog: Catalog, features: Iterable[str] = (), **options: Any) -> Table:
    """Return how each feature does on each target, alone with what it requires."""
    table = {}
    for name in features or catalog.features:
        plan = make_plan(catalog, Recipe(features=(name,)))
        notebook = build(plan, render(plan))
        reports = everywhere(notebook, preparation(catalog, notebook), **options)
        table[name] = {
            target: _together(verdicts(report), name) for target, report in reports.items()
        }
    return table


def everywhere(
    notebook: Mapping[str, Any], prepare: Callable[[Any], None] | None = None, **options: Any
) -> dict[str, Report]:
    """Return the report of the notebook on each target."""
    return {t: run(notebook, prepare=prepare, target=t, **options) for t in TARGETS}


def in_all_places(
    catalog: Catalog,
    notebooks: Iterable[tuple[str, Mapping[str, Any], Mapping[str, Any]]],
) -> tuple[str, list[dict[str, Any]], bool]:
    """Return the tables of these notebooks, their reports as data, and whether nothing failed.

    Each notebook comes with its name and with options of `run.run`.
    """
    texts, data, passed = [], [], True
    for name, notebook, options in notebooks:
        rest = {key: value for key, value in options.items() if key != "target"}
        reports = everywhere(notebook, preparation(catalog, notebook), **rest)
        table = by_feature(reports)
        problems = reports["web"].problems
        passed &= not problems
        passed &= all(v.word != "fails" for row in table.values() for v in row.values())
        texts.append("\n".join([f"{name}:", *problems, plain_table(table)]))
        data += [{"notebook": name, **report.as_dict()} for report in reports.values()]
    return "\n\n".join(texts), data, passed


def by_feature(reports: Mapping[str, Report]) -> Table:
    """Return the table of a notebook's snippets, and of its user's own cells, from its reports."""
    table: dict[str, dict[str, Verdict]] = {}
    for target, report in reports.items():
        for name, verdict in verdicts(report).items():
            table.setdefault(name, {})[target] = verdict
    return table


def verdicts(report: Report) -> dict[str, Verdict]:
    """Return snippet -> how its cells did, the user's own cells as one."""
    found: dict[str, Verdict] = {}
    cells = report.notebook.get("cells", [])
    for outcome in report.outcomes:
        mark = cells[outcome.cell]["metadata"].get("colab_gen")
        name = str(mark["snippet"]) if isinstance(mark, Mapping) and "snippet" in mark else _OWN
        verdict = _verdict(outcome, cells[outcome.cell])
        found[name] = max(found.get(name, verdict), verdict, key=lambda v: _RANK.index(v.word))
    return found


def markdown_table(table: Table) -> str:
    """Return the table in Markdown, with the sentences as numbered notes below it."""
    notes: list[str] = []
    lines = [f"| | {' | '.join(TARGETS)} |", "|---" * (len(TARGETS) + 1) + "|"]
    for name, row in table.items():
        cells = [f"`{name}`", *(_cell(row.get(t), notes) for t in TARGETS)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", *(f"{n}. {text}" for n, text in enumerate(notes, 1))]) + "\n"


def plain_table(table: Table) -> str:
    """Return the table in columns, with the sentences as numbered notes below it."""
    notes: list[str] = []
    rows = [["", *TARGETS]]
    rows += [[name, *(_cell(row.get(t), notes) for t in TARGETS)] for name, row in table.items()]
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([*lines, *(f"({n}) {text}" for n, text in enumerate(notes, 1))])


def _verdict(outcome: Outcome, cell: Mapping[str, Any]) -> Verdict:
    if outcome.status == "not run":
        return Verdict("not run")
    if outcome.status == "failed":
        kind, _, sentence = outcome.message.partition("RuntimeError: ")
        return Verdict("fails", outcome.message) if kind else Verdict("instead", sentence)
    printed = "".join("".join(o.get("text", "")) for o in cell.get("outputs", ()))
    said = _INSTEAD.search(printed)
    return Verdict("instead", said[0].strip()) if said else Verdict("works")


def _together(found: Mapping[str, Verdict], name: str) -> Verdict:
    """Return the feature's own verdict, or that of what kept it from running."""
    own = found.get(name, Verdict("not run"))
    if own.word != "not run":
        return own
    return next((v for v in found.values() if v.word in ("instead", "fails")), own)


def _cell(verdict: Verdict | None, notes: list[str]) -> str:
    if verdict is None:
        return ""
    if not verdict.text:
        return verdict.word
    if verdict.text not in notes:
        notes.append(verdict.text)
    return f"{verdict.word} ({notes.index(verdict.text) + 1})"

"""A notebook run in every place: what works there, and what a person is told to do instead.

A cell that cannot do its work in a place says so in one sentence: as a `RuntimeError`, or in a
printed line that begins with "No Colab page" or "There is no Colab here".
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from colab_gen.catalog import Catalog
from colab_gen.job import Job, Result
from colab_gen.notebook import build, dumps
from colab_gen.plan import make_plan
from colab_gen.recipe import Recipe
from colab_gen.render import render
from colab_gen.report import Outcome, Report
from colab_gen.standin import TARGETS

__all__ = [
    "Verdict",
    "by_feature",
    "markdown_table",
    "of_all_places",
    "on_each_target",
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


def on_each_target(job: Job) -> list[Job]:
    """Return the job once for each target, in their order."""
    return [
        replace(job, name=f"{job.name} ({target})", options={**job.options, "target": target})
        for target in TARGETS
    ]


def places(
    catalog: Catalog, features: Iterable[str], perform_all: Callable[[list[Job]], list[Result]]
) -> Table:
    """Return how each feature does on each target, alone with what it requires.

    `perform_all` is given the jobs, and returns their results in the same order.
    """
    names = list(features)
    jobs = []
    for name in names:
        plan = make_plan(catalog, Recipe(features=(name,)))
        jobs += on_each_target(Job(name=name, text=dumps(build(plan, render(plan)))))
    reports = (result.report for result in perform_all(jobs))
    return {name: {t: _together(verdicts(next(reports)), name) for t in TARGETS} for name in names}


def of_all_places(results: Sequence[Result]) -> tuple[str, list[dict[str, Any]], bool]:
    """Return a notebook's table, its reports as data, and whether nothing failed.

    The results are those of its jobs, one for each target.
    """
    name = results[0].name.rpartition(" (")[0]
    reports = {t: r.report for t, r in zip(TARGETS, results, strict=True) if r.report}
    table = by_feature(reports)
    problems = [line for r in results for line in (r.report.problems if r.report else [r.fault])]
    passed = not problems and all(v.word != "fails" for row in table.values() for v in row.values())
    data = [{**result.as_dict(), "notebook": name} for result in results]
    lines = [f"{name}:", *dict.fromkeys(problems), *([plain_table(table)] if table else [])]
    return "\n".join(lines), data, passed


def by_feature(reports: Mapping[str, Report]) -> Table:
    """Return the table of a notebook's snippets, and of its user's own cells, from its reports."""
    table: dict[str, dict[str, Verdict]] = {}
    for target, report in reports.items():
        for name, verdict in verdicts(report).items():
            table.setdefault(name, {})[target] = verdict
    return table


def verdicts(report: Report | None) -> dict[str, Verdict]:
    """Return snippet -> how its cells did, the user's own cells as one; nothing of no report."""
    found: dict[str, Verdict] = {}
    if report is None:
        return found
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

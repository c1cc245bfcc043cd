"""Reports as one HTML file to send to somebody: it loads nothing and needs no script."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from importlib.resources import files
from string import Template

from colab_gen.report import Report, Status
from colab_gen.reports.cells import CLASSES, MARKS, cell_html
from colab_gen.reports.image import versions
from colab_gen.reports.material import Named, cell_name, cells_of, count
from colab_gen.text import one_line

__all__ = ["page"]

_STATUSES: tuple[Status, ...] = ("passed", "failed", "not run")
_PACKAGES = {"python": "Python", "ipython": "IPython"}


def page(reports: Sequence[Named], *, made: datetime | None = None) -> str:
    """Return a whole HTML page: the verdict and the environment, then each notebook's cells.

    Notebooks that passed are folded up where there are several. Nothing of a notebook's own
    becomes live: its HTML is cleaned and shown in a frame that may do nothing.

    Args:
        reports: the names of the notebooks and how they went.
        made: when they were run, to be told at the top.
    """
    good = sum(report.passed for _, report in reports)
    if len(reports) == 1:
        verdict = f"{one_line(reports[0][0], 120)} {'passed' if good else 'failed'}"
    else:
        verdict = f"{good} of {len(reports)} notebooks passed"
    template = files("colab_gen.reports").joinpath("page.html").read_text(encoding="utf-8")
    body = [_contents(reports) if len(reports) > 1 else "", _environment(reports)]
    body += [_notebook(number, *named, alone=len(reports) == 1)
             for number, named in enumerate(reports, 1)]  # fmt: skip
    return Template(template).substitute(
        title=escape(f"{verdict} · colab-gen"),
        head=_head(reports, verdict, all_good=good == len(reports), made=made),
        body="\n".join(filter(None, body)),
    )


def _head(reports: Sequence[Named], verdict: str, *, all_good: bool, made: datetime | None) -> str:
    kind, sign = ("good", "✓") if all_good else ("bad", "✗")
    seconds = sum(report.seconds for _, report in reports)
    when = f" · {made:%Y-%m-%d %H:%M %Z}".rstrip() if made else ""
    return (
        f'<h1><span class="sign {kind}" aria-hidden="true">{sign}</span> {escape(verdict)}</h1>\n'
        f'<p class="lead">{_counts([report for _, report in reports])} · '
        f"{seconds:.1f}&nbsp;s in all, executed by colab-gen in a stand-in of Colab{when}</p>"
    )


def _contents(reports: Sequence[Named]) -> str:
    rows = []
    for number, (name, report) in enumerate(reports, 1):
        cells = "".join(f'<td class="number">{count(report, status)}</td>' for status in _STATUSES)
        rows.append(
            f'<tr><th scope="row"><a href="#n{number}">{escape(one_line(name, 200))}</a></th>'
            f'<td>{_badge(report)}</td>{cells}<td class="number">{report.seconds:.1f}</td></tr>'
        )
    heads = "".join(
        f'<th scope="col" class="number">{text}</th>'
        for text in ("Passed", "Failed", "Not run", "Seconds")
    )
    return (
        '<section class="box"><h2>Notebooks</h2>'
        '<div class="scroll names" tabindex="0" role="region" '
        f'aria-label="Notebooks"><table><thead><tr><th scope="col">Notebook</th>'
        f'<th scope="col">Verdict</th>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
        "</div></section>"
    )


def _environment(reports: Sequence[Named]) -> str:
    found = versions(reports)
    rows = "".join(
        f'<tr><th scope="row">{_PACKAGES.get(v.package, v.package)}</th><td>{escape(v.here)}</td>'
        f"<td>{escape(v.colab)}</td><td>{_compared(v.same)}</td></tr>"
        for v in found
    )
    table = (
        '<div class="scroll versions"><table><thead><tr><th scope="col">Package</th>'
        '<th scope="col">Here</th><th scope="col">On Colab</th>'
        '<th scope="col">Compared</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )
    limits = dict.fromkeys(limit for _, report in reports for limit in report.limits)
    stood_in = f"<p>Not stood in for on this machine:</p>{_items(limits)}" if limits else ""
    if not found and not limits:
        return ""
    return f'<section class="box"><h2>Environment</h2>{table if found else ""}{stood_in}</section>'


def _compared(same: bool) -> str:
    kind, text = ("good", "✓ the same") if same else ("none", "≠ differs")
    return f'<span class="badge {kind}">{text}</span>'


def _notebook(number: int, name: str, report: Report, *, alone: bool) -> str:
    shown = " open" if alone or not report.passed else ""
    outcomes = {outcome.cell: outcome for outcome in report.outcomes}
    cells = "\n".join(
        cell_html(cell, outcomes.get(index), f"n{number}-c{index}")
        for index, cell in enumerate(cells_of(report))
    )
    return (
        f'<article class="notebook" id="n{number}"><details{shown}><summary>'
        f"<h2>{escape(one_line(name, 200))}</h2>{_badge(report)}"
        f'<p class="quiet">{_counts([report])} · {report.seconds:.1f}&nbsp;s</p></summary>'
        f'<div class="inside">{_faults(number, report)}{_facts(report)}\n{cells}</div>'
        "</details></article>"
    )


def _faults(number: int, report: Report) -> str:
    parts = [f'<p class="fault">{escape(one_line(text, 500))}</p>' for text in report.problems]
    parts += [
        f'<p class="fault"><a href="#n{number}-c{o.cell}">{escape(cell_name(o))}</a><br>'
        f"{escape(one_line(o.message, 500))}</p>"
        for o in report.outcomes
        if o.status == "failed"
    ]
    return "".join(parts)


def _facts(report: Report) -> str:
    facts = (
        ("asked of the page", "request", report.requests),
        ("written to Drive", "file", report.drive),
        ("downloaded", "file", report.downloads),
    )
    parts = [
        f"<details><summary>{_number(len(lines), noun)} {label}</summary>{_items(lines)}</details>"
        for label, noun, lines in facts
        if lines
    ]
    return f'<div class="facts">{"".join(parts)}</div>' if parts else ""


def _items(lines: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(one_line(line, 300))}</li>' for line in lines)}</ul>"


def _badge(report: Report) -> str:
    status = "passed" if report.passed else "failed"
    return f'<span class="badge {CLASSES[status]}">{MARKS[status]}</span>'


def _counts(reports: Sequence[Report]) -> str:
    totals = {status: sum(count(r, status) for r in reports) for status in _STATUSES}
    problems = sum(len(report.problems) for report in reports)
    parts = [f"{number} {status}" for status, number in totals.items() if number]
    cells = _number(sum(totals.values()), "code cell")
    texts = [f"{cells}: {', '.join(parts)}"] if parts else []
    texts += [f"{_number(problems, 'problem')} found before the run"] if problems else []
    return "; ".join(texts) or "no code cells"


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

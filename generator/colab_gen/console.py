"""What the command prints: results on stdout, prose on stderr."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from colab_gen.catalog import Catalog
from colab_gen.form import Parameter, literal
from colab_gen.plan import Plan
from colab_gen.snippet import Snippet

if TYPE_CHECKING:
    from colab_gen.job import Result
    from colab_gen.report import Outcome, Report

__all__ = [
    "catalog_data",
    "highlighted",
    "print_catalog",
    "print_json",
    "print_outcome",
    "print_plan",
    "print_report",
    "print_result",
    "print_start",
    "say",
    "snippet_data",
    "tell",
]

_MARKS = {"passed": ("ok", "green"), "failed": ("FAILED", "red"), "not run": ("not run", "yellow")}


def say(text: str, **style: Any) -> None:
    """Print prose, which is not the result, on stderr."""
    click.secho(text, err=True, **style)


def tell(text: str) -> None:
    """Print a part of the result."""
    click.echo(text)


def print_json(data: object) -> None:
    """Print the result for a program to read."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False))


def print_catalog(catalog: Catalog, *, parameters: bool) -> None:
    """Print the features, one a line; with `parameters` also their form fields."""
    width = max(map(len, catalog.features), default=0)
    for name in catalog.features:
        snippet = catalog.snippets[name]
        click.echo(
            click.style(f"{name:<{width}}", bold=True)
            + f"  {snippet.section:<8}  {snippet.summary}"
        )
        if parameters:
            if snippet.requires:
                click.echo(f"{'':<{width}}  requires {', '.join(snippet.requires)}")
            for parameter in snippet.parameters:
                click.echo(
                    f"{'':<{width}}  {parameter.name} = {literal(parameter.default)}  "
                    + click.style(_takes(parameter), dim=True)
                )


def catalog_data(catalog: Catalog) -> list[dict[str, Any]]:
    """Return the features as plain data."""
    return [snippet_data(catalog.snippets[name]) for name in catalog.features]


def snippet_data(snippet: Snippet) -> dict[str, Any]:
    """Return a snippet as plain data: its front matter, parameters, and cells."""
    return {
        "name": snippet.name,
        "title": snippet.title,
        "summary": snippet.summary,
        "section": snippet.section,
        "requires": list(snippet.requires),
        "parameters": [
            {
                "name": p.name,
                "kind": p.kind,
                "default": p.default,
                "options": list(p.options),
                "minimum": p.minimum,
                "maximum": p.maximum,
                "step": p.step,
            }
            for p in snippet.parameters
        ],
    }


def highlighted(snippet: Snippet) -> str:
    """Return the text and code of a snippet, coloured for a terminal."""
    from pygments import highlight  # a second's worth of imports that only `show` needs
    from pygments.formatters import TerminalFormatter
    from pygments.lexers import MarkdownLexer, PythonLexer

    parts = []
    for cell in snippet.cells:
        lexer = MarkdownLexer() if cell.kind == "markdown" else PythonLexer()
        parts.append(highlight(cell.source, lexer, TerminalFormatter()).rstrip())
    return "\n\n".join(parts)


def print_plan(plan: Plan, path: str) -> None:
    """Print what a notebook would hold."""
    asked = plan.recipe.features
    click.echo(f"{path}: {plan.recipe.title}")
    for step in plan.steps:
        if step.snippet.always:
            continue
        note = "" if step.name in asked else "  (required)"
        click.echo(f"  {step.name:<10} {step.title}{note}")
        for name, value in step.values.items():
            click.echo(f"  {'':<10} {name} = {literal(value)}")


def print_start(name: str, notebook: Mapping[str, Any], *, on_colab: bool = False) -> None:
    """Print that a notebook begins to run, and where, on stderr."""
    where = "on a machine of Colab" if on_colab else "in a stand-in of Colab"
    cells = sum(cell.get("cell_type") == "code" for cell in notebook["cells"])
    say(f"{name}: running {cells} code cell{'' if cells == 1 else 's'} {where}")


def print_outcome(outcome: "Outcome") -> None:
    """Print how one cell went, on stderr, while the notebook runs."""
    mark, colour = _MARKS[outcome.status]
    line = f"  {click.style(f'{mark:>7}', fg=colour)} {outcome.seconds:6.1f} s  {outcome.title}"
    click.echo(line, err=True)
    if outcome.message:
        click.echo(f"                    {outcome.message}", err=True)


def print_report(name: str, report: "Report") -> None:
    """Print how a notebook went: one line a person understands, then what came of it."""
    counts = [str(o.status) for o in report.outcomes]
    verdict = (
        click.style("passed", fg="green") if report.passed else click.style("FAILED", fg="red")
    )
    parts = [f"{counts.count(s)} {s}" for s in _MARKS if counts.count(s)]
    cells = f"{', '.join(parts)} of {len(counts)} cells" if counts else "nothing was run"
    click.echo(f"{name}: {verdict}, {cells}, {report.seconds:.1f} s")
    for problem in report.problems:
        click.echo(f"  {problem}")
    for outcome in report.outcomes:
        if outcome.status == "failed":
            click.echo(f"  {outcome.id} ({outcome.title}): {outcome.message}")
    for label, paths in (("downloaded", report.downloads), ("written to Drive", report.drive)):
        if paths:
            click.echo(f"  {label}: {_few(paths)}")
    for limit in report.limits:
        say(f"  not stood in for: {limit}", dim=True)


def print_result(result: "Result") -> None:
    """Print the report of a notebook, or in its place why there is none."""
    if result.report:
        print_report(result.name, result.report)
    else:
        verdict = click.style("FAILED, ", fg="red") if result.code else ""
        click.echo(f"{result.name}: {verdict}{result.fault}")


def _few(paths: tuple[str, ...], limit: int = 8) -> str:
    more = f" and {len(paths) - limit} more" if len(paths) > limit else ""
    return ", ".join(paths[:limit]) + more


def _takes(parameter: Parameter) -> str:
    if parameter.options:
        return "one of " + ", ".join(map(str, parameter.options))
    if parameter.minimum is not None or parameter.maximum is not None:
        return f"{parameter.kind} from {parameter.minimum} to {parameter.maximum}"
    return parameter.kind

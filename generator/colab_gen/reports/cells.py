"""The cells of a notebook as HTML: text, code, how it went, what came out."""

from collections.abc import Mapping
from html import escape
from typing import Any

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import BashLexer, HtmlLexer, JavascriptLexer, PythonLexer

from colab_gen.report import Outcome
from colab_gen.reports.material import error_text, joined, writable
from colab_gen.reports.outputs import outputs_html, preformatted
from colab_gen.reports.prose import prose
from colab_gen.text import one_line

__all__ = ["CLASSES", "MARKS", "cell_html"]

# Said in words and signs, so that nothing hangs on telling two colours apart.
MARKS = {"passed": "✓ passed", "failed": "✗ failed", "not run": "○ not run"}
CLASSES = {"passed": "good", "failed": "bad", "not run": "none"}

_MAGICS: Mapping[str, type[Lexer]] = {
    "%%bash": BashLexer, "%%sh": BashLexer, "%%shell": BashLexer, "%%html": HtmlLexer,
    "%%javascript": JavascriptLexer, "%%js": JavascriptLexer,
}  # fmt: skip
_LONG = 24  # lines of code that are shown unasked


def cell_html(cell: Mapping[str, Any], outcome: Outcome | None, anchor: str) -> str:
    """Return one cell; `outcome` is None for text, and for code that nobody tried to run."""
    source = joined(cell.get("source"))
    if cell.get("cell_type") == "markdown":
        return f'<div class="cell prose">{prose(source, cell.get("attachments"))}</div>'
    if cell.get("cell_type") != "code":
        return f'<div class="cell">{preformatted(writable(source), "result", "Raw cell")}</div>'
    if not outcome:
        return f'<div class="cell">{_code(cell, source, failed=False)}</div>'
    failed = outcome.status == "failed"
    parts = [
        _head(outcome),
        _code(cell, source, failed=failed),
        outputs_html(cell.get("outputs")),
    ]
    if failed and not _told(outcome, cell.get("outputs")):
        parts.append(f'<p class="fault">{escape(one_line(outcome.message, 500))}</p>')
    label = escape(f"Code cell {one_line(outcome.id, 80) or outcome.cell}")
    return (
        f'<section class="cell ran {CLASSES[outcome.status]}" id="{anchor}" aria-label="{label}">'
        f"{''.join(parts)}</section>"
    )


def _told(outcome: Outcome, outputs: object) -> bool:
    """Tell if the message stands in the traceback, where it need not be said again."""
    texts = [
        error_text(output)
        for output in (outputs if isinstance(outputs, list) else ())
        if isinstance(output, Mapping) and output.get("output_type") == "error"
    ]
    return outcome.message.removesuffix("…") in " ".join(" ".join(texts).split())


def _head(outcome: Outcome) -> str:
    name = one_line(outcome.id, 80) or f"cell {outcome.cell}"
    seconds = f"{outcome.seconds:.1f} s" if outcome.status != "not run" else ""
    return (
        f'<header><span class="badge {CLASSES[outcome.status]}">{MARKS[outcome.status]}</span>'
        f"<strong>{escape(one_line(outcome.title, 80)) or 'Code'}</strong>"
        f'<span class="quiet">{escape(name)}</span><span class="time">{seconds}</span></header>'
    )


def _code(cell: Mapping[str, Any], source: str, *, failed: bool) -> str:
    if not source.strip():
        return ""
    lines = source.rstrip("\n").count("\n") + 1
    metadata = cell.get("metadata")
    form = isinstance(metadata, Mapping) and metadata.get("cellView") == "form"
    shown = " open" if failed or (lines <= _LONG and not form) else ""
    count = "1 line" if lines == 1 else f"{lines} lines"
    return (
        f"<details{shown}><summary>Code, {count}</summary>"
        f'<pre class="code" tabindex="0" role="region" aria-label="Code">'
        f"{_highlighted(source)}</pre></details>"
    )


def _highlighted(source: str) -> str:
    magic = source.lstrip().split(maxsplit=1)[0]
    lexer = _MAGICS.get(magic, PythonLexer)(stripnl=False)
    return highlight(writable(source), lexer, HtmlFormatter(nowrap=True)).rstrip("\n")

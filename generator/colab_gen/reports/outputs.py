"""What a cell put out, as HTML that runs nothing and loads nothing."""

import base64
import re
from collections.abc import Mapping
from html import escape
from itertools import groupby
from typing import Any

from colab_gen.reports.cleaned import cleaned
from colab_gen.reports.material import as_printed, error_text, joined, writable
from colab_gen.reports.prose import image_source, prose
from colab_gen.text import one_line

__all__ = ["outputs_html", "preformatted"]

# A cell may print megabytes, which nobody reads and no browser scrolls well.
_LONGEST_TEXT = 60_000
_LONGEST_HTML = 3_000_000  # a grid of images may come to two
_FRAME = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
    "style-src 'unsafe-inline'\"><style>body{{margin:8px;background:#fff;color:#1f2328;"
    "font:14px/1.45 system-ui,sans-serif}}table{{border-collapse:collapse;border:0}}"
    "td,th{{padding:3px 10px;border:0;border-bottom:1px solid #d9dde1;text-align:right}}"
    "img{{max-width:100%}}</style></head><body>{}</body></html>"
)


def outputs_html(outputs: object) -> str:
    """Return the outputs of a cell in their order, each of them in its richest safe form."""
    found = [o for o in outputs if isinstance(o, Mapping)] if isinstance(outputs, list) else []
    parts: list[str] = []
    for kind, group in groupby(found, key=_stream):
        if kind:  # prints that came apart are one text, in which a \r may reach back
            text = "".join(joined(output.get("text")) for output in group)
            parts.append(preformatted(as_printed(text), kind, f"Output, {kind}"))
        else:
            parts.extend(map(_other, group))
    return "\n".join(filter(None, parts))


def preformatted(text: str, kind: str, label: str) -> str:
    """Return text as it stands in a box that scrolls; of very much text, its two ends."""
    if len(text) > _LONGEST_TEXT:
        half = _LONGEST_TEXT // 2
        left = len(text) - 2 * half
        text = f"{text[:half]}\n\n… {left:,} characters are left out here …\n\n{text[-half:]}"
    # Who reads with the keyboard can only scroll what takes the focus.
    return (
        f'<pre class="{kind}" tabindex="0" role="region" aria-label="{escape(label)}">'
        f"{escape(text)}</pre>"
    )


def _stream(output: Mapping[Any, Any]) -> str:
    if output.get("output_type") != "stream":
        return ""
    return "stderr" if output.get("name") == "stderr" else "stdout"


def _other(output: Mapping[Any, Any]) -> str:
    if output.get("output_type") == "error":
        return preformatted(error_text(output), "error", "Error")
    data = output.get("data")
    return _displayed(data) if isinstance(data, Mapping) else ""


def _displayed(data: Mapping[Any, Any]) -> str:
    plain = as_printed(joined(data.get("text/plain")))
    for kind, content in data.items():
        if source := image_source(kind, content):
            return _picture(source, plain)
    if svg := joined(data.get("image/svg+xml")):
        # As the source of a picture, SVG can neither run scripts nor load anything.
        coded = base64.b64encode(writable(svg).encode()).decode()
        return _picture(f"data:image/svg+xml;base64,{coded}", plain)
    html = joined(data.get("text/html"))
    if len(html) <= _LONGEST_HTML and (shown := cleaned(writable(html))):
        return _framed(shown, plain)
    if text := joined(data.get("text/markdown")):
        return f'<div class="prose">{prose(text)}</div>'
    if plain:
        return preformatted(plain, "result", "Result")
    kinds = ", ".join(one_line(kind, 60) for kind in data)
    return f'<p class="quiet">Not shown here: {escape(kinds or "nothing")}</p>'


def _picture(source: str, plain: str) -> str:
    alt = one_line(plain.strip("<>\n "), 200) or "A picture that the cell put out"
    return f'<img src="{escape(source)}" alt="{escape(alt)}">'


def _framed(html: str, plain: str) -> str:
    lines = len(re.findall(r"<(?:tr|p|li|br|h\d|div)\b", html))
    pictures = html.count("<img ")
    height = min(max(60, 30 + 27 * lines + 120 * pictures), 480)
    frame = (
        f'<iframe sandbox="" title="HTML that the cell put out" '
        f'style="height:{height}px" srcdoc="{escape(_FRAME.format(html))}"></iframe>'
    )
    if not plain or re.fullmatch(r"<[\w.]+ object>", plain):
        return frame
    text = preformatted(plain, "result", "The same as text")
    return f"{frame}<details><summary>The same as text</summary>{text}</details>"

"""Markdown of a notebook as HTML that is safe to open: no markup of its own, no remote image."""

import re
from collections.abc import Mapping
from html import escape, unescape
from typing import Any

import mistune

from colab_gen.reports.material import joined, writable

__all__ = ["image_source", "prose"]

_PICTURES = ("image/png", "image/jpeg", "image/gif")
_DATA = re.compile(r"data:(image/(?:png|jpeg|gif));base64,(.+)", re.IGNORECASE | re.DOTALL)
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_LINK = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)


def prose(text: str, attachments: object = None) -> str:
    """Return Markdown as HTML, its headings two levels down, below those of the page.

    Args:
        text: the Markdown; HTML in it is shown as it was written.
        attachments: the cell's own pictures, by name, as nbformat keeps them.
    """
    renderer = _Renderer(attachments if isinstance(attachments, Mapping) else {})
    plugins = ["strikethrough", "table", "url", "math"]
    text = writable(text)
    try:
        return str(mistune.create_markdown(renderer=renderer, plugins=plugins)(text))
    except RecursionError:
        return f"<pre>{escape(text)}</pre>"


def image_source(kind: str, data: object) -> str:
    """Return a data: address of a picture; an empty string for what is not one of base64."""
    text = "".join(joined(data).split())
    if kind not in _PICTURES or not _BASE64.fullmatch(text):
        return ""
    return f"data:{kind};base64,{text}"


class _Renderer(mistune.HTMLRenderer):
    """Writes each address and each text itself, so that no setting can let one through."""

    def __init__(self, attachments: Mapping[Any, Any]) -> None:
        super().__init__(escape=True)
        self._attachments = attachments

    def heading(self, text: str, level: int, **_attributes: Any) -> str:
        level = min(level + 2, 6)
        return f"<h{level}>{text}</h{level}>\n"

    def link(self, text: str, url: str, title: str | None = None) -> str:
        # A picture that became a link would be a link in a link.
        text = re.sub(r"</?a\b[^>]*>", "", text)
        url = unescape(url).strip()
        if not _LINK.match(url):
            return text
        more = f' title="{escape(unescape(title))}"' if title else ""
        return f'<a href="{escape(url)}" rel="noreferrer noopener"{more}>{text}</a>'

    def image(self, text: str, url: str, title: str | None = None) -> str:
        alt = escape(re.sub(r"<[^>]*>", "", unescape(text)))
        url = unescape(url).strip()
        if source := self._picture(url):
            return f'<img src="{source}" alt="{alt}">'
        return self.link(f"[picture: {alt or escape(title or 'without a title')}]", url)

    def _picture(self, url: str) -> str:
        if found := _DATA.fullmatch(url):
            return image_source(found[1].lower(), found[2])
        if url.startswith("attachment:"):
            data = self._attachments.get(url.removeprefix("attachment:"))
            for kind, content in data.items() if isinstance(data, Mapping) else ():
                if source := image_source(kind, content):
                    return source
        return ""

    def block_code(self, code: str, info: str | None = None) -> str:
        return f'<pre class="code">{escape(code)}</pre>\n'

    def inline_html(self, html: str) -> str:
        return escape(html)

    def block_html(self, html: str) -> str:
        return f"<p>{escape(html.strip())}</p>\n"

    def inline_math(self, text: str) -> str:
        return f'<code class="math">{escape(unescape(text))}</code>'

    def block_math(self, text: str) -> str:
        return f'<pre class="math">{escape(unescape(text))}</pre>\n'

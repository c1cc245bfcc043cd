"""HTML that a cell put out, rebuilt from what only shows something."""

import re
from html import escape
from html.parser import HTMLParser

__all__ = ["cleaned"]

_TAGS = (
    "a abbr b blockquote br caption center code col colgroup dd del details div dl dt em figcaption"
    " figure font h1 h2 h3 h4 h5 h6 hr i img kbd li mark ol p pre q s samp small span strong style"
    " sub summary sup table tbody td tfoot th thead tr u ul var wbr"
)
_SHOWN = frozenset(_TAGS.split())
_WITHOUT_CONTENT = frozenset(("br", "col", "hr", "img", "wbr"))
# What is between the tags of these is not for reading.
_DROPPED = frozenset(("iframe", "noscript", "object", "script", "template", "textarea", "title"))
_HARMLESS = (
    "align alt bgcolor border cellpadding cellspacing class color colspan dir face height id"
    " lang open rowspan scope size span src start style title type valign value width"
)
_ATTRIBUTES = frozenset(_HARMLESS.split())
_ADDRESSES = {
    "href": re.compile(r"https?://.*", re.IGNORECASE | re.DOTALL),
    "src": re.compile(r"data:image/(?:png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]+", re.I),
}

# CSS that may load something; a backslash can spell any of it in another way.
_LOADING = re.compile(r"url\s*\(|@import|image|\\", re.IGNORECASE)


def cleaned(html: str) -> str:
    """Return the markup without anything that runs, loads or sends; empty if nothing is to see."""
    rebuilder = _Rebuilder()
    rebuilder.feed(html)
    rebuilder.close()
    return "".join(rebuilder.parts).strip() if rebuilder.visible else ""


class _Rebuilder(HTMLParser):
    """Collects tags, attributes and text that are known to be harmless, written anew."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.visible = False
        self._dropping = ""
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED and not self._dropping:
            self._dropping = tag
        if self._dropping or tag not in _SHOWN:
            return
        pairs = [(name, value or "") for name, value in attrs]
        kept = "".join(f' {name}="{escape(value)}"' for name, value in pairs if _may(name, value))
        self.parts.append(f"<{tag}{kept}>")
        self.visible = self.visible or (tag == "img" and " src=" in kept)
        self._in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        if tag == self._dropping:
            self._dropping = ""
        elif not self._dropping and tag in _SHOWN - _WITHOUT_CONTENT:
            self.parts.append(f"</{tag}>")
            self._in_style = False

    def handle_data(self, data: str) -> None:
        if self._dropping:
            return
        if self._in_style:
            # Browsers may see the end of a style where this parser does not.
            self.parts.append("" if "<" in data or _LOADING.search(data) else data)
        else:
            self.parts.append(escape(data))
            self.visible = self.visible or bool(data.strip())


def _may(name: str, value: str) -> bool:
    if name == "style":
        return not _LOADING.search(value)
    if address := _ADDRESSES.get(name):
        return bool(address.fullmatch(value))
    return name in _ATTRIBUTES

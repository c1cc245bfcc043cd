"""Stand-ins of Colab's page through the years, and a browser's tab to open them in."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

URL = "https://colab.test/"
# Colab's page takes no text as script, so the tests' page takes none either.
CSP = "require-trusted-types-for 'script'; script-src 'nonce-t'"
MODEL = Path(__file__).with_name("pages").joinpath("colab.js").read_text("utf-8")
START = 1_790_000_000  # seconds; any moment does

COMMANDS = '<colab-toolbar-button id="commands">Commands</colab-toolbar-button>'
DISCONNECT = '<colab-toolbar-button id="disconnect">Disconnect</colab-toolbar-button>'
EDITOR = """<div class="cell"><h2 id="connect">How to connect</h2>
<textarea id="editor"></textarea></div>"""
TODAY = f"""<colab-notebook-toolbar id="top-toolbar">{COMMANDS}
<colab-connect-button></colab-connect-button></colab-notebook-toolbar>{EDITOR}"""
TOOLBAR_2019 = f"""<div id="top-toolbar">
<colab-toolbar-button id="connect"></colab-toolbar-button>{COMMANDS}</div>{EDITOR}"""
BARE_2019 = f"""<div id="top-toolbar">{COMMANDS}<div id="connect"></div></div>{EDITOR}"""
NO_BUTTON = f"<div id='top-toolbar'>{COMMANDS}</div>{EDITOR}"


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page: its elements, and how its session and its button behave.

    `element` is the selector of the button. `question` is an element that asks the user something,
    from one minute to another. `opens` is what a click while connected opens, after `wait`
    milliseconds; `opened` is the same, open from the start. `redraw` is in minutes.
    """

    body: str = TODAY
    element: str = "colab-connect-button"
    state: str = "connected"
    language: str = "en"
    opens: str = "colab-usage-display"
    wait: int = 50
    opened: bool = False
    redraw: float = 0
    refused: bool = False
    question: tuple[str, float, float] | None = None

    @property
    def html(self) -> str:
        settings = {k: v for k, v in vars(self).items() if k not in ("body", "language")}
        return (
            f"<!doctype html><html lang={self.language}><body>{self.body}"
            f"<script nonce=t>{MODEL}\nwindow.colab = new Colab({json.dumps(settings)});</script>"
        )


PAGES = {
    "2019, toolbar button": Page(body=TOOLBAR_2019, element="#top-toolbar > #connect", opens=""),
    "2019, bare `#connect`": Page(body=BARE_2019, element="#top-toolbar > #connect", opens=""),
    "2020, sessions dialog": Page(opens="colab-sessions-dialog"),
    "today, connected": Page(),
    "busy": Page(state="busy"),
    "connecting, then connected": Page(state="connecting"),
    "disconnected": Page(state="offered"),
    "disconnected, no machine to be had": Page(state="offered", refused=True),
    "panel comes after 2 s": Page(wait=2000),
    "panel opened by the user": Page(opened=True),
    "button replaced every 3 minutes": Page(redraw=3.1),
    "toolbar renamed": Page(body=TODAY.replace("top-toolbar", "bar").replace("notebook", "main")),
    "in German": Page(language="de"),
    "in German, disconnected": Page(language="de", state="offered"),
    "Disconnect control nearby": Page(body=TODAY.replace(COMMANDS, DISCONNECT + COMMANDS)),
    "the button says Disconnect": Page(state="leaving"),
    "no button": Page(body=NO_BUTTON),
    "dialog open, 20 minutes": Page(question=("mwc-dialog", 0, 20.3)),
    "captcha, minutes 30 to 50": Page(question=("colab-recaptcha-dialog", 29.8, 50.3)),
}


class Tab:
    """A tab whose time stands still until it is told to pass."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.html = ""
        self.names: set[str] = set()
        self.logged: list[str] = []
        self.faults: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.logged.append(message.text))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.route("**/*", self._answer)
        page.clock.install(time=START)
        page.clock.pause_at(START + 1)
        self.console = page.context.new_cdp_session(page)

    def _answer(self, route: Any) -> None:
        headers = {"Content-Security-Policy": CSP}
        route.fulfill(body=self.html, content_type="text/html", headers=headers)

    def open(self, page: Page | None = None, more: str = "") -> None:
        """Open a page; `more` is HTML that comes first in it."""
        self.html = (page or Page()).html.replace("<body>", f"<body>{more}")
        self.faults.clear()
        self.names = set()
        self.page.goto(URL)
        assert self.faults == []
        self.names = self.globals()
        self.logged.clear()
        self.requests.clear()

    def run(self, expression: str) -> Any:
        """Evaluate as the browser's console does."""
        answer = self.console.send(
            "Runtime.evaluate",
            {"expression": expression, "replMode": True, "returnByValue": True},
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def globals(self) -> set[str]:
        """Return the names of the page's globals that were not there when it was opened."""
        return set(self.run("Object.getOwnPropertyNames(window)")) - self.names

    def pass_minutes(self, minutes: float) -> None:
        try:
            self.page.clock.run_for(int(minutes * 60_000))
        except Exception as error:
            if not str(error).startswith("Clock.run_for: "):
                raise
            self.faults.append(str(error))  # what a timer of the page threw

    @property
    def clicks(self) -> list[str]:
        return list(self.run("colab.clicks"))

    @property
    def said(self) -> list[str]:
        """The console's lines but for the time at their ends, without the one at the start."""
        return [re.sub(r" \([\d:]+.*\)$", "", line) for line in self.logged][1:]

    def report(self) -> dict[str, Any]:
        """Return what the page has seen: clicks, focus, panels, the session."""
        return dict(self.run("({ ...colab, face: 0 })"))

    def outcome(self, began: str) -> str:
        """Say in a few words what a script came to on a page that began in that state."""
        seen = self.report()
        other = sorted(set(seen["clicks"]) - {"connect"})
        connected = seen["state"] in ("connected", "busy")
        lost = seen["idled"] or seen["ended"]
        words = {
            "throws": self.faults,
            f"clicks {', '.join(other)}": other,
            "clicks behind a question": seen["behind"],
            "leaves a panel open": seen["disturbed"]["panel"],
            "takes the focus": seen["disturbed"]["focus"],
            "ends the session": seen["ended"],
            "idles out": seen["idled"] and not connected,
            "not connected": not (seen["idled"] or connected),
            "reconnects": lost and connected,
            "connects": not lost and connected and began == "offered",
            "stays connected": not lost and connected and began != "offered",
        }
        return ", ".join(word for word, true in words.items() if true)

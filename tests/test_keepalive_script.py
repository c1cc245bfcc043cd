"""The page script of the keepalive snippet, in a real browser on stand-ins of Colab's page."""

import re
import shutil
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

SNIPPET = Path(__file__).parents[1] / "snippets" / "keepalive.md"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
URL = "https://colab.test/"
# Colab's page takes no text as script, so the tests' page takes none either.
CSP = "require-trusted-types-for 'script'; script-src 'nonce-t'"

COMMANDS = '<colab-toolbar-button id="commands">Commands</colab-toolbar-button>'
EDITOR = (
    '<div class="cell"><h2 id="connect">How to connect</h2><textarea id="editor"></textarea></div>'
)
CONNECTED = "Connected to Python 3 Google Compute Engine backend\nRAM: 1.2 GB/12.67 GB"
OFFERED = "Click to connect"

TODAY = f"""
<colab-notebook-toolbar id="top-toolbar">{COMMANDS}<colab-connect-button></colab-connect-button>
</colab-notebook-toolbar>{EDITOR}
"""
TOOLBAR_2019 = f"""
<div id="top-toolbar">{COMMANDS}
<colab-toolbar-button id="connect">Connect</colab-toolbar-button></div>
{EDITOR}
"""
BARE_2019 = f"{EDITOR}<div id='top-toolbar'>{COMMANDS}<div id='connect'>Connect</div></div>"
NO_BUTTON = f"<div id='top-toolbar'>{COMMANDS}</div>{EDITOR}"

# Draws what stands in today's shadow root, notes every click by the innermost element's
# id, and opens or closes a panel that takes the focus, as the real page does.
PAGE_SCRIPT = """
window.clicks = [];
window.keys = 0;
document.addEventListener("keydown", () => window.keys++, true);
document.addEventListener("click", (e) => {
  const element = e.composedPath()[0];
  clicks.push(element.closest("#connect") && !element.closest(".cell")
    ? "connect" : element.id || element.localName);
}, true);
window.draw = (tooltip, label) => {
  const host = document.querySelector("colab-connect-button");
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  const make = (id, text) => {
    const element = document.createElement("colab-toolbar-button");
    element.id = id;
    element.textContent = text;
    return element;
  };
  const button = make("connect", label);
  if (tooltip) button.setAttribute("tooltiptext", tooltip);
  button.addEventListener("click", () => window.clicked?.());
  root.replaceChildren(make("connect-icon", ""), button, make("connect-dropdown", "v"));
};
window.panel = (name, wait) => {
  window.clicked = () => setTimeout(() => {
    const old = document.querySelector(name);
    if (old) return old.remove();
    const made = document.createElement(name);
    made.append(document.createElement("input"));
    document.body.append(made);
    made.firstChild.focus();
  }, wait);
};
"""


def script(mode: str = "click", hours: int = 12) -> str:
    """Return the script as the snippet's cell makes it."""
    code = re.findall(r"^```python\n(.*?)^```$", SNIPPET.read_text("utf-8"), re.M | re.S)[0]
    code = re.sub(r'^keepalive_mode = "\w+"', f'keepalive_mode = "{mode}"', code, flags=re.M)
    code = re.sub(r"^keepalive_hours = \d+", f"keepalive_hours = {hours}", code, flags=re.M)
    names: dict[str, Any] = {}
    exec(compile(code, str(SNIPPET), "exec"), names)
    return str(names["KEEPALIVE_SCRIPT"])


class Tab:
    """A page whose time stands still until it is told to pass."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.logged: list[str] = []
        self.faults: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.logged.append(message.text))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def open(self, body: str, tooltip: str = CONNECTED, label: str = "") -> None:
        html = f"<!doctype html><body>{body}<script nonce='t'>{PAGE_SCRIPT}</script></body>"
        self.page.route(
            "**/*",
            lambda route: route.fulfill(
                body=html, content_type="text/html", headers={"Content-Security-Policy": CSP}
            ),
        )
        self.page.clock.install()
        self.page.goto(URL)
        self.console = self.page.context.new_cdp_session(self.page)
        if "<colab-connect-button>" in body:
            self.run(f"draw({tooltip!r}, {label!r})")
        self.requests.clear()

    def run(self, expression: str) -> Any:
        """Evaluate as the browser's console does."""
        answer = self.console.send(
            "Runtime.evaluate",
            {"expression": expression, "replMode": True, "returnByValue": True},
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def pass_minutes(self, minutes: float) -> None:
        self.page.clock.run_for(int(minutes * 60_000))

    @property
    def clicks(self) -> list[str]:
        return list(self.run("clicks"))

    @property
    def said(self) -> list[str]:
        """The console's lines but for the time at their ends, without the one at the start."""
        return [re.sub(r" \([\d:]+.*\)$", "", line) for line in self.logged][1:]


@pytest.fixture(scope="module")
def browser(request: pytest.FixtureRequest) -> Iterator[Any]:
    path = next(filter(None, map(shutil.which, CHROMIUM)), None)
    lacking = "no Chromium" if path is None else ""
    if find_spec("playwright") is None:
        lacking = "no playwright"
    if lacking:
        if "browser" in (request.config.getoption("--require", default="") or ""):
            pytest.fail(f"{lacking} found")
        pytest.skip(f"NOT CHECKED: {lacking} found")
    sync_api = import_module("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield started
        started.close()


@pytest.fixture
def tab(browser: Any) -> Iterator[Tab]:
    context = browser.new_context()
    made = Tab(context.new_page())
    yield made
    assert made.faults == []
    assert made.requests == []
    context.close()


@pytest.mark.parametrize("body", [TODAY, TOOLBAR_2019, BARE_2019])
def test_clicks_the_connect_button_once_a_minute(tab: Tab, body: str) -> None:
    tab.open(body)
    tab.run(script())
    assert tab.clicks == []
    tab.pass_minutes(3.5)
    assert tab.clicks == ["connect"] * 3
    assert tab.said == ["Working"] * 3
    assert all(re.search(r"\d\d?:\d\d:\d\d", line) for line in tab.logged)
    assert tab.run("keys") == 0


def test_says_that_there_is_no_button(tab: Tab) -> None:
    tab.open(NO_BUTTON)
    tab.run(script())
    tab.pass_minutes(2)
    assert tab.clicks == []
    assert tab.said == ["There is no connect button on this page"] * 2


def test_clicks_nothing_else_while_the_button_is_being_drawn(tab: Tab) -> None:
    tab.open(f"{TODAY}<a id='connect'>Connect with us</a>")
    tab.run("document.querySelector('colab-connect-button').shadowRoot.replaceChildren()")
    tab.run(script())
    tab.pass_minutes(1)
    assert tab.clicks == []
    tab.run(f"draw({CONNECTED!r}, '')")
    tab.pass_minutes(1)
    assert tab.clicks == ["connect"]


def test_finds_a_button_that_is_drawn_anew(tab: Tab) -> None:
    tab.open(TODAY)
    tab.run(script())
    for _ in range(3):
        tab.pass_minutes(1)
        tab.run("document.querySelector('colab-connect-button').replaceWith("
                "document.createElement('colab-connect-button'))")  # fmt: skip
        tab.run(f"draw({CONNECTED!r}, '')")
    assert tab.clicks == ["connect"] * 3


@pytest.mark.parametrize("name", ["colab-usage-display", "colab-sessions-dialog"])
@pytest.mark.parametrize("wait", [0, 100])
def test_closes_the_panel_it_opened_and_gives_the_focus_back(
    tab: Tab, name: str, wait: int
) -> None:
    tab.open(TODAY)
    tab.run(f"panel({name!r}, {wait})")
    tab.run(script())
    tab.run("document.querySelector('#editor').focus()")
    for minute in (1, 2, 3):
        tab.pass_minutes(1)
        tab.page.clock.run_for(1000)
        assert tab.clicks == ["connect"] * 2 * minute
        assert not tab.run(f"!!document.querySelector({name!r})")
        assert tab.run("document.activeElement.id") == "editor"
    assert tab.said == ["Working"] * 3


def test_leaves_a_panel_open_that_the_user_opened(tab: Tab) -> None:
    tab.open(TODAY)
    tab.run("panel('colab-usage-display', 0)")
    tab.run("document.querySelector('colab-connect-button').shadowRoot"
            ".querySelector('#connect').click()")  # fmt: skip
    tab.run(script())
    tab.pass_minutes(2.5)
    assert tab.run("!!document.querySelector('colab-usage-display')")


def test_gives_the_focus_back_into_a_shadow_root(tab: Tab) -> None:
    tab.open(f"{TODAY}<div id='shadow-editor'></div>")
    tab.run("""{
      const root = document.querySelector("#shadow-editor").attachShadow({ mode: "open" });
      root.append(document.createElement("textarea"), document.createElement("input"));
      root.querySelector("textarea").focus();
      window.clicked = () => root.querySelector("input").focus();
    }""")
    tab.run(script())
    tab.pass_minutes(1)
    focus = "document.querySelector('#shadow-editor').shadowRoot.activeElement.localName"
    assert tab.run(focus) == "textarea"


QUESTIONS = {
    "mwc": "<mwc-dialog class='yes-no-dialog' open>Are you still there?</mwc-dialog>",
    "md": "<md-dialog open style='display: contents'>Are you still there?</md-dialog>",
    "native": "<dialog open>Are you still there?<button id='yes'>Yes</button></dialog>",
    "paper": "<paper-dialog opened>Are you still there?<button id='ok'>OK</button></paper-dialog>",
    "colab": "<colab-dialog class='yes-no-dialog'>Are you still there?</colab-dialog>",
    "role": "<div role='dialog'>Are you still there?</div>",
    "alert": "<div role='alertdialog'>Are you still there?</div>",
    "captcha": "<colab-recaptcha-dialog></colab-recaptcha-dialog>",
    "challenge": "<iframe src='data:text/html,recaptcha'></iframe>",
}


@pytest.mark.parametrize("mode", ["click", "reconnect"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_waits_while_the_user_is_asked(tab: Tab, question: str, mode: str) -> None:
    tab.open(f"{TODAY}<div id='question'>{QUESTIONS[question]}</div>", OFFERED, "Reconnect")
    tab.run(script(mode))
    tab.pass_minutes(2)
    assert tab.clicks == []
    kind = "captcha" if question in ("captcha", "challenge") else "dialog"
    assert len(tab.said) == 2
    assert all(re.match(rf"Waiting: a {kind} \(.*please answer", line) for line in tab.said)
    tab.run("document.querySelector('#question').remove()")
    tab.pass_minutes(1)
    assert tab.clicks == ["connect"]


def test_waits_for_a_dialog_inside_a_shadow_root(tab: Tab) -> None:
    tab.open(f"{TODAY}<div id='host'></div>")
    tab.run("document.querySelector('#host').attachShadow({ mode: 'open' })"
            ".append(Object.assign(document.createElement('dialog'), { open: true }))")  # fmt: skip
    tab.run(script())
    tab.pass_minutes(1)
    assert tab.clicks == []


def test_is_not_held_up_by_what_is_closed(tab: Tab) -> None:
    closed = (
        "<mwc-dialog>x</mwc-dialog><dialog>x</dialog><md-dialog>x</md-dialog>"
        "<paper-dialog style='display: none'>x</paper-dialog>"
        "<div role='dialog' aria-hidden='true'>find</div>"
        "<div style='visibility: hidden'><colab-recaptcha-dialog></colab-recaptcha-dialog></div>"
        "<div class='grecaptcha-badge'><iframe src='data:,recaptcha'></iframe></div>"
    )
    tab.open(TODAY + closed)
    tab.run(script())
    tab.pass_minutes(1)
    assert tab.clicks == ["connect"]


def test_leaves_a_question_alone_that_a_click_raised(tab: Tab) -> None:
    tab.open(TODAY)
    tab.run("""
      document.querySelector("#editor").focus();
      window.clicked = () => {
        const dialog = document.createElement("dialog");
        dialog.className = "session";
        dialog.append(document.createElement("input"));
        document.body.append(dialog);
        dialog.show();
        dialog.firstChild.focus();
      };
    """)
    tab.run(script())
    tab.pass_minutes(3.5)
    assert tab.clicks == ["connect"]
    assert tab.run("document.activeElement.localName") == "input"


@pytest.mark.parametrize(
    ("tooltip", "label", "clicked"),
    [
        (OFFERED, "Connect", True),
        ("Connect to a new runtime", "Connect", True),
        ("Reconnect", "Reconnect T4", True),
        ("Not connected. Click to connect", "Connect", True),
        ("", "Reconnect", True),
        ("Klicken Sie hier", "Erneut verbinden", True),
        ("", "再接続", True),
        ("", "重新连接", True),
        (CONNECTED, "", False),
        ("Connected to a hosted runtime", "Connected", False),
        (OFFERED, "Connecting", False),
        ("Reconnecting", "Reconnecting", False),
        (OFFERED, "Allocating", False),
        ("Click to disconnect", "Disconnect", False),
        ("Verbunden mit dem Back-End\nRAM: 1,2 GB/12,67 GB", "", False),
        ("", "接続済み", False),
        ("", "", False),
        ("nicht bekannt", "etwas anderes", False),
    ],
)
def test_reconnects_only_when_that_is_offered(
    tab: Tab, tooltip: str, label: str, clicked: bool
) -> None:
    tab.open(TODAY, tooltip, label)
    tab.run(script("reconnect"))
    tab.pass_minutes(2)
    assert tab.clicks == ["connect"] * 2 * clicked
    assert tab.said == ["Working" if clicked else "Working, nothing to reconnect"] * 2


def test_does_not_reconnect_while_the_resources_are_shown(tab: Tab) -> None:
    tab.open(TODAY, OFFERED)
    tab.run("document.querySelector('colab-connect-button').shadowRoot.querySelector('#connect')"
            ".append(Object.assign(document.createElement('div'),"
            " { id: 'connect-button-resource-display' }))")  # fmt: skip
    tab.run(script("reconnect"))
    tab.pass_minutes(1)
    assert tab.clicks == []


def test_pasted_twice_runs_once(tab: Tab) -> None:
    tab.open(TODAY)
    tab.run(script())
    tab.pass_minutes(0.5)
    tab.run(script())
    tab.pass_minutes(3.2)
    assert tab.clicks == ["connect"] * 3


def test_leaves_one_global_and_stops_when_told(tab: Tab) -> None:
    tab.open(TODAY)
    names = set(tab.run("Object.getOwnPropertyNames(window)"))
    tab.run(script())
    assert set(tab.run("Object.getOwnPropertyNames(window)")) - names == {"colabKeepalive"}
    tab.pass_minutes(1)
    tab.run("colabKeepalive.stop()")
    tab.run("colabKeepalive.stop()")
    tab.pass_minutes(5)
    assert tab.clicks == ["connect"]


def test_stops_by_itself_after_the_hours(tab: Tab) -> None:
    tab.open(TODAY)
    tab.run(script(hours=1))
    tab.pass_minutes(90)
    assert tab.clicks == ["connect"] * 59
    assert tab.said[-1] == "Stopped by itself after 1 h"
    assert len(tab.said) == 60


def test_tells_of_an_error_and_goes_on(tab: Tab) -> None:
    tab.open(TODAY)
    tab.run("window.real = Document.prototype.querySelectorAll;"
            "Document.prototype.querySelectorAll = () => { throw new Error('no') }")  # fmt: skip
    tab.run(script())
    tab.pass_minutes(1)
    tab.run("Document.prototype.querySelectorAll = real")
    tab.pass_minutes(1)
    assert tab.said == ["This minute failed: Error: no", "Working"]

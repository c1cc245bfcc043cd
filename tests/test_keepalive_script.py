"""The page script of the keepalive snippet, in a real browser: one trait at a time."""

import re
from collections.abc import Iterator

import pytest
from colabpages import NO_BUTTON, Page, Tab
from keepalivecell import script

pytestmark = pytest.mark.browser

CONNECTED = "Connected to Python 3 Google Compute Engine backend\nRAM: 1.2 GB/12.67 GB"
OFFERED = "Click to connect"


@pytest.fixture
def tab(any_tab: Tab) -> Iterator[Tab]:
    yield any_tab
    assert any_tab.faults == []
    assert any_tab.requests == []


@pytest.mark.parametrize(
    ("page", "says"),
    [
        (Page(), "Working"),
        (Page(body=NO_BUTTON), "There is no connect button on this page"),
        (Page(state="leaving"), "Waiting: the button would disconnect"),
        (
            Page(question=("mwc-dialog", 0, 9)),
            "Waiting: a dialog (mwc-dialog) is open, please answer it",
        ),
    ],
)
def test_says_in_one_line_a_minute_how_it_stands(tab: Tab, page: Page, says: str) -> None:
    tab.open(page)
    tab.run(script())
    tab.pass_minutes(3.5)
    assert tab.said == [says] * 3
    assert all(re.search(r"\d\d?:\d\d:\d\d", line) for line in tab.logged)
    assert tab.logged[0].startswith("Started in mode click for 12 h; stop with colabKeepalive.stop")


def test_clicks_nothing_else_while_the_button_is_being_drawn(tab: Tab) -> None:
    tab.open(more="<a id='connect'>Connect with us</a>")
    tab.run("document.querySelector('colab-connect-button').shadowRoot.replaceChildren()")
    tab.run(script())
    tab.pass_minutes(1)
    assert tab.clicks == []
    tab.run("colab.button()")
    tab.pass_minutes(1)
    assert tab.clicks == ["connect"]


def test_gives_the_focus_back_into_a_shadow_root(tab: Tab) -> None:
    tab.open(more="<div id='shadow-editor'></div>")
    tab.run("""{
      const root = document.querySelector("#shadow-editor").attachShadow({ mode: "open" });
      root.append(document.createElement("textarea"), document.createElement("input"));
      root.querySelector("textarea").focus();
      colab.toggle = () => {};
      colab.face.addEventListener("click", () => root.querySelector("input").focus());
    }""")
    tab.run(script())
    tab.pass_minutes(1)
    focus = "document.querySelector('#shadow-editor').shadowRoot.activeElement.localName"
    assert tab.run(focus) == "textarea"


def test_leaves_the_focus_where_the_user_has_moved_it(tab: Tab) -> None:
    tab.open(Page(wait=1000), more="<textarea id='other'></textarea>")
    tab.run(script())
    tab.pass_minutes(61.5 / 60)
    assert tab.run("document.activeElement.id") == "search"
    tab.run("document.querySelector('#other').focus()")
    tab.pass_minutes(0.5)
    assert tab.run("document.activeElement.id + !!colab.panel") == "otherfalse"


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


@pytest.mark.parametrize("question", QUESTIONS)
def test_waits_while_the_user_is_asked(tab: Tab, question: str) -> None:
    tab.open(Page(state="lost"), more=f"<div id='asked'>{QUESTIONS[question]}</div>")
    for mode in ("click", "reconnect"):
        tab.logged.clear()
        tab.run(script(mode))
        tab.pass_minutes(2)
        assert tab.clicks == []
        kind = "captcha" if question in ("captcha", "challenge") else "dialog"
        assert len(tab.said) - tab.said.count("Stopped") >= 2
        waiting = rf"Waiting: a {kind} \(.*please answer"
        assert all(re.match(waiting, line) for line in tab.said[-2:])
    tab.run("document.querySelector('#asked').remove()")
    tab.pass_minutes(1)
    assert tab.clicks == ["connect"]


def test_waits_for_a_dialog_inside_a_shadow_root(tab: Tab) -> None:
    tab.open(more="<div id='host'></div>")
    tab.run("document.querySelector('#host').attachShadow({ mode: 'open' })"
            ".append(Object.assign(document.createElement('dialog'), { open: true }))")  # fmt: skip
    tab.run(script())
    tab.pass_minutes(1)
    assert tab.clicks == []


def test_is_not_held_up_by_what_is_closed(tab: Tab) -> None:
    closed = (
        "<mwc-dialog>x</mwc-dialog><dialog>x</dialog><md-dialog>x</md-dialog>"
        "<paper-dialog style='display: none'>x</paper-dialog>"
        "<colab-sessions-dialog style='display: none'>x</colab-sessions-dialog>"
        "<div role='dialog' aria-hidden='true'>find</div>"
        "<div style='visibility: hidden'><colab-recaptcha-dialog></colab-recaptcha-dialog></div>"
        "<div class='grecaptcha-badge'><iframe src='data:,recaptcha'></iframe></div>"
    )
    tab.open(more=closed)
    tab.run(script())
    tab.pass_minutes(1)
    assert tab.clicks == ["connect"]


def test_leaves_a_question_alone_that_a_click_raised(tab: Tab) -> None:
    tab.open()
    tab.run("""
      colab.face.addEventListener("click", () => {
        const dialog = document.createElement("dialog");
        dialog.className = "session";
        dialog.append(document.createElement("input"));
        document.body.append(dialog);
        dialog.show();
        dialog.firstChild.focus();
      });
      colab.toggle = () => {};
    """)
    tab.run(script())
    tab.pass_minutes(3.5)
    assert tab.clicks == ["connect"]
    assert tab.run("document.activeElement.localName") == "input"
    assert tab.run("colab.keys") == 0


@pytest.mark.parametrize(
    ("tooltip", "label", "clicked"),
    [
        (OFFERED, "Connect", True),
        ("Connect to a new runtime", "Connect", True),
        ("Reconnect", "Reconnect T4", True),
        ("Not connected. Click to connect", "Connect", True),
        ("Disconnected. Click to reconnect", "Reconnect", True),
        ("", "Reconnect", True),
        ("Klicken Sie hier", "Erneut verbinden", True),
        ("", "再接続", True),
        ("", "重新连接", True),
        (CONNECTED, "", False),
        ("Connected to a hosted runtime", "Connected", False),
        (OFFERED, "Connecting", False),
        ("Reconnecting", "Reconnecting", False),
        (OFFERED, "Allocating", False),
        ("Initializing", "Initializing", False),
        ("Disconnecting", "Disconnecting", False),
        ("Busy", "Busy", False),
        ("Verbunden mit dem Back-End\nRAM: 1,2 GB/12,67 GB", "", False),
        ("", "接続済み", False),
        ("", "", False),
        ("nicht bekannt", "etwas anderes", False),
    ],
)
def test_reconnects_only_when_that_is_offered(
    tab: Tab, tooltip: str, label: str, clicked: bool
) -> None:
    tab.open()
    tab.run(f"colab.say({tooltip!r}, {label!r})")
    tab.run(script("reconnect"))
    tab.pass_minutes(2)
    assert tab.clicks == ["connect"] * 2 * clicked
    assert tab.said == ["Working" if clicked else "Working, nothing to reconnect"] * 2


@pytest.mark.parametrize("label", ["Disconnect", "Trennen", "Se déconnecter", "断开连接"])
@pytest.mark.parametrize("mode", ["click", "reconnect"])
def test_never_clicks_what_would_disconnect(tab: Tab, mode: str, label: str) -> None:
    tab.open()
    tab.run(f"colab.say('', {label!r})")
    tab.run(script(mode))
    tab.pass_minutes(2)
    assert tab.clicks == []
    assert tab.said == ["Waiting: the button would disconnect"] * 2


def test_closes_no_panel_with_what_would_disconnect(tab: Tab) -> None:
    tab.open(Page(wait=200))
    tab.run(script())
    tab.pass_minutes(60.3 / 60)
    tab.run("colab.show('leaving')")
    tab.pass_minutes(0.5)
    assert tab.clicks == ["connect"]
    assert tab.run("colab.ended") == 0


def test_takes_no_output_of_a_cell_for_a_panel(tab: Tab) -> None:
    tab.open(Page(opens=""))
    tab.run("""colab.face.addEventListener("click", () => {
      const output = Object.assign(document.createElement("div"), { className: "usage-pane" });
      output.textContent = "42";
      document.querySelector(".cell").append(output);
    })""")
    tab.run(script())
    tab.pass_minutes(1.5)
    assert tab.clicks == ["connect"]


def test_does_not_reconnect_while_the_resources_are_shown(tab: Tab) -> None:
    tab.open(Page(state="offered"))
    tab.run("colab.face.append(Object.assign(document.createElement('div'),"
            " { id: 'connect-button-resource-display' }))")  # fmt: skip
    tab.run(script("reconnect"))
    tab.pass_minutes(1)
    assert tab.clicks == []


def test_pasted_twice_runs_once(tab: Tab) -> None:
    tab.open(Page(opens=""))
    tab.run("colabKeepalive = {}")  # somebody else's
    tab.run(script())
    tab.pass_minutes(0.5)
    tab.run(script())
    tab.pass_minutes(3.2)
    assert tab.clicks == ["connect"] * 3


def test_stops_when_told_and_still_closes_its_panel(tab: Tab) -> None:
    tab.open()
    tab.run(script())
    tab.pass_minutes(60.06 / 60)
    assert tab.run("!!colab.panel")
    tab.run("colabKeepalive.stop()")
    tab.run("colabKeepalive.stop()")
    tab.pass_minutes(5)
    assert tab.clicks == ["connect"] * 2
    assert tab.run("!colab.panel")
    assert tab.said == ["Working", "Stopped", "Stopped"]


def test_stops_by_itself_after_the_hours(tab: Tab) -> None:
    tab.open(Page(opens=""))
    tab.run(script(hours=1))
    tab.pass_minutes(90)
    assert tab.clicks == ["connect"] * 59
    assert tab.said[-1] == "Stopped by itself after 1 h"
    assert len(tab.said) == 60


def test_tells_of_an_error_and_goes_on(tab: Tab) -> None:
    tab.open()
    tab.run("window.real = Document.prototype.querySelectorAll;"
            "Document.prototype.querySelectorAll = () => { throw new Error('no') }")  # fmt: skip
    tab.run(script())
    tab.pass_minutes(1)
    tab.run("Document.prototype.querySelectorAll = real")
    tab.pass_minutes(1)
    assert tab.said == ["This minute failed: Error: no", "Working"]

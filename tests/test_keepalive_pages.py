"""Two hours of each page script on each stand-in of Colab's page: docs/keepalive.md holds it."""

import pytest
from colabpages import PAGES, Page, Tab
from conftest import ROOT
from keepalivecell import script

pytestmark = pytest.mark.browser

BUTTON = "document.querySelector('colab-connect-button').shadowRoot.querySelector('#connect')"


def every_minute(action: str) -> str:
    return f"setInterval(() => {{ {action} }}, 60_000)"


# What is passed on from page to page, each in the one line that it comes to.
CLASSICS = {
    "2018": every_minute("document.querySelector('colab-toolbar-button#connect').click()"),
    "2019": every_minute("document.querySelector('colab-toolbar-button').click()"),
    "2020": every_minute(
        "document.querySelector('#top-toolbar > colab-connect-button')"
        ".shadowRoot.querySelector('#connect').click()"
    ),
}
SCRIPTS = {"click": script("click"), "reconnect": script("reconnect"), **CLASSICS}
# Where in two hours the user is asked, and where nothing can be clicked at all.
ASKED = {
    "dialog open, 20 minutes": range(1, 21),
    "captcha, minutes 30 to 50": range(30, 51),
    "disconnected, no machine to be had": range(2, 121),
    "the button says Disconnect": range(1, 121),
    "no button": range(1, 121),
}


def two_hours(tab: Tab, page: Page, pasted: str) -> None:
    tab.open(page)
    tab.run(pasted)
    tab.pass_minutes(120.2)


def hold_manners(tab: Tab) -> None:
    """What no script of ours may do on any page, whatever else it comes to."""
    seen = tab.report()
    assert tab.faults == [], "throws"
    assert tab.requests == [], "asks the network"
    assert set(seen["clicks"]) <= {"connect"}, "clicks something else"
    assert not seen["behind"], "clicks behind a question"
    assert not seen["ended"], "ends the session"
    assert not seen["disturbed"]["panel"], "leaves a panel open"
    assert not seen["disturbed"]["focus"], "takes the focus"
    assert len(tab.said) <= 120, "talks too much"
    assert tab.globals() <= {"colabKeepalive"}, "leaves globals"


def documented() -> dict[str, list[str]]:
    """Return the rows of the table in docs/keepalive.md."""
    lines = (ROOT / "docs" / "keepalive.md").read_text("utf-8").splitlines()
    rows = [[c.strip() for c in line.strip("|").split("|")] for line in lines if line[:1] == "|"]
    return {row[0]: row[1:] for row in rows[2:]}


def test_the_table_has_all_pages() -> None:
    assert list(documented()) == list(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_two_hours_on_each_page(any_tab: Tab, name: str) -> None:
    page, row = PAGES[name], []
    for kind, pasted in SCRIPTS.items():
        two_hours(any_tab, page, pasted)
        row.append(any_tab.outcome(page.state))
        if kind in CLASSICS:
            continue
        hold_manners(any_tab)
        seen = any_tab.report()
        assert len(any_tab.said) == 120
        assert not seen["keys"] or page.opens == "colab-sessions-dialog"
        if kind == "click":
            assert {*seen["effective"]} == {*range(1, 121)} - {*ASKED.get(name, [])}
        else:
            assert not seen["needless"]
    assert " | ".join(row) == " | ".join(documented()[name])


@pytest.mark.parametrize(
    ("action", "fault"),
    [
        ("throw new Error('no')", "throws"),
        ("document.body.innerHTML = '<p>'", "throws"),
        ("fetch('/beacon').catch(() => 0)", "asks the network"),
        ("document.querySelector('#disconnect').click()", "clicks something else"),
        (f"colab.ask('question', 'dialog'); {BUTTON}.click()", "clicks behind a question"),
        (f"{BUTTON}.click()", "leaves a panel open"),
        ("document.querySelector('#editor').blur()", "takes the focus"),
        ("console.log(1); console.log(2)", "talks too much"),
        ("window.found = 1", "leaves globals"),
    ],
)
def test_bad_manners_are_seen(any_tab: Tab, action: str, fault: str) -> None:
    two_hours(any_tab, PAGES["Disconnect control nearby"], every_minute(action))
    with pytest.raises(AssertionError, match=fault):
        hold_manners(any_tab)

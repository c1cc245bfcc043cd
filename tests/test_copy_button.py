"""The button that copies the page script, in a frame like the one of Colab's outputs."""

import html
from collections.abc import Iterator
from typing import Any

import pytest
from keepalivecell import run_cell

pytestmark = pytest.mark.browser

PAGE = "colab.test"
OUTPUTS = "a1b2-colab.googleusercontent.test"
SANDBOX = "allow-downloads allow-forms allow-modals allow-popups allow-same-origin allow-scripts"
SPY = """<script>
  window.fallbacks = 0;
  const real = document.execCommand.bind(document);
  document.execCommand = (name) => { fallbacks++; return real(name); };
</script>"""
REFUSED = "<script>document.execCommand = () => false;</script>"


@pytest.fixture
def tab(browser: Any) -> Iterator[Any]:
    context = browser.new_context()
    page = context.new_page()
    page.faults, page.requests = [], []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("request", lambda request: page.requests.append(request.url))
    yield page
    assert page.faults == []
    assert len(page.requests) == 2  # the page and its frame
    context.close()


def open_output(tab: Any, script: str, output: str, *, scheme: str, allow: str) -> Any:
    """Show an output in a frame of another origin; return the frame."""
    frame = f"<iframe sandbox='{SANDBOX}' allow='{allow}' src='{scheme}://{OUTPUTS}/'></iframe>"
    pages = {PAGE: f"{frame}<textarea id='pasted'></textarea>", OUTPUTS: script + output}

    def answer(route: Any) -> None:
        host = route.request.url.split("/")[2]
        body = f"<!doctype html><meta charset='utf-8'>{pages[host]}"
        route.fulfill(body=body, content_type="text/html")

    tab.route("**/*", answer)
    tab.goto(f"{scheme}://{PAGE}/")
    return tab.frame_locator("iframe")


def pasted(tab: Any) -> str:
    tab.locator("#pasted").focus()
    tab.keyboard.press("Control+V")
    return str(tab.locator("#pasted").input_value())


@pytest.mark.parametrize("key", ["mouse", "Enter"])
@pytest.mark.parametrize(
    ("scheme", "allow", "fallbacks"),
    [("https", "clipboard-write", 0), ("https", "", 1), ("http", "", 1)],
    ids=["allowed", "refused", "no clipboard"],
)
def test_copies_the_whole_script(
    tab: Any, scheme: str, allow: str, fallbacks: int, key: str
) -> None:
    script, output = run_cell()
    frame = open_output(tab, SPY, output, scheme=scheme, allow=allow)
    button = frame.get_by_role("button", name="Copy")
    if key == "mouse":
        button.click()
    else:
        button.press(key)
    frame.get_by_role("button", name="Copied").wait_for()
    assert frame.locator("body").evaluate("() => fallbacks") == fallbacks
    assert pasted(tab) == script


def test_selects_the_script_where_nothing_may_be_copied(tab: Any) -> None:
    script, output = run_cell("reconnect", 3)
    frame = open_output(tab, REFUSED, output, scheme="http", allow="")
    frame.get_by_role("button", name="Copy").click()
    frame.get_by_role("button", name="Selected: press Ctrl+C").wait_for()
    tab.keyboard.press("Control+C")
    assert pasted(tab) == script


def test_the_output_shows_the_script_as_text(tab: Any) -> None:
    script, output = run_cell()
    assert output.count(html.escape(script)) == 1
    frame = open_output(tab, "", output, scheme="https", allow="")
    assert frame.locator("pre").text_content() == script
    assert frame.locator("script").count() == 0

"""Who works with the builder page, and how: by keyboard, on a phone, with wrong input."""

import json
import re
from urllib.parse import quote

import pytest
from webpages import Page

pytestmark = pytest.mark.browser

WRONG = [
    ("kinds integer", "", "takes a whole number", "2"),
    ("kinds integer", "1.5", "takes a whole number", "2"),
    ("kinds number", "", "takes a number", "2"),
    ("kinds slider", "99", "takes a number from 0 to 10", "2"),
    ("kinds date", "", "takes a date such as", "2026-01-01"),
    ("Title", " ", "the title is empty", "A"),
    ("GitHub repository", "ada", "takes owner/name", ""),
    ("Branch", "a b", "takes the name of a branch", ""),
    ("Path there", "a.py", "ends in .ipynb", ""),
]


def test_an_error_stands_beside_its_field(context, kinds):
    page = Page(context, kinds[0])
    page.tick("All kinds of fields")
    page.page.get_by_text("GitHub and file name").click()
    for label, typed, words, right in WRONG:
        field = page.page.get_by_label(label, exact=True)
        field.fill(typed)
        page.settle()
        assert field.get_attribute("aria-invalid") == "true"
        described = field.get_attribute("aria-describedby").split()
        error = page.page.locator(f"[id='{described[-1]}']")
        assert words in error.inner_text()
        assert error.get_attribute("role") == "alert"
        for button in ("Download .ipynb", "Copy command", "Open in Colab"):
            assert page.page.get_by_role("button", name=button).is_disabled()
        page.page.get_by_role("button", name="Show me").click()
        assert page.page.evaluate("document.activeElement.labels[0].innerText") == label
        field.fill(right)
        page.settle()
        assert field.get_attribute("aria-invalid") is None
        assert page.page.get_by_role("button", name="Download .ipynb").is_enabled()
    page.is_clean()


def test_a_conflict_is_explained(context, kinds):
    page = Page(context, kinds[0])
    page.tick("All kinds of fields")
    rival = page.page.get_by_role("checkbox", name="A rival", exact=True)
    assert rival.is_disabled()
    words = "Cannot stand beside “All kinds of fields”."
    assert page.page.locator("#feature-rival-note").inner_text() == words
    page.tick("All kinds of fields")
    assert rival.is_enabled()
    page.page.get_by_role("button", name="Tick all", exact=True).click()
    page.settle()
    assert page.page.get_by_role("button", name="Download .ipynb").is_enabled()
    # A link may ask for both.
    both = quote(json.dumps({"title": "A", "features": ["kinds", "rival"]}))
    page = Page(context, kinds[0], fragment=both)
    assert "cannot stand beside" in page.page.locator("#error-features").inner_text()
    assert page.page.get_by_role("button", name="Download .ipynb").is_disabled()
    page.is_clean()


HOSTILE = [
    "%", "null", "{", quote('"text"'), quote("[[[[" * 5000), "cell-drive-1",
    quote('{"features": "drive", "values": 5, "title": [], "high_ram": "x"}'),
    quote('{"features": ["__proto__", "nope", {}, null], "values": {"__proto__": {"x": 1}}}'),
    quote('{"__proto__": {"title": "x"}, "constructor": 1, "values": {"toString": "a"}}'),
    quote('{"title": "<img src=x onerror=hacked=1>", "repository": "\\"><script>x</script>"}'),
    quote('{"title": "[a](javascript:hacked=1) ![x](https://x.test/a.png)"}'),
    quote('{"title": "\\ud800", "features": ["images"]}'),
    quote('{"title": "a", "features": ["images"], "values": {"image_pattern": "\\udc00"}}'),
    quote('{"features": ["images"], "values": {"image_columns": 1e999, "image_width": {}}}'),
    quote('{"accelerator": "<b>", "branch": "x\\ny", "file": "../../x.ipynb"}'),
    "<script>hacked=1</script>",
]  # fmt: skip


def test_a_hostile_link_does_no_harm(context, local):
    page = Page(context, local)
    for fragment in HOSTILE:
        page.page.goto("about:blank")
        page.page.goto(f"{local}#{fragment}")
        page.page.get_by_role("status").filter(has_text="Ready:").wait_for()
        assert page.page.evaluate("({}).x") is None
        assert page.page.locator("#cells img, #cells script").count() == 0
        for link in page.page.locator("#cells a").all():
            assert re.match(r"https?://|#cell-", link.get_attribute("href") or "#cell-")
        page.page.get_by_label("Show images", exact=True).check()  # and it still works
        page.page.get_by_label("image columns", exact=True).fill("3")
        page.settle()
        assert page.page.locator("#cells dd.slider").first.inner_text() == "3"
        page.is_clean()


def test_by_keyboard_alone(context, local):
    page = Page(context, local)
    names = []
    for _ in range(60):
        page.page.keyboard.press("Tab")
        names.append(page.page.evaluate(
            "(e => e.labels?.[0]?.innerText ?? e.getAttribute('aria-label') ?? e.innerText)"
            "(document.activeElement)"
        ))  # fmt: skip
        if names[-1] == "Show images":
            break
    assert names[0] == "Skip to the preview"
    order = ["Title", "Runs on", "High-RAM", "Tick all", "Mount Drive"]
    assert [name for name in names if name in order] == order
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.page.evaluate(outline) != "none"
    page.page.keyboard.press("Space")
    page.page.locator("#cells h2", has_text="Show images").wait_for()
    page.page.get_by_role("button", name="Open in Colab").focus()
    page.page.keyboard.press("Enter")
    dialog = page.page.get_by_role("dialog", name="Open in Colab")
    assert dialog.is_visible()
    assert "Upload notebook" in dialog.inner_text()
    page.page.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert page.page.evaluate("document.activeElement.id") == "open"
    page.is_clean()


SAID_ALOUD = [
    "- banner:", "- main:", "- contentinfo:", 'heading "Build a Colab notebook" [level=1]',
    'checkbox "All kinds of fields" [checked]', 'slider "kinds slider, slider"',
    'spinbutton "kinds integer"', 'combobox "kinds list"', 'combobox "kinds open"',
]  # fmt: skip


def test_everything_has_a_name(context, kinds):
    page = Page(context, kinds[0])
    page.tick("All kinds of fields")
    page.settle()
    nameless = page.page.evaluate("""
      [...document.querySelectorAll("input, select, textarea, button, a, summary, [tabindex='0']")]
        .filter((e) => e.checkVisibility() && !(e.labels?.length || e.getAttribute("aria-label")
          || e.getAttribute("aria-labelledby") || e.textContent.trim()))
        .map((e) => e.outerHTML)
    """)
    assert nameless == []
    twice = page.page.evaluate("""(() => {
      const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
      return ids.filter((id, i) => ids.indexOf(id) !== i);
    })()""")
    assert twice == []
    dangling = page.page.evaluate("""
      [...document.querySelectorAll("[aria-describedby], [aria-labelledby], label[for]")]
        .flatMap((e) => ["aria-describedby", "aria-labelledby", "for"]
          .flatMap((a) => (e.getAttribute(a) ?? "").split(" ").filter(Boolean)))
        .filter((id) => !document.getElementById(id))
    """)
    assert dangling == []
    assert page.page.evaluate("document.documentElement.lang") == "en"
    snapshot = page.page.locator("body").aria_snapshot()
    for line in SAID_ALOUD:
        assert line in snapshot


@pytest.mark.parametrize("width", [320, 390, 768])
def test_it_fits_a_phone(context, local, width):
    state = {"title": "A" * 300, "features": ["staging", "images", "keepalive"]}
    page = Page(context, local, fragment=quote(json.dumps(state)))
    page.page.set_viewport_size({"width": width, "height": 700})
    assert page.page.evaluate("document.documentElement.scrollWidth") <= width
    for button in page.page.locator("button:visible").all():
        assert button.bounding_box()["height"] >= 24  # WCAG 2.2, target size
    page.is_clean()


PAIRS = [
    *((ink, ground) for ink in ("ink", "soft", "link") for ground in ("page", "card", "inset")),
    *((ink, "card") for ink in ("keyword", "text", "number", "comment", "name", "bad")),
    ("ink", "chosen"), ("soft", "chosen"), ("bad", "chosen"), ("ink", "line"), ("soft", "line"),
    ("on-accent", "accent"), ("bad", "bad-tint"), ("calm", "calm-tint"), ("page", "ink"),
]  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_contrast_is_enough(browser, local, scheme):
    context = browser.new_context(color_scheme=scheme)
    page = Page(context, local)
    names = sorted({name for pair in PAIRS for name in (*pair, "edge")})
    found = page.page.evaluate(
        """(names) => {
          const style = getComputedStyle(document.documentElement);
          return names.map((name) => style.getPropertyValue(`--${name}`));
        }""",
        names,
    )
    colours = {name: luminance(colour) for name, colour in zip(names, found, strict=True)}
    for ink, ground in PAIRS:
        assert ratio(colours[ink], colours[ground]) >= 4.5, (scheme, ink, ground)
    for ground in ("page", "card", "chosen"):  # borders of controls
        assert ratio(colours["edge"], colours[ground]) >= 3, (scheme, ground)
    context.close()


def luminance(colour):
    parts = [int(colour.strip()[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(one, other):
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def test_without_motion_nothing_moves(browser, local):
    context = browser.new_context(reduced_motion="reduce")
    page = Page(context, local)
    page.tick("Mount Drive")
    page.settle()
    changed = page.page.locator(".cell.changed").first
    assert changed.evaluate("(e) => getComputedStyle(e).animationName") == "none"
    context.close()

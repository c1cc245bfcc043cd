from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from colab_gen.report import Report
from colab_gen.reports.cleaned import cleaned
from colab_gen.reports.outputs import outputs_html
from colab_gen.reports.page import page
from colab_gen.reports.prose import prose
from hypothesis import given
from reported import ALL, GOOD, NAMED, PNG, error, shown, slow, stream

BANNED = {"script", "link", "object", "embed", "base", "form", "input", "video", "audio", "svg"}
VOID = {"meta", "img", "br", "hr", "col", "wbr"}


class Checker(HTMLParser):
    """Fails on whatever a page could run, load or send; keeps the structure and the text."""

    def __init__(self, inner=False):
        super().__init__()
        self.inner = inner
        self.open, self.tags, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        assert tag not in BANNED
        attributes = dict(attrs)
        assert len(attributes) == len(attrs)
        for name, value in attrs:
            assert not name.startswith("on"), name
            if name == "src":
                assert value.startswith("data:image/"), value
            elif name == "href":
                assert value.startswith(("#", "http://", "https://", "mailto:")), value
            elif name == "style":
                assert "url" not in value
            elif name == "http-equiv":
                assert value == "Content-Security-Policy"
            else:
                assert name not in ("action", "background", "srcset", "ping", "poster", "data")
        if tag == "iframe":
            assert not self.inner
            assert attributes["sandbox"] == ""
            assert "default-src 'none'" in attributes["srcdoc"]
            check(attributes["srcdoc"], inner=True)
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.inner:  # our own markup nests; that in a frame is the notebook's
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if self.open and self.open[-1] == "style":
            assert "url(" not in data
            assert "@import" not in data


def check(html, inner=False):
    checker = Checker(inner)
    checker.feed(html)
    checker.close()
    assert inner or not checker.open
    return checker


@slow
@given(NAMED)
def test_no_text_becomes_live_in_a_page(reports):
    html = page(reports)
    html.encode()
    checker = check(html)
    assert checker.tags.count("html") == checker.tags.count("main") == 1
    assert checker.tags.count("article") == len(reports)


def test_a_page_tells_everything():
    html = page(ALL, made=datetime(2026, 11, 23, 10, 30, tzinfo=UTC))
    text = " ".join(check(html).text.split())
    for part in (
        "1 of 3 notebooks passed", "2026-11-23 10:30 UTC", "日本/b.ipynb", "19.0 s in all",
        "4 code cells: 2 passed, 1 failed, 1 not run; 1 problem found before the run",
        "Python3.11.73.13≠ differs", "IPython7.34.07.34.0✓ the same", "the network",
        "ZeroDivisionError: division by zero", "request_auth dfs_ephemeral: granted",
        "1 file written to Drive", "dumps/a.pickle", "1 file downloaded", "sample.png",
        "cell 0 (c0): line 1: invalid syntax",
    ):  # fmt: skip
        assert part in text.replace("\xa0", " "), part
    assert 'href="#n1-c1"' in html
    assert 'id="n1-c1"' in html
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in html


def test_a_page_of_one_notebook_is_open_and_one_of_many_only_where_it_failed():
    assert page([("a", GOOD)]).count("<article") == 1
    assert "<details open><summary><h2>" in page([("a", GOOD)])
    html = page(ALL)
    assert html.count("<details open><summary><h2>") == 2
    assert "<details><summary><h2>日本/b.ipynb" in html


@pytest.mark.parametrize("cells", [None, 3, [1], [{}], [{"cell_type": "code", "source": 3}]])
def test_a_page_of_a_notebook_that_is_none(cells):
    broken = Report(problems=("it is none",), notebook={"nbformat": 3, "cells": cells})
    assert "it is none" in check(page([("x", broken)])).text


@pytest.mark.parametrize(
    ("output", "part"),
    [
        (stream("\x1b[31mred\x1b[0m\n"), ">red\n</pre>"),
        (stream(["10%\r", "90%\rdone"]), ">done</pre>"),
        (stream("x" * 100_000), "40,000 characters are left out"),
        (shown(image_png=PNG, text_plain="<Figure>"), f'<img src="data:image/png;base64,{PNG}"'),
        (shown(image_gif=[PNG[:9] + "\n", PNG[9:]]), f'src="data:image/gif;base64,{PNG}"'),
        (shown(image_png='" onerror="x', text_plain="p"), ">p</pre>"),
        (shown(image_svg__xml="<svg onload='x'/>"), '<img src="data:image/svg+xml;base64,'),
        (shown(text_html="<b>x</b>", text_plain="y"), '<iframe sandbox="" '),
        (shown(text_html="<script>x</script>", text_plain="y"), ">y</pre>"),
        (shown(text_markdown="**x**"), "<strong>x</strong>"),
        (shown(application_x="x"), "Not shown here: application/x"),
        (error("\x1b[0;31mValueError\x1b[0m: bad"), ">ValueError: bad</pre>"),
        ({"output_type": "error", "ename": "E", "evalue": "v"}, ">E: v</pre>"),
        ({"output_type": "display_data", "data": 3}, ""),
    ],
)
def test_an_output(output, part):
    html = outputs_html([output])
    check(html)
    assert part in html


def test_prints_that_came_apart_are_one_text():
    html = outputs_html([stream("50%"), stream("\r100%\n"), stream("w", "stderr"), stream("x")])
    assert html.count("<pre") == 3
    assert ">100%\n</pre>" in html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# a", "<h3>a</h3>"),
        ("##### a", "<h6>a</h6>"),
        ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>"),
        ("[a](https://b.invalid?c&d)", '<p><a href="https://b.invalid?c&amp;d" rel="nor'),
        ("[a](javascript:b)", "<p>a</p>"),
        ("[a](relative.md)", "<p>a</p>"),
        ("![a](b.png)", "<p>[picture: a]</p>"),
        ("![a](https://b.invalid/c.png)", '<p><a href="https://b.invalid/c.png"'),
        (f"![a](data:image/png;base64,{PNG})", f'<p><img src="data:image/png;base64,{PNG}"'),
        ("![a](attachment:my.png)", f'<p><img src="data:image/png;base64,{PNG}" alt="a">'),
        ("![a](attachment:no.png)", "<p>[picture: a]</p>"),
        ("```python\n<b>\n```", '<pre class="code">&lt;b&gt;\n</pre>'),
        ("$a<b$", '<p><code class="math">a&lt;b</code>'),
    ],
)
def test_prose(text, html):
    assert prose(text, {"my.png": {"image/png": PNG}}).startswith(html)


def test_a_badge_that_links_is_one_link():
    html = prose("[![Open](https://a.invalid/b.svg)](https://c.invalid)")
    assert html.count("<a ") == 1
    assert 'href="https://c.invalid"' in html


@pytest.mark.parametrize(
    ("html", "left"),
    [
        ("<b onclick=x>y</b>", "<b>y</b>"),
        ("a<script>x</script>b", "ab"),
        ("<script>x", ""),
        ("<img src=http://h.invalid/a.png>", ""),
        ("a<link rel=preconnect href=//h.invalid>", "a"),
        ("a<meta http-equiv=refresh content='0;url=//h'>", "a"),
        ("<a href='javascript:x'>y</a>", "<a>y</a>"),
        ("<p style='color:red'>y</p>", '<p style="color:red">y</p>'),
        ("<p style='background:url(//h)'>y</p>", "<p>y</p>"),
        ("<style>@import '//h'</style>y", "<style></style>y"),
        ("<style>b{color:red}</style>y", "<style>b{color:red}</style>y"),
        ("<td colspan=2>&lt;i&gt;</td>", '<td colspan="2">&lt;i&gt;</td>'),
        (f"<img src=data:image/png;base64,{PNG}>", f'<img src="data:image/png;base64,{PNG}">'),
        ("<img src=data:image/webp;base64,UklG>", '<img src="data:image/webp;base64,UklG">'),
        ("<img src=data:image/svg+xml;base64,PHN>", '<img src="data:image/svg+xml;base64,PHN">'),
        ("<img src='data:image/svg+xml,<svg onload=x>'>", ""),
        ("<svg onload=x><b>y</b></svg>", "<b>y</b>"),
    ],
)
def test_cleaned_html(html, left):
    assert cleaned(html) == left

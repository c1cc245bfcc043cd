import base64
import json
from datetime import UTC, datetime
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import nbformat
import pytest
from colab_gen.errors import NotebookError
from colab_gen.report import Outcome, Report
from colab_gen.reports.annotations import annotations, summary
from colab_gen.reports.cleaned import cleaned
from colab_gen.reports.executed import save_executed
from colab_gen.reports.image import versions
from colab_gen.reports.junit import junit
from colab_gen.reports.material import as_printed
from colab_gen.reports.outputs import outputs_html
from colab_gen.reports.page import page
from colab_gen.reports.prose import prose
from colab_gen.reports.table import slowest, table, width
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n not much of a picture").decode()
NASTY = "\x1b[31mred\x1b[0m \x00\x0b\x1f ]]> <b a='\"'>&amp; \ud800 \ufffe %0A"


def code(source, *outputs, id="c0"):
    return {
        "cell_type": "code",
        "id": id,
        "metadata": {},
        "source": source,
        "outputs": list(outputs),
        "execution_count": None,
    }


def markdown(source, **more):
    return {"cell_type": "markdown", "id": "m0", "metadata": {}, "source": source, **more}


def stream(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


def error(*lines, ename="ValueError", evalue="bad"):
    return {"output_type": "error", "ename": ename, "evalue": evalue, "traceback": list(lines)}


def shown(**data):
    data = {kind.replace("__", "+").replace("_", "/", 1): text for kind, text in data.items()}
    return {"output_type": "display_data", "data": data, "metadata": {}}


def report(*cells, statuses=(), message="", **changes):
    outcomes = []
    for number, status in enumerate(statuses):
        text = message if status == "failed" else ""
        outcomes.append(
            Outcome(
                cell=number,
                id=f"c{number}",
                title=f"Title {number}",
                status=status,
                message=text,
                seconds=number + 0.25,
            )
        )
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)}
    return Report(**{"outcomes": tuple(outcomes), "notebook": notebook, "seconds": 9.5} | changes)


MIXED = report(
    code("print(1)", stream("1\n"), id="c0"),
    code("1/0", error("Traceback:", "ZeroDivisionError: division by zero"), id="c1"),
    code("2", id="c2"),
    statuses=("passed", "failed", "not run"),
    message="ZeroDivisionError: division by zero",
    environment={"python": "3.11.7", "ipython": "7.34.0", "ipykernel": "7.4.0"},
    requests=("request_auth dfs_ephemeral: granted",),
    drive=("dumps/a.pickle",),
    downloads=("sample.png",),
    limits=("the network",),
)
GOOD = report(code("1"), statuses=("passed",))
FAULTY = report(problems=("cell 0 (c0): line 1: invalid syntax",), seconds=0.0)
ALL = (("a.ipynb", MIXED), ("日本/b.ipynb", GOOD), ("c.ipynb", FAULTY))


# JUnit


def test_junit_parsed_back():
    root = ET.fromstring(junit(ALL))
    totals = {key: root.get(key) for key in ("tests", "failures", "errors", "skipped", "time")}
    assert totals == {
        "tests": "5", "failures": "1", "errors": "1", "skipped": "1", "time": "19.000",
    }  # fmt: skip
    assert [suite.get("name") for suite in root] == ["a.ipynb", "日本/b.ipynb", "c.ipynb"]
    for suite in root:
        cases = suite.findall("testcase")
        assert int(suite.get("tests")) == len(cases)
        for attribute, kind in (("failures", "failure"), ("errors", "error"), ("skipped",) * 2):
            assert int(suite.get(attribute)) == len(suite.findall(f"testcase/{kind}"))
    first = root[0].findall("testcase")
    assert [case.get("name") for case in first] == ["c0: Title 0", "c1: Title 1", "c2: Title 2"]
    assert [case.get("time") for case in first] == ["0.250", "1.250", "2.250"]
    assert {case.get("classname") for case in first} == {"a.ipynb"}
    failure = first[1].find("failure")
    assert failure.get("message") == "ZeroDivisionError: division by zero"
    assert failure.get("type") == "ZeroDivisionError"
    assert failure.text == "Traceback:\nZeroDivisionError: division by zero"
    properties = {p.get("name"): p.get("value") for p in root[0].find("properties")}
    assert properties["ipython"] == "7.34.0"
    found = root[2].find("testcase/error")
    assert found.get("message") == "cell 0 (c0): line 1: invalid syntax"


def test_junit_keeps_names_apart():
    same = Outcome(cell=0, id="", title="", status="passed")
    root = ET.fromstring(junit([("a", report(outcomes=(same, same)))]))
    assert [c.get("name") for c in root.iter("testcase")] == ["cell 0", "cell 0 (2)"]


@pytest.mark.parametrize("reports", [(), (("a", report()),)])
def test_junit_of_nothing(reports):
    assert ET.fromstring(junit(reports)).get("tests") == "0"


TEXT = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=()), max_size=40),
    st.sampled_from([
        NASTY, "]]>", "</pre></details><script>alert(1)</script>", '" onload="alert(1)', "${title}",
        "<!--", "--><img src=x onerror=alert(1)>", "[a](javascript:alert(1))", "<svg/onload=x>",
        "![x](http://host.invalid/a.png)", "<iframe src=//host.invalid>", "a\r\nb\rc", "$x$",
        "[![b](https://host.invalid/b.svg)](https://host.invalid)", "%%html\n<script>x</script>",
        "<a href='javascript:alert(1)'>x</a>", "<javascript:alert(1)>", "![a](data:text/html,x)",
        '![a](data:image/png;base64,AA"onerror="x)', "<style>*{background:url(//host.invalid)}",
        "<math><mi//xlink:href='data:x,<script>'>", "<table><td onclick=x>y</table>", "a\n===\n",
        "> " * 40 + "x", "[" * 60, "`" * 9, "http://host.invalid/'\"<b>", "|a|\n|-|\n|<b>|",
    ]),
)  # fmt: skip
OUTPUT = st.one_of(
    st.builds(stream, TEXT, st.sampled_from(["stdout", "stderr"])),
    st.builds(error, TEXT, TEXT, ename=TEXT, evalue=TEXT),
    st.builds(lambda kind, text: shown(**{kind: text}), st.sampled_from(
        ["text_plain", "text_html", "text_markdown", "image_svg__xml", "image_png", "image_jpeg",
         "application_javascript"]), TEXT),
    st.builds(lambda a, b: shown(text_html=a, text_plain=b), TEXT, TEXT),
)  # fmt: skip


@st.composite
def any_report(draw):
    statuses = draw(st.lists(st.sampled_from(["passed", "failed", "not run"]), max_size=3))
    cells = [code(draw(TEXT), *draw(st.lists(OUTPUT, max_size=2))) for _ in statuses]
    outcomes = [
        Outcome(cell=n, id=draw(TEXT), title=draw(TEXT), status=s, message=draw(TEXT), seconds=1.0)
        for n, s in enumerate(statuses)
    ]
    attachments = {draw(TEXT): {draw(TEXT): draw(TEXT)}}
    cells.append(markdown(draw(TEXT) + draw(TEXT), attachments=attachments))
    few = st.lists(TEXT, max_size=2).map(tuple)
    return report(
        *cells,
        outcomes=tuple(outcomes),
        problems=draw(few),
        downloads=draw(few),
        drive=draw(few),
        requests=draw(few),
        limits=draw(few),
        environment={"python": draw(TEXT), draw(TEXT): draw(TEXT)},
    )


NAMED = st.lists(st.tuples(TEXT, any_report()), max_size=3)
slow = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))


@slow
@given(NAMED)
def test_junit_is_well_formed_whatever_it_holds(reports):
    text = junit(reports)
    text.encode()
    root = ET.fromstring(text)
    cases = [(case, [child.tag for child in case]) for case in root.iter("testcase")]
    assert len(cases) == int(root.get("tests"))
    assert int(root.get("failures")) == sum("failure" in tags for _, tags in cases)
    assert int(root.get("errors")) == sum("error" in tags for _, tags in cases)


# The page


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


@pytest.mark.parametrize(
    ("here", "same"),
    [("3.13", True), ("3.13.2", True), ("3.1", False), ("3.130.1", False), ("3.12.0", False)],
)
def test_versions_against_colabs(here, same):
    (found,) = versions([("a", report(environment={"python": here}))])
    assert (found.here, found.colab, found.same) == (here, "3.13", same)


def test_versions_of_several_kernels():
    named = [("a", report(environment={"ipython": v})) for v in ("8.1", "7.34.0", "8.1")]
    (found,) = versions(named)
    assert (found.here, found.same) == ("7.34.0, 8.1", False)


# GitHub


def test_annotations_name_the_file_and_are_escaped():
    odd = report(
        code("x", error("a,b: 100%", "second\r\nline")), statuses=("failed",), message="E: 100%"
    )
    lines = annotations([("a,b:c.ipynb", odd), *ALL, ("-", FAULTY)]).splitlines()
    assert lines == [
        "::error file=a%2Cb%3Ac.ipynb,title=c0%3A Title 0::"
        "E: 100%25%0A%0Aa,b: 100%25%0Asecond%0Aline",
        "::error file=a.ipynb,title=c1%3A Title 1::ZeroDivisionError: division by zero%0A%0A"
        "Traceback:%0AZeroDivisionError: division by zero",
        "::error file=c.ipynb,title=static check::cell 0 (c0): line 1: invalid syntax",
        "::error title=static check::cell 0 (c0): line 1: invalid syntax",
    ]
    assert annotations([("b", GOOD)]) == ""


def test_annotations_are_relative_to_the_repository(tmp_path, monkeypatch):
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    text = annotations([("a.ipynb", FAULTY), (str(tmp_path / "b.ipynb"), FAULTY)], root=tmp_path)
    assert "file=sub/a.ipynb," in text
    assert "file=b.ipynb," in text
    assert "file=../c.ipynb," in annotations([("../c.ipynb", FAULTY)], root=tmp_path / "sub")


@slow
@given(NAMED)
def test_an_annotation_is_one_line(reports):
    text = annotations(reports)
    text.encode()
    found = sum(len(r.problems) + sum(o.status == "failed" for o in r.outcomes) for _, r in reports)
    assert text.count("\n") == found
    assert all(line.startswith("::error ") for line in text.split("\n")[:-1])
    summary(reports).encode()


def test_the_summary_is_a_table_and_what_failed():
    text = summary([("a|b<i>.ipynb", MIXED), *ALL[1:]])
    assert "| a\\|b&lt;i&gt;.ipynb | ❌ FAILED | 1 | 1 | 1 | 9.5 |\n" in text
    assert "| 日本/b.ipynb | ✅ passed | 1 | 0 | 0 | 9.5 |\n" in text
    assert "<summary>c.ipynb, static check</summary>" in text
    assert "```text\nZeroDivisionError: division by zero\n\nTraceback:\n" in text


def test_no_backticks_close_a_fence():
    text = summary([("a", report(problems=("````\n```",)))])
    assert "`````text\n````\n```\n`````\n" in text


# The terminal


def test_the_table():
    assert table(ALL) == (
        "Notebook      Verdict          Passed  Failed  Not run  Seconds\n"
        "a.ipynb       FAILED                1       1        1      9.5\n"
        "日本/b.ipynb  passed                1       0        0      9.5\n"
        "c.ipynb       FAILED, not run       0       0        0      0.0\n"
        "              1 of 3 passed         2       1        1     19.0\n"
    )
    assert table(ALL[:1]).count("\n") == 2
    assert table(()).count("\n") == 1


@pytest.mark.parametrize(("text", "columns"), [("", 0), ("ab", 2), ("日本", 4), ("e\u0301", 1)])
def test_width(text, columns):
    assert width(text) == columns


def test_the_slowest_cells():
    assert slowest(ALL, 2) == (
        "     1.2 s  a.ipynb  c1: Title 1",
        "     0.2 s  a.ipynb  c0: Title 0",
    )
    assert len(slowest(ALL, 99)) == 3
    assert slowest(ALL, 0) == ()


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;http://a.invalid\x1b\\link\x1b]8;;\x07", "link"),
        ("1%\r2%\r\n3%\r", "2%\n3%"),
        ("a\bb\a\x00", "ab\ufffd"),
        ("\ud83d", "\ufffd"),
    ],
)
def test_text_as_printed(text, seen):
    assert as_printed(text) == seen


# Executed notebooks


def test_executed_notebooks_are_valid(tmp_path):
    (path,) = save_executed(tmp_path / "new" / "folder", [("a.ipynb", MIXED), ("c", FAULTY)])
    data = json.loads(path.read_text(encoding="utf-8"))
    nbformat.validate(data)
    assert data["cells"][0]["outputs"][0]["text"] == ["1\n"]
    assert MIXED.notebook["cells"][0]["outputs"][0]["text"] == "1\n", "the report stays as it is"
    assert nbformat.read(path, as_version=4).cells[1].outputs[0].ename == "ValueError"


def test_an_executed_notebook_holds_what_has_no_utf8(tmp_path):
    odd = report(code("1", stream("half \ud83d of a pair")), statuses=("passed",))
    (path,) = save_executed(tmp_path, [("a.ipynb", odd)])
    output = json.loads(path.read_bytes())["cells"][0]["outputs"][0]
    assert output["text"] == ["half \ud83d of a pair"]


@pytest.mark.parametrize(
    ("names", "files"),
    [
        (["x/a.ipynb", "b.ipynb"], ["a.ipynb", "b.ipynb"]),
        (["x/a.ipynb", "y/a.ipynb"], ["x-a.ipynb", "y-a.ipynb"]),
        (["p/x/a.ipynb", "q/x/A.ipynb", "b"], ["p-x-a.ipynb", "q-x-A.ipynb", "b.ipynb"]),
        (["a.ipynb", "a.ipynb"], ["a.ipynb", "a-2.ipynb"]),
        (["a.ipynb", "x/a.ipynb"], ["a.ipynb", "x-a.ipynb"]),
        (["../../a.ipynb", "/a.ipynb"], ["a.ipynb", "a-2.ipynb"]),
        (["x-a.ipynb", "x/a.ipynb", "y/a.ipynb"], ["x-a.ipynb", "x-a-2.ipynb", "y-a.ipynb"]),
        (["-", "", "a?b"], ["notebook.ipynb", "notebook-2.ipynb", "a_b.ipynb"]),
        (["é" * 300], ["é" * 97 + ".ipynb"]),
    ],
)
def test_names_are_kept_apart(tmp_path, names, files):
    paths = save_executed(tmp_path, [(name, GOOD) for name in names])
    assert [path.name for path in paths] == files
    assert {path.name for path in tmp_path.iterdir()} == set(files)


def test_a_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotebookError, match="cannot make"):
        save_executed(tmp_path / "file" / "x", [("a.ipynb", GOOD)])

"""Reports of notebooks, made by hand and by hypothesis, for tests of what is made of them."""

import base64

from colab_gen.report import Outcome, Report
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

__all__ = [
    "ALL",
    "FAULTY",
    "GOOD",
    "MIXED",
    "NAMED",
    "NASTY",
    "OUTPUT",
    "PNG",
    "TEXT",
    "any_report",
    "code",
    "error",
    "markdown",
    "report",
    "shown",
    "slow",
    "stream",
]

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

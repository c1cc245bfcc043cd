import json
from xml.etree import ElementTree as ET

import nbformat
import pytest
from colab_gen.errors import NotebookError
from colab_gen.report import Outcome
from colab_gen.reports.annotations import annotations, summary
from colab_gen.reports.executed import save_executed
from colab_gen.reports.image import versions
from colab_gen.reports.junit import junit
from colab_gen.reports.material import as_printed
from colab_gen.reports.table import slowest, table, width
from hypothesis import given
from reported import ALL, FAULTY, GOOD, MIXED, NAMED, code, error, report, slow, stream


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

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from colab_gen.errors import NotebookError
from colab_gen.job import Job, Result
from colab_gen.ledger import Ledger
from colab_gen.pool import run_all
from colab_gen.report import Outcome, Report
from test_static import notebook

OUTCOME = Outcome(cell=0, id="c0", title="t", status="passed", seconds=0.5)
REPORT = Report(
    outcomes=(OUTCOME,),
    requests=("r",),
    environment={"python": "3"},
    notebook={"cells": ["ü\ud800"]},
)


def job(name, text=None):
    return Job(name=name, text=text or name)


def result(job, *, passed=True, **more):
    report = REPORT if passed else replace(REPORT, problems=("bad",))
    given = {"report": report, "code": 0 if passed else 1, "seconds": 2.0, "tries": 2, **more}
    return Result(name=job.name, digest=job.digest, **given)


def test_what_is_kept_comes_back(tmp_path):
    ledger = Ledger(tmp_path / "new" / "folder")
    kept = [result(job("a")), result(job("b"), passed=False)]
    for one in kept:
        ledger.add(one)
    for found in (ledger, Ledger(ledger.folder)):
        assert [found.result(job(n)) for n in "abc"] == [*kept, None]
        assert found.result(job("a", "changed")) is None
        assert found.result(job("moved", "a")) == replace(kept[0], name="moved")
        assert found.failed == {"b"}
        assert found.seconds == {"a": 2.0, "b": 2.0}


def test_what_did_not_run_has_no_result_yet(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.add(result(job("a"), report=None, fault="no kernel", code=3))
    assert ledger.result(job("a")) is None
    assert ledger.failed == {"a"}
    assert ledger.seconds == {}
    ledger.add(result(job("a")))
    assert Ledger(tmp_path).failed == set()


@pytest.mark.parametrize(
    "tail",
    [
        '{"digest": "x", "na',
        "{}",
        "[]",
        "\x00\x00\x00",
        '{"digest": "x", "name": "x", "seconds": "long"}',
        '{"digest": ["x"], "name": "x", "seconds": 1}',
        "[" * 100000,
        "\n\n",
    ],
)
def test_a_torn_line_is_passed_over_and_the_next_is_whole(tmp_path, tail):
    Ledger(tmp_path).add(result(job("a")))
    with open(tmp_path / "ledger.jsonl", "a") as file:
        file.write(tail)
    ledger = Ledger(tmp_path)
    assert ledger.result(job("a"))
    ledger.add(result(job("b")))
    found = Ledger(tmp_path)
    assert found.result(job("a"))
    assert found.result(job("b"))


@pytest.mark.parametrize("cut", range(0, 400, 23))
def test_cut_anywhere_it_is_whole_or_not_there(tmp_path, cut):
    ledger = Ledger(tmp_path)
    for name in "ab":
        ledger.add(result(job(name)))
    whole = (tmp_path / "ledger.jsonl").read_bytes()
    (tmp_path / "ledger.jsonl").write_bytes(whole[:-cut] if cut else whole)
    found = Ledger(tmp_path)
    assert bool(found.result(job("b"))) == (cut <= 1)
    found.add(result(job("b")))
    assert Ledger(tmp_path).result(job("b"))


def test_an_executed_notebook_that_is_gone_is_run_again(tmp_path):
    ledger = Ledger(tmp_path)
    ledger.add(result(job("a")))
    (tmp_path / "executed" / f"{job('a').digest}.ipynb").unlink()
    assert ledger.result(job("a")) is None


def test_a_folder_that_cannot_be_used(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotebookError, match="cannot keep results in"):
        Ledger(tmp_path / "file").add(result(job("a")))


def test_an_interrupted_run_goes_on_and_runs_nothing_twice(tmp_path):
    jobs = [job(name) for name in "abcdefgh"]
    begun = []

    def work(one):
        begun.append(one.name)
        return result(one, passed=one.name != "b", tries=1)

    def go(interrupt_after):
        ledger = Ledger(tmp_path)
        kept = {one.name: found for one in jobs if (found := ledger.result(one))}

        def keep(one):
            ledger.add(one)
            if len(begun) == interrupt_after:
                raise KeyboardInterrupt

        todo = [one for one in jobs if one.name not in kept]
        with ThreadPoolExecutor(1) as executor:
            run_all(todo, executor, in_flight=1, work=work, on_result=keep)

    for interrupt_after in (3, 6):
        with pytest.raises(KeyboardInterrupt):
            go(interrupt_after)
    go(0)
    assert begun == list("abcdefgh")
    assert Ledger(tmp_path).failed == {"b"}


def write(folder, **sources):
    for name, source in sources.items():
        (folder / f"{name}.ipynb").write_text(json.dumps(notebook(source)))


def names(done):
    """The notebooks of which a line on stderr says that they were executed."""
    return sorted(
        line.split()[1].removesuffix(".ipynb:")
        for line in done.stderr.splitlines()
        if line.startswith("[")
    )


@pytest.mark.runs
def test_the_command_resumes_and_runs_what_failed(colab_gen, tmp_path):
    write(tmp_path, a="1", b="1/0", c="3")
    first = colab_gen("validate", ".", "-j", "2")
    assert (first.returncode, names(first)) == (1, ["a", "b", "c"])
    assert [line.split(",")[0] for line in first.stdout.splitlines()] == [
        "a.ipynb: passed", "b.ipynb: FAILED", "  c0 (1/0): ZeroDivisionError: division by zero",
        "c.ipynb: passed",
    ]  # fmt: skip
    assert first.stderr.endswith("2 of 3 notebooks passed\n")
    assert not (tmp_path / ".colab-gen").exists()

    assert names(colab_gen("validate", ".", "--resume")) == ["a", "b", "c"]
    write(tmp_path, c="4", d="5")
    second = colab_gen("validate", ".", "--resume", "--json")
    assert (second.returncode, names(second)) == (1, ["c", "d"])
    reports = json.loads(second.stdout)
    assert [(r["notebook"], r["passed"]) for r in reports] == [
        ("a.ipynb", True), ("b.ipynb", False), ("c.ipynb", True), ("d.ipynb", True),
    ]  # fmt: skip

    write(tmp_path, b="1/1", e="2/0")
    third = colab_gen("validate", ".", "--only-failed")
    assert (third.returncode, names(third)) == (0, ["b"])
    fourth = colab_gen("validate", ".", "--only-failed")
    assert (fourth.returncode, names(fourth), fourth.stdout) == (0, [], "")
    again = colab_gen("validate", ".", "--resume", "--fail-fast", "-j1", "--retries", "1")
    assert (again.returncode, names(again)) == (1, ["e"])
    assert (
        json.loads((tmp_path / ".colab-gen/ledger.jsonl").read_text().splitlines()[-1])["tries"]
        == 2
    )


@pytest.mark.runs
def test_the_command_shards_and_tells_of_faults(colab_gen, tmp_path):
    write(tmp_path, a="1", b="2", c="3")
    (tmp_path / "bad.ipynb").write_text("{")
    (tmp_path / "bytes.ipynb").write_bytes(b"\xff\xfe")
    seen = []
    for k in (1, 2):
        done = colab_gen("validate", ".", "--shard", f"{k}/2", "--json")
        assert done.returncode == 1 or k == 2
        seen += [
            (r["notebook"], r["passed"], r.get("fault", "")[:24]) for r in json.loads(done.stdout)
        ]
    assert sorted(seen) == [
        ("a.ipynb", True, ""), ("b.ipynb", True, ""),
        ("bad.ipynb", False, "not a notebook, since no"),
        ("bytes.ipynb", False, "cannot read bytes.ipynb:"), ("c.ipynb", True, ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--shard", "3/2"], "takes k/n, as 1/3, 2/3 and 3/3, not 3/2"),
        (["--shard", "x"], "takes k/n"),
        (["-j", "0"], "0 is not in the range x>=1"),
        (["--resume", "--only-failed"], "--only-failed what has a bad one"),
        (["--scheduler", "tcp://x:1", "--upload", "."], "no option can name files"),
    ],
)
def test_bad_usage(colab_gen, tmp_path, arguments, words):
    write(tmp_path, a="1")
    done = colab_gen("validate", "a.ipynb", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert os.listdir(tmp_path) == ["a.ipynb"]


def test_nothing_has_failed_yet(colab_gen, tmp_path):
    write(tmp_path, a="1")
    done = colab_gen("validate", ".", "--only-failed")
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr == "colab-gen: no results are kept in .colab-gen; --resume keeps them there\n"
    )


@pytest.mark.runs
def test_downloads_of_several_notebooks_do_not_meet(colab_gen, tmp_path):
    code = (
        "from google.colab import files\nopen('/content/x.txt', 'w').write('{}')\n"
        "files.download('/content/x.txt')"
    )
    for folder in ("p", "q"):
        (tmp_path / folder).mkdir()
    write(tmp_path / "p", a=code.format("p"), b=code.format("b"))
    write(tmp_path / "q", a=code.format("q"))
    done = colab_gen("validate", ".", "--downloads", "kept")
    assert done.returncode == 0, done.stdout
    assert {p.parent.name: p.read_text() for p in (tmp_path / "kept").rglob("*.txt")} == {
        "p-a": "p", "b": "b", "q-a": "q",
    }  # fmt: skip

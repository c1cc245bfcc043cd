"""The commands that change notebooks, as their users call them."""

import json
import os
import subprocess

import pytest
import yaml
from click.testing import CliRunner
from colab_gen.cli import command
from colab_gen.errors import ColabGenError
from conftest import ROOT
from lives import PACKS, Life, made, sources


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Call the command in an empty folder with the second version of the pack."""
    monkeypatch.chdir(tmp_path)

    def invoke(*words, pack="v2", **options):
        runner = CliRunner()
        words = ["--snippets", str(PACKS / pack), *words]
        done = runner.invoke(command, words, standalone_mode=False, **options)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.return_value, done.stdout, done.stderr

    return invoke


def edited(*features):
    one = Life(made(*features))
    cell = one.find("greet-2")
    one.source(cell, one.source(cell).replace("return f", "return 1 or f"))
    one.insert(9)
    return one.text()


def test_updating_says_what_it_did(call, tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_text(edited("greet", "clock"))
    before = path.read_text()
    line = "a.ipynb: 2 updated, 1 conflict (greet), 1 cell of yours untouched\n"
    assert call("update", "a.ipynb", "--check") == (1, line, "")
    assert call("update", "a.ipynb", "--dry-run") == (1, line, "")
    assert path.read_text() == before
    assert not (tmp_path / "a.ipynb.bak").exists()
    assert call("update", "a.ipynb") == (1, line, "")
    assert (tmp_path / "a.ipynb.bak").read_text() == before
    after = path.read_text()
    line = "a.ipynb: 1 conflict (greet), 1 cell of yours untouched\n"
    assert call("update") == (1, line, "")
    assert path.read_text() == after
    assert call("update", "a.ipynb", "--on-conflict", "theirs")[0] == 0
    assert call("update", "--check") == (0, "a.ipynb: up to date, 1 cell of yours untouched\n", "")


def test_many_notebooks_and_folders_at_once(call, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.ipynb").write_text(made("greet"))
    (tmp_path / "sub" / "b.ipynb").write_text(made("clock"))
    (tmp_path / "sub" / "bad.ipynb").write_text("{")
    (tmp_path / "sub" / "other.ipynb").write_text(
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}'
    )
    code, out, err = call("update", "a.ipynb", "sub")
    assert code == 1
    assert out == "a.ipynb: 3 updated\nsub/b.ipynb: up to date\n"
    assert err.splitlines() == [
        "colab-gen: sub/bad.ipynb: not a notebook, since not plain JSON: Expecting value: "
        "line 1 column 2 (char 1)",
        "colab-gen: sub/other.ipynb: colab-gen did not make it; colab-gen adopt takes it in",
    ]
    assert (tmp_path / "sub" / "bad.ipynb").read_text() == "{"
    (tmp_path / "sub" / "bad.ipynb").unlink()
    assert call("update", ".", "--check")[0] == 0


def test_the_status_is_of_features(call, tmp_path):
    one = Life(edited("greet", "clock", "old", "tally"))
    for cell in [c for c in one.cells if c["id"].startswith("clock")]:
        one.cells.remove(cell)
    one.cells.remove(one.find("tally-1"))
    (tmp_path / "a.ipynb").write_text(one.text())
    code, out, err = call("status")
    assert code == 0
    assert out.splitlines() == [
        "a.ipynb",
        "  cover  outdated",
        "  clock  deleted by you",
        "  greet  outdated, conflict, edited by you",
        "  tally  outdated, partly deleted by you",
    ]
    assert err == (
        "  old is left as it is, since it is not among the snippets: give --snippets DIR, "
        "or remove it\n"
    )
    (data,) = json.loads(call("status", "a.ipynb", "--json")[1])
    assert data["features"]["greet"] == ["outdated", "conflict", "edited by you"]
    assert (data["path"], data["written"], data["own"]) == ("a.ipynb", False, 1)


def test_the_diff_is_coloured_unless_told(call, tmp_path, monkeypatch):
    (tmp_path / "a.ipynb").write_text(edited("greet"))
    code, out, _ = call("diff", "a.ipynb", color=True)
    assert code == 0
    assert "\x1b[32m+It says hello, as often and as loudly as you like.\x1b[0m" in out
    assert "\x1b[31m-It says hello, as often as you like.\x1b[0m" in out
    assert "conflict; your text stays, and beneath it comes" in out
    assert "+#     return text.upper() if greet_loud else text" in out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in call("diff", "a.ipynb", color=True)[1]


def test_adding_setting_removing(call, tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_text(made("clock"))
    first = path.read_text()
    told = "a.ipynb: 1 updated, 2 added\n"
    assert call("add", "a.ipynb", "greet", pack="v1", color=True)[1] == told
    assert call("set", "a.ipynb", "greet_name=Ada", "greet_times=4", pack="v1")[0] == 0
    assert path.read_text() == made(
        "clock", "greet", values={"greet_name": "Ada", "greet_times": 4}
    )
    assert call("remove", "a.ipynb", "greet", "--dry-run", pack="v1")[1] == (
        "a.ipynb: 1 updated, 2 removed\n"
    )
    assert call("remove", "a.ipynb", "greet", pack="v1")[0] == 0
    assert path.read_text() == first
    assert call("remove", "a.ipynb", "--all", pack="v1")[1] == "a.ipynb: 3 removed\n"
    assert sources(path.read_text()) == []
    code, _, err = call("add", "a.ipynb", "greet", pack="v1")
    assert (code, err) == (
        0, "colab-gen: a.ipynb: colab-gen did not make it; colab-gen adopt takes it in\n",
    )  # fmt: skip
    assert call("adopt", "a.ipynb", "greet,clock", pack="v1")[1] == "a.ipynb: 4 added\n"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["add", "a.ipynb", "clokc"], 2, "did you mean clock?"),
        (["remove", "a.ipynb", "clock"], 2, "there is no feature clock in it"),
        (["set", "a.ipynb", "greet_times=x"], 2, "greet_times takes a whole number"),
        (["add", "none.ipynb", "clock"], 1, "cannot read none.ipynb: No such file"),
    ],
)
def test_what_cannot_be_done_is_one_line(call, tmp_path, words, code, told):
    (tmp_path / "a.ipynb").write_text(made("greet"))
    done, out, err = call(*words)
    assert (done, out, len(err.splitlines())) == (code, "", 1)
    assert told in err
    assert (tmp_path / "a.ipynb").read_text() == made("greet")
    assert os.listdir(tmp_path) == ["a.ipynb"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["remove", "a.ipynb"], "name the features"),
        (["remove", "a.ipynb", "x", "--all"], "name the features"),
        (["set", "a.ipynb", "x"], "takes NAME=VALUE"),
        (["update", "none"], "cannot read none"),
    ],
)
def test_wrong_words_are_told(call, words, told):
    with pytest.raises(ColabGenError, match=told):
        call(*words)


def test_an_old_format_is_upgraded_when_asked(call, tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_text('{"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": []}')
    code, _, err = call("adopt", "a.ipynb", "greet")
    assert (code, "--upgrade makes it nbformat 4" in err) == (1, True)
    assert call("adopt", "a.ipynb", "greet", "--upgrade")[0] == 0
    assert json.loads(path.read_text())["nbformat_minor"] == 5
    assert "# @title Greet somebody" in "".join(sources(path.read_text()))


def test_two_updates_at_once_are_as_one(colab_gen, tmp_path):
    for name in "abc":
        (tmp_path / f"{name}.ipynb").write_text(made("greet", "tally"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "generator")}
    words = [os.sys.executable, "-m", "colab_gen", "--snippets", str(PACKS / "v2"), "update", "."]
    both = [
        subprocess.Popen(words, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)
        for _ in range(2)
    ]
    assert [process.wait(100) for process in both] == [0, 0]
    done = colab_gen("--snippets", str(PACKS / "v2"), "update", "--check")
    assert (done.returncode, done.stdout.count("up to date")) == (0, 3)


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    """A folder with the command colab-gen of this checkout, for shells."""
    folder = tmp_path_factory.mktemp("bin")
    script = folder / "colab-gen"
    script.write_text(
        f'#!/bin/sh\nPYTHONPATH="{ROOT / "generator"}" exec "{os.sys.executable}" -m colab_gen '
        f'--snippets "{PACKS}/$PACK" "$@"\n'
    )
    script.chmod(0o755)
    return folder


def test_the_hooks_run(scripts, tmp_path):
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert [hook["id"] for hook in hooks] == ["colab-gen-update", "colab-gen-validate"]
    assert {(hook["language"], hook["files"]) for hook in hooks} == {("python", "\\.ipynb$")}
    (tmp_path / "a.ipynb").write_text(made("clock"))
    (tmp_path / "b.ipynb").write_text(made("greet"))
    update = hooks[0]["entry"].split()
    environment = {**os.environ, "PATH": f"{scripts}:{os.environ['PATH']}", "PACK": "v2"}
    for names, code in ((["a.ipynb"], 0), (["a.ipynb", "b.ipynb"], 1)):
        done = subprocess.run([*update, *names], cwd=tmp_path, env=environment, check=False)
        assert done.returncode == code
    shown = subprocess.run(
        [*hooks[1]["entry"].split(), "--help"], env=environment, check=True, capture_output=True
    )
    assert b"--timeout" in shown.stdout


def act(folder, scripts, **environment):
    """Run the action's own step as GitHub would; setting up Python is GitHub's."""
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    assert action["runs"]["using"] == "composite"
    (step,) = (s for s in action["runs"]["steps"] if "colab-gen update" in s.get("run", ""))
    assert set(step["env"]) == {"NOTEBOOKS", "VALIDATE", "BEFORE"}
    given = {"NOTEBOOKS": "", "VALIDATE": "false", "BEFORE": "", "PACK": "v2", **environment}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PATH": f"{scripts}:{os.environ['PATH']}", **given},
    )  # fmt: skip


def test_the_action_looks_at_what_is_changed(scripts, tmp_path):
    def git(*words):
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        done = subprocess.run(
            ["git", *who, *words], cwd=tmp_path, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    git("init", "-q")
    (tmp_path / "old.ipynb").write_text(made("greet"))
    git("add", ".")
    git("commit", "-qm", "1")
    before = git("rev-parse", "HEAD")
    (tmp_path / "new one.ipynb").write_text(made("clock"))
    git("add", ".")
    git("commit", "-qm", "2")
    done = act(tmp_path, scripts, BEFORE=before)
    assert (done.returncode, done.stdout) == (0, "new one.ipynb: up to date\n"), done.stderr
    assert act(tmp_path, scripts, BEFORE="0" * 40).returncode == 1
    assert "old.ipynb: 3 updated" in act(tmp_path, scripts, NOTEBOOKS="old.ipynb").stdout
    nothing = act(tmp_path, scripts, BEFORE=git("rev-parse", "HEAD"))
    assert (nothing.returncode, nothing.stdout) == (0, "No notebook is changed.\n")


@pytest.mark.runs
def test_the_action_executes_too(scripts, tmp_path):
    (tmp_path / "a.ipynb").write_text(made("clock"))
    done = act(tmp_path, scripts, NOTEBOOKS="a.ipynb", VALIDATE="true")
    assert done.returncode == 0, done.stderr
    assert "a.ipynb: passed" in done.stdout

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from xml.etree import ElementTree

import pytest
from conftest import ROOT


def test_a_notebook_is_written_and_named(colab_gen, tmp_path):
    done = colab_gen("new", "--features", "staging,drive", "--set", "archive_name=a b.zip")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "colab-notebook.ipynb\n"
    assert "drive, staging" in done.stderr
    text = (tmp_path / "colab-notebook.ipynb").read_text(encoding="utf-8")
    assert 'archive_name = "a b.zip"' in "".join(
        line for cell in json.loads(text)["cells"] for line in cell["source"]
    )
    assert os.listdir(tmp_path) == ["colab-notebook.ipynb"]


def test_the_name_of_the_file_gives_the_title(colab_gen, tmp_path):
    colab_gen("new", "my_first-model.ipynb", "-f", "drive")
    notebook = json.loads((tmp_path / "my_first-model.ipynb").read_text())
    assert notebook["cells"][0]["source"][0] == "# My first model\n"
    assert notebook["metadata"]["colab"]["name"] == "my_first-model.ipynb"


def test_a_notebook_is_the_recipe_of_itself(colab_gen, tmp_path):
    colab_gen(
        "new", "a.ipynb", "--all", "--title", 'T "q"', "--gpu", "t4", "--high-ram", "--repo",
        "ada/x", "--set", "mount_point=/content/gdrive", "--set", "fill_memory=no",
    )  # fmt: skip
    first = (tmp_path / "a.ipynb").read_bytes()
    done = colab_gen("new", "--recipe", "a.ipynb", "--force")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "a.ipynb\n"
    assert (tmp_path / "a.ipynb").read_bytes() == first
    again = colab_gen("new", "-", "--recipe", "a.ipynb")
    assert again.stdout.encode() == first


def test_flags_win_over_the_recipe(colab_gen, tmp_path):
    (tmp_path / "r.toml").write_text(
        'title = "From file"\nfeatures = ["staging"]\naccelerator = "T4"\n'
        '[values]\narchive_name = "a.zip"\nmount_point = "/content/m"\n'
    )
    done = colab_gen(
        "new", "--recipe", "r.toml", "--set", "archive_name=b.zip", "--gpu", "none", "--dry-run",
        "--json",
    )  # fmt: skip
    assert json.loads(done.stdout) == {
        "path": "from-file.ipynb",
        "written": False,
        "features": ["drive", "staging"],
        "recipe": {
            "title": "From file",
            "features": ["staging"],
            "values": {"mount_point": "/content/m", "archive_name": "b.zip"},
        },
        "link": "",
    }
    assert os.listdir(tmp_path) == ["r.toml"]


def test_an_existing_file_is_refused_without_force(colab_gen, tmp_path):
    (tmp_path / "a.ipynb").write_text("mine")
    done = colab_gen("new", "a.ipynb", "--all")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "colab-gen: a.ipynb is there already; --force replaces it\n"
    assert (tmp_path / "a.ipynb").read_text() == "mine"
    assert colab_gen("new", "a.ipynb", "--all", "--force").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["new", "--features", "drvie"], ["no feature is named drvie (did you mean drive?)"]),
        (
            ["new", "--features", "drive", "--set", "mount_piont=/x"],
            ["no parameter is named mount_piont (did you mean mount_point?); there are"],
        ),
        (
            ["new", "--features", "drive", "--set", "force_remount=maybe"],
            ["force_remount takes true or false, not 'maybe'"],
        ),
        (["new", "--features", "drive", "--set", "x"], ["takes NAME=VALUE, not x"]),
        (["new", "--features", "drive", "--gpu", "K80"], ["no GPU is named K80"]),
        (["new", "--features", "drive", "--tpu", "v5e2"], ["no TPU is named v5e2 (did you mean"]),
        (["new", "--features", "drive", "--gpu", "T4", "--tpu", "V28"], ["not both"]),
        (["new", "--features", "drive", "--repo", "x"], ["repository takes owner/name"]),
        (["new", "--features", "drive", "--title", " "], ["the title is empty"]),
        (["new", "a.txt", "--features", "drive"], ["ends in .ipynb, not 'a.txt'"]),
        (["new", "--no-input"], ["no features: give --features, --all or --recipe; there are"]),
        (["new"], ["no features"]),
        (["new", "--feature"], ["No such option"]),
        (["nwe"], ["No such command 'nwe'"]),
        (["show", "drvie"], ["did you mean drive?"]),
        (["validate"], ["Missing argument"]),
        (
            ["new", "-f", "drvie", "--gpu", "K80", "--repo", "x", "--set", "y"],
            ["GPU", "repository", "NAME=VALUE", "drvie"],
        ),
    ],
)
def test_bad_usage_is_a_clear_line_and_exit_code_2(colab_gen, tmp_path, arguments, words):
    done = colab_gen(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert len(lines) == len(words)
    for word in words:
        assert any(word in line for line in lines), done.stderr
    assert all(line.startswith("colab-gen: ") for line in lines)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["new", "none/a.ipynb", "--all"], 1, "cannot write none/a.ipynb: No such file"),
        (["new", "--recipe", "none.toml"], 1, "cannot read none.toml: No such file"),
        (["new", "--recipe", "bad.toml"], 2, "the recipe is not TOML"),
        (["new", "--recipe", "other.ipynb"], 1, "holds no recipe"),
        (["validate", "none.ipynb"], 1, "cannot read none.ipynb"),
        (["validate", "bytes.ipynb"], 1, "cannot read bytes.ipynb: it is not UTF-8 text"),
        (["validate", "bad.toml"], 1, "bad.toml: not a notebook, since not JSON"),
        (["--snippets", "none", "list"], 1, "there is no directory of snippets none"),
    ],
)
def test_what_cannot_be_read_is_one_line(colab_gen, tmp_path, arguments, code, words):
    (tmp_path / "bad.toml").write_text("title =")
    (tmp_path / "bytes.ipynb").write_bytes(b"\xff\xfe{}")
    (tmp_path / "other.ipynb").write_text('{"nbformat": 4, "cells": [], "metadata": {}}')
    done = colab_gen(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert len(done.stderr.splitlines()) == 1
    assert words in done.stderr


def test_debug_shows_the_traceback(colab_gen):
    done = colab_gen("--debug", "new", "-f", "drvie")
    assert "Traceback" in done.stderr
    assert done.returncode != 0


@pytest.mark.runs
def test_a_grammar_that_nothing_needs_is_not_compiled(tmp_path):
    (tmp_path / "rfc3987_syntax.py").write_text("print('compiles for seconds')")
    empty = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "a.ipynb").write_text(json.dumps(empty))
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'generator'}{os.pathsep}{tmp_path}"}
    ours = ["-m", "colab_gen", "validate", str(tmp_path / "a.ipynb")]
    for words, compiles in [(["-c", "import nbformat"], True), (ours, False)]:
        done = subprocess.run(
            [sys.executable, *words], env=environment, capture_output=True, text=True, check=True
        )
        assert ("compiles" in done.stdout) == compiles


def test_list_and_show(colab_gen, catalog):
    listed = colab_gen("list").stdout
    assert [line.split()[0] for line in listed.splitlines()] == list(catalog.features)
    verbose = colab_gen("list", "-v").stdout
    for parameter in catalog.parameters():
        assert f"  {parameter} = " in verbose
    data = json.loads(colab_gen("list", "--json").stdout)
    assert [item["name"] for item in data] == list(catalog.features)
    assert "\x1b" not in listed
    shown = colab_gen("show", "staging").stdout
    assert "archive_name" in shown


def test_help_has_examples_and_version_is_told(colab_gen):
    assert "colab-gen new --features" in colab_gen("--help").stdout
    assert re.fullmatch(r"colab-gen \d+\.\d+\.\d+\n", colab_gen("--version").stdout)
    assert "_COLAB_GEN_COMPLETE" in colab_gen("completion", "bash").stdout


def test_the_shell_completes_features(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "colab_gen"],
        env={
            **os.environ,
            "_COLAB_GEN_COMPLETE": "bash_complete",
            "COMP_WORDS": "colab-gen new --features drive,sta",
            "COMP_CWORD": "3",
            "PYTHONPATH": str(ROOT / "generator"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert "drive,staging" in done.stdout


class Terminal:
    """The command on a terminal of its own, with keys typed as a person would."""

    def __init__(self, folder, *arguments):
        self.process, self.seen = pty.fork(), ""
        self.pid, self.handle = self.process
        if self.pid == 0:
            os.chdir(folder)
            os.environ |= {"PYTHONPATH": str(ROOT / "generator"), "TERM": "xterm"}
            os.execv(sys.executable, [sys.executable, "-m", "colab_gen", *arguments])

    def expect(self, words, seconds=30):
        end = time.monotonic() + seconds
        while words not in self.seen:
            assert time.monotonic() < end, f"{words!r} did not come: {self.seen!r}"
            if select.select([self.handle], [], [], 0.2)[0]:
                try:
                    data = os.read(self.handle, 65536)
                except OSError:  # the terminal is closed
                    data = b""
                assert data, f"{words!r} did not come: {self.seen!r}"
                if b"\x1b[6n" in data:  # asked where the cursor is
                    os.write(self.handle, b"\x1b[1;1R")
                self.seen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", data.decode("utf-8", "replace"))
        self.seen = self.seen[self.seen.index(words) + len(words) :]

    def type(self, keys):
        os.write(self.handle, keys.encode())

    def end(self):
        while True:
            try:
                if not os.read(self.handle, 65536):
                    break
            except OSError:
                break
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_on_a_terminal_it_asks_only_what_was_chosen(tmp_path, catalog):
    terminal = Terminal(tmp_path, "new")
    terminal.expect("Title")
    terminal.type("\x15Ada's data\r")
    terminal.expect("Features")
    terminal.type("\x1b[B" * catalog.features.index("drive") + " \r")
    terminal.expect("mount point")
    terminal.type("\x15/content/gdrive\r")
    terminal.expect("force remount")
    terminal.type("n")
    terminal.expect("read only")
    terminal.type("y")
    terminal.expect("Next time:")
    terminal.expect("--set read_only=true")
    assert terminal.end() == 0
    text = (tmp_path / "ada-s-data.ipynb").read_text()
    assert '"mount_point": "/content/gdrive"' in text


def test_ctrl_c_leaves_nothing_behind(tmp_path):
    terminal = Terminal(tmp_path, "new")
    terminal.expect("Title")
    terminal.type("\r")
    terminal.expect("Features")
    terminal.type("\x03")
    assert terminal.end() == 130
    assert os.listdir(tmp_path) == []


@pytest.mark.runs
def test_results_go_where_they_are_asked_for(colab_gen, tmp_path, monkeypatch):
    for name, code in (("good", "print('fine')"), ("bad", "1/0")):
        cell = {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [],
                "execution_count": None, "source": [code]}  # fmt: skip
        notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
        (tmp_path / f"{name}.ipynb").write_text(json.dumps(notebook))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    done = colab_gen(
        "validate", ".", "--html", "r.html", "--junit", "r.xml", "--save-executed", "done",
        "--slowest", "1",
    )  # fmt: skip
    assert done.returncode == 1
    assert "::error " in done.stdout
    assert "division by zero" in (tmp_path / "summary.md").read_text()
    suites = ElementTree.parse(tmp_path / "r.xml").getroot()
    assert suites.get("failures") == "1"
    assert "division by zero" in (tmp_path / "r.html").read_text()
    executed = json.loads((tmp_path / "done" / "good.ipynb").read_text())
    assert "".join(executed["cells"][0]["outputs"][0]["text"]) == "fine\n"
    assert "Versions that differ from Colab's image" in done.stderr

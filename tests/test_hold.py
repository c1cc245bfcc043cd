"""Files of notebooks: held, read with care, backed up, replaced whole."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from colab_gen import hold as module
from colab_gen.errors import NotebookError
from colab_gen.hold import hold, read_document
from colab_gen.upgrade import upgrade
from conftest import ROOT
from lives import V1, V2, made, updated

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "generator"), "NO_COLOR": "1"}


def git(folder, *words):
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xff\xfe{}", "not UTF-8"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b"x" * 2001, "clear its outputs"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path, monkeypatch, data, words):
    monkeypatch.setattr(module, "_LARGEST", 2000)
    path = tmp_path / "a.ipynb"
    path.write_bytes(data)
    with pytest.raises(NotebookError, match=words), hold(path):
        pass
    assert path.read_bytes() == data


def test_the_old_file_is_kept_unless_git_has_these_bytes(tmp_path):
    path, backup = tmp_path / "a.ipynb", tmp_path / "a.ipynb.bak"
    path.write_bytes("ä\r\n".encode())
    git(tmp_path, "init", "-q")
    git(tmp_path, "config", "core.autocrlf", "input")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "x")
    with hold(path) as held:
        held.replace("new\r\n")  # git says clean, but it has the line ends no more
    assert path.read_bytes() == b"new\r\n"
    assert backup.read_bytes() == "ä\r\n".encode()
    backup.unlink()
    git(tmp_path, "config", "core.autocrlf", "false")
    git(tmp_path, "commit", "-qam", "y")
    with hold(path) as held:
        held.replace("newer")
    assert not backup.exists()


def test_a_file_changed_meanwhile_is_left_alone(tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_text("old")
    with hold(path) as held:
        path.write_text("theirs")
        with pytest.raises(NotebookError, match="was changed meanwhile"):
            held.replace("ours")
    assert os.listdir(tmp_path) == ["a.ipynb"]
    assert path.read_text() == "theirs"


def test_a_link_stays_one(tmp_path):
    (tmp_path / "real").mkdir()
    real = tmp_path / "real" / "a.ipynb"
    real.write_text("old")
    (tmp_path / "a.ipynb").symlink_to(real)
    with hold(tmp_path / "a.ipynb") as held:
        held.replace("new")
    assert (tmp_path / "a.ipynb").is_symlink()
    assert real.read_text() == "new"


def test_another_who_holds_the_file_is_waited_for(tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_text("1")
    script = (
        "import sys, pathlib\nfrom colab_gen.hold import hold\n"
        "for _ in range(20):\n"
        "    with hold(pathlib.Path(sys.argv[1])) as held:\n"
        "        held.replace(str(int(held.text) + 1))\n"
    )
    counters = [
        subprocess.Popen([sys.executable, "-c", script, str(path)], env=ENVIRONMENT)
        for _ in range(2)
    ]
    assert [counter.wait(60) for counter in counters] == [0, 0]
    assert path.read_text() == "41"


def test_a_kill_at_any_moment_leaves_the_old_file_or_the_new(tmp_path):
    old, new = made("greet", "tally"), updated(made("greet", "tally")).text
    path = tmp_path / "a.ipynb"
    # The process says when it has the text, and then writes the two texts by turns until it dies.
    script = (
        "import sys, pathlib\nfrom colab_gen.hold import hold\n"
        "path, old, new = pathlib.Path(sys.argv[1]), *map(pathlib.Path.read_text, "
        "map(pathlib.Path, sys.argv[2:]))\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    with hold(path) as held:\n"
        "        held.replace(old if held.text == new else new)\n"
    )
    (tmp_path / "old").write_text(old)
    (tmp_path / "new").write_text(new)
    path.write_text(old)
    found = set()
    for turn in range(12):
        words = [sys.executable, "-c", script, "a.ipynb", "old", "new"]
        process = subprocess.Popen(words, cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"ready\n"
        time.sleep(0.003 + 0.0071 * turn)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        found.add(path.read_text())
        backup = tmp_path / "a.ipynb.bak"
        assert not backup.exists() or backup.read_text() in (old, new)
    assert found <= {old, new}


V3 = json.dumps(
    {
        "nbformat": 3, "nbformat_minor": 0, "metadata": {"name": "x"},
        "worksheets": [{"metadata": {}, "cells": [
            {"cell_type": "heading", "level": 2, "metadata": {}, "source": ["Hi"]},
            {"cell_type": "code", "language": "python", "collapsed": False, "metadata": {},
             "input": ["1 + 1"], "outputs": []},
        ]}],
    }
)  # fmt: skip


def test_an_old_format_is_upgraded_only_when_asked():
    with pytest.raises(NotebookError, match="nbformat 3"):
        read_document(V3)
    cells = read_document(upgrade(V3)).data["cells"]
    assert [(c["id"], "".join(c["source"])) for c in cells] == [
        ("cell-1", "## Hi"), ("cell-2", "1 + 1"),
    ]  # fmt: skip
    assert upgrade(upgrade(V3)) == upgrade(V3)
    assert upgrade(made("greet")) == made("greet")


def test_colabs_own_ids_become_the_ids():
    text = json.dumps(
        {
            "nbformat": 4, "nbformat_minor": 0, "metadata": {},
            "cells": [{"cell_type": "markdown", "metadata": {"id": id}, "source": ["x"]}
                      for id in ("a_B-1", "a_B-1", "no id", "cell-2")],
        }
    )  # fmt: skip
    ids = [c["id"] for c in read_document(upgrade(text)).data["cells"]]
    assert ids == ["a_B-1", "cell-3", "cell-4", "cell-2"]


@pytest.mark.parametrize("text", ["{", '{"nbformat": 2}', '{"nbformat": 3, "worksheets": 5}', "[]"])
def test_what_cannot_be_upgraded_is_told(text):
    with pytest.raises(NotebookError, match="nbformat cannot upgrade it"):
        upgrade(text)


def test_the_two_versions_are_two():
    assert made("greet", catalog=V1) != made("greet", catalog=V2)

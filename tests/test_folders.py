"""Folders that a killed process left are swept away, and nothing else is."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from colab_gen.standin import folders
from colab_gen.standin.folders import Folder
from conftest import ROOT

STANDIN = ROOT / "generator" / "colab_gen" / "standin"
# Alone the module is imported at once.
PATHS = os.pathsep.join(map(str, (STANDIN, ROOT / "generator", ROOT / "tests")))
HOLD = """
import sys, time
from pathlib import Path
from folders import Folder
path = Folder().path
(path / "in").mkdir()
(path / "in" / "locked").mkdir()
(path / "in" / "locked" / "file").write_text("x")
(path / "in" / "locked").chmod(0)
(path / "link").symlink_to(sys.argv[1])
print(path, flush=True)
time.sleep(100)
"""
RUN = """
import sys
from colab_gen.run import run
from colab_gen.standin import WarmParent
from test_static import notebook
def tell(outcome):
    print(flush=True)
with WarmParent() as warm:
    run(notebook("1", "import time; time.sleep(100)"), warm=warm, on_cell=tell)
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch):  # pytest makes its own folder first
    """A short folder in place of /tmp, for this process and those it starts."""
    folder = tempfile.mkdtemp(dir="/tmp")
    monkeypatch.setenv("TMPDIR", folder)
    monkeypatch.setattr(tempfile, "tempdir", folder)
    monkeypatch.setattr(folders, "_swept", set())
    yield Path(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def start():
    """Start a process that runs a script, and wait for its first line."""
    processes = []

    def started(script, *arguments):
        process = subprocess.Popen(
            [sys.executable, "-c", script, *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": PATHS},
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process, process.stdout.readline().strip()

    yield started
    for process in processes:
        process.kill()
        process.communicate()


def killed(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_what_a_killed_process_left_is_swept_away_and_nothing_else(temporary, start, tmp_path):
    (tmp_path / "mine").write_text("x")
    dead, left = start(HOLD, tmp_path)
    alive, used = start(HOLD, tmp_path)
    for name in ("colab-gen-project", "other"):  # of a user's, without our mark
        (temporary / name).mkdir()
        (temporary / name / "work").write_text("x")
    (temporary / "colab-gen-file").write_text("x")
    (temporary / "colab-gen-link").symlink_to(used)
    mine = Folder()
    before = set(os.listdir(temporary))
    folders._swept.clear()
    Folder().remove()
    assert set(os.listdir(temporary)) == before, "the owners of all are alive"
    killed(dead)
    folders._swept.clear()
    Folder().remove()
    assert set(os.listdir(temporary)) == before - {Path(left).name}
    assert (tmp_path / "mine").read_text() == "x"
    mine.remove()
    assert not mine.path.exists()
    killed(alive)
    Folder().remove()
    assert Path(used).exists(), "a process sweeps once"


def test_what_is_mounted_in_a_folder_stays(temporary, start, tmp_path):
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    if not shutil.which("unshare") or subprocess.run([*unshare, "true"], check=False).returncode:
        pytest.skip("NOT CHECKED: no namespaces here")
    dead, left = start(HOLD, tmp_path)
    killed(dead)
    (tmp_path / "mine").write_text("x")
    script = (
        f'mkdir "{left}/point" && mount --bind "{tmp_path}" "{left}/point" && '
        f'"{sys.executable}" -c "from folders import Folder; Folder()"'
    )
    environment = {**os.environ, "PYTHONPATH": PATHS}
    subprocess.run([*unshare, "sh", "-c", script], env=environment, check=True)
    assert (tmp_path / "mine").read_text() == "x"
    assert Path(left, "point").exists()


@pytest.mark.runs
def test_a_killed_run_is_cleared_up_by_the_next(temporary, start):
    process, _ = start(RUN)
    left = set(temporary.glob("colab-gen-*"))
    assert len(left) == 2, "the machine's and that of the process that forks"
    killed(process)
    until = time.monotonic() + 60
    while time.monotonic() < until and left:
        folders._swept.clear()
        Folder().remove()
        left = set(temporary.glob("colab-gen-*"))
    assert left == set()
    assert os.listdir(temporary) == []

"""No process of the stand-in outlives the one that it belongs to, whenever that is killed."""

import json
import os
import subprocess
import sys

import pytest
from colab_gen.run import run
from colab_gen.standin.machine import Machine
from conftest import ROOT
from test_run import texts
from test_static import notebook

STANDIN = ROOT / "generator" / "colab_gen" / "standin"
linux = pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")


@linux
def test_a_launcher_whose_host_has_ended_ends():
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with Machine() as machine:
        order = machine.root / "order.json"
        order.write_text(json.dumps(machine._order()))
        done = subprocess.run(
            [sys.executable, STANDIN / "launch.py", order, machine.root / "run" / "k0.json"],
            env={**os.environ, "JPY_PARENT_PID": str(gone.pid)},
            timeout=60,
            check=False,
        )
        assert done.returncode == 1
        assert machine.state == {}


@pytest.mark.runs
def test_an_interpreter_may_be_started_by_a_script(tmp_path):
    script = tmp_path / "python"
    script.write_text(f'#!/bin/sh\n"{sys.executable}" "$@"\nexit $?\n')
    script.chmod(0o755)
    report = run(notebook("import sys; print(sys.executable)"), python=str(script))
    assert texts(report) == [f"{sys.executable}\n"]


@linux
def test_a_forked_process_ends_with_the_one_before_at_any_moment():
    body = (
        f"import os, sys, time; sys.path.insert(0, {str(STANDIN)!r})\n"
        "import minder\n"
        "for turn in range(100):\n"
        "    before = os.fork()\n"
        "    if before == 0:\n"
        "        if minder.fork() == 0:\n"
        "            time.sleep(100)\n"
        "        os._exit(0)\n"
        "    os.waitpid(before, 0)\n"
    )
    # Whoever lives on keeps the pipe open.
    done = subprocess.run([sys.executable, "-c", body], stdout=subprocess.PIPE, timeout=60)
    assert done.returncode == 0

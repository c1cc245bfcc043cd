import copy
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from colab_gen import colabcli
from colab_gen.errors import EnvironmentProblem, RunError, UsageProblem
from colab_gen.remote import run_at, run_on_colab
from conftest import ROOT
from test_static import notebook

LOGIN = "\nTo authorize colab-cli, visit this URL in any browser:\n\nAborted."
REFUSED = "[colab] Allocation refused (precondition failed). This can mean too many sessions."


@pytest.fixture
def fake(tmp_path, monkeypatch, home):
    """Put a command colab on the PATH that behaves so, and list its calls."""
    folder = tmp_path / "bin"
    folder.mkdir()
    command = folder / "colab"
    program = (ROOT / "tests" / "fakecolab.py").read_text()
    command.write_text(f"#!{sys.executable}\n{program}")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    (folder / "log.txt").touch()

    class Fake:
        def behave(self, **behaviour):
            (folder / "behaviour.json").write_text(json.dumps(behaviour))

        @property
        def calls(self):
            return [json.loads(line) for line in (folder / "calls.jsonl").read_text().splitlines()]

        @property
        def log(self):
            return (folder / "log.txt").read_text().split()

    fake = Fake()
    fake.behave()
    return fake


def statuses(report):
    return [outcome.status for outcome in report.outcomes]


def test_the_exact_commands(fake, tmp_path):
    given = notebook("# @title One { display-mode: 'form' }\n1", ["2\n", "3"])
    given["cells"].insert(1, {"cell_type": "markdown", "id": "m", "metadata": {}, "source": "hi"})
    untouched = copy.deepcopy(given)
    seen = []
    config = tmp_path / "sessions.json"
    report = run_on_colab(
        given, gpu="t4", high_ram=True, timeout=90, config=config, on_cell=seen.append
    )
    version, new, execute, stop = fake.calls
    name = new[4]
    assert name.startswith("colab-gen-")
    file = execute[6]
    assert Path(file).name == "notebook.ipynb"
    assert not Path(file).parent.exists()
    start = ["--config", str(config)]
    assert version == [*start, "version"]
    assert new == [*start, "new", "-s", name, "--gpu", "T4", "--high-mem"]
    assert execute == [*start, "exec", "-s", name, "-f", file, "--timeout", "90"]
    assert stop == [*start, "stop", "-s", name]
    assert report.passed
    assert [(o.cell, o.id, o.title) for o in report.outcomes] == [
        (0, "c0", "One"),
        (2, "c1", "2"),
    ]
    assert tuple(seen) == report.outcomes
    assert report.notebook["cells"][2]["outputs"][0]["text"] == "2\n3"
    assert "drive.mount waits 120 s" in report.limits[0]
    assert given == untouched
    assert json.loads(json.dumps(report.as_dict()))["passed"] is True


@pytest.mark.parametrize(
    ("asked", "words"),
    [({}, []), ({"gpu": "H100"}, ["--gpu", "H100"]), ({"tpu": "V6E1"}, ["--tpu", "v6e1"])],
)
def test_the_machine_asked_for(fake, asked, words):
    run_on_colab(notebook("1"), **asked)
    assert fake.calls[1][3:] == words


def test_a_session_of_the_users_is_neither_made_nor_released(fake):
    assert run_on_colab(notebook("1"), session="mine").passed
    assert [call[0] for call in fake.calls] == ["version", "exec"]
    assert fake.calls[1][2] == "mine"


def test_the_cells_after_a_failure_are_told_as_they_went(fake):
    given = notebook("1", "fail", "3", "fail", "flood")
    given["cells"][0]["outputs"] = [{"output_type": "error", "ename": "Old", "evalue": "run"}]
    report = run_on_colab(given)
    assert statuses(report) == ["passed", "failed", "passed", "failed", "passed"]
    assert report.outcomes[1].message == "ValueError: a red word"
    assert not report.passed
    assert fake.log == ["made", "released"]


def test_what_is_wrong_before_it_runs_takes_no_machine(fake):
    report = run_on_colab(notebook("1 +"))
    assert report.problems
    assert not report.outcomes
    assert statuses(run_on_colab(notebook("", " \n"))) == ["passed", "passed"]
    assert fake.log == []


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ({"version": "Version: 0.6.9"}, "google-colab-cli is 0.6.9, and 0.7.5 is the oldest"),
        ({"version": "colab, a colour laboratory"}, "is not google-colab-cli; install it: uv"),
        ({"new": LOGIN}, "colab is not logged in; log in once with `colab sessions`"),
        ({"new": "No valid default credentials found."}, "colab is not logged in"),
        ({"new": REFUSED}, "colab granted no runtime: Allocation refused (precondition"),
        ({"new": ""}, "colab granted no runtime: "),
        ({"exec": "[colab] Session 'x' not found."}, "colab exec came to no cell"),
        ({"exec": LOGIN}, "colab is not logged in"),
    ],
)
def test_what_is_missing_is_told_in_one_line(fake, behaviour, words):
    fake.behave(**behaviour)
    with pytest.raises((EnvironmentProblem, RunError)) as caught:
        run_on_colab(notebook("1"))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    # Even where no machine was granted, as far as the command tells.
    assert ("version" in behaviour) or fake.calls[-1][0] == "stop"


def test_without_the_command(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentProblem, match="colab is not here; install it: uv tool install"):
        run_on_colab(notebook("1"))


def test_a_session_that_is_not_there(fake):
    fake.behave(exec="[colab] Session 'mine' not found.")
    with pytest.raises(EnvironmentProblem, match="no session mine; `colab sessions` lists yours"):
        run_on_colab(notebook("1"), session="mine")


@pytest.mark.parametrize("asked", [{"gpu": "V100"}, {"tpu": "V28"}])
def test_what_the_command_would_take_for_another_is_refused(fake, asked):
    with pytest.raises(EnvironmentProblem, match=r"colab new knows no .PU V"):
        run_on_colab(notebook("1"), **asked)
    assert fake.log == []


def test_a_new_that_does_not_answer(fake, monkeypatch):
    monkeypatch.setattr(colabcli, "_NEW", 1.0)
    fake.behave(new_seconds=60)
    with pytest.raises(EnvironmentProblem, match="colab new did not answer within 1 s"):
        run_on_colab(notebook("1"))
    assert fake.log == ["released"]


@pytest.mark.parametrize("source", ["hang", "deaf"])
def test_a_cell_past_its_deadline(fake, monkeypatch, source):
    monkeypatch.setattr(colabcli, "_GRACE", 0.5)
    if source == "deaf":
        shorter = tuple((number, 0.5) for number, _ in colabcli._SIGNALS)
        monkeypatch.setattr(colabcli, "_SIGNALS", shorter)
    start = time.monotonic()
    if source == "deaf":  # it could not write what it had
        with pytest.raises(RunError, match="it did not answer in time"):
            run_on_colab(notebook("1", source, "3"), timeout=1)
    else:
        report = run_on_colab(notebook("1", source, "3"), timeout=1)
        assert statuses(report) == ["passed", "failed", "not run"]
        assert (
            report.outcomes[1].message == "the cell was not done after 1 s, or the session crashed"
        )
        assert report.outcomes[1].seconds > 1
    assert time.monotonic() - start < 30
    assert fake.log[-1] == "released"


def test_a_connection_lost_in_mid_run(fake):
    report = run_on_colab(notebook("1", "lost", "3"))
    assert statuses(report) == ["passed", "failed", "not run"]
    assert report.outcomes[1].message.endswith("socket closed.")
    assert fake.log[-1] == "released"


def test_an_exec_that_is_killed(fake):
    with pytest.raises(RunError, match=r"is not known.*killed by signal 9"):
        run_on_colab(notebook("1", "killed"))
    assert fake.log[-1] == "released"


def test_an_exec_that_writes_nothing(fake):
    fake.behave(writes_nothing=True)
    with pytest.raises(RunError, match="it wrote no output notebook"):
        run_on_colab(notebook("1"))
    assert fake.log[-1] == "released"


def test_a_machine_that_cannot_be_released_is_told(fake, monkeypatch):
    fake.behave(stop="google.auth.exceptions.TransportError: no network")
    report = run_on_colab(notebook("1"))
    assert "may be running still" in report.limits[-1]
    assert "no network; release it with `colab stop -s colab-gen-" in report.limits[-1]
    fake.behave(stop="no network", writes_nothing=True)
    with pytest.raises(EnvironmentProblem, match=r"wrote no output.*may be running still"):
        run_on_colab(notebook("1"))
    monkeypatch.setattr(colabcli, "_STOP", 0.5)
    fake.behave(stop_seconds=60)
    assert "did not answer within 0.5 s" in run_on_colab(notebook("1")).limits[-1]


def test_an_exception_of_the_callers_comes_after_the_release(fake):
    def burst(outcome):
        assert fake.log == ["made", "released"]
        raise LookupError

    with pytest.raises(LookupError):
        run_on_colab(notebook("1"), on_cell=burst)


@pytest.mark.parametrize(
    ("behaviour", "source", "during", "log"),
    [
        ({"stop_seconds": 3}, "hang", "exec", ["made", "hangs", "interrupted", "released"]),
        ({"new_seconds": 3}, "1", "new", ["made", "released"]),
        ({"stop_seconds": 3}, "1", "stop", ["made", "released"]),
    ],
)
def test_ctrl_c_releases_the_machine(fake, tmp_path, behaviour, source, during, log):
    fake.behave(**behaviour)
    code, errors = interrupted(tmp_path, source, during)
    assert code == 130, errors
    assert errors.endswith("colab-gen: interrupted\n")
    assert fake.log == log


@pytest.mark.parametrize(("source", "during"), [("hang", "exec"), ("1", "stop")])
def test_ctrl_c_and_a_machine_that_cannot_be_released(fake, tmp_path, source, during):
    fake.behave(stop="no network", stop_seconds=2)
    code, errors = interrupted(tmp_path, source, during)
    assert code == 3, errors
    last = errors.splitlines()[-1]
    assert "interrupted; the Colab machine may be running still, for colab stop failed" in last
    assert f"release it with `colab stop -s {fake.calls[1][2]}`" in last


def interrupted(folder, source, during):
    """Press Ctrl-C from the moment of a call to the end; return exit code and stderr."""
    (folder / "a.ipynb").write_text(json.dumps(notebook(source)))
    process = subprocess.Popen(
        [sys.executable, "-m", "colab_gen", "validate", "a.ipynb", "--on", "colab"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "generator")},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    log = folder / "bin" / ("log.txt" if during == "exec" else "calls.jsonl")
    mark = "hangs" if during == "exec" else f'["{during}"'
    until = time.monotonic() + 60
    while time.monotonic() < until and not (log.exists() and mark in log.read_text()):
        time.sleep(0.05)
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({}, []),
        ({"accelerator": "GPU"}, ["--gpu", "T4"]),
        ({"accelerator": "GPU", "colab": {"gpuType": "A100", "machine_shape": "hm"}},
         ["--gpu", "A100", "--high-mem"]),
        ({"accelerator": "TPU", "colab": {"gpuType": "V6E1"}}, ["--tpu", "v6e1"]),
    ],
)  # fmt: skip
def test_the_machine_is_the_one_of_the_notebook(fake, metadata, words):
    assert run_at("colab", notebook("1", metadata=metadata), timeout=5).passed
    assert fake.calls[1][3:] == words


@pytest.mark.parametrize(
    ("place", "options", "words"),
    [
        ("kaggle", {}, "--on kaggle is no place; there are colab, colab:SESSION"),
        ("colab:", {}, "--on colab: is no place"),
        ("colab", {"secrets": {"A": "b"}, "timeout": 3}, "does not go with secrets"),
    ],
)
def test_what_on_does_not_take(fake, place, options, words):
    with pytest.raises(UsageProblem) as caught:
        run_at(place, notebook("1"), **options)
    assert words in str(caught.value)


def test_validate_on_colab(fake, colab_gen, tmp_path):
    (tmp_path / "a.ipynb").write_text(json.dumps(notebook("1", "fail")))
    done = colab_gen("validate", "a.ipynb", "--on", "colab")
    assert done.returncode == 1
    assert "c1 (fail): ValueError: a red word" in done.stdout
    assert "not stood in for: Colab's page" in done.stderr
    assert [call[0] for call in fake.calls] == ["version", "new", "exec", "stop"]
    done = colab_gen("validate", "a.ipynb", "--on", "colab", "--allow-network")
    assert (done.returncode, done.stdout) == (2, "")
    fake.behave(new=LOGIN)
    done = colab_gen("validate", "a.ipynb", "--on", "colab")
    assert done.returncode == 3
    assert done.stderr.splitlines()[1:] == [
        "colab-gen: a.ipynb: colab is not logged in; "
        "log in once with `colab sessions` in a terminal"
    ]


# From here on the real command, and a Jupyter server on this machine in place of a VM.

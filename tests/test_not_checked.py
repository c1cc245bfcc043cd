"""What cannot be checked on a machine is told, and is a failure where it is required."""

import subprocess
import sys

import pytest
from conftest import ROOT

ONE_TEST = "tests/test_keepalive_script.py::test_pasted_twice_runs_once"


def run_pytest(*arguments):
    # No browser is found where PATH is empty.
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *arguments],
        cwd=ROOT,
        env={"PATH": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(
    ("options", "code", "tells"),
    [
        (["-n1"], 0, "1 test: there is no Chromium here"),
        (["-n0", "--require=google-colab"], 0, "1 test: there is no Chromium here"),
        (["-n0", "--require=browser"], 1, "--require=browser: there is no Chromium here"),
        (["-n1", "--require=colab,browser"], 1, "--require=browser: there is no Chromium here"),
    ],
)
def test_without_a_browser(options, code, tells):
    done = run_pytest(ONE_TEST, *options)
    assert (done.returncode, done.stderr) == (code, "")
    assert tells in done.stdout
    assert ("= NOT CHECKED =" in done.stdout) == (code == 0)


def test_a_requirement_that_there_is_not():
    done = run_pytest("--require=browsers")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert done.stderr.strip() == (
        "ERROR: --require knows no browsers; there are: browser, colab, colab-cli, google-colab"
    )


def test_ci_requires_a_browser():
    assert "pytest --require=browser" in (ROOT / ".ci" / "run").read_text("utf-8")

import copy
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from colab_gen.errors import EnvironmentProblem
from colab_gen.run import run
from processes import interrupted
from test_static import notebook

pytestmark = pytest.mark.runs


def texts(report):
    """What each code cell printed or gave."""
    return [
        "".join(o.get("text", "") or o.get("data", {}).get("text/plain", "") for o in c["outputs"])
        for c in report.notebook["cells"]
    ]


def leftovers():
    return {str(p) for p in Path(tempfile.gettempdir()).glob("colab-gen-*")}


def test_a_notebook_that_passes(tmp_path):
    given = notebook(
        "# @title Write to Drive { display-mode: 'form' }\n"
        "from google.colab import drive\n"
        "drive.mount('/content/drive')\n"
        "from pathlib import Path\n"
        "home = Path('/content/drive/MyDrive')\n"
        "(home / 'new.txt').write_text(home.joinpath('old.txt').read_text().upper())\n"
        "(home / 'changed.txt').write_text('now')",
        "import os\nprint(os.getcwd(), os.environ['HOME'], os.path.ismount('/content/drive'))",
    )
    untouched = copy.deepcopy(given)
    seen = []

    def prepare(drive):
        for name in ("old.txt", "changed.txt"):
            (drive / name).write_text("words")

    report = run(given, prepare=prepare, on_cell=seen.append)
    assert report.passed
    assert [(o.status, o.title, o.id) for o in report.outcomes] == [
        ("passed", "Write to Drive", "c0"),
        ("passed", "import os", "c1"),
    ]
    assert tuple(seen) == report.outcomes
    assert report.drive == ("changed.txt", "new.txt")
    assert given == untouched
    assert set(report.environment) >= {"python", "ipython", "ipykernel"}
    assert json.loads(json.dumps(report.as_dict()))["passed"] is True
    if not report.limits:
        assert texts(report)[1] == "/content /root True\n"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("1/0", "ZeroDivisionError: division by zero"),
        ("raise ValueError('a\\nb \x1b[31mred')", "ValueError: a b red"),
        ("assert False", "AssertionError"),
        ("%%bash\nexit 3", "CalledProcessError: Command 'b'exit 3"),
        ("import os; os._exit(1)", "the session crashed: the kernel ended with exit code 1"),
        (
            "import os; os.kill(os.getpid(), 9)",
            "the session crashed: the kernel was killed by signal 9, as when memory runs out",
        ),
        ("bytearray(6 * 2**30)", "MemoryError"),
        ("x = []\nwhile True: x.append(bytearray(10**8))", "MemoryError"),
        ("input()", "StdinNotImplementedError: raw_input was called"),
    ],
)
def test_the_first_failure_ends_the_run(source, message):
    report = run(notebook("a = 1", source, "print('never')"))
    assert [o.status for o in report.outcomes] == ["passed", "failed", "not run"]
    assert report.outcomes[1].message.startswith(message)
    assert not report.passed
    assert texts(report)[2] == ""


@pytest.mark.parametrize(
    "source",
    [
        "import time; time.sleep(60)",
        "while True:\n  try:\n    import time; time.sleep(60)\n  except KeyboardInterrupt: pass",
        "import subprocess; subprocess.run(['sleep', '60'])",
        "while True: print('x' * 100)",
        "while True:\n  try:\n    while True: print('x' * 100)\n  except KeyboardInterrupt: pass",
    ],
)
def test_a_cell_that_takes_too_long(source):
    start = time.perf_counter()
    report = run(notebook(source, "1"), timeout=3)
    assert report.outcomes[0].message == "the cell took longer than 3 s and was interrupted"
    assert [o.status for o in report.outcomes] == ["failed", "not run"]
    assert time.perf_counter() - start < 60


def test_a_cell_that_takes_too_long_shows_where_it_was_and_keeps_its_download():
    report = run(
        notebook(
            "from google.colab import files\nopen('a', 'w').write('x'); files.download('a')\n"
            "import time; time.sleep(60)"
        ),
        timeout=3,
    )
    assert report.notebook["cells"][0]["outputs"][-1]["ename"] == "KeyboardInterrupt"
    assert report.downloads == ("a",)


def test_a_thread_that_prints_on_is_no_hindrance():
    report = run(
        notebook(
            "import threading, time\n"
            "def talk():\n  while True: print('x'); time.sleep(0.01)\n"
            "threading.Thread(target=talk, daemon=True).start()",
            "from google.colab import files\nopen('a', 'w').write('x'); files.download('a')",
        )
    )
    assert report.passed
    assert report.downloads == ("a",)


@pytest.mark.parametrize("sources", [("1", "1/0", "print(3)"), ("1", "def (", "3")])
def test_the_outputs_of_an_earlier_run_are_gone(sources):
    given = notebook(*sources)
    old = {"output_type": "stream", "name": "stdout", "text": "of an earlier run"}
    for cell in given["cells"]:
        cell.update(outputs=[old], execution_count=7)
    report = run(given)
    assert not report.passed
    assert "earlier" not in json.dumps(report.notebook)
    last = report.notebook["cells"][2]
    assert (last["outputs"], last["execution_count"]) == ([], None)
    assert given["cells"][2]["outputs"] == [old]


def test_a_cell_that_may_raise():
    given = notebook("1/0", "2")
    given["cells"][0]["metadata"]["tags"] = ["raises-exception"]
    assert run(given).passed


@pytest.mark.parametrize("after", ["", "\nwhile True: pass"])
def test_giving_the_runtime_back_ends_the_run(after):
    report = run(notebook("from google.colab import runtime\nruntime.unassign()" + after, "1"))
    assert [o.status for o in report.outcomes] == ["passed", "not run"]
    assert report.passed


def test_what_the_static_check_finds_is_not_run():
    report = run(notebook("print(1)", "def ("))
    assert not report.passed
    assert report.outcomes == ()
    assert report.problems == ("cell 1 (c1): line 1: invalid syntax",)


def test_markdown_has_no_outcome():
    given = notebook("1", "")
    given["cells"].insert(
        0, {"cell_type": "markdown", "id": "m", "metadata": {}, "source": "# Title"}
    )
    assert [o.cell for o in run(given).outcomes] == [1, 2]


def test_downloads_are_kept(tmp_path):
    source = (
        "from google.colab import files\nopen('/content/a.txt', 'w').write('words')\n"
        "files.download('/content/a.txt')"
    )
    report = run(notebook(source), downloads_to=tmp_path / "kept")
    assert report.downloads == ("a.txt",)
    assert (tmp_path / "kept" / "a.txt").read_text() == "words"


def test_an_interpreter_that_is_not_there():
    with pytest.raises(EnvironmentProblem, match="/no/python cannot be run"):
        run(notebook("1"), python="/no/python")


def test_an_interpreter_without_ipykernel(tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "v"], check=True)
    python = str(tmp_path / "v" / "bin" / "python")
    with pytest.raises(EnvironmentProblem, match="cannot run a kernel") as caught:
        run(notebook("1"), python=python)
    assert "\n" not in str(caught.value)


def test_a_failing_preparation_leaves_nothing():
    before = leftovers()

    def prepare(drive):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(notebook("1"), prepare=prepare)
    assert leftovers() - before == set()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_leaves_no_process(tmp_path, own_tmp, end):
    body = "run(notebook('1', 'import time; time.sleep(100)'), on_cell=tell)\n"
    interrupted(body, tmp_path, end, own=own_tmp)


def test_nothing_reaches_the_terminal(capfd):
    run(notebook("import sys, os\nos.write(2, b'noise')\nsys.__stderr__.write('noise')\n1/0"))
    assert capfd.readouterr() == ("", "")

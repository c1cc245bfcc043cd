import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from colab_gen.checks import preparation
from colab_gen.notebook import build
from colab_gen.plan import make_plan
from colab_gen.recipe import Recipe
from colab_gen.render import render
from colab_gen.run import run
from colab_gen.standin import WarmParent, preload_for
from processes import interrupted
from test_run import texts
from test_static import notebook

pytestmark = pytest.mark.runs

FEATURES = (
    "memory", "keepalive", "drive", "imports", "staging", "dump", "images", "download",
)  # fmt: skip


@pytest.fixture(scope="module")
def parent():
    with WarmParent(preload=("numpy", "numpy.random", "matplotlib.font_manager")) as parent:
        yield parent


@pytest.fixture
def own_tmp(own_tmp, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", own_tmp)
    return own_tmp


def all_features(catalog):
    plan = make_plan(catalog, Recipe(features=FEATURES))
    return build(plan, render(plan))


def told(report):
    """What a report says, less the time it took and the names of the day."""
    plain = report.as_dict()
    del plain["seconds"]
    for outcome in plain["outcomes"]:
        del outcome["seconds"]
    return plain


def test_kernels_come_from_the_parent(parent):
    source = "import sys\nprint('numpy' in sys.modules)"
    assert texts(run(notebook(source), warm=parent)) == ["True\n"]
    assert parent.refusal == ""


def test_two_notebooks_share_nothing(parent):
    first = (
        "import os, sys, random, json, colorsys\n"
        "shared = 1\n"
        "os.environ['SHARED'] = '1'\n"
        "os.makedirs('/content/deep'); os.chdir('/content/deep')\n"
        "open('/tmp/shared', 'w').close()\n"
        "json.shared = 1\nsys.path.append('/shared')\n"
    )
    second = (
        "import os, sys, json\n"
        "print('shared' in globals(), 'SHARED' in os.environ, os.getcwd(),\n"
        "    os.path.exists('/tmp/shared'), 'colorsys' in sys.modules,\n"
        "    hasattr(json, 'shared'), '/shared' in sys.path)"
    )
    assert run(notebook(first), warm=parent).passed
    report = run(notebook(second), warm=parent)
    where = "/content" if not report.limits else texts(report)[0].split()[2]
    assert texts(report) == [f"False False {where} False False False False\n"]


def test_two_notebooks_draw_different_numbers(parent):
    pytest.importorskip("numpy")
    source = (
        "import random, secrets, uuid, tempfile, numpy as np\n"
        "print(random.random(), np.random.rand(), np.random.default_rng().random(),\n"
        "    uuid.uuid4(), uuid.uuid1(), secrets.token_hex(), tempfile.mktemp())"
    )
    one, two = (texts(run(notebook(source), warm=parent))[0].split() for _ in range(2))
    assert len(one) == 7
    assert set(one) & set(two) == set()


def test_the_environment_is_that_of_a_kernel_started_alone(parent):
    source = (
        "import os, sys, signal, threading, tempfile, json\n"
        "ignored = [s for s in signal.valid_signals() if signal.getsignal(s) == signal.SIG_IGN]\n"
        "print(json.dumps([sorted(os.environ.items()), sys.path, sys.argv, os.getpid(),\n"
        "    os.getcwd(), tempfile.gettempdir(), sorted(ignored), threading.active_count(),\n"
        "    sys.stdin.isatty(), os.isatty(0), os.umask(0o22),\n"
        "    sys.stdin.__class__.__name__, __name__, sorted(vars()), os.path.expanduser('~')]))\n"
        "import subprocess\nprint(subprocess.run('cat; ulimit -a', shell=True,\n"
        "    capture_output=True).stdout)"
    )
    warm, cold = (run(notebook(source), warm=w) for w in (parent, None))
    if warm.limits:
        pytest.skip("the folders of the machine have names of their own here")
    warm, cold = texts(warm)[0].splitlines(), texts(cold)[0].splitlines()
    for one, two in zip(json.loads(warm[0]), json.loads(cold[0]), strict=True):
        assert without_ports(one) == without_ports(two)
    assert warm[1:] == cold[1:]


def without_ports(value):
    if isinstance(value, list) and value and isinstance(value[0], list):
        return [pair for pair in value if not pair[0].startswith("TBE_")]
    return value


def test_all_features_are_reported_as_from_a_kernel_started_alone(catalog, parent):
    given = all_features(catalog)
    reports = [run(given, prepare=preparation(catalog, given), warm=w) for w in (parent, None)]
    warm, cold = map(told, reports)
    assert warm["passed"]
    for report in (warm, cold):  # the dump's name holds the time of day
        report["drive"] = sorted(name.rpartition("/")[0] for name in report["drive"])
        report["downloads"] = len(report["downloads"])
        report["requests"] = [line.split(":")[0].split()[0] for line in report["requests"]]
    assert warm == cold


@pytest.mark.parametrize(
    ("source", "options"),
    [
        ("1/0", {}),
        ("import os; os._exit(1)", {}),
        ("import sys; sys.exit(2)", {}),
        ("import os; os.kill(os.getpid(), 9)", {}),
        ("import os; os.kill(os.getpid(), 11)", {}),
        ("x = []\nwhile True: x.append(bytearray(10**8))", {"memory": 10**9}),
        ("import time; time.sleep(60)", {"timeout": 3}),
        ("import subprocess; subprocess.run(['sleep', '60'])", {"timeout": 3}),
        (
            "while True:\n  try:\n    import time; time.sleep(60)\n"
            "  except KeyboardInterrupt: pass",
            {"timeout": 3},
        ),
        ("from google.colab import runtime\nruntime.unassign()", {}),
        ("import socket; socket.create_connection(('192.0.2.1', 80), 1)", {}),
        ("import matplotlib.pyplot as plt; plt.plot([1, 2]); plt.show()", {}),
        ("%%bash\necho here; exit 3", {}),
    ],
)
@pytest.mark.parametrize("isolated", [None, False], ids=["isolated", "fallback"])
def test_the_report_is_that_of_a_kernel_started_alone(parent, source, options, isolated):
    given = notebook("a = 1", source, "print('never')")
    warm, cold = (run(given, warm=w, isolated=isolated, **options) for w in (parent, None))
    one, two = told(warm), told(cold)
    for report in (one, two):  # in the fallback, /content has a name of its own each time
        report["limits"] = len(report["limits"])
    assert one == two
    assert [[o["output_type"] for o in c["outputs"]] for c in warm.notebook["cells"]] == [
        [o["output_type"] for o in c["outputs"]] for c in cold.notebook["cells"]
    ]


def test_many_at_once(parent):
    with ThreadPoolExecutor(4) as pool:
        sources = [f"n = {n}\nimport os\nos.getpid(), n" for n in range(12)]
        reports = list(pool.map(lambda s: run(notebook(s), warm=parent), sources))
    assert all(report.passed for report in reports)
    assert [texts(r)[0].rstrip(")").split()[-1] for r in reports] == [str(n) for n in range(12)]


def test_nothing_reaches_the_terminal(parent, capfd):
    noisy = "import sys, os\nos.write(2, b'noise')\nos.write(1, b'noise')\n1/0"
    assert not run(notebook(noisy), warm=parent).passed
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("preload", ["threading_at_import", "no_such_module", "ends_at_import"])
def test_where_it_will_not_do_kernels_start_alone(tmp_path, monkeypatch, preload):
    (tmp_path / "threading_at_import.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(99,)).start()\n"
    )
    (tmp_path / "ends_at_import.py").write_text("import os\nos._exit(1)\n")
    pth = f"import sys; sys.path.append({str(tmp_path)!r})"
    python = environment_with(tmp_path, pth)
    with WarmParent(python, preload=[preload]) as parent:
        assert run(notebook("1"), warm=parent, python=python).passed
        refused = {"threading_at_import": "2 threads are", "ends_at_import": "has ended"}
        assert refused.get(preload, "") in parent.refusal
        assert bool(parent.refusal) == (preload in refused)


def environment_with(folder, line):
    """An environment that sees this one's packages, and has one line more in a .pth file."""
    done = folder / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", done], check=True)
    (site,) = done.glob("lib/python*/site-packages")
    packages = [p for p in sys.path if p.endswith("site-packages")]
    (site / "more.pth").write_text("\n".join([*packages, line]) + "\n")
    return str(done / "bin" / "python")


@pytest.mark.parametrize("python", ["/no/python", "without ipykernel"])
def test_an_interpreter_that_will_not_do_is_told_as_ever(tmp_path, python):
    from colab_gen.errors import EnvironmentProblem

    if python == "without ipykernel":
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "v"], check=True)
        python = str(tmp_path / "v" / "bin" / "python")
    with (
        WarmParent(python) as parent,
        pytest.raises(EnvironmentProblem, match=r"cannot (be run|run a kernel)"),
    ):
        run(notebook("1"), warm=parent, python=python)


def test_a_parent_of_another_interpreter_is_not_asked(parent, tmp_path):
    other = environment_with(tmp_path, "")
    report = run(notebook("import sys; print(sys.prefix)"), warm=parent, python=other)
    assert texts(report) == [f"{tmp_path}/env\n"]


def test_a_parent_that_is_killed_ends_its_kernels_and_is_done_without(own_tmp):
    with WarmParent() as parent:
        assert run(notebook("1"), warm=parent).passed
        report = run(
            notebook("1", "import time; time.sleep(60)", "1"),
            warm=parent,
            on_cell=lambda _: parent._process.kill(),
        )
        assert report.outcomes[1].message.startswith("the session crashed: ")
        assert [o.status for o in report.outcomes] == ["passed", "failed", "not run"]
        assert run(notebook("1"), warm=parent).passed
        assert "ended" in parent.refusal
    assert os.listdir(own_tmp) == []


def test_a_parent_that_is_killed_while_a_kernel_starts_is_done_without(monkeypatch):
    with WarmParent() as parent:
        start, forked = parent.start, []

        def start_and_kill(*arguments):
            forked.append(start(*arguments))
            parent._process.kill()
            return forked[-1]

        monkeypatch.setattr(parent, "start", start_and_kill)
        assert run(notebook("1"), warm=parent).passed
        assert [kernel.wait(60) for kernel in forked] == [-signal.SIGKILL]


def test_closing_the_parent_ends_a_kernel_that_runs():
    parent = WarmParent()
    parent.__enter__()
    with ThreadPoolExecutor(1) as pool:
        started = threading.Event()
        running = pool.submit(
            run,
            notebook("1", "import time; time.sleep(60)"),
            warm=parent,
            on_cell=lambda _: started.set(),
        )
        assert started.wait(60)
        parent.__exit__(None, None, None)
        assert running.result(timeout=60).outcomes[1].message.startswith("the session crashed: ")


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_run_leaves_no_process(tmp_path, own_tmp, end):
    body = (
        "from colab_gen.standin import WarmParent\n"
        "with WarmParent() as parent:\n"
        "    given = notebook('1', 'import subprocess; subprocess.run([\"sleep\", \"100\"])')\n"
        "    run(given, on_cell=tell, warm=parent)\n"
    )
    interrupted(body, tmp_path, end, own=own_tmp, at_least=3)


def test_what_to_import_ahead():
    given = notebook("import numpy as np\nfrom  pandas import DataFrame", "  import os, sys", "x")
    given["cells"].append({"cell_type": "markdown", "source": "from tqdm", "metadata": {}})
    assert preload_for([given]) == ("numpy", "numpy.random", "pandas", "tqdm")
    assert preload_for([{}, notebook("1")]) == ()


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_all_run_on_colabs_versions(catalog, version, colab_python):
    given = all_features(catalog)
    with WarmParent(colab_python, preload_for([given])) as parent:
        report = run(given, prepare=preparation(catalog, given), python=colab_python, warm=parent)
        assert parent.refusal == ""
    assert report.passed
    assert report.environment["ipython"] == "7.34.0"

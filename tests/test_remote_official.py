import json
import os
import shutil
import subprocess
import textwrap
import time

import pytest
from colab_gen import colabcli
from colab_gen.catalog import load_catalog
from colab_gen.errors import EnvironmentProblem
from colab_gen.notebook import build
from colab_gen.plan import make_plan
from colab_gen.recipe import Recipe
from colab_gen.remote import run_on_colab
from colab_gen.render import render
from environments import find_python, make_environment
from test_remote import statuses
from test_static import notebook

TOKEN = "token-of-the-test"


@pytest.fixture(scope="session")
def official(tmp_path_factory):
    """Return the interpreter beside the real command, or say why there is none."""
    python = find_python("3.13") or find_python("3.12")
    if not python:
        return "google-colab-cli needs Python 3.12 or newer"
    folder = tmp_path_factory.mktemp("official") / "venv"
    try:
        inside = make_environment(
            folder, "google-colab-cli==0.7.5", "jupyter-server", "ipykernel", python=python
        )
    except AssertionError as error:
        return f"google-colab-cli cannot be installed: {str(error).strip()[-200:]}"
    # It compiles a grammar for seconds at each start, and jsonschema does without.
    for package in folder.rglob("rfc3987_syntax"):
        shutil.rmtree(package)
    return inside


@pytest.fixture
def server(official, tmp_path, home, monkeypatch, not_checked):
    """Start a Jupyter server, and let a session "local" of the real command be it."""
    if isinstance(official, str):
        not_checked("colab-cli", official)
    settings = home / ".config" / "colab-cli"
    settings.mkdir(parents=True)
    (settings / "settings.json").write_text('{"enable_update_check": false}')
    # The command makes and enters /content, which shall leave no trace on this machine.
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "content.py").write_text(
        textwrap.dedent("""
            import os
            for _name in ("makedirs", "chdir"):
                def _kept(path, *args, _real=getattr(os, _name), **options):
                    return None if path == "/content" else _real(path, *args, **options)
                setattr(os, _name, _kept)
        """)
    )
    work = tmp_path / "vm"
    runtime = tmp_path / "runtime"
    work.mkdir()
    environment = {
        **{key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "JUPYTER_DATA_DIR": str(tmp_path / "data"),
    }
    with (tmp_path / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [str(official), "-m", "jupyter_server", "--ServerApp.ip=127.0.0.1",
             "--ServerApp.port=0", f"--IdentityProvider.token={TOKEN}", "--no-browser",
             "--ServerApp.allow_root=True", f"--ServerApp.root_dir={work}"],
            cwd=work, env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        until = time.monotonic() + 60
        while not (files := list(runtime.glob("jpserver-*.json"))):
            assert process.poll() is None, (tmp_path / "server.log").read_text()
            assert time.monotonic() < until
            time.sleep(0.1)
        time.sleep(0.5)
        port = json.loads(files[0].read_text())["port"]
        session = {
            "name": "local",
            "token": TOKEN,
            "url": f"http://127.0.0.1:{port}",
            "endpoint": "local",
            "token_expires_at": "2099-01-01T00:00:00Z",
        }
        (settings / "sessions.json").write_text(json.dumps({"local": session}))
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / "colab").symlink_to(official.with_name("colab"))
        monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
        monkeypatch.delenv("PYTHONPATH", raising=False)
        yield settings / "sessions.json"
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.runs
@pytest.mark.timeout(900)
class TestTheRealCommand:
    @pytest.mark.parametrize("minor", [5, pytest.param(0, id="as Colab saves it")])
    def test_a_notebook_with_failures(self, server, minor):
        given = notebook(
            "# @title First { display-mode: 'form' }\nx = 21\nprint('no newline', end='')",
            "x * 2",
            "raise ValueError('a\\nb')",
            "%%bash\nexit 3",
            "print(x)",
            "pass",
            nbformat_minor=minor,
        )
        for cell in given["cells"] if minor == 0 else ():
            cell["metadata"]["id"] = cell.pop("id")
        report = run_on_colab(given, session="local", config=server, timeout=60)
        assert statuses(report) == ["passed", "passed", "failed", "failed", "passed", "passed"]
        assert report.outcomes[2].message == "ValueError: a b"
        assert report.outcomes[3].message.startswith("CalledProcessError: Command 'b'exit 3")
        assert [o.id for o in report.outcomes] == [f"c{number}" for number in range(6)]
        outputs = [cell["outputs"] for cell in report.notebook["cells"]]
        assert outputs[0][0]["text"] == "no newline"
        assert outputs[1][0]["data"]["text/plain"] == "42"
        assert outputs[5] == []
        assert {key: cell for key, cell in report.notebook.items() if key != "cells"} == {
            key: cell for key, cell in given.items() if key != "cells"
        }

    @pytest.mark.parametrize("source", ["import time; time.sleep(120)", "while True: print('x')"])
    def test_a_cell_past_its_deadline(self, server, monkeypatch, source):
        monkeypatch.setattr(colabcli, "_GRACE", 2.0)
        report = run_on_colab(
            notebook("print('first')", source, "1"), session="local", config=server, timeout=2
        )
        assert statuses(report) == ["passed", "failed", "not run"]
        assert report.notebook["cells"][0]["outputs"][0]["text"] == "first\n"

    def test_a_kernel_that_dies(self, server, monkeypatch):
        monkeypatch.setattr(colabcli, "_GRACE", 5.0)
        report = run_on_colab(
            notebook("1", "import os; os._exit(1)", "2"), session="local", config=server, timeout=5
        )
        assert statuses(report) == ["passed", "failed", "not run"]
        assert report.outcomes[1].message.endswith("or the session crashed")

    def test_a_generated_notebook_by_the_command_line(self, server, colab_gen, tmp_path):
        plan = make_plan(load_catalog(), Recipe(title="Pictures", features=("keepalive",)))
        given = build(plan, render(plan))
        (tmp_path / "a.ipynb").write_text(json.dumps(given))
        done = colab_gen("validate", "a.ipynb", "--on", "colab:local")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "a.ipynb: passed" in done.stdout

    def test_a_session_that_is_not_there(self, server):
        with pytest.raises(EnvironmentProblem, match="there is no session other"):
            run_on_colab(notebook("1"), session="other", config=server)

    def test_a_login_that_is_missing(self, server):
        with pytest.raises(EnvironmentProblem, match="colab is not logged in"):
            run_on_colab(notebook("1"), config=server)

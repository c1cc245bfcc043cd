"""What keeps the cells to themselves: the network, and machines that give no namespaces."""

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading

import pytest
from colab_gen.run import run
from conftest import ROOT
from test_run import texts
from test_static import notebook


@pytest.fixture
def server():
    """A web server on this machine's loopback; gives its port, and what was asked of it."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, *_): ...

    asked = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as here:
        threading.Thread(target=here.serve_forever, daemon=True).start()
        yield here.server_port, asked
        here.shutdown()


@pytest.mark.runs
@pytest.mark.parametrize("allowed", [True, False])
def test_the_network_is_reached_where_it_is_allowed_only(server, allowed):
    port, asked = server
    report = run(
        notebook(
            "import urllib.request\n"
            f"print(urllib.request.urlopen('http://127.0.0.1:{port}/page', timeout=5).read())"
        ),
        allow_network=allowed,
    )
    if any("network" in limit for limit in report.limits):
        pytest.skip("NOT CHECKED: no network namespace here")
    assert report.passed == allowed
    assert asked == (["/page"] if allowed else [])
    if allowed:
        assert texts(report) == ["b'hello'\n"]
    else:
        assert report.outcomes[0].message.startswith("URLError: <urlopen error [Errno 111]")


REFUSED = """
echo 0 > /proc/sys/user/max_user_namespaces || exit 77
exec "$@"
"""


@pytest.mark.runs
def test_a_machine_that_refuses_namespaces(tmp_path):
    """One is made of a user namespace in which no other may be made."""
    inside = ["unshare", "--user", "--map-root-user", "sh", "-c", REFUSED, "sh"]
    if not shutil.which("unshare") or subprocess.run([*inside, "true"], check=False).returncode:
        pytest.skip("NOT CHECKED: unshare cannot make a namespace that refuses others")
    (tmp_path / "a.ipynb").write_text(
        json.dumps(notebook("open('/content/a', 'w').write('x')\nprint(open('/content/a').read())"))
    )
    done = subprocess.run(
        [*inside, sys.executable, "-m", "colab_gen", "validate", "a.ipynb", "--json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "generator")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    (report,) = json.loads(done.stdout)
    assert report["passed"]
    (why,) = [limit for limit in report["limits"] if "own file system" in limit]
    assert "because this machine refuses namespaces (" in why
    assert not os.path.exists("/content/a")

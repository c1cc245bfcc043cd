import os
import sys
from pathlib import Path

import pytest
from colab_gen.standin import FrontEnd, Machine
from test_run import texts
from test_static import notebook
from warmed import run

MOUNT = "from google.colab import drive\ndrive.mount('/content/drive')\n"
BOTH = pytest.mark.parametrize("isolated", [None, False], ids=["isolated", "fallback"])


def passes(*sources, **options):
    report = run(notebook(*sources), **options)
    assert report.passed, [o.message for o in report.outcomes]
    return report


def raised(source, kind, text):
    """Code that checks that a statement raises exactly that."""
    return (
        f"try:\n  {source}\nexcept {kind} as error:\n  assert str(error) == {text!r}, error\n"
        "else:\n  raise AssertionError('nothing was raised')\n"
    )


@pytest.mark.runs
@BOTH
def test_drive(isolated):
    report = passes(
        MOUNT + "from pathlib import Path\nPath('/content/drive/MyDrive/a').write_text('x')",
        MOUNT,
        "drive.mount('/content/drive', force_remount=True)\n"
        "assert Path('/content/drive/MyDrive/a').read_text() == 'x'\n"
        "assert Path('/content/drive/My Drive/a').is_file()",
        "drive.flush_and_unmount()\ndrive.flush_and_unmount()\n"
        "import os; assert os.listdir('/content/drive') == []",
        "drive.mount('/content/elsewhere')\nassert Path('/content/elsewhere/MyDrive/a').is_file()",
        isolated=isolated,
    )
    first, second, third, fourth, _ = texts(report)
    assert "Mounted at " in first
    assert "already mounted at " in second
    assert "drive.mount(" in second
    assert "Mounted at " in third
    assert fourth == "Drive not mounted, so nothing to flush and unmount.\n"
    assert report.drive == ("a",)
    assert report.requests == ("request_auth dfs_ephemeral: granted",) * 4


@pytest.mark.runs
@BOTH
@pytest.mark.parametrize(
    ("before", "point", "text"),
    [
        ("", "/content/my drive", "Mountpoint must not contain a space."),
        (
            "os.makedirs('/content/d/MyDrive')",
            "/content/d",
            "Mountpoint must not already contain files",
        ),
        ("os.symlink('/tmp', '/content/d')", "/content/d", "Mountpoint must not be a symlink"),
        (
            "open('/content/d', 'w').close()",
            "/content/d",
            "Mountpoint must either be a directory or not exist",
        ),
        ("", "/content/no/d", "Mountpoint must be in a directory that exists"),
    ],
)
def test_mount_points_that_will_not_do(isolated, before, point, text):
    passes(
        f"import os\n{before}",
        "from google.colab import drive\n" + raised(f"drive.mount({point!r})", "ValueError", text),
        isolated=isolated,
    )


@pytest.mark.runs
def test_a_read_only_drive_and_the_machine_around_it():
    report = run(
        notebook(
            "from google.colab import drive\ndrive.mount('/content/drive', readonly=True)\n"
            + raised(
                "open('/content/drive/MyDrive/a', 'w')",
                "OSError",
                "[Errno 30] Read-only file system: '/content/drive/MyDrive/a'",
            )
        )
    )
    if report.limits:
        pytest.skip("NOT CHECKED: no namespaces here")
    assert report.passed, report.outcomes


@pytest.mark.runs
@BOTH
def test_secrets(isolated):
    passes(
        "from google.colab import userdata\nassert userdata.get('KEY') == 'word'",
        raised("userdata.get('NO')", "userdata.SecretNotFoundError", "Secret NO does not exist."),
        raised("userdata.get('')", "ValueError", "Please enter a valid secret name"),
        raised(
            "userdata.get('a b')",
            "ValueError",
            "Secret name cannot contain spaces or whitespace",
        ),
        secrets={"KEY": "word"},
        isolated=isolated,
    )


@pytest.mark.runs
@BOTH
def test_downloads(isolated, tmp_path):
    report = passes(
        "import os\nfrom google.colab import files\n"
        "open('big.bin', 'wb').write(bytes(range(256)) * 10000)\nopen('empty', 'w').close()\n"
        "files.download('big.bin'); files.download('empty')",
        "open('gone', 'w').write('x'); files.download('gone'); os.remove('gone')",
        "files.download('.')",
        "files.download('big.bin'); os.mkdir('d'); os.chdir('d')",
        raised("files.download('/no')", "FileNotFoundError", "Cannot find file: /no"),
        downloads_to=tmp_path,
        isolated=isolated,
    )
    assert report.downloads == ("big.bin", "empty")
    assert (tmp_path / "big.bin").read_bytes() == bytes(range(256)) * 10000
    assert (tmp_path / "empty").read_bytes() == b""
    assert [line.split(":")[0] for line in report.requests if "nothing saved" in line] == [
        "download gone",
        "download .",
        "download big.bin",
    ]


@pytest.mark.runs
def test_uploads(tmp_path):
    (tmp_path / "b.txt").write_bytes(b"words" * 100_000)
    (tmp_path / "none").write_bytes(b"")
    passes(
        "from google.colab import files\ngot = files.upload()\n"
        "assert {k: len(v) for k, v in got.items()} == {'b.txt': 500000, 'none': 0}, got\n"
        "assert open('/content/b.txt', 'rb').read() == b'words' * 100_000",
        "assert list(files.upload('in')) == ['in/b.txt', 'in/none']\n"
        "assert list(files.upload()) == ['b (1).txt', 'none (1)']",
        uploads=[tmp_path / "b.txt", tmp_path / "none"],
    )


@pytest.mark.runs
def test_tags_of_outputs():
    report = passes(
        "from google.colab import output\nprint('a')\n"
        "with output.use_tags('one'):\n  print('b')\n"
        "  with output.use_tags(['two']): print('c')\n"
        "print('d')\noutput.clear(output_tags=['one', 'two'])",
        "print('a')\nwith output.temporary(): print('b')\nprint('c')",
        "print('a')\noutput.clear()\nprint('b')",
        "from IPython.display import display\nwith output.use_tags('t'): print('x')\n"
        "handle = display('first', display_id=True)\noutput.clear(output_tags='t')\n"
        "handle.update('second')",
    )
    assert texts(report) == ["a\nb\nd\n", "a\nc\n", "b\n", "'second'"]


@pytest.mark.runs
def test_widgets_and_what_has_no_page():
    report = passes(
        "from google.colab import ai, autoviz, syntax, widgets\n"
        "class Frame(list):\n"
        "  columns = type('Names', (), {'tolist': lambda self: ['a'], '__getitem__': "
        "lambda self, n: 'a'})()\n"
        "  def __getitem__(self, part): return Frame(super().__getitem__(part))\n"
        "  def to_dict(self, orient): return [{'a': n} for n in self]\n"
        "  def sort_values(self, by, ascending, inplace): self.sort(reverse=not ascending)\n"
        "table = widgets.InteractiveTable(Frame(range(25)))\n"
        "assert (table.rows, table.columns, len(table.active_data)) == (25, ['a'], 10)\n"
        "table.set_page(2)\n"
        "assert [row['a'] for row in table.active_data] == [20, 21, 22, 23, 24]\n"
        "table.sort_column, table.sort_ascending = 0, False\ntable.set_page(0)\n"
        "assert table.active_data[0] == {'a': 24}",
        "table",
        "tabs = widgets.TabBar(['one', 'two'])\nprint('a')\n"
        "with tabs.output_to('two'): print('b')\n"
        "for number in tabs: print(number)\n"
        "tabs.remove()",
        "print(syntax.sql('select 1'))\nautoviz.quickchart(7)\n"
        "try: ai.generate_text('hello')\n"
        "except ai.ModelProxyServiceError as error: print(error)",
    )
    said = texts(report)
    assert said[1].startswith("[24, 23")
    assert said[2] == "a\n"
    assert said[3].endswith("the stand-in has no language model: run this cell on Colab\n")


@pytest.mark.runs
@BOTH
def test_the_shell_and_magics(isolated):
    passes(
        "import os, sys\nassert 'google.colab' in sys.modules\n"
        "assert 'COLAB_RELEASE_TAG' in os.environ",
        "x = !echo one two; echo three\nassert list(x) == ['one two', 'three'], x",
        "!touch /content/made\nassert os.path.exists('/content/made')",
        "%%bash\ntest -e /content/made && python -c 'import google.colab'",
        "%%shell\ntest -e /content/made",
        "from google.colab import output, auth, data_table, snippets, widgets\n"
        "auth.authenticate_user()\nsnippets.register('https://example.com')\n"
        "assert output.eval_js('1 + 1', timeout_sec=5) is None",
        isolated=isolated,
    )


@pytest.mark.runs
def test_figures_are_shown():
    report = passes("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()")
    assert "image/png" in report.notebook["cells"][0]["outputs"][-1]["data"]


@pytest.mark.runs
def test_the_machine_is_hidden_and_untouched(tmp_path, monkeypatch):
    secret = Path.home() / ".colab-gen-test"
    secret.write_text("secret")
    monkeypatch.setenv("MY_TOKEN", "secret")
    try:
        report = run(
            notebook(
                "import os, pathlib, socket",
                f"assert not os.path.exists({str(secret)!r})",
                f"assert not os.path.exists({str(tmp_path)!r})",
                "assert 'MY_TOKEN' not in os.environ",
                "assert os.getuid() == 0 and os.path.expanduser('~') == '/root'",
                "try:\n  open('/usr/bin/x', 'w')\nexcept OSError as e: assert e.errno == 30, e\n"
                "else: raise AssertionError",
                "assert len([p for p in os.listdir('/proc') if p.isdigit()]) < 10",
                "try: socket.create_connection(('1.1.1.1', 53), 3)\n"
                "except OSError as e: assert e.errno == 101, e\nelse: raise AssertionError",
                "open('/tmp/trace', 'w'); open('/root/trace', 'w'); open('/dev/shm/trace', 'w')",
                "os.makedirs('/content/locked/in'); os.chmod('/content/locked', 0)",
            )
        )
    finally:
        secret.unlink()
    if report.limits:
        pytest.skip("NOT CHECKED: no namespaces here")
    assert report.passed, [o.message for o in report.outcomes]
    for folder in ("/tmp", Path.home(), "/dev/shm"):
        assert not Path(folder, "trace").exists()


@pytest.mark.runs
def test_the_fallback_says_what_it_is_not():
    report = passes("open('/content/a', 'w').close()", isolated=False)
    assert len(report.limits) == 4
    assert all("\n" not in line for line in report.limits)
    assert not os.path.exists("/content/a")


def test_a_machine_goes_away_with_all_that_is_in_it():
    with Machine() as machine:
        locked = machine.content / "locked"
        locked.mkdir()
        (locked / "file").write_text("x")
        (locked / "file").chmod(0)
        locked.chmod(0)
        (machine.content / "link").symlink_to("/etc")
        assert machine.drive.is_dir()
    assert not machine.root.exists()
    assert Path("/etc").exists()


def request(kind, body, number=1):
    return {
        "msg_type": "colab_request",
        "metadata": {"colab_request_type": kind, "colab_msg_id": number},
        "content": {"request": body},
    }


@pytest.mark.parametrize(
    ("kind", "body", "data"),
    [
        ("request_auth", {"authType": "dfs_ephemeral"}, None),
        ("GetSecret", {"key": "K"}, {"exists": True, "access": True, "payload": "v"}),
        ("GetSecret", {"key": "X"}, {"exists": False, "access": False, "payload": ""}),
        ("cell_javascript_eval", {"script": "1+1"}, None),
        ("cell_javascript_eval", {"script": "google.colab.kernel.disconnect();"}, None),
        ("nobody_knows", "x", None),
    ],
)
def test_answers_of_the_page(tmp_path, kind, body, data):
    page = FrontEnd(downloads=tmp_path, secrets={"K": "v"})
    assert page.receive(request(kind, body)) == {
        "type": "colab_reply",
        "colab_msg_id": 1,
        "data": data,
    }
    assert len(page.requests) == 1
    assert page.receive({"msg_type": "stream", "content": {"text": "x"}}) is None
    assert page.receive(request("cell_update_stdin", {}, None)) is None


@pytest.mark.runs
def test_googles_own_package_under_the_same_page(not_checked, tmp_path):
    """COLAB_GEN_GOOGLE_COLAB is a checkout, COLAB_GEN_GOOGLE_COLAB_PYTHON what can import it."""
    checkout = os.environ.get("COLAB_GEN_GOOGLE_COLAB")
    if not checkout:
        not_checked("google-colab", "COLAB_GEN_GOOGLE_COLAB names no checkout of colabtools")
    (tmp_path / "b.txt").write_text("words")
    report = passes(
        MOUNT + "from pathlib import Path\nPath('/content/drive/MyDrive/a').write_text('x')",
        MOUNT,
        "drive.mount('/content/drive', force_remount=True, readonly=True)\n"
        + raised(
            "open('/content/drive/MyDrive/a', 'w')",
            "OSError",
            "[Errno 30] Read-only file system: '/content/drive/MyDrive/a'",
        ),
        "from google.colab import files, output, runtime, userdata\n"
        "assert userdata.get('KEY') == 'word'\nassert output.eval_js('1') == 1\n"
        "assert list(files.upload()) == ['b.txt']\nfiles.download('/content/b.txt')",
        "drive.flush_and_unmount()\nimport os; assert os.listdir('/content/drive') == []",
        "runtime.unassign()",
        google_colab=Path(checkout),
        python=os.environ.get("COLAB_GEN_GOOGLE_COLAB_PYTHON", sys.executable),
        secrets={"KEY": "word"},
        uploads=[tmp_path / "b.txt"],
        timeout=60,
    )
    assert report.drive == ("a",)
    assert report.downloads == ("b.txt",)

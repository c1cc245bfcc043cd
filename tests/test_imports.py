"""The cell of imports.md: copied whole or not at all, reloaded as far as needed."""

import contextlib
import io
import os
import shutil
import ssl
import stat
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3
from cells import execute

LINK = "https://www.dropbox.com/scl/fo/abc/own.zip?rlkey=key&dl=0"


@pytest.fixture
def drive(tmp_path, monkeypatch):
    """Return My Drive with a folder `modules`, in a Python that is afterwards as it was."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    before = {*sys.modules}
    (tmp_path / "drive" / "modules").mkdir(parents=True)
    yield tmp_path / "drive"
    for name in sys.modules.keys() - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture
def modules(drive):
    return drive.parent / "temporary" / "modules"


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def zipped(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


PACKAGE = {
    "pkg/__init__.py": "from .low import ONE\n",
    "pkg/low.py": "ONE = 1\n",
    "pkg/high.py": "from pkg import low\nTWO = low.ONE + 1\n",
    "pkg/alone.py": "",
    "user.py": "from pkg.high import TWO\nTHREE = TWO + 1\n",
    "apart.py": "import os\n",
}
ALL = "user, pkg.alone, pkg.high, apart"


def test_what_changed_is_reloaded_and_what_needs_it(catalog, drive, modules):
    write(drive / "modules", PACKAGE)
    names, said = execute(catalog, "imports-2", {"DRIVE": drive}, module_names=ALL)
    assert said == f"Files changed in {modules}: 6; imported: {ALL}\n"
    assert (names["user"].THREE, names["pkg"].ONE) == (3, 1)
    user, alone = names["user"], names["pkg"].alone

    _, said = execute(catalog, "imports-2", names, module_names=ALL)
    assert said == f"Files changed in {modules}: 0; imported: {ALL}\n"

    write(drive / "modules", {"pkg/low.py": "ONE = 10\n"})
    alone.mark = apart = object()
    _, said = execute(catalog, "imports-2", names, module_names=ALL)
    assert "Files changed" in said
    assert ": 1; reloaded: pkg.low, " in said
    reloaded = said.partition("reloaded: ")[2].partition(";")[0].split(", ")
    assert {*reloaded} == {"pkg.low", "pkg", "pkg.high", "user"}
    assert reloaded.index("pkg.high") < reloaded.index("user")
    assert (user.THREE, names["pkg"].ONE) == (12, 10)  # the same objects, with new content
    assert alone.mark is apart


def test_a_file_that_goes_and_one_that_comes(catalog, drive, modules):
    write(drive / "modules", {"a.py": "X = 1\n", "b/__init__.py": "", "b/c.py": ""})
    names, _ = execute(catalog, "imports-2", {"DRIVE": drive}, module_names="a, b.c")
    shutil.rmtree(drive / "modules" / "b")
    write(drive / "modules", {"b.py": "X = 2\n"})
    _, said = execute(catalog, "imports-2", names, module_names="a, b")
    assert names["b"].X == 2
    assert "b.c" not in sys.modules
    assert not (modules / "b").exists()
    assert "Files changed" in said


def test_an_error_in_a_module_is_not_forgotten(catalog, drive):
    write(drive / "modules", {"a.py": "X = 1\n", "b.py": "from a import X\n"})
    names, _ = execute(catalog, "imports-2", {"DRIVE": drive}, module_names="b")
    write(drive / "modules", {"a.py": "X = = 1\n"})
    for _ in range(2):
        with pytest.raises(SyntaxError):
            execute(catalog, "imports-2", names, module_names="b")
    write(drive / "modules", {"a.py": "X = 12345\n"})
    execute(catalog, "imports-2", names, module_names="b")
    assert names["b"].X == 12345


def test_modules_that_import_each_other(catalog, drive):
    write(drive / "modules", {"a.py": "import b\nX = 1\n", "b.py": "import a\nY = 1\n"})
    names, _ = execute(catalog, "imports-2", {"DRIVE": drive}, module_names="a")
    write(drive / "modules", {"b.py": "import a\nY = 200\n"})
    _, said = execute(catalog, "imports-2", names, module_names="a, b")
    assert names["b"].Y == 200
    assert "reloaded: " in said


def test_only_what_is_new_in_content_counts_as_changed(catalog, drive):
    write(drive / "modules", {"a.py": "X = 1\n", ".hidden.py": "", "__pycache__/a.pyc": ""})
    names, _ = execute(catalog, "imports-2", {"DRIVE": drive}, module_names="a")
    os.utime(drive / "modules" / "a.py", (1, 1))
    _, said = execute(catalog, "imports-2", names, module_names="a")
    assert ": 0; imported: a\n" in said
    assert names["imports_found"]() == ["a"]


def test_a_copy_that_breaks_off_leaves_the_old_one(catalog, drive, modules, monkeypatch):
    write(drive / "modules", {"a.py": "X = 1\n", "b.py": "X = 1\n"})
    names, _ = execute(catalog, "imports-2", {"DRIVE": drive}, module_names="a")
    write(drive / "modules", {"a.py": "X = 22\n", "b.py": "X = 22\n"})
    copyfile, left = shutil.copyfile, [1]

    def failing(source, target):
        if not left:
            raise OSError(5, "Input/output error")
        left.pop()
        return copyfile(source, target)

    with monkeypatch.context() as broken:
        broken.setattr(shutil, "copyfile", failing)
        with pytest.raises(RuntimeError, match="mount Drive again with force_remount on"):
            execute(catalog, "imports-2", names, module_names="a")
    assert {path.read_text() for path in modules.glob("*.py")} == {"X = 1\n"}
    execute(catalog, "imports-2", names, module_names="a")
    assert names["a"].X == 22
    assert [path.name for path in modules.parent.iterdir()] == ["modules"]


def test_names_that_hide_others_are_pointed_out(catalog, drive, modules):
    write(drive / "modules", {"colorsys.py": "X = 1\n", "pytest.py": "", "mine_alone.py": ""})
    _, said = execute(catalog, "imports-2", {"DRIVE": drive})
    line = said.splitlines()[1]
    assert line.startswith("Rename what hides another module: colorsys (Python's own), pytest (")
    assert "mine_alone" not in line
    with pytest.raises(RuntimeError, match="Python has another pytest loaded: give yours another"):
        execute(catalog, "imports-2", {"DRIVE": drive}, module_names="pytest")


@pytest.mark.parametrize(
    ("files", "values", "words"),
    [
        ({}, {"module_folder": "absent"}, "There is no module folder 'absent' in "),
        ({}, {"module_folder": ""}, "holds: modules"),
        ({"a.py": ""}, {"module_names": "b"}, "There is no module b; modules in "),
        ({"a.py": ""}, {"module_names": "a.b"}, "There is no module a.b"),
        ({"a.py": "import absent_one"}, {"module_names": "a"}, "a needs absent_one: put it into"),
        ({"notes.txt": "words"}, {"module_folder": "modules/notes.txt"}, "is neither a folder"),
        ({}, {"dropbox_link": "http://www.dropbox.com/x"}, "must begin with https://www.dropbox"),
        ({}, {"dropbox_link": "https://evil.com/www.dropbox.com/"}, "must begin with https://"),
        ({}, {"dropbox_link": "https://dropbox.com.evil.com/"}, "must begin with https://"),
        ({}, {"dropbox_link": "https://www.dropbox.com@evil.com/"}, "must begin with https://"),
    ],
)
def test_what_ends_in_one_sentence(catalog, drive, files, values, words):
    write(drive / "modules", files)
    with pytest.raises(RuntimeError, match=r"^[^\n]+$") as caught:
        execute(catalog, "imports-2", {"DRIVE": drive}, **values)
    assert words in str(caught.value)


def test_a_folder_of_somebody_else_is_left_alone(catalog, drive, modules):
    write(modules, {"mine.txt": "keep"})
    with pytest.raises(RuntimeError, match="is not this cell's: rename it"):
        execute(catalog, "imports-2", {"DRIVE": drive})
    assert (modules / "mine.txt").read_text() == "keep"


@pytest.mark.parametrize("name", ["one.py", "all.zip"])
def test_a_file_on_drive(catalog, drive, name):
    content = b"X = 5\n" if name == "one.py" else zipped({"one.py": "X = 5\n"})
    (drive / name).write_bytes(content)
    values = {"module_folder": name, "module_names": "one"}
    names, _ = execute(catalog, "imports-2", {"DRIVE": drive}, **values)
    assert names["one"].X == 5


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    if not shutil.which("openssl"):
        pytest.skip("NOT CHECKED: there is no openssl to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=x -keyout key -out cert"
    names = "subjectAltName=DNS:www.dropbox.com,DNS:dl.dropboxusercontent.com"
    subprocess.run(
        [*command.split(), "-addext", names], cwd=folder, check=True, capture_output=True
    )
    return folder


@pytest.fixture
def dropbox(certificate, monkeypatch):
    """A server that stands where Dropbox is: it answers each request with the next answer."""
    answers, asked = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.headers["Host"] + self.path)
            status, headers, body = answers.pop(0) if len(answers) > 1 else answers[0]
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert", certificate / "key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    connect = urllib3.util.connection.create_connection
    monkeypatch.setattr(
        urllib3.util.connection,
        "create_connection",
        lambda address, *rest, **more: connect(server.server_address, *rest, **more),
    )
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate / "cert"))
    monkeypatch.setenv("NO_PROXY", "*")
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield answers, asked
    server.shutdown()
    server.server_close()


GOOD = (200, {}, zipped({"/": "", "one.py": "X = 7\n", "__MACOSX/._one.py": "x"}))
SENT_ON = (302, {"Location": "https://dl.dropboxusercontent.com/zip/abc"}, b"")


@pytest.mark.parametrize(
    ("answers", "requests"),
    [
        ([GOOD], 1),
        ([SENT_ON, GOOD], 2),
        ([(503, {}, b"busy"), (429, {}, b""), GOOD], 3),
        ([(200, {"Content-Length": "99999"}, b"PK torn"), GOOD], 2),
        ([(200, {"Content-Type": "text/plain"}, b"X = 7\n")], 1),
    ],
)
def test_a_link_is_followed(catalog, drive, dropbox, answers, requests):
    dropbox[0].extend(answers)
    link = LINK.replace("own.zip", "one.py") if answers[0][2] == b"X = 7\n" else LINK
    values = {"dropbox_link": link, "module_names": "one"}
    names, said = execute(catalog, "imports-2", {"DRIVE": drive}, **values)
    assert names["one"].X == 7
    assert len(dropbox[1]) == requests
    assert parse_qs(urlsplit(dropbox[1][0]).query) == {"rlkey": ["key"], "dl": ["1"]}
    assert ": 1; imported: one\n" in said


def with_member(name, mode=0):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        member = zipfile.ZipInfo("x")
        member.filename, member.external_attr = name, mode << 16
        archive.writestr(member, "X = 1\n")
    return buffer.getvalue()


def flipped():
    content = bytearray(zipped({"one.py": "X = 7\n"}))
    content[40] ^= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((404, {}, b""), "whether the link still works"),
        ((503, {}, b""), "Dropbox sent no modules (HTTPError, 503)"),
        ((302, {"Location": "http://www.dropbox.com/x"}, b""), "(InvalidSchema, "),
        ((200, {"Content-Type": "text/html"}, b"<html>log in</html>"), "is neither a folder"),
        ((200, {}, with_member("../evil.py")), "'../evil.py' leads out of its folder"),
        ((200, {}, with_member("a/../../evil.py")), "leads out of its folder"),
        ((200, {}, with_member("/tmp/evil.py")), "leads out of its folder"),
        ((200, {}, with_member("..\\evil.py")), "leads out of its folder"),
        ((200, {}, with_member("C:\\evil.py")), "leads out of its folder"),
        ((200, {}, with_member("link.py", stat.S_IFLNK | 0o777)), "leads out of its folder"),
        ((200, {}, flipped()), "The zip cannot be unpacked (Bad CRC-32"),
        ((200, {}, zipped({"one.py": "X"}).replace(b"\x01\x00\x00\x00", b"\x01\x00\x00\x70", 9)),
         "holds more than 200 MB"),
    ],
)  # fmt: skip
def test_a_link_that_is_refused(catalog, drive, modules, dropbox, answer, words):
    dropbox[0].append(answer)
    link = LINK.replace("own.zip", "one.py") if b"<html" in answer[2] else LINK
    with pytest.raises(RuntimeError, match=r"^[^\n]+$") as caught:
        execute(catalog, "imports-2", {"DRIVE": drive}, dropbox_link=link, module_names="one")
    assert words in str(caught.value)
    assert not modules.exists()
    assert not list(drive.parent.rglob("evil*"))


def test_more_than_is_taken(catalog, drive, dropbox):
    dropbox[0].append((200, {}, GOOD[2]))
    names, _ = execute(catalog, "imports-2", {"DRIVE": drive}, dropbox_link=LINK)
    names["IMPORTS_MOST_MB"] = 0.0001
    session = __import__("requests").Session()
    with pytest.raises(RuntimeError, match="leads to more than"):
        names["imports_fetched"](session, LINK)

"""The builder page as a static site."""

import base64
import hashlib
import http.client
import http.server
import io
import json
import re
import subprocess
import sys
import tarfile
import threading
import zipfile

import pytest
from colab_gen.errors import EnvironmentProblem, NotebookError
from colab_gen.web import pyodide, write_site
from conftest import ROOT


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """A registry of our own whose package has one line each, and an empty cache."""
    names = (*pyodide._FILES, "python_stdlib.zip", "pyodide-lock.json")
    content = dict.fromkeys(names, b"x")
    content["python_stdlib.zip"] = pyodide.pack(
        [("os.py", b"1"), ("xml/sax.py", b"2"), ("encodings/utf_8.py", b"3"),
         ("encodings/cp500.py", b"4"), ("re/__init__.py", b"5")]
    )  # fmt: skip
    lock = {"info": {"python": "3"}, "packages": {"a": {"file_name": "https://elsewhere.test/"}}}
    content["pyodide-lock.json"] = json.dumps(lock).encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in content.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text))
    package = packed.getvalue()
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(package)

        def log_message(self, *_words):
            pass

    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{made.server_address[1]}/")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    digest = base64.b64encode(hashlib.sha512(package).digest()).decode()
    yield asked, digest
    made.shutdown()
    made.server_close()


def test_the_site_is_whole_and_the_same_each_time(registry, catalog, tmp_path, monkeypatch):
    asked, digest = registry
    monkeypatch.setattr(pyodide, "_SHA512", digest)
    size = write_site(catalog, tmp_path / "a")
    write_site(catalog, tmp_path / "b")
    assert asked == [f"/pyodide/-/pyodide-{pyodide.VERSION}.tgz"]  # the second is from the cache
    files = {p.relative_to(tmp_path / "a"): p.read_bytes() for p in walk_files(tmp_path / "a")}
    assert files == {
        p.relative_to(tmp_path / "b"): p.read_bytes() for p in walk_files(tmp_path / "b")
    }
    assert size == sum(map(len, files.values()))
    names = {path.as_posix() for path in files}
    assert {"index.html", "main.js", "worker.js", "python.zip", "pyodide/pyodide.mjs"} <= names
    assert json.loads((tmp_path / "a" / "form.json").read_text())["engine"] == "worker"
    lock = json.loads((tmp_path / "a" / "pyodide" / "pyodide-lock.json").read_text())
    assert lock == {"info": {"python": "3"}, "packages": {}}
    library = zipfile.ZipFile(tmp_path / "a" / "pyodide" / "python_stdlib.zip").namelist()
    assert library == ["encodings/utf_8.py", "os.py", "re/__init__.py"]
    modules = zipfile.ZipFile(tmp_path / "a" / "python.zip").namelist()
    assert {"colab_gen/web/answer.py", "yaml/__init__.py", "licences/jinja2/LICENSE.txt"} <= set(
        modules
    )
    assert {f"colab_gen/snippets/{name}.md" for name in catalog.snippets} <= set(modules)
    with pytest.raises(NotebookError, match="is there already"):
        write_site(catalog, tmp_path / "a")
    write_site(catalog, tmp_path / "a", force=True)


def walk_files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_another_package_is_refused(registry, catalog, tmp_path):
    with pytest.raises(EnvironmentProblem, match="we know: its hash differs"):
        write_site(catalog, tmp_path / "a")
    assert not (tmp_path / "a").exists()
    assert walk_files(tmp_path) == []


def test_a_damaged_cache_is_fetched_anew(registry, catalog, tmp_path, monkeypatch):
    asked, digest = registry
    monkeypatch.setattr(pyodide, "_SHA512", digest)
    kept = tmp_path / "cache" / "colab-gen" / f"pyodide-{pyodide.VERSION}.tgz"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"torn")
    write_site(catalog, tmp_path / "a")
    assert len(asked) == 1
    assert base64.b64encode(hashlib.sha512(kept.read_bytes()).digest()).decode() == digest


def test_without_a_network_it_says_so(colab_gen, tmp_path, monkeypatch):
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    done = colab_gen("web", "--out", "site")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("colab-gen: cannot download Pyodide, which the page needs, from")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "site").exists()


def test_the_page_has_no_script_or_style_of_its_own_and_writes_no_markup():
    files = ROOT / "generator" / "colab_gen" / "web" / "files"
    page = (files / "index.html").read_text()
    assert "$POLICY" in page
    for word in ("<style", "style=", "onclick", "onload", "javascript:"):
        assert word not in page
    assert page.count("<script") == page.count('<script type="module" src=')
    for script in files.glob("*.js"):
        text = script.read_text()
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert word not in text, script
        assert len(text.splitlines()) < 250, script


def test_the_documents_lead_to_each_other(tmp_path):
    (tmp_path / "index.html").write_text("<footer>\n</footer>")
    for _ in range(2):  # a second time changes nothing
        command = [sys.executable, str(ROOT / "docs" / "make_site.py"), str(tmp_path)]
        subprocess.run(command, check=True)
    assert (tmp_path / "index.html").read_text().count("docs/readme.html") == 1
    pages = list((tmp_path / "docs").glob("*.html"))
    assert {"readme.html", "web.html", "architecture.html"} <= {page.name for page in pages}
    for page in pages:
        text = page.read_text()
        assert "<script" not in text
        for link in re.findall(r'(?:href|src)="([^"]+)"', text):
            outside = link.startswith(("https://", "../"))
            assert outside or (page.parent / link).is_file(), (page.name, link)

"""The builder page without a browser: its answers, its server, its command."""

import http.client
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from functools import cache

import pytest
from colab_gen import Recipe, build, dumps, loads, make_plan, parse_recipe, render
from colab_gen.catalog import load_catalog
from colab_gen.web import make_server
from colab_gen.web.answer import answer, form_data, reply
from colab_gen.web.server import LONGEST
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

KINDS = ROOT / "tests" / "web"


def test_the_answer_is_what_the_command_makes(catalog):
    state = {
        "title": "Ein <b>Titel</b> {{ 7 }}",
        "features": ["images", "staging"],
        "values": {"image_columns": "7", "archive_name": 'a"b\\{% c %}'},
        "accelerator": "T4",
        "high_ram": True,
        "repository": "ada/photos",
        "file": "notebooks/a.ipynb",
    }
    given = answer(catalog, state)
    recipe = Recipe(**{**state, "features": tuple(state["features"])})
    plan = make_plan(catalog, recipe)
    assert given["errors"] == {}
    assert given["notebook"] == dumps(build(plan, render(plan)))
    assert parse_recipe(given["recipe"]) == plan.recipe
    assert given["features"] == ["drive", "staging", "images"]
    assert given["name"] == "a.ipynb"
    assert given["link"].endswith("/ada/photos/blob/main/notebooks/a.ipynb")
    assert [cell["id"] for cell in given["cells"]][:3] == ["cover-1", "drive-1", "drive-2"]


@pytest.mark.parametrize(
    ("state", "errors"),
    [
        ({}, {"features": "tick at least one"}),
        ([], {"state": "not what the page sends", "features": "tick"}),
        ({"features": ["drvie"]}, {"features": "did you mean drive"}),
        ({"features": ["images"], "values": {"image_columns": "99", "image_width": "x"}},
         {"values.image_columns": "takes a number from 1 to 8", "values.image_width": "a number"}),
        ({"features": ["images"], "values": {"nothing": 1}}, {"values.nothing": "no parameter"}),
        ({"features": ["images"], "values": {"archive_name": "a"}},
         {"values.archive_name": "belongs to staging"}),
        ({"features": ["images"], "values": {"image_pattern": "\ud800"}},
         {"values.image_pattern": "takes valid Unicode text"}),
        ({"features": ["images"], "values": []}, {"values": "takes a table"}),
        ({"features": ["images"], "title": " "}, {"title": "the title is empty"}),
        ({"features": ["images"], "title": "\udfff"}, {"title": "not valid Unicode"}),
        ({"features": ["images"], "title": 5}, {"title": "takes text"}),
        ({"features": ["images"], "repository": "ada"}, {"repository": "owner/name"}),
        ({"features": ["images"], "branch": "a b"}, {"branch": "name of a branch"}),
        ({"features": ["images"], "file": "../a.ipynb"}, {"file": "path in the repository"}),
        ({"features": ["images"], "accelerator": "T5"}, {"accelerator": "did you mean T4"}),
        ({"features": ["images"], "colour": "red"}, {"colour": "has no colour"}),
        ({"features": ["images"], "title": "", "values": {"image_columns": ""}},
         {"title": "empty", "values.image_columns": "takes a number"}),
    ],
)  # fmt: skip
def test_errors_are_told_by_field_and_the_rest_is_shown(catalog, state, errors):
    given = answer(catalog, state)
    assert set(given["errors"]) == set(errors)
    for field, words in errors.items():
        assert words in given["errors"][field]
    assert (given["notebook"], given["command"], given["recipe"]) == ("", "", "")
    assert given["cells"][0]["snippet"] == "cover"


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
NAMES = st.sampled_from(["kinds_text", "kinds_open", "kinds_slider", "kinds_numbers", "other"])
STATES = st.fixed_dictionaries(
    {},
    optional={
        "features": st.lists(st.sampled_from(["kinds", "drive", "images", "nope"])) | PLAIN,
        "values": st.dictionaries(NAMES, PLAIN | st.lists(PLAIN)) | PLAIN,
        **dict.fromkeys(
            ("title", "accelerator", "high_ram", "repository", "branch", "file"), PLAIN
        ),
    },
)


@settings(deadline=None, max_examples=100)
@given(STATES)
def test_whatever_is_sent_is_answered(state):
    catalog = kinds_catalog()
    given_ = json.loads(reply(catalog, json.dumps(state)))
    assert bool(given_["notebook"]) == (not given_["errors"])
    if given_["notebook"]:
        compile_all(loads(given_["notebook"]))
        plan = make_plan(catalog, parse_recipe(given_["recipe"]))
        assert dumps(build(plan, render(plan))) == given_["notebook"]


@cache
def kinds_catalog():
    return load_catalog([KINDS])


def compile_all(notebook):
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code" and cell["id"].startswith("kinds"):
            exec("".join(cell["source"]), {"print": lambda *_words: None})


def test_conflicts_are_known_from_both_sides_and_told():
    catalog = kinds_catalog()
    form = {feature["name"]: feature for feature in form_data(catalog)["features"]}
    assert form["rival"]["conflicts"] == ["kinds"]
    assert form["kinds"]["conflicts"] == ["rival"]
    state = {"features": ["kinds", "rival"], "values": {"kinds_text": "a"}}
    errors = answer(catalog, state)["errors"]
    assert errors == {"features": "rival cannot stand beside kinds in one notebook"}


def test_nothing_in_a_cell_is_markup_or_an_address_to_load(catalog):
    title = "<img src=x onerror=alert(1)> [a](javascript:alert(1)) ![b](https://x.test/y.png)"
    state = {"title": title, "features": ["drive"], "repository": "a/b"}
    cover = answer(catalog, state)["cells"][0]
    heading = cover["tree"][0]
    assert heading[0] == "h1"
    assert "".join(heading[2:]) == title  # texts, all of them
    tags = {node[0] for node in walk(cover["tree"])}
    assert tags == {"h1", "p", "a", "span", "strong", "ul", "li"}


def walk(nodes):
    for node in nodes:
        if isinstance(node, list):
            yield node
            yield from walk(node[2:])


@pytest.fixture(scope="module")
def server(catalog):
    made = make_server(catalog)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def request(server, method, path, body=None, **headers):
    host, port = server.server_address
    connection = http.client.HTTPConnection(host, port, timeout=60)
    connection.putrequest(method, path, skip_host=True)
    headers = {"Host": f"{host}:{port}", **{k.replace("_", "-"): v for k, v in headers.items()}}
    if body is not None and "Content-Length" not in headers:
        headers["Content-Length"] = str(len(body))
    for name, value in headers.items():
        if value is not None:
            connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    answered = response.status, response.headers, response.read()
    connection.close()
    return answered


def test_the_server_is_this_machines_own(server):
    assert server.server_address[0] == "127.0.0.1"
    status, headers, body = request(server, "GET", "/")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-inline" not in policy
    assert policy.removesuffix("; frame-ancestors 'none'").encode() in body
    assert "Access-Control-Allow-Origin" not in headers
    status, headers, body = request(server, "HEAD", "/main.js")
    assert (status, headers["Content-Type"], body) == (200, "text/javascript; charset=utf-8", b"")


def test_it_renders(server, catalog):
    state = {"features": ["drive"], "title": "é \ud800"}
    body = json.dumps(state).encode()
    for kind in ("application/json", "application/json; charset=utf-8"):
        status, _headers, got = request(server, "POST", "/render", body, Content_Type=kind)
        assert (status, json.loads(got)) == (200, json.loads(reply(catalog, body.decode())))


@pytest.mark.parametrize("host", ["evil.test", "127.0.0.1", "127.0.0.1:1", "localhost", "", None])
@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("POST", "/render")])
def test_it_is_deaf_to_other_names(server, host, method, path):
    status, _headers, body = request(
        server, method, path, b"{}", Host=host, Content_Type="application/json"
    )
    assert status in (400, 403)
    assert b"html" not in body


@pytest.mark.parametrize("origin", ["null", "https://evil.test", "http://127.0.0.1:1", "file://"])
def test_it_is_deaf_to_pages_of_others(server, origin):
    body = b'{"features": ["drive"]}'
    json_body = {"Content_Type": "application/json"}
    assert request(server, "POST", "/render", body, Origin=origin, **json_body)[0] == 403
    own = "http://{}:{}".format(*server.server_address)
    assert request(server, "POST", "/render", body, Origin=own, **json_body)[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/files/", "/web/", "/..", "/../answer.py", "/files/../answer.py", "/%2e%2e/answer.py",
        "/..%2fanswer.py", "//etc/passwd", "/etc/passwd", "/index.html/", "/./main.js",
        "/main.js%00", "/python.zip", "/render", "/C:/", "/" + "a" * 5000,
    ],
)  # fmt: skip
def test_it_lists_nothing_and_leads_nowhere(server, path):
    assert request(server, "GET", path)[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("POST", "/", b"{}", {"Content-Type": "application/json"}, 404),
        ("POST", "/render", b"{}", {}, 415),
        ("POST", "/render", b"{}", {"Content-Type": "text/plain"}, 415),
        ("POST", "/render", b"a=1", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ("POST", "/render", None, {"Content-Type": "application/json"}, 411),
        ("POST", "/render", None,
         {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}, 411),
        ("POST", "/render", None,
         {"Content-Type": "application/json", "Content-Length": "-1"}, 411),
        ("POST", "/render", None,
         {"Content-Type": "application/json", "Content-Length": str(LONGEST + 1)}, 413),
        ("POST", "/render", None,
         {"Content-Type": "application/json", "Content-Length": "9" * 5000}, 413),
        ("POST", "/render", b"{", {"Content-Type": "application/json"}, 400),
        ("POST", "/render", b"\xff", {"Content-Type": "application/json"}, 400),
        ("POST", "/render", b"[" * 100_000, {"Content-Type": "application/json"}, 400),
        ("PUT", "/render", b"{}", {"Content-Type": "application/json"}, 501),
        ("OPTIONS", "/render", None, {"Origin": "https://evil.test"}, 501),
    ],
)  # fmt: skip
def test_it_refuses_what_the_page_does_not_send(server, method, path, body, headers, status):
    got, answered, text = request(server, method, path, body, **headers)
    assert got == status
    assert answered["Content-Type"].startswith("text/plain")
    assert len(text) < 200


def test_it_takes_a_body_of_the_longest_length(server):
    start, end = b'{"features": ["images"], "values": {"image_pattern": "', b'"}}'
    body = start + b"a" * (LONGEST - len(start) - len(end)) + end
    assert len(body) == LONGEST
    assert request(server, "POST", "/render", body, Content_Type="application/json")[0] == 200


def start(*words, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "colab_gen", "web", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT / "generator"), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_command_serves_until_ctrl_c():
    process = start("--no-open")
    address = process.stdout.readline().strip()
    host, _, port = address.removeprefix("http://").strip("/").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=60)
    connection.request("GET", "/form.json")
    assert json.load(connection.getresponse())["engine"] == "server"
    process.send_signal(signal.SIGINT)  # with the connection still open
    _out, said = process.communicate(timeout=60)
    connection.close()
    assert process.returncode == 130
    assert said.splitlines()[-1] == "colab-gen: interrupted"


def test_wrong_use_is_one_line(colab_gen, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        cases = [
            (("--force",), 2, "--force goes with --out"),
            (("--port", port, "--no-open"), 3, f"cannot serve on port {port}: Address already"),
            (("--port", "70000"), 2, "70000"),
            (("--out", "full"), 1, "full is there already; --force writes into it"),
            (("--out", "file"), 1, "file is there already"),
        ]
        for words, code, text in cases:
            done = colab_gen("web", *words)
            assert (done.returncode, done.stdout) == (code, ""), done.stderr
            assert text in done.stderr
            assert len(done.stderr.splitlines()) == 1
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["mine.txt"]

"""The builder page in a real browser: on the local server, and as a static site with Pyodide."""

import functools
import json
import re
import shlex
import subprocess
import sys
import tomllib
from urllib.parse import quote

import pytest
from colab_gen import Recipe, build, dumps, loads, make_plan, render
from colab_gen.checks import preparation
from colab_gen.errors import ColabGenError, EnvironmentProblem
from colab_gen.web import write_site
from colab_gen.web.answer import answer
from conftest import ROOT
from warmed import run
from webpages import KINDS, Page, builder_context, file_server, serving

pytestmark = pytest.mark.browser

AWKWARD = {
    "markup": "</script><img src=x onerror=\"window.hacked=1\"><b>&amp;",
    "quotes": "'\"'''\"\"\"`",
    "backslashes": "\\ \\\\ \\n \\x41 \\u0041 \\N{BULLET} \\",
    "braces": "{{ 7*7 }} {% raw %} {# no #} ${x} {x}",
    "line statement": "#: if true",
    "code": '"\nimport os; os.abort() #',
    "newlines": "a\nb\r\nc\rd\u2028e\u2029f\x85g",
    "controls": "\0\x01\x1b[31m\x7f\ufeff\u00ad",
    "long": "ab c" * 5_000,
    "letters": "ÄÖÜ ß Ωμέγα 漢字 ﬁ é e\u0301",
    "emoji": "😀👩‍👩‍👧‍👦🏳️‍🌈\U0001fae8\U0001f6d8",
    "right to left": "שלום \u202eabc\u202c \u2066x\u2069 مرحبا",
    "half a pair": "a\ud800b",
    "other half": "\udfff",
    "param": 'x"  # @param {"type": "string"}',
    "spaces": "  a\t b  ",
    "empty": "",
}  # fmt: skip


@pytest.fixture(scope="module")
def site(not_checked, tmp_path_factory, catalog):
    """The static site below a path of a plain file server."""
    folder = tmp_path_factory.mktemp("pages")
    try:
        write_site(catalog, folder / "colab-gen")
    except EnvironmentProblem as error:
        not_checked("browser", str(error))

    with serving(file_server(folder)) as url:
        yield f"{url}colab-gen/"


@pytest.fixture(scope="module")
def with_python(browser, site):
    """The static site's page once Python has started in it; several tests share it."""
    made = builder_context(browser)
    page = Page(made, site, engine="worker")
    yield page
    page.is_clean()
    made.close()


def made_by_the_command(folder, words, name):
    """Return the bytes of the notebook that the command makes."""
    done = subprocess.run(
        [sys.executable, "-m", "colab_gen", *words[1:]],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT / "generator"), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return (folder / name).read_bytes()


def build_one(page, tmp_path):
    """Tick, fill in, look, download and copy; return the notebook's text."""
    page.page.get_by_label("Title").fill('Photos "2026" {{ 7 }}')
    page.tick("Stage data on the local disk")
    drive = page.page.get_by_role("checkbox", name="Mount Drive", exact=True)
    assert drive.is_checked()
    assert drive.is_disabled()
    note = page.page.locator("#feature-drive-note")
    assert note.inner_text() == "Needed by “Stage data on the local disk”."
    assert note.get_attribute("id") in drive.get_attribute("aria-describedby")
    page.tick("Show images")
    page.page.get_by_label("archive name").fill("holi'day $HOME.zip")
    page.page.get_by_label("image columns", exact=True).fill("7")
    page.page.get_by_label("Runs on").select_option("T4")
    page.page.get_by_label("High-RAM").check()
    page.settle()
    shown = page.page.locator("#cells")
    assert shown.locator("h1").inner_text() == 'Photos "2026" {{ 7 }}'
    fields = dict(
        zip(
            shown.locator("dt").all_inner_texts(),
            shown.locator("dd").all_inner_texts(),
            strict=True,
        )
    )
    assert fields["archive_name:"] == "holi'day $HOME.zip"
    assert fields["image_columns:"] == "7"
    name, content = page.download()
    assert name == "photos-2026-7.ipynb"
    words = shlex.split(page.copied("Copy command"))
    assert words[:3] == ["colab-gen", "new", name]
    assert content == made_by_the_command(tmp_path, words, name)
    recipe = page.copied("Copy recipe")
    assert tomllib.loads(recipe)["values"]["archive_name"] == "holi'day $HOME.zip"
    (tmp_path / "recipe.toml").write_text(recipe, encoding="utf-8")
    words = ["colab-gen", "new", "--recipe", "recipe.toml", "--force"]
    assert content == made_by_the_command(tmp_path, words, name)
    return content.decode()


def test_on_the_local_server(context, local, tmp_path):
    page = Page(context, local)
    build_one(page, tmp_path)
    link = page.copied("Share")
    page.is_clean()
    again = Page(context, local, fragment=link.partition("#")[2])
    assert again.page.get_by_label("archive name").input_value() == "holi'day $HOME.zip"
    assert again.page.get_by_role("checkbox", name="Mount Drive", exact=True).is_disabled()
    assert again.download() == page.download()
    other = quote(json.dumps({"title": "Other", "features": ["images"]}))
    again.page.goto(f"{local}#{other}")  # a link pasted into the open page
    again.page.locator("#cells h1", has_text="Other").wait_for()
    assert not again.page.get_by_role("checkbox", name="Mount Drive", exact=True).is_checked()
    again.is_clean()


def test_as_a_static_site(with_python, tmp_path):
    build_one(with_python, tmp_path)


@pytest.mark.runs
def test_what_is_downloaded_runs(context, local, catalog):
    page = Page(context, local)
    page.tick("Download a file")
    page.settle()
    notebook = loads(page.download()[1].decode())
    report = run(notebook, prepare=preparation(catalog, notebook))
    assert report.passed, [outcome.message for outcome in report.outcomes]
    assert report.downloads == ("sample.png",)
    page.is_clean()


def states(catalog):
    """Every feature, with each awkward value in its texts, and in title, repository and file."""
    for awkward in AWKWARD.values():
        for name in catalog.features:
            fields = [p for p in catalog.snippets[name].parameters if p.kind != "boolean"]
            values = {p.name: awkward for p in fields if p.kind == "string"}
            yield {"features": [name], "values": values}
        yield {"features": ["drive"], "title": awkward}
        yield {"features": ["drive"], "repository": "a/b", "file": awkward, "branch": awkward}
        yield {"features": [awkward], "values": {awkward: awkward}}
    for name in catalog.features:
        for parameter in catalog.snippets[name].parameters:
            for value in (True, "3", "99999999999999999999", "1e400", " 4 "):
                yield {"features": [name], "values": {parameter.name: value}}
    for features in ([], [*catalog.features], [*reversed(catalog.features)]):
        yield {"features": features, "accelerator": "V28", "high_ram": True}


def test_python_in_the_browser_makes_the_same_bytes(with_python, catalog):
    todo = list(states(catalog))
    given = with_python.page.evaluate(
        """async (texts) => {
          const { ask } = await import("./main.js");
          const answers = [];
          for (const text of texts) answers.push(await ask(JSON.parse(text)));
          return JSON.stringify(answers);
        }""",
        [json.dumps(state) for state in todo],
    )
    whole = 0
    for state, got in zip(todo, json.loads(given), strict=True):
        expected = json.loads(json.dumps(answer(catalog, state)))
        if "\U0001fae8" in json.dumps(
            state, ensure_ascii=False
        ):  # which the messages of older Pythons show as a number
            assert got.pop("errors").keys() == expected.pop("errors").keys()
        assert got == expected, state
        try:
            data = {**state, "features": tuple(state["features"])}
            plan = make_plan(catalog, Recipe(**data))
        except ColabGenError:
            assert got["notebook"] == ""
            continue
        if got["notebook"]:
            whole += 1
            assert got["notebook"] == dumps(build(plan, render(plan))), state
    assert whole > 150


def test_what_is_typed_is_what_is_downloaded(context, kinds, tmp_path):
    page = Page(context, kinds[0])
    for awkward, value in AWKWARD.items():
        if awkward in ("half a pair", "other half"):
            continue
        state = {"title": "A", "features": ["kinds"], "values": {"kinds_text": value}}
        page.page.goto("about:blank")
        page.page.goto(f"{kinds[0]}#{quote(json.dumps(state))}")
        page.page.get_by_role("status").filter(has_text="Ready:").wait_for()
        typed = page.page.get_by_label("kinds text").input_value()
        # A field of several lines has one kind of line break.
        assert typed == (re.sub("\r\n|\r", "\n", value) if "\n" in value else value)
        name, content = page.download()
        (cell,) = [c for c in loads(content.decode())["cells"] if c["cell_type"] == "code"]
        scope = {}
        exec("".join(cell["source"]), scope)
        assert scope["kinds_text"] == typed
        if awkward in ("quotes", "braces", "newlines", "emoji"):
            words = shlex.split(page.copied("Copy command"))
            assert content == made_with_kinds(tmp_path, words, name)
            (tmp_path / name).unlink()
    page.is_clean()


def made_with_kinds(folder, words, name):
    return made_by_the_command(folder, [words[0], "--snippets", str(KINDS), *words[1:]], name)


def test_each_kind_has_its_control(context, kinds, tmp_path):
    page = Page(context, kinds[0])
    page.tick("All kinds of fields")
    form = page.page.locator("#form")
    control = functools.partial(form.get_by_label, exact=True)
    control("kinds text").fill("b c")
    control("kinds raw").fill("x")
    control("kinds integer").fill("-12")
    control("kinds number").fill("2.5")
    control("kinds slider, slider").focus()
    page.page.keyboard.press("ArrowRight")
    assert control("kinds slider").input_value() == "4"
    control("kinds slider").fill("8")
    assert control("kinds slider, slider").input_value() == "8"
    control("kinds tick").uncheck()
    control("kinds date").fill("2027-01-31")
    control("kinds list").select_option("c")
    control("kinds numbers").select_option("3")
    control("kinds open").fill("typed")
    page.settle()
    name, content = page.download()
    scope = {}
    cells = [c for c in loads(content.decode())["cells"] if c["cell_type"] == "code"]
    exec("".join(cells[0]["source"]), scope)
    values = {k.removeprefix("kinds_"): v for k, v in scope.items() if k.startswith("kinds_")}
    assert values == {
        "text": "b c", "raw": "x", "integer": -12, "number": 2.5, "slider": 8, "tick": False,
        "date": "2027-01-31", "list": "c", "numbers": 3, "open": "typed",
    }  # fmt: skip
    assert content == made_with_kinds(tmp_path, shlex.split(page.copied("Copy command")), name)
    page.is_clean()


def test_a_repository_gives_a_direct_link(context, local):
    page = Page(context, local)
    page.tick("Mount Drive")
    page.page.get_by_text("GitHub and file name").click()
    page.page.get_by_label("GitHub repository").fill("ada/photos")
    page.page.get_by_label("Path there").fill("lab/a b.ipynb")
    page.settle()
    page.page.get_by_role("button", name="Open in Colab").click()
    link = page.page.locator("#direct").get_attribute("href")
    assert link == "https://colab.research.google.com/github/ada/photos/blob/main/lab/a%20b.ipynb"
    assert page.page.locator("#cells a .badge").inner_text() == "Open in Colab"
    page.is_clean()  # the badge's picture was not asked for


def test_it_says_when_the_server_has_ended(context):
    command = [sys.executable, "-m", "colab_gen", "web", "--no-open"]
    environment = {"PYTHONPATH": str(ROOT / "generator"), "PATH": ""}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        page = Page(context, process.stdout.readline().strip())
        process.terminate()
    page.tick("Mount Drive")
    page.page.get_by_text("the server has ended; start colab-gen web again").wait_for()
    assert page.page.get_by_role("button", name="Download .ipynb").is_disabled()


@pytest.mark.parametrize("lost", ["pyodide/pyodide.mjs", "pyodide/pyodide.asm.wasm", "python.zip"])
def test_it_says_when_python_does_not_start(context, site, lost):
    context.route(f"**/{lost}", lambda route: route.abort())
    page = context.new_page()
    page.goto(site)
    page.get_by_text("The preview cannot be made").wait_for(timeout=60_000)
    page.get_by_role("checkbox", name="Mount Drive", exact=True).check()  # the form is there
    assert page.get_by_role("button", name="Download .ipynb").is_disabled()

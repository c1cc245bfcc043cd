"""The eight features on the five targets."""

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from colab_gen.errors import RecipeError
from colab_gen.job import perform
from colab_gen.places import markdown_table, places, plain_table
from colab_gen.pool import run_all
from colab_gen.standin import TARGETS
from conftest import ROOT
from test_features import FEATURES
from test_run import texts
from test_static import notebook
from warmed import parent, run

TITLE = """# Five places

What each feature does where a notebook may be run: on Colab's page, in VS Code with Google's
extension, under Google's command line, on Kaggle and in a local Jupyter. *instead* means that it
says in one sentence what to do instead; the sentences are below. Each feature was run alone with
what it requires, and each stand-in answers what the real page answers.
`colab-gen validate --target all NOTEBOOK` makes the same table for a notebook of yours. This page
is written by `pytest --update-golden`.

"""


@pytest.mark.runs
def test_the_features_work_or_say_what_to_do_instead(catalog, golden):
    if run(notebook("1"), target="local").limits:
        pytest.skip("NOT CHECKED: no namespaces here")
    perform_warm = partial(perform, warm=parent())
    with ThreadPoolExecutor(4) as pool:  # mostly, they wait for nobody
        table = places(
            catalog, FEATURES, partial(run_all, executor=pool, in_flight=4, work=perform_warm)
        )
    for name, row in table.items():
        assert list(row) == list(TARGETS)
        assert row["web"].word == "works", name
        assert {v.word for v in row.values()} <= {"works", "instead"}, (name, row)
    golden(TITLE + markdown_table(table), ROOT / "docs" / "places.md")
    assert plain_table(table).count("\n") >= len(FEATURES)


FACTS = (
    "import os, sys\n"
    "print('google.colab' in sys.modules, sorted(n for n in os.environ if 'COLAB' in n)[:1],"
    " 'KAGGLE_KERNEL_RUN_TYPE' in os.environ, os.getcwd(), os.environ['HOME'])"
)


@pytest.mark.runs
@pytest.mark.parametrize(
    ("target", "facts"),
    [
        ("web", "True ['COLAB_BACKEND_VERSION'] False /content /root\n"),
        ("vscode", "True ['COLAB_BACKEND_VERSION'] False /content /root\n"),
        ("cli", "True ['COLAB_BACKEND_VERSION'] False /content /root\n"),
        ("kaggle", "False [] True /kaggle/working /root\n"),
        ("local", "False [] False /home/user/notebooks /home/user\n"),
    ],
)
def test_where_a_kernel_finds_itself(target, facts):
    report = run(notebook(FACTS), target=target)
    if any("file system" in line for line in report.limits):
        pytest.skip("NOT CHECKED: no namespaces here")
    assert texts(report) == [facts]
    assert report.target == report.as_dict()["target"] == target


@pytest.mark.runs
@pytest.mark.parametrize(
    ("target", "source", "message"),
    [
        ("vscode", "from google.colab import drive\ndrive.mount('/content/drive')", ""),
        ("vscode", "from google.colab import auth\nauth.authenticate_user()", ""),
        (
            "vscode",
            "from google.colab import userdata\nuserdata.get('KEY')",
            "TimeoutException: Requesting secret KEY timed out.",
        ),
        ("vscode", "from google.colab import files\nfiles.upload()", "files.upload waits for ever"),
        (
            "vscode",
            "from google.colab import files\nopen('a', 'w').close(); files.download('/content/a')",
            "",
        ),
        (
            "cli",
            "from google.colab import drive\ndrive.mount('/content/drive')",
            "ValueError: mount failed",
        ),
        ("cli", "from google.colab import userdata\nuserdata.get('KEY')", "TimeoutException"),
        ("kaggle", "import google.colab", "ModuleNotFoundError: No module named 'google"),
        ("local", "from google.colab import drive", "ModuleNotFoundError: No module named 'google"),
    ],
)
def test_what_a_place_answers(target, source, message):
    report = run(notebook(source), target=target, secrets={"KEY": "word"}, timeout=60)
    assert report.passed == (not message), report.outcomes
    assert report.outcomes[0].message.startswith(message)
    assert report.downloads == ()


@pytest.mark.runs
@pytest.mark.parametrize("target", ["kaggle", "local"])
def test_drive_is_a_folder(target):
    report = run(
        notebook("open('drive/MyDrive/b', 'w').write(open('drive/MyDrive/a').read())"),
        prepare=lambda drive: drive.joinpath("a").write_text("x"),
        target=target,
        faults=["quota"],
    )
    assert report.passed
    assert report.drive == ("b",)
    assert any("has no Drive" in line for line in report.limits)


def test_a_target_that_is_none():
    with pytest.raises(RecipeError, match=r"no target is named wab \(did you mean web\?\)"):
        run(notebook("1"), target="wab")


@pytest.mark.runs
def test_the_table_of_a_notebook(colab_gen, tmp_path):
    given = notebook("print('x')", "import google.colab")
    (tmp_path / "n.ipynb").write_text(json.dumps(given))
    done = colab_gen("validate", "n.ipynb", "--target", "all")
    assert done.returncode == 1
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[1] == list(TARGETS)
    assert rows[2][:5] == ["(own", "cells)", "works", "works", "works"]
    assert "fails (1)" in done.stdout
    assert "No module named 'google" in done.stdout
    (tmp_path / "a.ipynb").write_text("no JSON")
    (tmp_path / "b.ipynb").write_bytes(b"\xff")
    done = colab_gen("validate", ".", "--target", "all", "-j", "3")
    assert done.returncode == 1
    assert done.stdout.count("not a notebook") == 1
    assert done.stdout.splitlines()[3] == "n.ipynb:"
    assert "b.ipynb" in done.stderr.splitlines()[-1]
    assert "[10/10] " in done.stderr
    done = colab_gen("validate", "n.ipynb", "--target", "all", "--python", "/no/python")
    assert done.returncode == 3
    assert "/no/python cannot be run" in done.stdout
    done = colab_gen("validate", "n.ipynb", "--target", "all", "--on", "colab", "--html", "x")
    assert (done.returncode, done.stdout) == (2, "")
    assert "it does not go with --on, --html" in done.stderr
    done = colab_gen("validate", "n.ipynb", "--target", "kaggle", "--json")
    assert json.loads(done.stdout)[0]["target"] == "kaggle"
    done = colab_gen("validate", "n.ipynb", "--fault", "qouta")
    assert done.returncode == 2
    assert "did you mean quota?" in done.stderr

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from colab_gen.form import literal
from colab_gen.recipe import GPUS, TPUS, parse_recipe
from conftest import ROOT

QUESTIONS = ROOT / "template" / "notebook" / "cookiecutter.json"
PARTS = ("cookiecutter.json", "template", "generator", "snippets")


def expected_questions(catalog):
    """Make the template's questions from the catalog: one for each feature and parameter."""
    yes_no = "\\[y/n]"  # rich, which prints the questions, takes a bare bracket for a style
    questions = {"title": "Colab notebook"}
    prompts = {"title": "Title of the notebook"}
    for name in catalog.features:
        questions[name] = "n"
        prompts[name] = f"{catalog.snippets[name].title} {yes_no}"
    for name in catalog.features:
        for p in catalog.snippets[name].parameters:
            text = literal(p.default).lower() if isinstance(p.default, bool) else str(p.default)
            questions[p.name] = text
            takes = f" ({', '.join(map(str, p.options))})" if p.options else ""
            takes = " (true, false)" if p.kind == "boolean" else takes
            prompts[p.name] = f"For {name}: {p.name.replace('_', ' ')}{takes}"
    questions |= {"accelerator": "none", "high_ram": "n", "repository": "", "branch": "main"}
    prompts |= {
        "accelerator": f"GPU or TPU (none, {', '.join((*GPUS, *TPUS))})",
        "high_ram": f"High-RAM runtime {yes_no}",
        "repository": "GitHub repository, for the badge (owner/name or nothing)",
        "branch": "Branch of the repository",
    }
    return {
        **questions,
        "__folder": "{{ cookiecutter | colab_folder }}",
        "__file": "{{ cookiecutter | colab_file }}",
        "__prompts__": prompts,
        "_extensions": ["local_extensions.ColabGen"],
        "_new_lines": "\n",
    }


def test_every_feature_and_parameter_has_its_question(catalog, golden):
    text = json.dumps(expected_questions(catalog), indent=2, ensure_ascii=False) + "\n"
    golden(text, QUESTIONS)


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A clone as cookiecutter would make one: only what the template needs."""
    folder = tmp_path_factory.mktemp("clone") / "colab-template"
    folder.mkdir()
    for part in PARTS:
        source = ROOT / part
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / part)
    return folder


def bake(template, folder, *answers, typed=None):
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    home = folder / "home"
    home.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-I", "-m", "cookiecutter", str(template), "-o", str(folder / "out"),
         *(["--no-input"] if typed is None else []), *answers],
        env={**environment, "HOME": str(home)},
        cwd=folder,
        input=typed or "",
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )  # fmt: skip


def made(folder):
    return sorted(
        str(p.relative_to(folder / "out")) for p in (folder / "out").rglob("*") if p.is_file()
    )


def test_a_folder_is_made_and_its_notebook_is_that_of_the_command(repository, tmp_path, colab_gen):
    done = bake(
        repository, tmp_path, "title=My data", "staging=y", "memory=yes", "archive_name=a.zip",
        "accelerator=T4", "high_ram=y", "repository=ada/x",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert made(tmp_path) == [
        "my-data/.github/workflows/validate.yml",
        "my-data/README.md",
        "my-data/my-data.ipynb",
        "my-data/recipe.toml",
    ]
    colab_gen(
        "new", "my-data.ipynb", "--title", "My data", "-f", "memory,staging", "--set",
        "archive_name=a.zip", "--gpu", "T4", "--high-ram", "--repo", "ada/x",
    )  # fmt: skip
    notebook = (tmp_path / "my-data.ipynb").read_bytes()
    assert (tmp_path / "out/my-data/my-data.ipynb").read_bytes() == notebook
    readme = (tmp_path / "out/my-data/README.md").read_text()
    assert "github/ada/x/blob/main/my-data.ipynb" in readme
    assert "colab-gen validate my-data.ipynb" in readme
    workflow = (tmp_path / "out/my-data/.github/workflows/validate.yml").read_text()
    assert workflow.rstrip().endswith("colab-gen validate my-data.ipynb")


def test_the_recipe_it_leaves_makes_the_notebook_again(repository, tmp_path, colab_gen):
    assert bake(repository, tmp_path, "title=T", "dump=y", "dump_folder=a'b").returncode == 0
    folder = tmp_path / "out" / "t"
    before = (folder / "t.ipynb").read_bytes()
    done = colab_gen("new", "t.ipynb", "--recipe", "recipe.toml", "--force", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "t.ipynb").read_bytes() == before


@pytest.mark.parametrize(
    "text",
    [
        "{{ 7 * 7 }}",
        "{{ cookiecutter.title }}",
        "{% raw %}{{ x",
        "{# no comment #}",
        "a 'b' \"c\" \\ \\n",
        "Über größe 日本",
        "two\nlines\n",
        "<b>&amp;</b> `x` $(id) `id`",
    ],
)
def test_an_answer_is_never_a_template(repository, tmp_path, text):
    done = bake(repository, tmp_path, f"title={text}", "staging=y", f"archive_name={text}")
    assert done.returncode == 0, done.stdout + done.stderr
    (folder,) = (tmp_path / "out").iterdir()
    recipe = parse_recipe((folder / "recipe.toml").read_text(encoding="utf-8"))
    assert recipe.title == text
    assert recipe.values == {"archive_name": text}
    notebook = json.loads((folder / f"{folder.name}.ipynb").read_text(encoding="utf-8"))
    assert notebook["metadata"]["colab_gen"]["recipe"]["title"] == text


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (["drive=maybe"], "drive takes y or n, not 'maybe'"),
        (["drive=y", "force_remount=perhaps"], "force_remount takes true or false"),
        (["drive=y", "accelerator=T5"], "did you mean T4?"),
        (["drive=y", "repository=x"], "repository takes owner/name"),
        (["drive=y", "title= "], "the title is empty"),
        ([], "no feature was chosen"),
    ],
)
def test_a_wrong_answer_is_one_line_and_leaves_no_folder(repository, tmp_path, answers, words):
    done = bake(repository, tmp_path, *answers)
    assert done.returncode == 1
    assert words in done.stdout
    assert len((done.stdout + done.stderr).splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_it_asks_in_cookiecutters_own_way(repository, tmp_path, catalog):
    questions = list(json.loads(QUESTIONS.read_text()))
    typed = {"title": "Typed {{ 1 }}", "drive": "y", "mount_point": "/content/g"}
    lines = ["1", *(typed.get(name, "") for name in questions if not name.startswith("_"))]
    done = bake(repository, tmp_path, typed="\n".join(lines) + "\n")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[y/n]" in done.stdout
    recipe = parse_recipe((tmp_path / "out/typed-1/recipe.toml").read_text())
    assert (recipe.title, recipe.features) == ("Typed {{ 1 }}", ("drive",))
    assert recipe.values == {"mount_point": "/content/g"}


def test_it_works_from_a_zip_and_a_git_clone(repository, tmp_path):
    archive = tmp_path / "colab-template.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.mkdir("colab-template")  # cookiecutter wants the folder as an entry of its own
        for path in sorted(repository.rglob("*")):
            file.write(path, Path("colab-template") / path.relative_to(repository))
    assert bake(archive, tmp_path, "title=Zip", "drive=y").returncode == 0
    git = tmp_path / "git" / "colab-template.git"
    shutil.copytree(repository, git)
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "all"]):
        subprocess.run(["git", *words], cwd=git, check=True, capture_output=True)
    other = tmp_path / "other"
    other.mkdir()
    done = bake(f"git+file://{git}", other, "title=Zip", "drive=y")
    assert done.returncode == 0, done.stdout + done.stderr
    assert made(tmp_path) == made(other)
    zipped, cloned = (folder / "out" / "zip" / "zip.ipynb" for folder in (tmp_path, other))
    assert zipped.read_bytes() == cloned.read_bytes()

"""What a newcomer gets: the wheel in a fresh environment, the template in a bare cookiecutter."""

import json
import os
import shutil
import subprocess
import sys
import zipfile

import pytest
from conftest import ROOT
from environments import make_environment

pytestmark = pytest.mark.package


def run(*command, cwd):
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return subprocess.run(
        [str(word) for word in command], cwd=cwd, env={**environment, "HOME": str(cwd)},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    python = make_environment(folder / "env", "build", "hatchling")
    done = run(python, "-m", "build", "--no-isolation", "--wheel", "-o", folder, ROOT, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = folder.glob("*.whl")
    return file


def test_the_wheel_holds_what_it_needs(wheel, catalog):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"colab_gen/snippets/{name}.md" for name in catalog.snippets} <= names
    assert "colab_gen/standin/site/google/colab/drive.py" in names
    assert "colab_gen/py.typed" in names
    page = ROOT / "generator" / "colab_gen" / "web" / "files"
    assert {f"colab_gen/web/files/{path.name}" for path in page.iterdir()} <= names


@pytest.mark.timeout(600)
def test_the_wheel_does_all_of_it_in_a_fresh_environment(wheel, tmp_path):
    python = make_environment(tmp_path / "env", str(wheel))
    command = python.parent / "colab-gen"
    made = run(command, "new", "a.ipynb", "--all", "--no-input", cwd=tmp_path)
    assert (made.returncode, made.stdout) == (0, "a.ipynb\n"), made.stderr
    validated = run(command, "validate", "a.ipynb", "--json", cwd=tmp_path)
    assert validated.returncode == 0, validated.stdout + validated.stderr
    (report,) = json.loads(validated.stdout)
    assert {outcome["status"] for outcome in report["outcomes"]} == {"passed"}
    assert (tmp_path / "a.ipynb").read_text().count('"outputs": []') == len(report["outcomes"])


@pytest.mark.parametrize("release", ["cookiecutter", "cookiecutter==2.6.0"])
def test_the_template_works_in_a_bare_cookiecutter(tmp_path, release):
    python = make_environment(tmp_path / "env", release)
    clone = tmp_path / "colab-template"
    clone.mkdir()
    for part in ("cookiecutter.json", "template", "generator", "snippets"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, clone / part)
    done = run(
        python.parent / "cookiecutter", clone, "--no-input", "title=Bare", "staging=y",
        'archive_name=a"b\\c{{ 1 }}.zip', cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    ours = run(
        sys.executable, "-m", "colab_gen", "new", "bare.ipynb", "--title", "Bare", "-f", "staging",
        "--set", 'archive_name=a"b\\c{{ 1 }}.zip', cwd=tmp_path,
    )  # fmt: skip
    assert ours.returncode == 0, ours.stderr
    made = (tmp_path / "bare" / "bare.ipynb").read_bytes()
    assert made == (tmp_path / "bare.ipynb").read_bytes()

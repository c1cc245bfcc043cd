import json
import subprocess
import sys
from itertools import combinations

import pytest
from colab_gen.notebook import build, dumps
from colab_gen.plan import make_plan
from colab_gen.recipe import Recipe
from colab_gen.render import render
from conftest import GOLDEN, ROOT
from fences import RULES, check


@pytest.mark.parametrize("file", sorted((ROOT / "snippets").glob("*.md")), ids=lambda f: f.stem)
def test_the_fences_are_formatted_and_clean(file):
    assert check(file, fix=False) == []


def lint(folder):
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--output-format=concise", *RULES, str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.splitlines()


def test_whole_notebooks_are_clean(catalog, tmp_path):
    # Alone of all checks this sees a name that no cell before defines: a missing `requires`.
    choices = [catalog.features, *combinations(catalog.features, 1)]
    for features in [*choices, *combinations(catalog.features, 2)]:
        plan = make_plan(catalog, Recipe(features=features))
        file = tmp_path / f"{'+'.join(features)[:80]}.ipynb"
        file.write_text(dumps(build(plan, render(plan))), encoding="utf-8")
    assert lint(tmp_path) == ["All checks passed!"]
    assert lint(GOLDEN) == ["All checks passed!"]


def test_the_check_sees_an_undefined_name(tmp_path):
    notebook = json.loads((GOLDEN / "drive.ipynb").read_text(encoding="utf-8"))
    notebook["cells"][-1]["source"] = ["print(UNKNOWN)\n"]
    (tmp_path / "x.ipynb").write_text(json.dumps(notebook))
    assert any("UNKNOWN" in line for line in lint(tmp_path))

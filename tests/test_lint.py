import json
import subprocess
import sys

import pytest
from conftest import GOLDEN, ROOT
from fences import RULES, check


@pytest.mark.parametrize("file", sorted((ROOT / "snippets").glob("*.md")), ids=lambda f: f.stem)
def test_the_fences_are_formatted_and_clean(file):
    assert check(file, fix=False) == []


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.ipynb")), ids=lambda f: f.stem)
def test_a_whole_notebook_is_clean(file, tmp_path):
    # Alone of all checks this sees a name that no cell before defines: a missing `requires`.
    copy = tmp_path / file.name
    copy.write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--quiet", *RULES, str(copy)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""
    assert done.returncode == 0


def test_the_check_sees_an_undefined_name(tmp_path):
    notebook = json.loads((GOLDEN / "drive.ipynb").read_text(encoding="utf-8"))
    notebook["cells"][-1]["source"] = ["print(UNKNOWN)\n"]
    (tmp_path / "x.ipynb").write_text(json.dumps(notebook))
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", *RULES, str(tmp_path / "x.ipynb")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "UNKNOWN" in done.stdout

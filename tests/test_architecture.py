import ast
import subprocess
import sys

import pytest
from conftest import ROOT

PACKAGE = ROOT / "generator" / "colab_gen"
# A module imports only from floors below its own.
FLOORS = {
    "errors": 1, "text": 1, "form": 1, "interrupts": 1, "jsontext": 1, "merge": 1, "standin": 1,
    "colabcli": 2, "files": 2, "record": 2, "report": 2, "snippet": 2, "recipe": 2, "values": 2,
    "catalog": 3, "hold": 3, "plan": 4, "render": 5, "notebook": 6,
    "checks": 7, "ownership": 7, "patch": 7, "static": 7, "upgrade": 7, "edit": 8, "run": 8,
    "subject": 9, "arguments": 9, "prompts": 9, "remote": 9,
    "reports": 9, "job": 10, "lifecycle": 10, "web": 10,
    "choice": 11, "cluster": 11, "console": 11, "ledger": 11, "places": 11, "pool": 11,
    "changes": 12, "progress": 12, "batch": 13, "delivery": 13,
    "cli_notebook": 14, "cli_validate": 14, "cli_web": 14, "cli": 15,
}  # fmt: skip
MODULES = [p for p in PACKAGE.rglob("*.py") if "site" not in p.relative_to(PACKAGE).parts]


def floor(path):
    part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return {"__init__": 99, "__main__": 99}.get(part) or FLOORS[part]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_imports_only_from_below(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("colab_gen"):
            parts = [node.module.split(".")[1:2] or [a.name for a in node.names]][0]
            for part in parts:
                within = part == path.relative_to(PACKAGE).parts[0]  # a package of several modules
                assert within or FLOORS.get(part, 0) < floor(path), f"{path} imports {part}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_says_what_is_public(path):
    text = path.read_text()
    if path.name not in ("__main__.py", "launch.py"):
        assert "\n__all__ = [" in text or "\n__all__: " in text
    assert len(text.splitlines()) <= 350


def loaded(code):
    # A Python may load modules of its own: Debian's sitecustomize, setuptools' _distutils_hack.
    script = (
        f"import sys\nfirst = set(sys.modules)\n{code}\n"
        "print(*sorted({m.split('.')[0] for m in set(sys.modules) - first}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "generator"), "PATH": ""},
    )
    return set(done.stdout.split())


def test_building_needs_no_click_nbformat_or_nbconvert():
    modules = loaded(
        "from colab_gen import *\n"
        "plan = make_plan(c := load_catalog(), Recipe(features=c.features))\n"
        "text = dumps(build(plan, render(plan)))\n"
        "assert len(loads(text)['cells']) > 8"
    )
    assert {"jinja2", "colab_gen"} <= modules
    assert not modules & {"click", "nbformat", "nbconvert", "nbclient", "IPython", "questionary"}


def test_the_page_needs_no_more_than_markdown():
    modules = loaded(
        "import types\n"
        "package = types.ModuleType('colab_gen.web')\n"
        f"package.__path__ = [{str(PACKAGE / 'web')!r}]\n"
        "sys.modules['colab_gen.web'] = package\n"
        "from colab_gen import load_catalog\n"
        "from colab_gen.web.answer import reply\n"
        "assert 'cells' in reply(load_catalog(), '{}')"
    )
    outside = modules - set(sys.stdlib_module_names)
    assert outside == {"colab_gen", "jinja2", "markupsafe", "mistune"}


def test_the_command_starts_light():
    modules = loaded("import colab_gen.cli")
    assert "click" in modules
    assert not modules & {
        "nbformat",
        "nbconvert",
        "questionary",
        "pygments",
        "asyncio",
        "rich",
        "difflib",
    }

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from colab_gen.catalog import load_catalog

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "tests" / "golden"


def pytest_addoption(parser):
    parser.addoption("--update-golden", action="store_true", help="write the expected files anew")
    parser.addoption(
        "--require",
        default=os.environ.get("COLAB_GEN_REQUIRE", ""),
        help="browser,colab,google-colab: fail where one of these cannot be checked",
    )


@pytest.fixture(scope="session")
def catalog():
    return load_catalog()


@pytest.fixture
def golden(request):
    """Hold a text against a file in tests/golden, or write it with --update-golden."""

    def hold(text: str, path: Path) -> None:
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        assert path.exists(), f"{path} is missing: run pytest --update-golden and read it"
        assert text == path.read_text(encoding="utf-8")

    return hold


@pytest.fixture
def not_checked(request):
    """Skip what cannot be checked here, or fail where --require asks for it."""

    def missing(what: str, why: str) -> None:
        if what in request.config.getoption("--require").split(","):
            pytest.fail(f"--require={what}: {why}")
        pytest.skip(f"NOT CHECKED: {why}")

    return missing


@pytest.fixture
def colab_gen(tmp_path):
    """Run the command in an empty folder; return what it printed and its exit code."""

    def run(*arguments: str, cwd: Path = tmp_path, **kwargs) -> subprocess.CompletedProcess:
        environment = {**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(ROOT / "generator")}
        return subprocess.run(
            [sys.executable, "-m", "colab_gen", *arguments],
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=280,
            **kwargs,
        )

    return run


@pytest.fixture(scope="session")
def uv():
    """The uv command; without it, tests of packaging use plain venv and pip."""
    return shutil.which("uv")

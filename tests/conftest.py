import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from colab_gen.catalog import load_catalog
from colab_gen.web import make_server
from colabpages import Tab
from environments import find_python, make_environment
from webpages import KINDS, builder_context, find_chromium, serving

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "tests" / "golden"
NOT_CHECKED = "NOT CHECKED: "
# Ignored where a shell has put the tests in the background, and all that they start inherits it.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Where nothing compiled is kept, each of the many processes compiles all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
LONG = ("test_remote_official", "test_cluster", "test_warm", "test_web_page")
REQUIRABLE = ("browser", "colab", "colab-cli", "google-colab")


def pytest_addoption(parser):
    parser.addoption("--update-golden", action="store_true", help="write the expected files anew")
    parser.addoption(
        "--require",
        default="",
        help=f"{','.join(REQUIRABLE)}: fail where one of these cannot be checked",
    )


def required(config):
    return {name for name in config.getoption("--require").split(",") if name}


def pytest_configure(config):
    if unknown := required(config) - {*REQUIRABLE}:
        raise pytest.UsageError(
            f"--require knows no {', '.join(sorted(unknown))}; there are: {', '.join(REQUIRABLE)}"
        )


def pytest_collection_modifyitems(items):
    """Begin with what takes long, or it would be waited for at the end."""
    items.sort(key=lambda item: item.path.stem not in LONG)


def pytest_terminal_summary(terminalreporter):
    """Say once more, by reason, how many tests could not be checked on this machine."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = [report.longrepr[2].removeprefix("Skipped: ") for report in skipped]
    reasons = Counter(text for text in reasons if text.startswith(NOT_CHECKED))
    if reasons:
        terminalreporter.section("NOT CHECKED", yellow=True)
    for reason, count in sorted(reasons.items()):
        tests = "1 test" if count == 1 else f"{count} tests"
        terminalreporter.line(f"{tests}: {reason.removeprefix(NOT_CHECKED)}")


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


@pytest.fixture(scope="session")
def not_checked(request):
    """Skip what cannot be checked here, or fail where --require asks for it."""

    def missing(what: str, why: str) -> None:
        assert what in REQUIRABLE
        if what in required(request.config):
            pytest.fail(f"--require={what}: {why}")
        pytest.skip(f"{NOT_CHECKED}{why}")

    return missing


# Not for the whole session: where Playwright runs, nothing else can start an event loop.
@pytest.fixture(scope="module")
def browser(not_checked):
    """A Chromium of this machine, driven by Playwright."""
    path = find_chromium()
    if not path:
        not_checked("browser", "there is no Chromium here")
    if not find_spec("playwright"):
        not_checked("browser", "playwright is not installed")
    with import_module("playwright.sync_api").sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=path,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        yield started
        started.close()


@pytest.fixture(scope="module")
def any_tab(browser):
    """A tab for stand-ins of Colab's page; each `open` begins anew, much faster than a new tab."""
    return Tab(browser.new_page())


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


@pytest.fixture(scope="module")
def local(catalog):
    with serving(make_server(catalog)) as url:
        yield url


@pytest.fixture(scope="module")
def kinds():
    catalog = load_catalog([KINDS])
    with serving(make_server(catalog)) as url:
        yield url, catalog


@pytest.fixture
def context(browser):
    made = builder_context(browser)
    yield made
    made.close()


@pytest.fixture
def own_tmp():
    """A folder for temporary files with a short name, since sockets will lie in it."""
    folder = tempfile.mkdtemp(dir="/tmp")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def colab_python(version, tmp_path, not_checked):
    """An interpreter of this version in an environment with what Colab's image holds."""
    python = find_python(version)
    if python is None:
        not_checked("colab", f"there is no Python {version} here")
    pins = str(ROOT / "tests" / "colab-image.txt")
    return str(make_environment(tmp_path / "env", "-r", pins, python=python))

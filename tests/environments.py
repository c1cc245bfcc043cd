"""Fresh virtual environments for tests, by uv where it is there, else by venv and pip."""

import os
import shutil
import subprocess
import sys
from pathlib import Path


def find_python(version: str) -> str | None:
    """Return an interpreter of this version, such as "3.13", or None."""
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        return sys.executable
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = [
        *sorted(root.glob(f"versions/{version}.*/bin/python"), reverse=True),
        shutil.which(f"python{version}"),
    ]
    for candidate in filter(None, candidates):
        done = subprocess.run([candidate, "-c", ""], capture_output=True, check=False)
        if done.returncode == 0:
            return str(candidate)
    return None


def make_environment(folder: Path, *requirements: str, python: str = sys.executable) -> Path:
    """Make a virtual environment with these requirements; return its interpreter."""
    inside = folder / "bin" / "python"
    if uv := shutil.which("uv"):
        _run(uv, "venv", "--quiet", "--python", python, str(folder))
        _run(uv, "pip", "install", "--quiet", "--python", str(inside), *requirements)
    else:
        _run(python, "-m", "venv", str(folder))
        _run(str(inside), "-m", "pip", "install", "--quiet", *requirements)
    return inside


def _run(*command: str) -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

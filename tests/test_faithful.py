"""The stand-in's google.colab against the facts of Google's, written down in colab-api.toml."""

import json
import subprocess
import sys
import tomllib

import pytest
from conftest import ROOT

FACTS = tomllib.loads((ROOT / "tests" / "colab-api.toml").read_text())
SITE = ROOT / "generator" / "colab_gen" / "standin" / "site"
LOOK = """
import functools, importlib, inspect, json, sys

def look(name):
    module, *rest = name.split(".")
    return functools.reduce(getattr, rest, importlib.import_module(f"google.colab.{module}"))

facts = json.load(sys.stdin)
print(json.dumps([
    {n: str(inspect.signature(look(n))) for n in facts["functions"]},
    {n: look(n).__bases__[0].__name__ for n in facts["exceptions"]},
]))
"""


@pytest.fixture(scope="module")
def found():
    done = subprocess.run(
        [sys.executable, "-c", LOOK],
        env={"PYTHONPATH": str(SITE), "PATH": ""},
        input=json.dumps(FACTS),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", FACTS["functions"])
def test_parameters_and_defaults(found, name):
    assert found[0][name] == FACTS["functions"][name]


@pytest.mark.parametrize("name", FACTS["exceptions"])
def test_exceptions_and_what_they_derive_from(found, name):
    assert found[1][name] == FACTS["exceptions"][name]

"""Hands the answers of cookiecutter to the generator that lies beside this template.

It runs in cookiecutter's own environment, which has Jinja2 and PyYAML and no more of ours.
"""

import json
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cookiecutter.exceptions import FailedHookException
from jinja2 import Environment
from jinja2.ext import Extension

_HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(_HERE.parents[1] / "generator"))

from colab_gen.catalog import Catalog, load_catalog  # noqa: E402
from colab_gen.errors import ColabGenError  # noqa: E402
from colab_gen.form import Parameter  # noqa: E402
from colab_gen.notebook import build, dumps  # noqa: E402
from colab_gen.plan import Plan, make_plan, with_required  # noqa: E402
from colab_gen.recipe import Recipe, dump_recipe, read_recipe  # noqa: E402
from colab_gen.render import render  # noqa: E402
from colab_gen.text import markdown  # noqa: E402
from colab_gen.values import check_value  # noqa: E402

_QUESTIONS = json.loads((_HERE / "cookiecutter.json").read_text(encoding="utf-8"))
# Only these are templates. Everything else that cookiecutter renders is somebody's answer.
_TEMPLATES = {
    *(_QUESTIONS[name] for name in ("__folder", "__file")),
    *(path.name for path in _HERE.rglob("*{{*")),
}


class ColabGen(Extension):
    """The filters that the template is made of, and answers left as they were given."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        environment.filters |= {
            "colab_folder": lambda answers: Path(_plan(answers).recipe.path).stem,
            "colab_file": lambda answers: _plan(answers).recipe.path,
            "colab_notebook": _notebook,
            "colab_recipe": lambda answers: dump_recipe(_plan(answers).recipe),
            "colab_plan": _plan,
            "colab_text": markdown,
        }

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Keep cookiecutter from reading an answer as a template: braces in it are only text."""
        if name is not None or source in _TEMPLATES:
            return source
        return "{{ " + ascii(source) + " }}"


@cache
def _catalog() -> Catalog:
    return load_catalog()


def _notebook(answers: Mapping[str, Any]) -> str:
    plan = _plan(answers)
    return dumps(build(plan, render(plan)))


def _plan(answers: Mapping[str, Any]) -> Plan:
    problems: list[str] = []
    try:
        plan = make_plan(_catalog(), _recipe(answers, problems), problems)
        if not plan.recipe.features:
            problems.append("no feature was chosen; there are " + ", ".join(_catalog().features))
    except ColabGenError as error:
        problems = str(error).splitlines()
    if problems:
        # The one kind of error that cookiecutter tells in a line of its own, making no folder.
        raise FailedHookException("; ".join(problems))
    return plan


def _recipe(answers: Mapping[str, Any], problems: list[str]) -> Recipe:
    yes = Parameter(name="", kind="boolean", default=False)

    def chosen(name: str) -> bool:
        try:
            return bool(check_value(yes, answers[name]))
        except ValueError:
            problems.append(f"{name} takes y or n, not {answers[name]!a}")
            return False

    features = tuple(name for name in _catalog().features if chosen(name))
    values = {}
    for name in with_required(_catalog(), features):
        for parameter in _catalog().snippets[name].parameters:
            answer = answers[parameter.name]
            if not _is_default(parameter, answer):
                values[parameter.name] = answer
    data = {
        "title": answers["title"],
        "accelerator": answers["accelerator"].strip().upper().removeprefix("NONE"),
        "high_ram": chosen("high_ram"),
        "repository": answers["repository"].strip(),
        "branch": answers["branch"].strip(),
        "features": features,
        "values": values,
    }
    return read_recipe(data, problems)


def _is_default(parameter: Parameter, answer: object) -> bool:
    try:
        return check_value(parameter, answer) == parameter.default
    except ValueError:
        return False

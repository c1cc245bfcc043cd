"""What the page asks and is told, by the server and in the browser alike.

Needs the standard library, Jinja2, PyYAML and mistune only.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from colab_gen.arguments import equivalent
from colab_gen.catalog import Catalog
from colab_gen.errors import RecipeError
from colab_gen.form import Parameter
from colab_gen.notebook import build, dumps
from colab_gen.plan import Plan, make_plan
from colab_gen.recipe import GPUS, TPUS, Recipe, dump_recipe, read_recipe
from colab_gen.render import render
from colab_gen.snippet import SECTIONS, Snippet
from colab_gen.web.preview import preview

__all__ = ["answer", "form_data", "reply"]


def form_data(catalog: Catalog) -> dict[str, Any]:
    """Return what the page needs to draw its form; numbers of fields are texts, as typed."""
    return {
        "title": Recipe().title,
        "branch": Recipe().branch,
        "gpus": list(GPUS),
        "tpus": list(TPUS),
        "sections": list(SECTIONS),
        "features": [_feature(catalog, catalog.snippets[name]) for name in catalog.features],
        "first": answer(catalog, {}),
    }


def reply(catalog: Catalog, text: str) -> str:
    """Return the answer to a state, both as JSON.

    Raises:
        ValueError: the text is not JSON.
    """
    try:
        state = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    # ASCII, since half a surrogate pair can be in an error's text and in no UTF-8.
    return json.dumps(answer(catalog, state))


def answer(catalog: Catalog, state: object) -> dict[str, Any]:
    """Return the notebook of a state, and all that the page shows of it.

    The state is a recipe as plain data; values may be texts as typed. What is wrong is told by
    field under `errors`, the values' as "values.<name>"; then `notebook`, `command` and `recipe`
    are empty, and the cells are those that the rest gives.

    Raises:
        SnippetError: a snippet's template is wrong.
    """
    errors: dict[str, str] = {}
    recipe = _recipe(catalog, state, errors)
    if not recipe.features:
        errors.setdefault("features", "tick at least one feature")
    plan = make_plan(catalog, recipe)
    notebook = build(plan, render(plan))
    whole = not errors
    return {
        "features": list(plan.features),
        "name": plan.recipe.name,
        "path": plan.recipe.path,
        "link": plan.recipe.link,
        "cells": preview(notebook),
        "errors": errors,
        "notebook": dumps(notebook) if whole else "",
        "command": equivalent(plan.recipe, _argument(plan)) if whole else "",
        "recipe": dump_recipe(plan.recipe) if whole else "",
    }


def _recipe(catalog: Catalog, state: object, errors: dict[str, str]) -> Recipe:
    """Return the recipe without the parts that are wrong; these are told in `errors` by field."""
    kept: dict[str, Any] = {}
    if not isinstance(state, Mapping):
        errors["state"] = "this is not what the page sends"
        return Recipe()
    for key, value in state.items():
        problems: list[str] = []
        read_recipe({key: value}, problems)
        if problems:
            errors[key] = "; ".join(problems)
        else:
            kept[key] = value
    recipe = read_recipe({**kept, "values": {}})
    # Each part is planned alone, so that what is said belongs to it.
    if problem := _problem(catalog, Recipe(features=recipe.features)):
        errors["features"] = problem
        recipe = replace(recipe, features=())
    if problem := _problem(catalog, Recipe(title=recipe.title)):
        errors["title"] = problem
        recipe = replace(recipe, title=Recipe().title)
    values = {}
    # Of features that cannot stand together no value is anybody's.
    for name, value in kept.get("values", {}).items() if "features" not in errors else ():
        problem = _problem(catalog, Recipe(features=recipe.features, values={name: value}))
        if problem:
            errors[f"values.{name}"] = problem.removeprefix(f"{name} ")
        else:
            values[name] = value
    return replace(recipe, values=values)


def _problem(catalog: Catalog, recipe: Recipe) -> str:
    try:
        make_plan(catalog, recipe)
    except RecipeError as error:
        return "; ".join(error.problems)
    return ""


def _argument(plan: Plan) -> str:
    # A path that begins with a hyphen would be taken for an option.
    return f"./{plan.recipe.path}" if plan.recipe.path.startswith("-") else plan.recipe.path


def _feature(catalog: Catalog, snippet: Snippet) -> dict[str, Any]:
    # A conflict holds from both sides, though one of the two snippets names it.
    others = [
        s.name for s in catalog.snippets.values() if snippet.name in s.conflicts and not s.always
    ]
    return {
        "name": snippet.name,
        "title": snippet.title,
        "summary": snippet.summary,
        "section": snippet.section,
        "requires": [name for name in snippet.requires if not catalog.snippets[name].always],
        "conflicts": sorted({*snippet.conflicts, *others}),
        "parameters": [_field(parameter) for parameter in snippet.parameters],
    }


def _field(parameter: Parameter) -> dict[str, Any]:
    default = parameter.default
    return {
        "name": parameter.name,
        "kind": parameter.kind,
        "default": default if isinstance(default, bool) else str(default),
        "options": [str(option) for option in parameter.options],
        "allow_input": parameter.allow_input,
        "minimum": parameter.minimum,
        "maximum": parameter.maximum,
        "step": parameter.step,
    }

"""The questions `colab-gen new` asks on a terminal."""

import sys

import questionary
from prompt_toolkit.output import Output, create_output

from colab_gen.catalog import Catalog
from colab_gen.form import Parameter, Value
from colab_gen.plan import make_plan
from colab_gen.recipe import Recipe
from colab_gen.values import check_value

__all__ = ["ask_features", "ask_title", "ask_values"]


def ask_title(default: str) -> str:
    """Return the title that was typed.

    Raises:
        KeyboardInterrupt: the user pressed Ctrl-C, here as in all questions.
    """
    question = questionary.text(
        "Title",
        default=default,
        validate=lambda text: bool(text.strip()) or "a title, please",
        output=_output(),
    )
    return str(question.unsafe_ask())


def ask_features(catalog: Catalog) -> tuple[str, ...]:
    """Return the names of the features that were ticked."""
    width = max(map(len, catalog.features))
    choices = [
        questionary.Choice(f"{name:<{width}}  {catalog.snippets[name].summary}", value=name)
        for name in catalog.features
    ]
    question = questionary.checkbox(
        "Features",
        choices=choices,
        validate=lambda names: bool(names) or "tick at least one",
        output=_output(),
    )
    return tuple(question.unsafe_ask())


def ask_values(catalog: Catalog, recipe: Recipe) -> dict[str, Value]:
    """Return, by name, the values that differ from the defaults of the recipe's parameters."""
    values: dict[str, Value] = {}
    for step in make_plan(catalog, recipe).steps:
        for parameter in step.snippet.parameters:
            if parameter.name in recipe.values:
                continue
            value = check_value(parameter, _question(parameter).unsafe_ask())
            if value != parameter.default:
                values[parameter.name] = value
    return values


def _question(parameter: Parameter) -> questionary.Question:
    label = parameter.name.replace("_", " ")
    if parameter.kind == "boolean":
        return questionary.confirm(label, default=bool(parameter.default), output=_output())
    if parameter.kind == "choice" and not parameter.allow_input:
        options = [str(option) for option in parameter.options]
        return questionary.select(
            label, choices=options, default=str(parameter.default), output=_output()
        )

    def fault(text: str) -> bool | str:
        try:
            check_value(parameter, text)
        except ValueError as error:
            return str(error)
        return True

    return questionary.text(label, default=str(parameter.default), validate=fault, output=_output())


def _output() -> Output:
    # Prompts are no result: stdout may be a file even where a terminal answers.
    return create_output(stdout=sys.stderr)

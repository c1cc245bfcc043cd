"""A recipe made whole: required snippets added, conflicts refused, order found, values bound."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from heapq import heappop, heappush
from typing import Any

from colab_gen.catalog import Catalog
from colab_gen.errors import RecipeError, SnippetError
from colab_gen.form import Value
from colab_gen.recipe import Recipe
from colab_gen.snippet import SECTIONS, Snippet
from colab_gen.text import did_you_mean, one_line
from colab_gen.values import check_value

__all__ = ["Plan", "Step", "make_plan", "with_required"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A snippet of the notebook with the values it was given (defaults are not repeated)."""

    snippet: Snippet
    values: Mapping[str, Value]

    @property
    def name(self) -> str:
        """The snippet's name."""
        return self.snippet.name

    @property
    def title(self) -> str:
        """The snippet's title."""
        return self.snippet.title

    @property
    def summary(self) -> str:
        """The snippet's summary."""
        return self.snippet.summary

    @property
    def anchor(self) -> str:
        """The id of its first cell, which Colab scrolls to for a link `#scrollTo=<id>`."""
        return f"{self.snippet.name}-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The steps in their order, and the recipe in its one normal form."""

    recipe: Recipe
    steps: tuple[Step, ...]

    @property
    def features(self) -> tuple[str, ...]:
        """The names of all features, those required by others included."""
        return tuple(step.name for step in self.steps if not step.snippet.always)


def make_plan(catalog: Catalog, recipe: Recipe, problems: Iterable[str] = ()) -> Plan:
    """Add what the features require, refuse conflicts, order the snippets, bind the values.

    `problems` are those found before, to be told together with those found here.

    Raises:
        RecipeError: anything is wrong with the recipe; all of it is told at once.
        SnippetError: the snippets require each other in a circle.
    """
    faults = [*problems]
    wanted = _known(catalog, recipe.features, faults)
    names = with_required(catalog, wanted)
    faults += _conflicts(catalog, names)
    order = _order([catalog.snippets[name] for name in names])
    values = _bind(catalog, names, recipe.values, faults)
    if _has_surrogates(recipe.title):
        faults.append(f"the title {one_line(ascii(recipe.title))} is not valid Unicode text")
    if faults:
        raise RecipeError(faults)
    steps = tuple(
        Step(
            snippet=snippet,
            values={p.name: values[p.name] for p in snippet.parameters if p.name in values},
        )
        for snippet in order
    )
    whole = replace(
        recipe,
        features=tuple(step.name for step in steps if step.name in wanted),
        values={name: value for step in steps for name, value in step.values.items()},
        file=recipe.file if recipe.file != replace(recipe, file="").path else "",
    )
    return Plan(recipe=whole, steps=steps)


def with_required(catalog: Catalog, features: Iterable[str]) -> set[str]:
    """Return the names of the features, of all they require, and of what every notebook has."""
    names: set[str] = set()
    waiting = [*features, *(name for name, s in catalog.snippets.items() if s.always)]
    while waiting:
        name = waiting.pop()
        if name not in names:
            names.add(name)
            waiting += catalog.snippets[name].requires
    return names


def _known(catalog: Catalog, features: Iterable[str], problems: list[str]) -> set[str]:
    known = set()
    for name in features:
        if name in catalog.snippets:
            known.add(name)
        else:
            problems.append(
                f"no feature is named {one_line(name)}{did_you_mean(name, catalog.features)}; "
                f"there are {', '.join(catalog.features)}"
            )
    return {name for name in known if not catalog.snippets[name].always}


def _conflicts(catalog: Catalog, names: set[str]) -> list[str]:
    return [
        f"{name} cannot stand beside {other} in one notebook"
        for name in sorted(names)
        for other in sorted(names)
        if other in catalog.snippets[name].conflicts
    ]


def _order(snippets: Iterable[Snippet]) -> list[Snippet]:
    """Return the snippets so that each follows what it requires; else by section, then name."""
    by_name = {snippet.name: snippet for snippet in snippets}
    before = {
        s.name: [n for n in (*s.requires, *s.after) if n in by_name] for s in by_name.values()
    }
    sorter = TopologicalSorter(before)
    try:
        sorter.prepare()
    except CycleError as error:
        raise SnippetError("these snippets need each other: " + " > ".join(error.args[1])) from None
    ready: list[tuple[int, str]] = []
    order = []
    while sorter.is_active():
        for name in sorter.get_ready():
            heappush(ready, (SECTIONS.index(by_name[name].section), name))
        _, name = heappop(ready)
        order.append(by_name[name])
        sorter.done(name)
    return order


def _bind(
    catalog: Catalog, names: set[str], values: Mapping[str, Any], problems: list[str]
) -> dict[str, Value]:
    parameters = {p.name: p for name in names for p in catalog.snippets[name].parameters}
    bound = {}
    for name, value in values.items():
        if name not in parameters:
            problems.append(_unknown_parameter(catalog, sorted(parameters), name))
            continue
        try:
            bound[name] = check_value(parameters[name], value)
            if isinstance(bound[name], str) and _has_surrogates(bound[name]):
                raise ValueError("takes valid Unicode text")
        except ValueError as error:
            problems.append(f"{name} {error}, not {one_line(ascii(value))}")
    return bound


def _unknown_parameter(catalog: Catalog, parameters: list[str], name: str) -> str:
    if owner := catalog.owner(name):
        return f"{name} belongs to {owner.name}, which is not among the features"
    there = f"there are {', '.join(parameters)}" if parameters else "these features have none"
    return f"no parameter is named {one_line(name)}{did_you_mean(name, parameters)}; {there}"


def _has_surrogates(text: object) -> bool:
    # Halves of a pair stand for bytes that were no UTF-8; no file of ours could hold them.
    return any("\ud800" <= character <= "\udfff" for character in str(text))

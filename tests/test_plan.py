from itertools import permutations

import pytest
from colab_gen.catalog import Catalog
from colab_gen.errors import RecipeError, SnippetError
from colab_gen.plan import make_plan
from colab_gen.recipe import Recipe
from colab_gen.snippet import parse_snippet


def catalog_of(**fronts):
    """Make a catalog of tiny snippets: name = (section, rest of the front matter)."""
    snippets = {}
    for name in sorted(fronts):
        section, rest = fronts[name]
        code = f'{name}_size = 1  # @param {{"type": "integer"}}'
        text = (
            f"---\ntitle: T\nsummary: S.\nsection: {section}\n{rest}\n---\n```python\n{code}\n```\n"
        )
        snippets[name] = parse_snippet(name, text)
    return Catalog(snippets=snippets, files={})


def names(catalog, *features, **more):
    plan = make_plan(catalog, Recipe(features=features, **more))
    return [step.name for step in plan.steps]


def test_what_is_required_is_added_and_what_is_always_there_comes():
    catalog = catalog_of(
        top=("cover", "always: true"),
        a=("data", "requires: [b]"),
        b=("storage", "requires: [c]"),
        c=("storage", ""),
        d=("work", ""),
    )
    assert names(catalog, "a") == ["top", "c", "b", "a"]


def test_the_order_never_follows_the_typing():
    catalog = catalog_of(
        z=("session", ""),
        a=("results", ""),
        m=("data", "after: [x]"),
        x=("results", ""),
        b=("data", ""),
    )
    orders = {tuple(names(catalog, *typed)) for typed in permutations("zamxb")}
    assert orders == {("z", "b", "a", "x", "m")}


def test_a_feature_named_twice_stands_once():
    catalog = catalog_of(a=("data", ""))
    plan = make_plan(catalog, Recipe(features=("a", "a")))
    assert plan.recipe.features == ("a",)
    assert len(plan.steps) == 1


def test_all_that_is_wrong_is_told_at_once():
    catalog = catalog_of(alpha=("data", "conflicts: [beta]"), beta=("data", ""), gamma=("data", ""))
    recipe = Recipe(
        features=("alpha", "beta", "alhpa"),
        values={"alpha_size": "big", "gamma_size": 1, "alpha_sise": 2},
    )
    with pytest.raises(RecipeError) as error:
        make_plan(catalog, recipe, ["found before"])
    assert error.value.problems == (
        "found before",
        "no feature is named alhpa (did you mean alpha?); there are alpha, beta, gamma",
        "alpha cannot stand beside beta in one notebook",
        "alpha_size takes a whole number, not 'big'",
        "gamma_size belongs to gamma, which is not among the features",
        "no parameter is named alpha_sise (did you mean alpha_size?); "
        "there are alpha_size, beta_size",
    )


def test_a_circle_is_the_snippets_fault():
    catalog = catalog_of(a=("data", "requires: [b]"), b=("data", "requires: [a]"))
    with pytest.raises(SnippetError, match="need each other"):
        make_plan(catalog, Recipe(features=("a",)))


@pytest.mark.parametrize("field", ["title", "value"])
def test_text_that_no_file_could_hold_is_refused(field):
    catalog = catalog_of(a=("data", ""))
    text = parse_snippet(
        "t",
        '---\ntitle: T\nsummary: S.\nsection: data\n---\n```python\nt = ""  # @param '
        '{"type": "string"}\n```\n',
    )
    catalog = Catalog(snippets={**catalog.snippets, "t": text}, files={})
    recipe = {
        "title": Recipe(title="a\udc80", features=("t",)),
        "value": Recipe(features=("t",), values={"t": "a\udc80"}),
    }[field]
    with pytest.raises(RecipeError, match="valid Unicode"):
        make_plan(catalog, recipe)


def test_values_are_typed_and_the_recipe_becomes_normal(catalog):
    typed = Recipe(title="My data", features=("staging", "memory"), file="my-data.ipynb")
    plan = make_plan(catalog, typed)
    assert plan.recipe.features == ("memory", "staging")
    assert plan.recipe.file == ""
    assert plan.features == ("memory", "drive", "staging")

"""A notebook that is to be changed: what it says of itself, and its cells beside today's."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from colab_gen.catalog import Catalog
from colab_gen.edit import Change, Work
from colab_gen.errors import NotebookError, NotOurs
from colab_gen.jsontext import Document, in_order
from colab_gen.ownership import NOTHING, Key, Known, claim, known, pair
from colab_gen.plan import Plan, make_plan
from colab_gen.recipe import Recipe, read_recipe
from colab_gen.record import same_value
from colab_gen.render import RenderedCell, render
from colab_gen.values import check_value

__all__ = ["Edit", "Subject", "by_key", "recognise", "title_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A notebook's new text, what changes in it, and how many of its cells are the user's.

    `notes` are sentences on what is left as it is.
    """

    text: str
    changes: tuple[Change, ...] = ()
    own: int = 0
    notes: tuple[str, ...] = ()


class Subject:
    """A notebook of ours, with its recipe, the cells of that recipe today, and which are there.

    `missing` are features whose snippets are not in the catalog.
    """

    def __init__(self, document: Document, catalog: Catalog) -> None:
        """Read what the notebook says of itself; without a recipe, find our cells in it.

        Raises:
            NotOurs: there is no recipe and no cell of ours.
            RecipeError: the recipe cannot be followed.
        """
        self.document, self.catalog = document, catalog
        self.said = known(document.data)
        if self.said.recipe is None:
            self.said = _recovered(document, catalog, self.said)
        self.recipe = read_recipe(self.said.recipe or {})
        self.missing = tuple(n for n in self.recipe.features if n not in catalog.snippets)
        self.today = render(self.plan(self.recipe))
        self.claims = claim(document.data["cells"], self.said, by_key(self.today))

    def plan(self, recipe: Recipe) -> Plan:
        """Return the plan of a recipe without what is not in the catalog any more."""
        features = tuple(name for name in recipe.features if name in self.catalog.snippets)
        bare = make_plan(self.catalog, replace(recipe, features=features, values={}))
        values = {}
        for parameter in (p for step in bare.steps for p in step.snippet.parameters):
            try:
                values[parameter.name] = check_value(parameter, recipe.values[parameter.name])
            except (KeyError, ValueError):
                continue  # a value that the field took once; the cell has it, which counts
        return make_plan(self.catalog, replace(bare.recipe, values=values))

    def keys(self, snippet: str) -> list[Key]:
        """Return the cells that a snippet had, those that the user deleted too."""
        return sorted({k for k in (*self.said.lines, *self.claims.cells) if k[0] == snippet})

    def pairs(self, snippet: str) -> dict[int, RenderedCell]:
        """Return, by the numbers of a snippet's cells then, which cells of today they are."""
        today = {cell.number: cell for cell in self.today if cell.snippet == snippet}
        then = {
            key[1]: self.said.lines.get(key) or self.claims.cells[key].text.keys
            for key in self.keys(snippet)
        }
        numbers = pair(then, {number: cell.text.keys for number, cell in today.items()})
        found = {old: today[new] for old, new in numbers.items()}
        return {
            old: cell
            for old, cell in found.items()
            if (seen := self.claims.cells.get((snippet, old))) is None or seen.kind == cell.kind
        }

    def typed(self) -> dict[str, str]:
        """Return the values that the user typed in fields, as written, by the fields' names."""
        return {
            name: value
            for key, seen in self.claims.cells.items()
            if key[0] in self.catalog.snippets
            for name, value in seen.text.values.items()
            if not same_value(value, self.said.fields.get(name))
        }

    def recorded(self) -> dict[str, str]:
        """Return what is recorded of each cell, by its id.

        Raises:
            NotebookError: nothing is.
        """
        if not self.said.recorded:
            raise NotebookError("its metadata was cleaned: run colab-gen update on it first")
        return self.without_declined(
            {f"{s}-{n}": "".join(keys) for (s, n), keys in self.said.lines.items()}
        )

    def without_declined(self, lines: Mapping[str, str]) -> dict[str, str]:
        """Return what is to be recorded of cells, with nothing for those that are not wanted."""
        ours = {c.id: "" for c in self.today if c.snippet in self.said.declined}
        return {**lines, **ours}

    def edit(
        self,
        work: Work,
        features: Iterable[str],
        values: Mapping[str, Any],
        record: Mapping[str, Any],
    ) -> Edit:
        """Return the work done, with these features, values and record in the metadata."""
        recipe = dict(self.said.recipe or {})
        recipe["features"] = in_order(self.recipe.features, [*features])
        recipe["values"] = dict(values)
        if not values:
            del recipe["values"]
        ours = self.document.data["metadata"].get("colab_gen")
        ours = {**(ours if isinstance(ours, dict) else {}), "recipe": recipe, **record}
        notes = [
            f"{name} is left as it is, since it is not among the snippets: "
            "give --snippets DIR, or remove it"
            for name in self.missing
            if name in recipe["features"]
        ]
        return Edit(
            text=work.patch.text(ours),
            changes=tuple(work.changes),
            own=work.own,
            notes=tuple(notes),
        )


def recognise(document: Document, catalog: Catalog, *, pasted: bool) -> tuple[str, ...]:
    """Return the features of which there are cells in a notebook without a recipe.

    With `pasted` a cell counts that has only the text or the title of one of ours.
    """
    today: dict[Key, RenderedCell] = {}
    for name in catalog.features:
        plan = make_plan(catalog, Recipe(features=(name,)))
        cells = by_key(render(plan))
        required = {*catalog.features} - {name}
        today |= {key: cell for key, cell in cells.items() if key[0] not in required}
    claims = claim(document.data["cells"], NOTHING, today, pasted=pasted)
    names = {snippet for snippet, _ in claims.cells}
    return tuple(name for name in catalog.features if name in names)


def by_key(cells: Iterable[RenderedCell]) -> dict[Key, RenderedCell]:
    """Return the cells by snippet and number."""
    return {(cell.snippet, cell.number): cell for cell in cells}


def title_of(cells: Iterable[Mapping[str, Any]]) -> str:
    """Return the notebook's title: its first heading, or that of a recipe without one."""
    for cell in cells:
        first = "".join(cell["source"]).lstrip().partition("\n")[0]
        if cell["cell_type"] == "markdown" and first.startswith("# ") and first[2:].strip():
            return first[2:].strip()
    return Recipe().title


def _recovered(document: Document, catalog: Catalog, said: Known) -> Known:
    features = recognise(document, catalog, pasted=False)
    if not features:
        raise NotOurs("colab-gen did not make it; colab-gen adopt takes it in")
    title = title_of(document.data["cells"])
    return replace(said, recipe={"title": title, "features": list(features)})

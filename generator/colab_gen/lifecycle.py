"""A notebook's text changed: features added and removed, fields set, all brought up to date."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from colab_gen.catalog import Catalog
from colab_gen.edit import OnConflict, Work
from colab_gen.errors import RecipeError
from colab_gen.form import literal
from colab_gen.jsontext import Document
from colab_gen.notebook import record
from colab_gen.ownership import NOTHING, claim, known
from colab_gen.plan import make_plan
from colab_gen.recipe import Recipe
from colab_gen.record import same_value
from colab_gen.render import RenderedCell, render
from colab_gen.subject import Edit, Subject, by_key, recognise, title_of
from colab_gen.text import did_you_mean, one_line
from colab_gen.values import check_value

__all__ = ["Edit", "add", "adopt", "remove", "set_fields", "update"]

_LEFT = "{}, cell {}: your edits stand in the way; colab-gen update puts the new text beneath"
_Choose = Callable[[str, str | None], str | None]


def update(document: Document, catalog: Catalog, on_conflict: OnConflict = "both") -> Edit:
    """Bring all cells of ours to today's text, with what the user changed in them since.

    Raises:
        NotOurs: nothing in the notebook is ours.
        RecipeError: its recipe cannot be followed.
    """
    subject = Subject(document, catalog)
    work = Work(document, subject.claims, on_conflict)
    typed, fresh = subject.typed(), _fields(subject.today)
    ours = {*subject.said.fields, *subject.recipe.values}
    if not subject.said.recorded:
        ours |= typed.keys()  # nobody knows which of them were typed
    lost = {name for name in {**typed, **subject.recipe.values} if name in ours - fresh.keys()}

    def choose(name: str, mine: str | None) -> str | None:
        value = typed.get(name) or fresh.get(name)
        return mine if same_value(mine, value) else value

    new: list[RenderedCell] = []
    stale = set[str]()
    planned = [cell.snippet for cell in subject.today]
    for snippet in dict.fromkeys((*planned, *(key[0] for key in subject.said.lines))):
        if snippet not in catalog.snippets:
            continue
        keys, pairs = subject.keys(snippet), subject.pairs(snippet)
        for key in keys:
            base, today = subject.said.lines.get(key), pairs.get(key[1])
            if today is None:
                work.drop(key, base, needed={*lost, *typed} - fresh.keys())
            elif key in subject.claims.cells:
                if work.bring(key, base, today, choose, needed=lost) == "conflict":
                    stale |= subject.claims.cells[key].text.values.keys()
            else:
                work.gone(today)
        unpaired = [c for c in subject.today if c.snippet == snippet and c not in pairs.values()]
        # Who deleted all cells of a snippet wants none; where nothing is recorded, a cell that is
        # missing may have been deleted.
        wanted = not keys or any(key in subject.claims.cells for key in keys)
        if snippet in subject.said.declined:
            continue
        for cell in unpaired:
            if wanted and subject.said.recorded:
                new.append(cell)
            else:
                work.gone(cell)
    for cell in subject.today:
        if cell in new:
            work.add(cell, subject.today, _filled(cell, choose))
    values = {n: v for n, v in subject.recipe.values.items() if n in fresh or subject.missing}
    said = record(subject.today)
    # A value that nobody typed is none that somebody typed while a conflict is open.
    said["fields"] |= {n: v for n, v in subject.said.fields.items() if n in stale & fresh.keys()}
    for (snippet, number), lines in subject.said.lines.items():
        if snippet not in catalog.snippets:
            said["cells"][f"{snippet}-{number}"] = "".join(lines)
    said["cells"] = subject.without_declined(said["cells"])
    if subject.missing:
        known_fields = catalog.parameters()
        others = {n: v for n, v in subject.said.fields.items() if n not in known_fields}
        said["fields"] |= others
    return subject.edit(work, subject.recipe.features, values, said)


def add(document: Document, catalog: Catalog, features: Iterable[str]) -> Edit:
    """Put features in, with what they require; one whose cells were deleted comes back.

    Raises:
        NotebookError: nothing in the notebook is ours, or its metadata was cleaned.
        RecipeError: a feature is not there, or cannot stand beside another.
    """
    subject = Subject(document, catalog)
    names = [*features]
    make_plan(catalog, Recipe(features=tuple(names)))  # which complains of unknown names
    back = set(names) - {snippet for snippet, _ in subject.claims.cells}
    recipe = replace(subject.recipe, features=(*subject.recipe.features, *names))
    return _changed(subject, recipe, back=back)


def remove(
    document: Document, catalog: Catalog, features: Iterable[str], *, everything: bool = False
) -> Edit:
    """Take features out, and what only they required; cells that the user edited stay as theirs.

    Raises:
        NotebookError: nothing in the notebook is ours, or its metadata was cleaned.
        RecipeError: a feature is not in the notebook, or another one there requires it.
    """
    subject = Subject(document, catalog)
    if everything:
        # First those that were not there when the notebook was adopted: texts depend on others.
        first = {key[0] for key, seen in subject.claims.cells.items() if "adopted" in seen.mark}
        kept = tuple(name for name in subject.recipe.features if name in first)
        before = replace(subject.recipe, features=kept)
        edit = _changed(subject, before, without=subject.missing) if first else None
        if edit:
            document = Document(edit.text, "cells")
            subject = Subject(document, catalog)
        work = Work(document, subject.claims)
        work.changes += edit.changes if edit else ()
        for key in sorted({*subject.said.lines, *subject.claims.cells}):
            work.drop(key, subject.said.lines.get(key))
        return Edit(text=work.patch.text(None), changes=tuple(work.changes), own=work.own)
    names, problems = [*features], []
    kept = tuple(name for name in subject.recipe.features if name not in names)
    needed = {
        step.name: step for step in subject.plan(replace(subject.recipe, features=kept)).steps
    }
    for name in names:
        if name in needed:
            by = [n for n, step in needed.items() if name in step.snippet.requires]
            problems.append(f"{name} is needed by {' and '.join(by) or 'every notebook'}")
        elif name not in subject.recipe.features:
            there = subject.recipe.features
            near = did_you_mean(name, there)
            problems.append(
                f"there is no feature {one_line(name)} in it{near}; it has {', '.join(there)}"
            )
    if problems:
        raise RecipeError(problems)
    return _changed(subject, replace(subject.recipe, features=kept), without=names)


def set_fields(document: Document, catalog: Catalog, values: Mapping[str, Any]) -> Edit:
    """Fill in form fields, whatever the user typed there.

    Raises:
        NotebookError: nothing in the notebook is ours, or its metadata was cleaned.
        RecipeError: there is no such field in the notebook, or it does not take the value.
    """
    subject = Subject(document, catalog)
    parameters = {p.name: p for step in subject.plan(subject.recipe).steps
                  for p in step.snippet.parameters}  # fmt: skip
    there = {name for seen in subject.claims.cells.values() for name in seen.text.values}
    checked, problems = {}, []
    for name, value in values.items():
        if name not in there or name not in parameters:
            fields = sorted(there & parameters.keys())
            listed = f"it has {', '.join(fields)}" if fields else "it has none"
            near = did_you_mean(name, fields)
            problems.append(f"there is no form field {one_line(name)} in it{near}; {listed}")
            continue
        try:
            checked[name] = check_value(parameters[name], value)
        except ValueError as error:
            problems.append(f"{name} {error}, not {one_line(ascii(value))}")
    if problems:
        raise RecipeError(problems)
    recipe = replace(subject.recipe, values={**subject.recipe.values, **checked})
    return _changed(subject, recipe, forced={n: literal(v) for n, v in checked.items()})


def adopt(document: Document, catalog: Catalog, features: Iterable[str] = ()) -> Edit:
    """Take in a notebook that colab-gen did not make: find cells pasted from ours, add features.

    Raises:
        RecipeError: a feature is not there, or cannot stand beside another.
    """
    edit = Edit(text=document.text)
    if known(document.data).recipe is None:
        found = recognise(document, catalog, pasted=True)
        recipe = Recipe(title=title_of(document.data["cells"]), features=found)
        plan = make_plan(catalog, recipe)
        today = render(plan)
        # Now that the features are known, so are texts that depend on them.
        claims = claim(document.data["cells"], NOTHING, by_key(today), pasted=True)
        work = Work(document, claims)
        said = record(today)
        for key, cell in by_key(today).items():
            if catalog.snippets[key[0]].always:
                claims.cells.pop(key, None)
                said["cells"][cell.id] = ""
            elif key in claims.cells:
                work.adopt(key, cell)
        ours = {"recipe": plan.recipe.as_dict(), **said}
        edit = Edit(text=work.patch.text(ours), changes=tuple(work.changes), own=work.own)
        document = Document(edit.text, "cells")
    if names := [*features]:
        more = add(document, catalog, names)
        edit = replace(more, changes=(*edit.changes, *more.changes))
    return edit


def _changed(
    subject: Subject,
    recipe: Recipe,
    *,
    forced: Mapping[str, str] | None = None,
    back: Iterable[str] = (),
    without: Iterable[str] = (),
) -> Edit:
    """Make the difference between the notebook's recipe and this one, and no other.

    What is outdated stays so: both recipes are followed with today's snippets.
    """
    plan, work, forced = subject.plan(recipe), Work(subject.document, subject.claims), forced or {}
    then, now = by_key(subject.today), by_key(render(plan))
    kept = subject.recorded()
    fields = dict(subject.said.fields)
    typed, fresh = subject.typed(), _fields(now.values())

    def choose(name: str, mine: str | None) -> str | None:
        return forced.get(name) or mine or typed.get(name) or fresh.get(name)

    notes: list[str] = []
    before, after = ({snippet for snippet, _ in cells} for cells in (then, now))
    gone = {*without, *(before - after)}
    for snippet in dict.fromkeys(key[0] for key in (*then, *subject.said.lines)):
        keys, pairs = subject.keys(snippet), subject.pairs(snippet)
        for key in keys:
            id, was = f"{key[0]}-{key[1]}", pairs.get(key[1])
            new = now.get((snippet, was.number)) if was else None
            if snippet in gone or (was and not new):
                work.drop(key, subject.said.lines.get(key))
                kept.pop(id, None)
            elif was and new:
                current = (kept.get(id), key[1]) == (was.text.kept, was.number)
                if seen := subject.claims.cells.get(key):
                    current &= seen.mark.get("digest") in (None, was.text.digest)
                    work.keep(key, new)
                    there = kept.get(id) == new.text.kept != was.text.kept  # left alone before
                    wanted = new.source != was.source or forced.keys() & new.text.values.keys()
                    if wanted and not there:
                        state = work.bring(
                            key, was.text.keys, new, choose, update=False, record=current
                        )
                        if state == "conflict":
                            current = False
                            notes.append(_LEFT.format(snippet, was.number))
                if current:
                    kept[id] = new.text.kept
    for key, cell in now.items():
        if key not in then or (key[0] in back and key not in subject.claims.cells):
            work.add(cell, [*now.values()], _filled(cell, choose))
            kept[cell.id] = cell.text.kept
            fields |= cell.text.values
    lost = _fields(subject.today).keys() - fresh.keys()
    lost |= {n for k, s in subject.claims.cells.items() if k[0] in gone for n in s.text.values}
    # In the order of the plan, as a new notebook has them.
    kept = {c.id: kept[c.id] for c in now.values() if c.id in kept} | kept
    fields = {n: forced.get(n, fields[n]) for n in (*fresh, *fields) if n in fields.keys() - lost}
    values = {n: v for n, v in recipe.values.items() if n not in lost}
    features = (*plan.recipe.features, *(n for n in subject.missing if n not in gone))
    edit = subject.edit(work, features, values, {"cells": kept, "fields": fields})
    return replace(edit, notes=(*edit.notes, *notes))


def _fields(cells: Iterable[RenderedCell]) -> dict[str, str]:
    return {name: value for cell in cells for name, value in cell.text.values.items()}


def _filled(cell: RenderedCell, choose: _Choose) -> str:
    values = {n: choose(n, None) or v for n, v in cell.text.values.items()}
    return cell.text.source(values)

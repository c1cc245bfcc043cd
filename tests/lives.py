"""What tests of notebooks that live on share: two versions of a pack, and a user's edits."""

import copy
import json
import re

from colab_gen.catalog import load_catalog
from colab_gen.hold import read_document
from colab_gen.lifecycle import update
from colab_gen.notebook import build, dumps
from colab_gen.plan import make_plan
from colab_gen.recipe import Recipe
from colab_gen.render import render
from conftest import ROOT

PACKS = ROOT / "tests" / "packs"
V1, V2 = (load_catalog((PACKS / version,)) for version in ("v1", "v2"))
FEATURES = ("greet", "tally", "clock", "old")


def made(*features, catalog=V1, **recipe):
    """Return the text of a new notebook."""
    plan = make_plan(catalog, Recipe(features=features, **recipe))
    return dumps(build(plan, render(plan)))


def updated(text, catalog=V2, **options):
    return update(read_document(text), catalog, **options)


def states(edit):
    """Return the states of cells by their ids; those that are no more have "then " in front."""
    return {
        ("then " if c.state in ("removed", "released") else "") + f"{c.snippet}-{c.number}": c.state
        for c in edit.changes
    }


def sources(text):
    return ["".join(cell["source"]) for cell in json.loads(text)["cells"]]


class Life:
    """A notebook in its user's hands: each method is something that users and their tools do."""

    def __init__(self, text):
        self.notebook = json.loads(text)
        self.count = 0
        self.story = []

    def __repr__(self):
        return f"<Life {self.notebook['metadata'].get('colab_gen', {}).get('recipe')} {self.story}>"

    @property
    def cells(self):
        return self.notebook["cells"]

    def text(self, **style):
        style = {"indent": 1, "ensure_ascii": False, **style}
        return json.dumps(self.notebook, **style) + "\n"

    def token(self):
        self.count += 1
        return f"tok{self.count}é"

    def find(self, id):
        return next(c for c in self.cells if id in (c.get("id"), c["metadata"].get("id")))

    def source(self, cell, text=None):
        if text is not None:
            cell["source"] = (
                text if isinstance(cell["source"], str) else text.splitlines(keepends=True)
            )
        return "".join(cell["source"])

    def insert(self, place, kind="code", **more):
        token = self.token()
        cell = {"cell_type": kind, "metadata": {"user": token}, "source": [f"# {token}\n", "x = 1"]}
        if kind == "code":
            output = {"output_type": "stream", "name": "stdout", "text": [f"{token} 1e-05"]}
            cell |= {"execution_count": 3, "outputs": [output]}
        else:
            cell["attachments"] = {"a.png": {"image/png": "AAAA"}}
        if self.notebook["nbformat_minor"] >= 5:
            cell["id"] = f"user-{self.count}"
        self.cells.insert(place % (len(self.cells) + 1), cell | more)

    def delete(self, place):
        if self.cells:
            del self.cells[place % len(self.cells)]

    def move(self, place, other):
        if self.cells:
            cell = self.cells.pop(place % len(self.cells))
            self.cells.insert(other % (len(self.cells) + 1), cell)

    def split(self, place, line, *, first_is_new=False):
        if not self.cells:
            return
        index = place % len(self.cells)
        cell = self.cells[index]
        lines = self.source(cell).split("\n")
        at = line % len(lines)
        other = copy.deepcopy(cell)
        self.source(cell, "\n".join(lines[:at]))
        self.source(other, "\n".join(lines[at:]))
        if "id" in cell:
            self.count += 1
            (cell if first_is_new else other)["id"] = f"part-{self.count}"
        self.cells.insert(index + 1, other)

    def duplicate(self, place):
        if not self.cells:
            return
        index = place % len(self.cells)
        other = copy.deepcopy(self.cells[index])
        if "id" in other:
            self.count += 1
            other["id"] = f"copy-{self.count}"
        self.cells.insert(index + 1, other)

    def merge(self, place):
        if len(self.cells) > 1:
            index = place % (len(self.cells) - 1)
            one, other = self.cells[index], self.cells.pop(index + 1)
            self.source(one, self.source(one) + "\n" + self.source(other))

    def run(self, place):
        if self.cells and (cell := self.cells[place % len(self.cells)])["cell_type"] == "code":
            output = {"output_type": "stream", "name": "stdout", "text": ["ran\n"]}
            cell |= {"execution_count": 7, "outputs": [output]}

    def edit(self, place, line, how):
        if not self.cells:
            return
        cell = self.cells[place % len(self.cells)]
        lines = self.source(cell).split("\n")
        at = line % len(lines)
        if how == "insert":
            lines.insert(at, f"# {self.token()}")
        elif how == "replace":
            lines[at] = f"# {self.token()}"
        elif how == "spoil":
            lines[at] += f" ( {self.token()}"
        else:
            del lines[at]
        self.source(cell, "\n".join(lines))

    def fill(self, place):
        fields = [c for c in self.cells if "@param" in self.source(c)]
        if fields:
            cell = fields[place % len(fields)]
            lines = self.source(cell).split("\n")
            there = [n for n, line in enumerate(lines) if re.match(r"\w+ = .*# @param", line)]
            if there:
                n = there[place % len(there)]
                name, comment = lines[n].split(" = ")[0], lines[n].rsplit("  # @param")[-1]
                lines[n] = f'{name} = "{self.token()}"  # @param{comment}'
                self.source(cell, "\n".join(lines))

    def clear_cell(self, place):
        if self.cells:
            self._clear(self.cells[place % len(self.cells)])

    def clear_cells(self):
        for cell in self.cells:
            self._clear(cell)

    def clear_notebook(self):
        self.notebook["metadata"] = {"kernelspec": {"display_name": "Python 3", "name": "python3"}}

    def save_in_colab(self):
        self.notebook |= {"nbformat": 4, "nbformat_minor": 0}
        for n, cell in enumerate(self.cells):
            id = cell.pop("id", None)
            cell["metadata"].setdefault("id", id or f"colab{n}")
            if cell.get("outputs"):
                cell["metadata"] |= {"outputId": "ab12", "colab": {"base_uri": "https://x/"}}

    def _clear(self, cell):
        if "user" not in cell["metadata"]:
            cell["metadata"] = {"id": cell["metadata"]["id"]} if "id" in cell["metadata"] else {}


def life(*features, **recipe):
    return Life(made(*(features or ("greet",)), **recipe))

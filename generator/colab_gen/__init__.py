"""colab-gen: assembles ready-to-run Google Colab notebooks from snippet cells.

from colab_gen import Recipe, build, dumps, load_catalog, make_plan, render

plan = make_plan(load_catalog(), Recipe(title="Photos", features=("staging",)))
text = dumps(build(plan, render(plan)))
"""

from colab_gen.catalog import Catalog, load_catalog
from colab_gen.errors import ColabGenError
from colab_gen.notebook import build, dumps, loads, recipe_of
from colab_gen.plan import Plan, make_plan
from colab_gen.recipe import Recipe, parse_recipe
from colab_gen.render import render

__all__ = [
    "Catalog",
    "ColabGenError",
    "Plan",
    "Recipe",
    "build",
    "dumps",
    "load_catalog",
    "loads",
    "make_plan",
    "parse_recipe",
    "recipe_of",
    "render",
]

"""What is asked for: title, features, values, accelerator, repository."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from colab_gen.errors import RecipeError
from colab_gen.form import printable
from colab_gen.text import did_you_mean, one_line

__all__ = ["GPUS", "TPUS", "Recipe", "dump_recipe", "parse_recipe", "read_recipe", "slug"]

# The names Colab's own clients send for a runtime's accelerator (googlecolab/colab-vscode, api.ts).
GPUS = ("T4", "L4", "G4", "A100", "H100")
TPUS = ("V5E1", "V6E1", "V28")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides the bytes of a notebook, apart from the snippets.

    `file` is the notebook's path in its repository; empty means a name made from the title.
    `accelerator` is one of `GPUS` or `TPUS`, or empty; `repository` is "owner/name", or empty.
    """

    title: str = "Colab notebook"
    features: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    file: str = ""
    accelerator: str = ""
    high_ram: bool = False
    repository: str = ""
    branch: str = "main"

    @property
    def path(self) -> str:
        """The notebook's path in its repository."""
        return self.file or f"{slug(self.title)}.ipynb"

    @property
    def name(self) -> str:
        """The notebook's file name."""
        return PurePosixPath(self.path).name

    @property
    def link(self) -> str:
        """The address that opens the notebook in Colab from its GitHub repository, or ""."""
        if not self.repository:
            return ""
        place = f"{self.repository}/blob/{self.branch}/{self.path}"
        return "https://colab.research.google.com/github/" + quote(place)

    def as_dict(self) -> dict[str, Any]:
        """Return what differs from an empty recipe, as plain JSON or TOML values."""
        given = {
            "title": self.title,
            "features": list(self.features),
            "file": self.file,
            "accelerator": self.accelerator,
            "high_ram": self.high_ram,
            "repository": self.repository,
            "branch": self.branch if self.repository else "",
            "values": dict(self.values),
        }
        return {key: value for key, value in given.items() if value or key == "features"}


def slug(text: str) -> str:
    """Return a plain file name for the text: small ASCII letters, digits and hyphens."""
    plain = (
        unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode()
    )
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:60].strip("-") or "notebook"


def parse_recipe(text: str, problems: list[str] | None = None) -> Recipe:
    """Return the recipe that a TOML text describes; `problems` as in `read_recipe`.

    Raises:
        RecipeError: the text is not TOML, or something in it is wrong and `problems` is not given.
    """
    import tomllib  # a tenth of the start-up, which most commands need not pay

    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"the recipe is not TOML: {one_line(error)}") from None
    return read_recipe(data, problems)


def read_recipe(data: Mapping[str, Any], problems: list[str] | None = None) -> Recipe:
    """Return the recipe in plain data, as `Recipe.as_dict` gives it.

    With a list of `problems`, each fault is added to it and the key left at its default,
    so that a caller can report these together with what only the catalog knows.

    Raises:
        RecipeError: something in it is wrong and `problems` is not given.
    """
    found: list[str] = []
    kept = {key: value for key, value in data.items() if _fits(key, value, found)}
    if "features" in kept:
        kept["features"] = tuple(kept["features"])
    if found and problems is None:
        raise RecipeError(found)
    if problems is not None:
        problems.extend(found)
    return Recipe(**kept)


def dump_recipe(recipe: Recipe) -> str:
    """Return the recipe as TOML."""
    data = recipe.as_dict()
    values = data.pop("values", {})
    lines = [f"{key} = {_toml(value)}" for key, value in data.items()]
    if values:
        lines += ["", "[values]", *(f"{key} = {_toml(value)}" for key, value in values.items())]
    return "\n".join(lines) + "\n"


_KEYS = ("title", "features", "values", "file", "accelerator", "high_ram", "repository", "branch")


def _fits(key: str, value: object, problems: list[str]) -> bool:
    """Tell whether a key of a recipe and its value are right; say in `problems` what is not."""
    shown = one_line(repr(value))
    if key not in _KEYS:
        problem = (
            f"a recipe has no {one_line(key)}{did_you_mean(key, _KEYS)}; it has {', '.join(_KEYS)}"
        )
    elif key == "features":
        if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
            return True
        problem = f"features takes a list of names, not {shown}"
    elif key == "values":
        if isinstance(value, Mapping):
            return True
        problem = f"values takes a table of names and values, not {shown}"
    elif key == "high_ram":
        if isinstance(value, bool):
            return True
        problem = f"high_ram takes true or false, not {shown}"
    elif not isinstance(value, str):
        problem = f"{key} takes text, not {shown}"
    else:
        problem = _wrong_text(key, value)
    if problem:
        problems.append(problem)
    return not problem


def _wrong_text(key: str, value: str) -> str:
    shown = one_line(repr(value))
    if key == "title" and not value.strip():
        return "the title is empty"
    if key == "accelerator" and value not in ("", *GPUS, *TPUS):
        near = did_you_mean(value, (*GPUS, *TPUS))
        return (
            f"there is no accelerator {shown}{near}; "
            f"there are the GPUs {', '.join(GPUS)} and the TPUs {', '.join(TPUS)}"
        )
    if key == "repository" and value and not re.fullmatch(r"[\w-]+/[\w.-]+", value, re.ASCII):
        return f"repository takes owner/name as on GitHub, not {shown}"
    if key == "branch" and not re.fullmatch(r"[\w./#@+-]+", value):
        return f"branch takes the name of a branch, not {shown}"
    if key == "file" and value and not _good_file(value):
        return f"file takes a path in the repository that ends in .ipynb, not {shown}"
    return ""


def _good_file(file: str) -> bool:
    path = PurePosixPath(file)
    return (
        path.suffix == ".ipynb"
        and not path.is_absolute()
        and ".." not in path.parts
        and all(map(printable, file))
    )


def _toml(value: object) -> str:
    """Return a value as TOML: what `literal` is to Python, and safe for any text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + "".join(_toml_character(c) for c in value) + '"'
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return repr(value)


def _toml_character(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if printable(character) else f"\\U{ord(character):08x}"

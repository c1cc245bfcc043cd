"""The words of a command line, and the files they name, become a recipe, and back."""

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from colab_gen.errors import NotebookError
from colab_gen.notebook import loads, recipe_of
from colab_gen.recipe import GPUS, TPUS, Recipe, parse_recipe, read_recipe
from colab_gen.text import did_you_mean, one_line

__all__ = ["equivalent", "names", "read_source", "read_text", "settings", "with_flags"]


def read_source(source: str, problems: list[str]) -> Recipe:
    """Return the recipe in a TOML file or in a notebook; faults are added to `problems`.

    Raises:
        NotebookError: the file cannot be read, or the notebook holds no recipe.
        RecipeError: the file is not TOML.
    """
    text = read_text(source)
    if source.endswith(".ipynb"):
        return recipe_of(loads(text))
    return parse_recipe(text, problems)


def read_text(name: str) -> str:
    """Return the text of a file.

    Raises:
        NotebookError: it cannot be read, or is no text.
    """
    try:
        return Path(name).read_text(encoding="utf-8")
    except UnicodeError:
        raise NotebookError(f"cannot read {name}: it is not UTF-8 text") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise NotebookError(f"cannot read {name}: {reason}") from None


def names(words: Iterable[str]) -> list[str]:
    """Return the names in words that may hold several, with commas between."""
    return [name.strip() for word in words for name in word.split(",") if name.strip()]


def with_flags(
    recipe: Recipe, flags: Mapping[str, Any], out: str | None, problems: list[str]
) -> Recipe:
    """Return the recipe with what flags say in place of its own; faults go to `problems`.

    `flags` has title, repo, branch, high_ram, gpu and tpu, each None where not given; `out` is
    the file to write, which gives the notebook its path and, where there is none, its title.
    """
    given: dict[str, Any] = {
        "title": flags["title"],
        "repository": flags["repo"],
        "branch": flags["branch"],
        "high_ram": flags["high_ram"],
    }
    if flags["gpu"] and flags["tpu"] and "none" not in (flags["gpu"], flags["tpu"]):
        problems.append("a runtime has a GPU or a TPU, not both")
    for flag, names in (("gpu", GPUS), ("tpu", TPUS)):
        if value := flags[flag]:
            name = value.upper()
            if name != "NONE" and name not in names:
                near = did_you_mean(name, names)
                there = ", ".join(names)
                problems.append(
                    f"no {flag.upper()} is named {one_line(value)}{near}; there are {there}"
                )
            elif name != "NONE":
                given["accelerator"] = name
            else:
                given.setdefault("accelerator", "")
    if out and out != "-":
        place = PurePosixPath(Path(out).as_posix())
        outside = place.is_absolute() or ".." in place.parts
        given["file"] = place.name if outside else str(place)
        if given["title"] is None and recipe.title == Recipe().title:
            words = place.stem.replace("-", " ").replace("_", " ").strip()
            given["title"] = words[:1].upper() + words[1:] or None
    checked = read_recipe({k: v for k, v in given.items() if v is not None}, problems)
    return replace(recipe, **{k: getattr(checked, k) for k, v in given.items() if v is not None})


def settings(words: Iterable[str], problems: list[str]) -> dict[str, str]:
    """Return the NAME=VALUE words as names and values; faults go to `problems`."""
    values = {}
    for setting in words:
        name, sign, value = setting.partition("=")
        if sign:
            values[name.strip()] = value
        else:
            problems.append(f"takes NAME=VALUE, not {one_line(setting)}")
    return values


def equivalent(recipe: Recipe, out: str | None) -> str:
    """Return the command that makes the same notebook without asking."""
    words = ["colab-gen", "new", *([out] if out else [])]
    words += ["--features", ",".join(recipe.features), "--title", recipe.title]
    for name, value in recipe.values.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        words += ["--set", f"{name}={text}"]
    if recipe.accelerator:
        words += ["--tpu" if recipe.accelerator in TPUS else "--gpu", recipe.accelerator]
    words += ["--high-ram"] if recipe.high_ram else []
    if recipe.repository:
        words += ["--repo", recipe.repository, "--branch", recipe.branch]
    return shlex.join(words)

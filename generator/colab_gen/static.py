"""What is wrong with a notebook before it runs."""

import ast
import re
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import validator

from colab_gen.text import one_line

__all__ = ["check"]

# Under any other magic a cell may have nothing but its first line.
_NEED_A_BODY = {"%%bash", "%%html", "%%javascript", "%%js", "%%sh", "%%shell", "%%svg"}
# The filters of warnings are every thread's; two that put them back would mix them up.
_FILTERS = threading.Lock()


def check(notebook: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the problems of a notebook, a line each: of its format, its language, its code."""
    if notebook.get("nbformat") != 4:
        return (f"the notebook is of format {notebook.get('nbformat')}, not 4",)
    problems = list(_format_problems(notebook))
    if problems:
        return tuple(problems)
    metadata = notebook["metadata"]
    language = metadata.get("language_info", {}).get("name", "python")
    if language != "python":
        return (f"the notebook is in {one_line(language)}; only Python is stood in for",)
    return tuple(_code_problems(notebook["cells"]))


def _format_problems(notebook: Mapping[str, Any]) -> Iterator[str]:
    try:
        # What validate() would mend in passing is to be told, not mended.
        for error in _errors(notebook):
            text = str(error)
            place = re.search(r"On instance((?:\[[^\]]*\])+)", text)
            where = "/".join(re.findall(r"\['?(.*?)'?\]", place[1])) if place else "the notebook"
            yield f"{where}: {one_line(text.splitlines()[0], 200)}"
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        yield f"the notebook is no notebook: {one_line(error)}"


def _errors(notebook: Mapping[str, Any]) -> Iterator[Any]:
    node: Any = nbformat.from_dict(dict(notebook))  # type: ignore[no-untyped-call]
    yield from validator.iter_validate(node)  # type: ignore[no-untyped-call]


def _code_problems(cells: list[Mapping[str, Any]]) -> Iterator[str]:
    for index, cell in enumerate(cells):
        if cell["cell_type"] != "code":
            continue
        source = cell["source"]
        text = source if isinstance(source, str) else "".join(source)
        if problem := _problem(text):
            yield f"{_name(index, cell)}: {problem}"


def _problem(text: str) -> str:
    first, _, body = text.lstrip().partition("\n")
    if first.startswith("%%"):
        magic = first.split()[0]
        return f"nothing under {magic}" if magic in _NEED_A_BODY and not body.strip() else ""
    with _FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an odd escape sequence is no reason not to run
        # Most cells are plain Python, and known to be in a fraction of the time.
        with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            _compile(text)
            return ""
        try:
            transformer = TransformerManager()  # type: ignore[no-untyped-call]
            _compile(transformer.transform_cell(text))
        except SyntaxError as error:
            return f"line {error.lineno}: {one_line(error.msg or type(error).__name__)}"
        except (ValueError, RecursionError, MemoryError) as error:
            return one_line(error) or type(error).__name__
    return ""


def _compile(python: str) -> None:
    compile(python, "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)


def _name(index: int, cell: Mapping[str, Any]) -> str:
    name = cell.get("id") or cell["metadata"].get("id")
    return f"cell {index} ({name})" if name else f"cell {index}"

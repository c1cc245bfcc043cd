"""A plan becomes the finished cells of each of its snippets."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Any, Literal

from jinja2 import Environment, StrictUndefined, Template, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from colab_gen.errors import SnippetError
from colab_gen.form import set_values
from colab_gen.plan import Plan, Step
from colab_gen.record import Text, read_text
from colab_gen.text import markdown, one_line

__all__ = ["RenderedCell", "render"]

# Snippets may come from anyone. They get what prose needs, in which nothing grows but by one loop
# over the features or steps; no part can be used to make more of itself.
_FILTERS = ("default", "first", "join", "last", "length", "lower", "sort", "title", "upper")
_NODES = (
    *(nodes.Output, nodes.TemplateData, nodes.If, nodes.For),
    *(nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Const, nodes.List, nodes.Tuple),
    *(nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Test, nodes.CondExpr),
    *(nodes.Filter, nodes.Keyword),
)
_LONGEST = 1_000_000


@dataclass(frozen=True, kw_only=True)
class RenderedCell:
    """A finished cell: the snippet it is from, its number there from 1, its kind and text."""

    snippet: str
    number: int
    kind: Literal["markdown", "code"]
    source: str

    @property
    def id(self) -> str:
        """Its id in the notebook, the same wherever the snippet stands."""
        return f"{self.snippet}-{self.number}"

    @cached_property
    def text(self) -> Text:
        """Its text as lines with the values of its form fields apart."""
        return read_text(self.source, code=self.kind == "code")


def render(plan: Plan) -> tuple[RenderedCell, ...]:
    """Return the cells of all steps, in order; a cell that renders to nothing is left out.

    Raises:
        SnippetError: a template in a snippet is wrong; the text names the snippet and the fault.
    """
    link = plan.recipe.link
    context = {
        "title": plan.recipe.title,
        "features": plan.features,
        "steps": tuple(step for step in plan.steps if not step.snippet.always),
        # Every part of the link is percent-encoded, so it may stand in Markdown as it is.
        "badge": Markup(link) if link else None,
    }
    return tuple(cell for step in plan.steps for cell in _cells(step, context))


def _cells(step: Step, context: Mapping[str, Any]) -> Iterator[RenderedCell]:
    for number, cell in enumerate(step.snippet.cells, start=1):
        source = cell.source
        try:
            # Most cells hold no template; compiling them takes most of the time there is.
            if cell.kind == "markdown" and "{" in source:
                source = _text(_prose(), source, context)
            elif cell.kind == "python":
                source = set_values(source, step.values) if step.values else source
                if "#:" in source:
                    source = _text(_code(), source, context)
        except Exception as error:  # a template can fail in as many ways as code
            raise SnippetError(f"snippet {step.name}, cell {number}: {one_line(error)}") from None
        if source.strip():
            yield RenderedCell(
                snippet=step.name,
                number=number,
                kind="markdown" if cell.kind == "markdown" else "code",
                source=source.strip("\n"),
            )


def _text(environment: Environment, source: str, context: Mapping[str, Any]) -> str:
    parts, length = [], 0
    for part in _template(environment, source).generate(context):
        parts.append(part)
        length += len(part)
        if length > _LONGEST:
            raise ValueError(f"it renders to more than {_LONGEST} characters")
    return "".join(parts)


# The page renders the same cells again at each change, and compiling takes most of that time.
@lru_cache(maxsize=64)
def _template(environment: Environment, source: str) -> Template:
    tree = environment.parse(source)
    _check(tree)
    return environment.from_string(tree)


def _check(tree: nodes.Template) -> None:
    for node in tree.find_all(nodes.Node):
        if type(node) not in _NODES:
            raise ValueError(f"a template cannot hold {type(node).__name__.lower()}")
    for loop in tree.find_all(nodes.For):
        inner = any(True for _ in loop.find_all(nodes.For))
        if inner or loop.recursive or not isinstance(loop.iter, nodes.Name):
            raise ValueError("a loop goes over features or steps, and holds no other loop")


class _Sandbox(ImmutableSandboxedEnvironment):
    def __init__(self, **options: Any) -> None:
        super().__init__(undefined=StrictUndefined, **options)
        self.globals.clear()
        self.filters = {name: self.filters[name] for name in _FILTERS} | {"join": _joined}


def _joined(items: Iterable[object], separator: str = "") -> str:
    """Join texts; one after the other, joins could make much of little."""
    texts = list(map(str, items))
    if sum(map(len, texts)) + len(separator) * len(texts) > _LONGEST:
        raise ValueError(f"it joins more than {_LONGEST} characters")
    return separator.join(texts)


@cache
def _prose() -> Environment:
    return _Sandbox(trim_blocks=True, lstrip_blocks=True, finalize=_escaped)


@cache
def _code() -> Environment:
    # Values come in as literals, so code needs statements only: the other marks are
    # set to what no source can hold.
    return _Sandbox(
        line_statement_prefix="#:",
        block_start_string="\0{%",
        block_end_string="%}\0",
        variable_start_string="\0{{",
        variable_end_string="}}\0",
        comment_start_string="\0{#",
        comment_end_string="#}\0",
    )


def _escaped(value: object) -> object:
    return value if not isinstance(value, str) or isinstance(value, Markup) else markdown(value)

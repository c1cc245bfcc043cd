"""Where snippets come from: those shipped with colab-gen, and directories of one's own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from colab_gen.errors import SnippetError
from colab_gen.form import Parameter
from colab_gen.snippet import Snippet, parse_snippet
from colab_gen.text import did_you_mean

__all__ = ["Catalog", "load_catalog", "shipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """All snippets by name, in the order of their names, and the file each was read from."""

    snippets: Mapping[str, Snippet]
    files: Mapping[str, Path]

    @property
    def features(self) -> tuple[str, ...]:
        """The names one can choose: all but the snippets every notebook has."""
        return tuple(name for name, snippet in self.snippets.items() if not snippet.always)

    def owner(self, parameter: str) -> Snippet | None:
        """Return the snippet that has a parameter of this name."""
        return next(
            (s for s in self.snippets.values() if any(p.name == parameter for p in s.parameters)),
            None,
        )

    def parameters(self) -> dict[str, Parameter]:
        """Return every parameter of every snippet by its name."""
        return {p.name: p for snippet in self.snippets.values() for p in snippet.parameters}


def load_catalog(directories: Iterable[Path] = ()) -> Catalog:
    """Return the shipped snippets and those in `*.md` of the directories.

    Raises:
        SnippetError: a directory or file cannot be read, breaks the format, has the name or a
            parameter of another snippet, or needs a snippet that is not there.
    """
    files: dict[str, Path] = {}
    for directory in (shipped(), *directories):
        for file in _markdown_files(directory):
            if file.stem in files:
                raise SnippetError(
                    f"two snippets are named {file.stem}: {files[file.stem]}, {file}"
                )
            files[file.stem] = file
    snippets = {name: parse_snippet(name, _text(files[name])) for name in sorted(files)}
    _check_names(snippets)
    _check_parameters(snippets)
    return Catalog(snippets=snippets, files=files)


def shipped() -> Path:
    """Return the folder of the snippets that come with colab-gen."""
    # An installed package holds its snippets; in a checkout they lie beside generator/.
    inside = Path(__file__).with_name("snippets")
    return inside if inside.is_dir() else Path(__file__).parents[2] / "snippets"


def _markdown_files(directory: Path) -> list[Path]:
    if not directory.is_dir():
        raise SnippetError(f"there is no directory of snippets {directory}")
    return sorted(directory.glob("*.md"))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise SnippetError(f"cannot read the snippet {file}: {error}") from None


def _check_names(snippets: Mapping[str, Snippet]) -> None:
    for snippet in snippets.values():
        for key in ("requires", "after", "conflicts"):
            for name in getattr(snippet, key):
                if name not in snippets:
                    raise SnippetError(
                        f"snippet {snippet.name}: {key} names {name}, which is not there"
                        f"{did_you_mean(name, snippets)}; there are {', '.join(snippets)}"
                    )


def _check_parameters(snippets: Mapping[str, Snippet]) -> None:
    # Parameters are globals of one notebook: the same name in two snippets would be one variable.
    owners: dict[str, str] = {}
    for snippet in snippets.values():
        for parameter in snippet.parameters:
            owner = owners.setdefault(parameter.name, snippet.name)
            if owner != snippet.name:
                raise SnippetError(
                    f"snippet {snippet.name}: the parameter {parameter.name} belongs to {owner}"
                )

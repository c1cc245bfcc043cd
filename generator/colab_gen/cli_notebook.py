"""The commands that change notebooks: add, remove, set, update, status, diff, adopt."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from colab_gen import console
from colab_gen.arguments import names, settings
from colab_gen.catalog import load_catalog
from colab_gen.errors import ColabGenError, NotebookError, NotOurs, RecipeError

if TYPE_CHECKING:
    from colab_gen.jsontext import Document
    from colab_gen.subject import Edit

__all__ = ["COMMANDS"]

_dry_run = click.option("--dry-run", is_flag=True, help="Say what would change; write nothing.")
_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
_several = click.argument("notebooks", nargs=-1, metavar="[NOTEBOOK|FOLDER|PATTERN]…")
_one = click.argument("notebook", type=click.Path(path_type=Path))
_upgrade = click.option("--upgrade", is_flag=True, help="Let nbformat make 4.5 of an older format.")


@click.command()
@_several
@click.option("--check", is_flag=True, help="Write nothing; end with 1 if anything is outdated.")
@click.option(
    "--on-conflict",
    type=click.Choice(["both", "mine", "theirs"]),
    default="both",
    show_default=True,
    help="Where your edits and the new text cannot be merged.",
)
@_upgrade
@_dry_run
@_json
@click.pass_obj
def update(
    directories: tuple[Path, ...],
    /,
    notebooks: tuple[str, ...],
    check: bool,
    on_conflict: Any,
    upgrade: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Bring the cells of colab-gen up to date; yours stay as they are."""
    from colab_gen.choice import find_notebooks
    from colab_gen.lifecycle import update as change

    catalog = load_catalog(directories)
    results = _Results(as_json, write=not (check or dry_run), upgrade=upgrade)
    for path in find_notebooks(notebooks or (".",)):
        results.change(path, lambda document: change(document, catalog, on_conflict))
    return results.end(strict=check)


@click.command()
@_several
@_json
@click.pass_obj
def status(directories: tuple[Path, ...], /, notebooks: tuple[str, ...], as_json: bool) -> int:
    """Say of each feature whether it is current, outdated, edited or deleted by you."""
    from colab_gen import changes

    results = _Results(as_json, write=False)
    for path, edit in _updates(results, directories, notebooks or (".",)):
        if as_json:
            results.data.append(changes.as_data(edit, str(path), written=False))
            continue
        console.tell(str(path))
        found = changes.features(edit)
        width = max(map(len, found), default=0)
        for name, words in found.items():
            console.tell(f"  {name:<{width}}  {', '.join(words)}")
        results.note(edit)
    return results.end()


@click.command()
@_several
@click.pass_obj
def diff(directories: tuple[Path, ...], /, notebooks: tuple[str, ...]) -> int:
    """Show what update would change, cell by cell."""
    from colab_gen import changes

    results = _Results(as_json=False, write=False)
    for path, edit in _updates(results, directories, notebooks or (".",)):
        lines = list(changes.diff(edit))
        for line in [f"{path}: {changes.summary(edit)}", *lines]:
            console.tell(line)
        results.note(edit)
    return results.end()


@click.command()
@_one
@click.argument("features", nargs=-1, required=True, metavar="FEATURE…")
@_dry_run
@_json
@click.pass_obj
def add(
    directories: tuple[Path, ...],
    /,
    notebook: Path,
    features: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> int:
    """Put features into a notebook, with what they require."""
    from colab_gen.lifecycle import add as change

    catalog = load_catalog(directories)
    results = _Results(as_json, write=not dry_run)
    results.change(notebook, lambda document: change(document, catalog, names(features)))
    return results.end()


@click.command()
@_one
@click.argument("features", nargs=-1, metavar="[FEATURE]…")
@click.option("--all", "everything", is_flag=True, help="All that colab-gen put in.")
@_dry_run
@_json
@click.pass_obj
def remove(
    directories: tuple[Path, ...],
    /,
    notebook: Path,
    features: tuple[str, ...],
    everything: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Take features out of a notebook, with what only they required."""
    from colab_gen.lifecycle import remove as change

    if bool(features) == everything:
        raise RecipeError("name the features to remove, or give --all")
    catalog = load_catalog(directories)
    results = _Results(as_json, write=not dry_run)
    results.change(
        notebook,
        lambda document: change(document, catalog, names(features), everything=everything),
    )
    return results.end()


@click.command("set")
@_one
@click.argument("values", nargs=-1, required=True, metavar="NAME=VALUE…")
@_dry_run
@_json
@click.pass_obj
def set_fields(
    directories: tuple[Path, ...],
    /,
    notebook: Path,
    values: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> int:
    """Fill in form fields of a notebook."""
    from colab_gen.lifecycle import set_fields as change

    problems: list[str] = []
    given = settings(values, problems)
    if problems:
        raise RecipeError(problems)
    catalog = load_catalog(directories)
    results = _Results(as_json, write=not dry_run)
    results.change(notebook, lambda document: change(document, catalog, given))
    return results.end()


@click.command()
@_one
@click.argument("features", nargs=-1, metavar="[FEATURE]…")
@_upgrade
@_dry_run
@_json
@click.pass_obj
def adopt(
    directories: tuple[Path, ...],
    /,
    notebook: Path,
    features: tuple[str, ...],
    upgrade: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Take in a notebook that colab-gen did not make, and put features into it."""
    from colab_gen.lifecycle import adopt as change

    catalog = load_catalog(directories)
    results = _Results(as_json, write=not dry_run, upgrade=upgrade)
    results.change(notebook, lambda document: change(document, catalog, names(features)))
    return results.end()


COMMANDS = (add, remove, set_fields, update, status, diff, adopt)


class _Results:
    """What comes of each notebook, told at once, or as JSON at the end."""

    def __init__(self, as_json: bool, *, write: bool, upgrade: bool = False) -> None:
        self.data: list[dict[str, Any]] = []
        self._as_json, self._write, self._upgrade = as_json, write, upgrade
        self._code, self._outdated = 0, False

    def change(self, path: Path, change: "Callable[[Document], Edit]") -> None:
        """Change one notebook, or tell why not."""
        if edit := self.read(path, change, write=self._write):
            from colab_gen import changes

            self._outdated |= any(change.outdated for change in edit.changes)
            if any(change.state == "conflict" for change in edit.changes):
                self._code = max(self._code, 1)
            if self._as_json:
                self.data.append(changes.as_data(edit, str(path), written=self._write))
            else:
                console.tell(f"{path}: {changes.summary(edit)}")
                self.note(edit)

    def read(
        self, path: Path, change: "Callable[[Document], Edit]", *, write: bool = False
    ) -> "Edit | None":
        """Return what a change makes of a notebook, written if so wished; None for a problem."""
        from colab_gen.hold import hold, read_document

        try:
            with hold(path) as held:
                edit = change(read_document(self._upgraded(held.text)))
                if write and edit.text != held.text:
                    held.replace(edit.text)
        except NotOurs as error:
            self._problem(path, error, code=0)
            return None
        except RecipeError as error:
            self._problem(path, error, code=2)
            return None
        except ColabGenError as error:
            self._problem(path, error, code=1)
            return None
        return edit

    def note(self, edit: "Edit") -> None:
        """Tell what is left as it is."""
        for note in edit.notes:
            console.say(f"  {note}")

    def end(self, *, strict: bool = False) -> int:
        """Print what is kept for the end, and return the exit code."""
        if self._as_json:
            console.print_json(self.data)
        return self._code or int(strict and self._outdated)

    def _upgraded(self, text: str) -> str:
        if not self._upgrade:
            return text
        from colab_gen.upgrade import upgrade

        return upgrade(text)

    def _problem(self, path: Path, error: ColabGenError, *, code: int) -> None:
        self._code = max(self._code, code)
        if self._as_json:
            self.data.append({"path": str(path), "error": str(error)})
        for line in str(error).splitlines():
            told = isinstance(error, NotebookError) and str(path) in line
            console.say(f"colab-gen: {line}" if told else f"colab-gen: {path}: {line}")


def _updates(
    results: _Results, directories: tuple[Path, ...], words: tuple[str, ...]
) -> "Iterator[tuple[Path, Edit]]":
    from colab_gen.choice import find_notebooks
    from colab_gen.lifecycle import update as change

    catalog = load_catalog(directories)
    for path in find_notebooks(words):
        if edit := results.read(path, lambda document: change(document, catalog)):
            yield path, edit

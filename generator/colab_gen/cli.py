"""The command colab-gen: reads arguments, calls, prints."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from colab_gen import console
from colab_gen.arguments import equivalent, names, read_source, settings, with_flags
from colab_gen.catalog import Catalog, load_catalog
from colab_gen.cli_validate import validate
from colab_gen.cli_web import web
from colab_gen.errors import ColabGenError, NotebookError, RecipeError
from colab_gen.files import write_whole
from colab_gen.interrupts import ignore_interrupts
from colab_gen.notebook import build, dumps
from colab_gen.plan import Plan, make_plan
from colab_gen.recipe import GPUS, TPUS, Recipe
from colab_gen.render import render
from colab_gen.text import did_you_mean, one_line

__all__ = ["main"]

_EXAMPLES = """\b
Examples:
  colab-gen new --features drive,staging --set archive_name=photos.zip
  colab-gen new train.ipynb --all --gpu T4 --validate
  colab-gen new --recipe old.ipynb new.ipynb
  colab-gen add train.ipynb dump
  colab-gen update notebooks/
  colab-gen list -v
  colab-gen validate train.ipynb"""


def main(arguments: list[str] | None = None) -> None:
    """Run the command and exit: 0 clean, 1 findings, 2 usage, 3 environment, 130 interrupted."""
    words = sys.argv[1:] if arguments is None else arguments
    # Where Jupyter's server is installed too, jsonschema imports this for nbformat, which compiles
    # a grammar for seconds and has no use for it.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    try:
        code = command.main(words, prog_name="colab-gen", standalone_mode=False)
    except (KeyboardInterrupt, click.Abort):
        _complain("interrupted")
        code = 130
    except click.UsageError as error:
        _complain(error.format_message())
        code = 2
    except click.ClickException as error:
        _complain(error.format_message())
        code = 1
    except ColabGenError as error:
        if "--debug" in words:
            raise
        _complain(str(error))
        code = error.exit_code
    except BrokenPipeError:
        # The reader of our output went away, as `head` does; Python would complain on exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except Exception as error:
        if "--debug" in words:
            raise
        _complain(
            f"a fault of ours: {type(error).__name__}: {one_line(error)} (--debug tells more)"
        )
        code = 1
    ignore_interrupts()  # while Python ends, it would be a crash
    sys.exit(code if isinstance(code, int) else 0)


def _complain(text: str) -> None:
    ignore_interrupts()  # who is impatient gets no traceback instead of the reason
    for line in text.splitlines():
        console.say(f"colab-gen: {line}")


def _complete_feature(_c: Any, _p: Any, incomplete: str) -> list[Any]:
    from click.shell_completion import CompletionItem  # for a shell that asks, and no other start

    *chosen, word = incomplete.split(",")
    start = "".join(f"{name}," for name in chosen)
    catalog = load_catalog()
    return [
        CompletionItem(start + name, help=catalog.snippets[name].summary)
        for name in catalog.features
        if name.startswith(word) and name not in chosen
    ]


def _version(context: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # slow to import, and seldom asked for

        click.echo(f"colab-gen {version('colab-gen')}")
        context.exit()


class _Commands(click.Group):
    """The commands; those that change notebooks are imported only when one of them is asked for."""

    later = ("add", "adopt", "diff", "remove", "set", "status", "update")

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted({*super().list_commands(context), *self.later})

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name in self.later:
            from colab_gen.cli_notebook import COMMANDS

            return next(command for command in COMMANDS if command.name == name)
        return super().get_command(context, name)


@click.group(
    cls=_Commands, epilog=_EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_version)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.option(
    "--snippets",
    "directories",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Also take the snippets in this directory.",
)
@click.pass_context
def command(context: click.Context, debug: bool, directories: tuple[Path, ...]) -> None:
    """Make Google Colab notebooks from ready-made cells, and prove that they run."""
    if "NO_COLOR" in os.environ:
        context.color = False
    context.obj = directories


@command.command()
@click.argument("out", required=False, metavar="[OUT.ipynb]")
@click.option(
    "-f",
    "--features",
    multiple=True,
    metavar="NAME,…",
    shell_complete=_complete_feature,
    help="The features, with commas between.",
)
@click.option("--all", "everything", is_flag=True, help="All features.")
@click.option("--set", "values", multiple=True, metavar="NAME=VALUE", help="Fill in a form field.")
@click.option("--recipe", "source", metavar="FILE", help="Start from a TOML recipe or a notebook.")
@click.option("--title", help="The notebook's title.")
@click.option("--gpu", metavar="|".join((*GPUS, "none")), help="Ask for this GPU.")
@click.option("--tpu", metavar="|".join((*TPUS, "none")), help="Ask for this TPU.")
@click.option("--high-ram/--no-high-ram", default=None, help="Ask for a High-RAM runtime.")
@click.option("--repo", metavar="OWNER/NAME", help="The GitHub repository, for the badge.")
@click.option("--branch", help="Its branch, main unless told.")
@click.option("--no-input", is_flag=True, help="Never ask.")
@click.option("--dry-run", is_flag=True, help="Say what would be written; write nothing.")
@click.option("--force", is_flag=True, help="Replace OUT if it is there.")
@click.option(
    "--validate", "checked", is_flag=True, help="Execute the notebook before it is written."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def new(
    directories: tuple[Path, ...],
    /,
    out: str | None,
    features: tuple[str, ...],
    everything: bool,
    values: tuple[str, ...],
    source: str | None,
    no_input: bool,
    dry_run: bool,
    force: bool,
    checked: bool,
    as_json: bool,
    **flags: Any,
) -> int:
    """Make a notebook. Without features, and on a terminal, it asks."""
    catalog = load_catalog(directories)
    problems: list[str] = []
    recipe = read_source(source, problems) if source else Recipe()
    if everything:
        recipe = replace(recipe, features=catalog.features)
    if chosen := names(features):
        recipe = replace(recipe, features=(*(recipe.features if everything else ()), *chosen))
    recipe = with_flags(recipe, flags, out, problems)
    recipe = replace(recipe, values={**recipe.values, **settings(values, problems)})
    asked = not recipe.features and not problems
    if asked:
        if no_input or not (sys.stdin.isatty() and sys.stderr.isatty()):
            there = ", ".join(catalog.features)
            raise RecipeError(f"no features: give --features, --all or --recipe; there are {there}")
        recipe = _ask(catalog, recipe, titled=bool(out or flags["title"] or source))
    plan = make_plan(catalog, recipe, problems)
    path = Path(out or plan.recipe.path)
    notebook = build(plan, render(plan))
    if dry_run:
        _print_dry_run(plan, path, as_json)
        return 0
    if not force and os.path.lexists(path) and out != "-":
        raise NotebookError(f"{path} is there already; --force replaces it")
    report = _execute(catalog, str(path), notebook) if checked else None
    if report and not report.passed:
        console.print_report(str(path), report)
        console.say(f"colab-gen: {path} was not written, since it failed")
        return 1
    if out == "-":
        click.echo(dumps(notebook), nl=False)
        return 0
    write_whole(path, dumps(notebook), overwrite=force)
    _print_written(plan, path, as_json)
    if asked:
        console.say(f"Next time: {equivalent(plan.recipe, out)}")
    return 0


@command.command("list")
@click.option("-v", "--verbose", is_flag=True, help="With their parameters.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, with everything.")
@click.pass_obj
def list_features(directories: tuple[Path, ...], verbose: bool, as_json: bool) -> None:
    """List the features."""
    catalog = load_catalog(directories)
    if as_json:
        console.print_json(console.catalog_data(catalog))
    else:
        console.print_catalog(catalog, parameters=verbose)


@command.command()
@click.argument("feature", shell_complete=_complete_feature)
@click.pass_obj
def show(directories: tuple[Path, ...], feature: str) -> None:
    """Show the text and code of a feature."""
    catalog = load_catalog(directories)
    if feature not in catalog.snippets:
        near = did_you_mean(feature, catalog.features)
        there = ", ".join(catalog.features)
        raise RecipeError(f"no feature is named {one_line(feature)}{near}; there are {there}")
    click.echo(console.highlighted(catalog.snippets[feature]))


command.add_command(validate)
command.add_command(web)


@command.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    r"""Print the completion script of a shell.

    \b
    bash: eval "$(colab-gen completion bash)"
    fish: colab-gen completion fish | source
    """
    from click.shell_completion import get_completion_class

    completer = get_completion_class(shell)
    assert completer is not None
    click.echo(completer(command, {}, "colab-gen", "_COLAB_GEN_COMPLETE").source())


def _ask(catalog: Catalog, recipe: Recipe, *, titled: bool) -> Recipe:
    from colab_gen import prompts  # many imports that only a terminal's user needs

    if not titled:
        recipe = replace(recipe, title=prompts.ask_title(recipe.title))
    recipe = replace(recipe, features=prompts.ask_features(catalog))
    return replace(recipe, values={**recipe.values, **prompts.ask_values(catalog, recipe)})


def _execute(catalog: Catalog, name: str, notebook: dict[str, Any]) -> Any:
    from colab_gen.checks import preparation  # nbconvert and all it needs: a second to import
    from colab_gen.run import run

    console.print_start(name, notebook)
    return run(notebook, prepare=preparation(catalog, notebook), on_cell=console.print_outcome)


def _print_dry_run(plan: Plan, path: Path, as_json: bool) -> None:
    if as_json:
        console.print_json(_result(plan, path, written=False))
    else:
        console.print_plan(plan, str(path))


def _print_written(plan: Plan, path: Path, as_json: bool) -> None:
    if as_json:
        console.print_json(_result(plan, path, written=True))
        return
    click.echo(str(path))
    console.say(f"Made {path} with {', '.join(plan.features)}.")


def _result(plan: Plan, path: Path, *, written: bool) -> dict[str, Any]:
    return {
        "path": str(path),
        "written": written,
        "features": list(plan.features),
        "recipe": plan.recipe.as_dict(),
        "link": plan.recipe.link,
    }

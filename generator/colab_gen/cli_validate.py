"""The command `colab-gen validate`."""

import re
import sys
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from colab_gen import console
from colab_gen.arguments import read_text, settings
from colab_gen.errors import NotebookError
from colab_gen.notebook import loads

if TYPE_CHECKING:
    from colab_gen.job import Result
    from colab_gen.standin.warm import WarmParent

__all__ = ["validate"]

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)
_LOCAL = {"uploads", "downloads_to", "google_colab"}


def _share(_c: Any, _p: Any, text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise click.BadParameter(f"takes k/n, as 1/3, 2/3 and 3/3, not {text}")
    return int(match[1]), int(match[2])


@click.command()
@click.argument("notebooks", nargs=-1, required=True, metavar="NOTEBOOK|FOLDER|PATTERN…")
@click.option("--python", help="Run the cells with this interpreter.")
@click.option(
    "--google-colab",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="PATH",
    help="Run against a checkout of the real google.colab.",
)
@click.option("--secret", "secrets", multiple=True, metavar="NAME=VALUE", help="A Colab secret.")
@click.option("--upload", "uploads", multiple=True, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--downloads",
    "downloads_to",
    type=_FOLDER,
    metavar="DIR",
    help="Keep here what is downloaded; with several notebooks, in a folder for each.",
)
@click.option("--timeout", default=600.0, show_default=True, help="Seconds a cell may take.")
@click.option("--allow-network", is_flag=True, help="Let the cells reach the network.")
@click.option(
    "--target",
    type=click.Choice(["web", "vscode", "cli", "kaggle", "local", "all"]),
    help="The place to stand in for; all of them give a table.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME[:VALUE]",
    help="Let this go wrong, such as quota, eio:3, nobody; a wrong name lists them all.",
)
@click.option(
    "--on",
    metavar="colab[:SESSION]",
    help="Run on a real machine of Colab, by Google's command colab.",
)
@click.option(
    "-j",
    "at_once",
    type=click.IntRange(min=1),
    metavar="N",
    help="Run N notebooks at once. [default: one for each core, as far as memory goes]",
)
@click.option("--fail-fast", is_flag=True, help="Begin nothing more once a notebook has failed.")
@click.option(
    "--retries", type=click.IntRange(min=0), default=0, help="Try a failed notebook N times more."
)
@click.option("--resume", is_flag=True, help="Keep results, and run only what has none yet.")
@click.option("--only-failed", is_flag=True, help="Run what failed last, by the results kept.")
@click.option(
    "--ledger",
    "folder",
    type=_FOLDER,
    metavar="DIR",
    help="Where results are kept. [default with --resume: .colab-gen]",
)
@click.option(
    "--shard",
    "share",
    callback=_share,
    metavar="K/N",
    help="Run the K-th of N shares, balanced by the times of the results kept.",
)
@click.option(
    "--scheduler",
    "address",
    metavar="tcp://…",
    help="Run on the workers of this Dask scheduler, with the colab-gen installed there.",
)
@click.option("--html", type=_FILE, metavar="FILE", help="Write a report to send to a colleague.")
@click.option("--junit", type=_FILE, metavar="FILE", help="Write a report for a CI system.")
@click.option(
    "--save-executed", "executed", type=_FOLDER, metavar="DIR", help="Keep the executed notebooks."
)
@click.option(
    "--slowest", type=click.IntRange(min=1), metavar="N", help="Name the N slowest cells."
)
@click.option("--json", "as_json", is_flag=True, help="Print the reports as JSON.")
@click.pass_obj
def validate(
    directories: tuple[Path, ...],
    /,
    notebooks: tuple[str, ...],
    secrets: tuple[str, ...],
    at_once: int | None,
    fail_fast: bool,
    retries: int,
    resume: bool,
    only_failed: bool,
    folder: Path | None,
    share: tuple[int, int] | None,
    address: str | None,
    html: Path | None,
    junit: Path | None,
    executed: Path | None,
    slowest: int | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Execute notebooks in a stand-in of Colab and report on every cell."""
    from colab_gen.choice import find_notebooks, shard

    problems: list[str] = []
    options["secrets"] = settings(secrets, problems)
    options = {key: value for key, value in options.items() if value}
    if address and (directories or options.keys() & _LOCAL):
        problems.append("with --scheduler no option can name files: its workers have others")
    if resume and only_failed:
        problems.append("--resume runs what has no result, --only-failed what has a bad one")
    if options.get("target") == "all":
        others = {
            "--on": options.get("on"), "--fail-fast": fail_fast, "--resume": resume,
            "--only-failed": only_failed, "--ledger": folder, "--shard": share, "--html": html,
            "--junit": junit, "--save-executed": executed, "--slowest": slowest,
        }  # fmt: skip
        if given := [name for name, value in others.items() if value]:
            problems.append(f"--target all prints a table; it does not go with {', '.join(given)}")
    if problems:
        raise click.UsageError("; ".join(problems))
    paths = find_notebooks(notebooks)
    if options.get("target") == "all":
        return _tell_places(
            paths, directories, options, as_json,
            at_once=at_once, address=address, retries=retries, ledger=None,
        )  # fmt: skip
    names = {str(path): n for n, path in enumerate(paths)}
    elsewhere = address or "on" in options
    with nullcontext() if elsewhere else _warm_parent(paths, options) as warm:
        from colab_gen import batch  # nbconvert and all it needs: a second to import

        jobs, results = batch.read_jobs(names, directories, options)
        ledger = batch.open_ledger(folder, needed=resume or only_failed, useful=share is not None)
        if share:
            jobs = shard(jobs, *share, ledger.seconds if ledger else {})
            results = results if share[0] == 1 else []
        if ledger and only_failed:
            if not ledger.seconds and not ledger.failed:
                raise NotebookError(
                    f"no results are kept in {ledger.folder}; --resume keeps them there"
                )
            jobs, results = [job for job in jobs if job.name in ledger.failed], []
        if ledger and resume:
            kept = [result for job in jobs if (result := ledger.result(job))]
            results += kept
            console.say(f"{len(kept)} of {len(jobs)} notebooks have a result in {ledger.folder}")
        have = {result.name for result in results}
        results += batch.run_batch(
            [job for job in jobs if job.name not in have],
            at_once=1 if "on" in options else at_once,
            address=address,
            ledger=ledger if folder or resume or only_failed else None,
            warm=warm,
            alone=len(names) == 1,
            fail_fast=fail_fast,
            retries=retries,
        )
    from colab_gen.delivery import deliver

    results.sort(key=lambda result: names[result.name])
    code = _tell(results, as_json, alone=len(names) == 1)
    deliver(results, html=html, junit=junit, executed=executed, slowest=slowest, as_json=as_json)
    if len(names) > 1:
        passed = sum(result.passed for result in results)
        console.say(f"{passed} of {len(results)} notebooks passed")
    return code


def _warm_parent(paths: Sequence[Path], options: dict[str, Any]) -> "WarmParent":
    """Return what forks the kernels of all these notebooks; it imports while we go on."""
    from colab_gen.standin.warm import WarmParent, preload_for

    notebooks = []
    for path in paths:
        with suppress(NotebookError):
            notebooks.append(loads(read_text(str(path))))
    return WarmParent(options.get("python", sys.executable), preload_for(notebooks))


def _tell_places(
    paths: Sequence[Path],
    directories: Sequence[Path],
    options: dict[str, Any],
    as_json: bool,
    **how: Any,
) -> int:
    with _warm_parent(paths, options) as warm:
        from colab_gen import batch
        from colab_gen.places import of_all_places, on_each_target

        given, unread = batch.read_jobs(map(str, paths), directories, options)
        jobs = [job for one in given for job in on_each_target(one)]
        results = batch.run_batch(jobs, warm=warm, alone=False, fail_fast=False, **how)
    each = len(jobs) // len(given) if given else 0
    told = [of_all_places(results[n * each : (n + 1) * each]) for n in range(len(given))]
    if as_json:
        data = [report for _, reports, _ in told for report in reports]
        console.print_json([*(result.as_dict() for result in unread), *data])
    elif told:
        console.tell("\n\n".join(text for text, _, _ in told))
    for result in unread:
        console.say(f"colab-gen: {result.fault}")
    failed = 0 if all(passed for _, _, passed in told) else 1
    return max([failed, *(r.code for r in (*unread, *results) if not r.report)])


def _tell(results: Sequence["Result"], as_json: bool, *, alone: bool) -> int:
    if as_json:
        console.print_json([result.as_dict() for result in results])
    for result in results:
        if alone and not result.report:
            told = result.name in result.fault
            console.say(f"colab-gen: {'' if told else f'{result.name}: '}{result.fault}")
        elif not as_json and (alone or not result.passed or not sys.stdout.isatty()):
            console.print_result(result)
    return max((result.code for result in results), default=0)

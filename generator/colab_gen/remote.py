"""A notebook executed on a real machine of Colab, by Google's own command, becomes a `Report`."""

import contextlib
import json
import re
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import nbformat.v4

from colab_gen.colabcli import GPUS, TPUS, ColabCommand, Execution
from colab_gen.errors import EnvironmentProblem, RunError, UsageProblem
from colab_gen.notebook import blank
from colab_gen.report import Outcome, Report, Status
from colab_gen.static import check
from colab_gen.text import one_line

__all__ = ["run_at", "run_on_colab"]

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_TITLE = re.compile(r"^\s*#\s*@title\s+(.+?)\s*(?:\{.*\})?\s*$", re.MULTILINE)
_LIMITS = (
    "Colab's page, for colab exec has none: drive.mount waits 120 s and fails, unless "
    "`colab drivemount` mounted Drive before; userdata.get gives up after 10 s; files.upload "
    "waits for ever; files.download does nothing and says nothing",
    "My Drive: the files that the checks of the snippets make were not put there",
    "the end at the first failure: colab exec goes on with the cells after it",
)


def run_on_colab(
    notebook: Mapping[str, Any],
    *,
    gpu: str = "",
    tpu: str = "",
    high_ram: bool = False,
    timeout: float = 600,
    session: str | None = None,
    config: Path | None = None,
    on_cell: Callable[[Outcome], None] | None = None,
) -> Report:
    """Execute all code cells on a machine of Colab, which is released whatever happens.

    The cells after one that fails are executed too, and the report tells how each went.

    Args:
        notebook: the JSON of a notebook; it stays as it is.
        gpu: the GPU to ask for.
        tpu: the TPU to ask for.
        high_ram: ask for a High-RAM machine.
        timeout: seconds that each cell may take.
        session: a session of yours, which is taken as it is and goes on afterwards.
        config: the file in which the command keeps its sessions.
        on_cell: is told of each outcome, when all cells are done.

    Raises:
        EnvironmentProblem: the command is missing, too old or not logged in, Colab granted no
            such machine, or the machine could not be released.
        RunError: the command ended without telling how the cells went.
    """
    start = time.perf_counter()
    # The command leaves the outputs of cells that it does not come to as it found them.
    given = blank(notebook)
    if problems := check(given):
        return Report(problems=problems, notebook=given)
    given = _joined(json.dumps(given))
    cells = [i for i, cell in enumerate(given["cells"]) if cell["cell_type"] == "code"]
    execution = Execution(seconds=(0.0,) * len(cells))
    left: list[str] = []
    # Without any code the command would do nothing, and write nothing.
    if any(given["cells"][index]["source"].strip() for index in cells):
        _refuse("GPU", gpu, GPUS)
        _refuse("TPU", tpu, TPUS)
        command = ColabCommand(config)
        if session:
            execution = _execute(command, session, given, cells, timeout)
        else:
            name = f"colab-gen-{uuid.uuid4().hex[:8]}"
            with _released(command, name) as left:
                command.new(name, gpu=gpu.upper(), tpu=tpu.upper(), high_ram=high_ram)
                execution = _execute(command, name, given, cells, timeout)
    outcomes = tuple(_outcomes(given, cells, execution, timeout))
    if on_cell:
        for outcome in outcomes:
            on_cell(outcome)
    return Report(
        outcomes=outcomes,
        limits=(*_LIMITS, *left),
        seconds=time.perf_counter() - start,
        notebook=given,
    )


def run_at(place: str, notebook: Mapping[str, Any], **options: Any) -> Report:
    """Execute at `colab`, on the machine that the notebook asks for, or at `colab:SESSION`.

    Args:
        place: what was given to `--on`.
        notebook: the JSON of a notebook.
        options: `timeout` and `on_cell`; the others of `run` are of the stand-in only.

    Raises:
        UsageProblem: there is no such place, or it has no such option.
    """
    kind, colon, session = place.partition(":")
    if kind != "colab" or (colon and not session):
        raise UsageProblem(f"--on {one_line(place)} is no place; there are colab, colab:SESSION")
    if alien := sorted(set(options) - {"timeout", "on_cell"}):
        raise UsageProblem(f"--on colab does not go with {', '.join(alien)}, of the stand-in")
    return run_on_colab(notebook, **_hardware(notebook), session=session or None, **options)


def _refuse(kind: str, name: str, names: tuple[str, ...]) -> None:
    if name and name.upper() not in names:
        there = ", ".join(names)
        raise EnvironmentProblem(f"colab new knows no {kind} {one_line(name)}; there are {there}")


@contextlib.contextmanager
def _released(command: ColabCommand, session: str) -> Iterator[list[str]]:
    """Release the machine in all cases; the list will say so if that failed."""
    left: list[str] = []
    with command.interrupts as interrupts:
        try:
            yield left
            interrupts.hold()
        except BaseException as error:
            interrupts.hold()
            # A machine that goes on costing is the news that matters most.
            if problem := command.stop(session):
                why = one_line(error, 400) or type(error).__name__
                why = "interrupted" if isinstance(error, KeyboardInterrupt) else why
                raise EnvironmentProblem(f"{why}; {problem}") from error
            raise
        if problem := command.stop(session):
            if interrupts.pressed:
                raise EnvironmentProblem(f"interrupted; {problem}")
            left.append(problem)


def _hardware(notebook: Mapping[str, Any]) -> dict[str, Any]:
    metadata = notebook.get("metadata") or {}
    colab = metadata.get("colab") or {}
    kind, name = metadata.get("accelerator"), str(colab.get("gpuType") or "")
    return {
        "gpu": (name or "T4") if kind == "GPU" else "",
        "tpu": (name or "V5E1") if kind == "TPU" else "",
        "high_ram": colab.get("machine_shape") == "hm",
    }


def _execute(
    command: ColabCommand, session: str, notebook: dict[str, Any], cells: list[int], timeout: float
) -> Execution:
    """Fill in the outputs of the notebook."""
    with tempfile.TemporaryDirectory(prefix="colab-gen-") as folder:
        file = Path(folder, "notebook.ipynb")
        file.write_text(json.dumps(notebook), encoding="utf-8")
        execution = command.execute(session, file, cells=len(cells), timeout=timeout)
        try:
            text = file.with_name("notebook_output.ipynb").read_text(encoding="utf-8")
            written = _joined(text)["cells"]
            for index in cells:
                notebook["cells"][index]["outputs"] = written[index]["outputs"]
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            why = execution.failure or "it wrote no output notebook"
            raise RunError(f"how the cells went is not known, for of colab exec: {why}") from None
        return execution


def _outcomes(
    notebook: Mapping[str, Any], cells: list[int], execution: Execution, timeout: float
) -> Iterator[Outcome]:
    # The output notebook has no execution counts, so only its progress tells what it came to.
    done = len(execution.seconds)
    for position, index in enumerate(cells):
        cell = notebook["cells"][index]
        message = _failure(cell["outputs"])
        if position == done - 1 and execution.late:
            # The command waits on for a kernel that is gone, so the two look the same.
            message = f"the cell was not done after {timeout:g} s, or the session crashed"
        elif position == done - 1 and execution.failure:
            message = message or f"colab exec did not survive the cell: {execution.failure}"
        status: Status = "failed" if message else "passed" if position < done else "not run"
        source = cell["source"]
        titled = _TITLE.search(source)
        first = next((line for line in source.splitlines() if line.strip()), "")
        yield Outcome(
            cell=index,
            id=str(cell.get("id") or cell["metadata"].get("id") or ""),
            title=one_line(titled[1] if titled else first, 80),
            status=status,
            message=message,
            seconds=execution.seconds[position] if position < done else 0.0,
        )


def _failure(outputs: list[Mapping[str, Any]]) -> str:
    for output in outputs:
        if output.get("output_type") == "error":
            name, value = output.get("ename") or "Error", output.get("evalue")
            return one_line(_ANSI.sub("", f"{name}: {value}" if value else name), 500)
    return ""


def _joined(text: str) -> dict[str, Any]:
    # Files hold text as lists of lines. Nothing is validated: the command writes ids into
    # notebooks of formats that have none.
    node: Any = nbformat.v4.reads(text)  # type: ignore[no-untyped-call]
    plain: dict[str, Any] = json.loads(json.dumps(node))
    return plain

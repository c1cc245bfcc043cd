"""A notebook executed in a stand-in of Colab becomes a `Report`."""

import json
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import nbformat

from colab_gen.errors import EnvironmentProblem, RecipeError, RunError
from colab_gen.notebook import blank
from colab_gen.report import Outcome, Report
from colab_gen.standin import (
    TARGETS,
    Executor,
    FaultError,
    Faults,
    FrontEnd,
    Machine,
    Status,
    Target,
    WarmParent,
    parse_faults,
)
from colab_gen.static import check
from colab_gen.text import did_you_mean, one_line

__all__ = ["run"]

_TITLE = re.compile(r"^\s*#\s*@title\s+(.+?)\s*(?:\{.*\})?\s*$", re.MULTILINE)
_NOTHING: Mapping[str, str] = MappingProxyType({})


def run(
    notebook: Mapping[str, Any],
    *,
    prepare: Callable[[Path], None] | None = None,
    python: str = sys.executable,
    google_colab: Path | None = None,
    secrets: Mapping[str, str] = _NOTHING,
    uploads: Sequence[Path] = (),
    downloads_to: Path | None = None,
    timeout: float = 600,
    allow_network: bool = False,
    memory: int = 4 * 2**30,
    isolated: bool | None = None,
    warm: WarmParent | None = None,
    on_cell: Callable[[Outcome], None] | None = None,
    target: str = "web",
    faults: Sequence[str] = (),
) -> Report:
    """Execute a notebook in a fresh kernel on a fresh machine, up to the first cell that fails.

    Args:
        notebook: the JSON of a notebook; it stays as it is.
        prepare: is given the folder that stands for My Drive before the kernel starts.
        python: the interpreter of the kernel.
        google_colab: a checkout of Google's own package, to be used instead of ours.
        secrets: what `userdata.get` finds.
        uploads: the files that `files.upload` is given.
        downloads_to: a folder for what the notebook downloads.
        timeout: seconds that each cell may take.
        allow_network: let the cells reach the network.
        memory: bytes that the kernel may use, 0 for any number.
        isolated: in namespaces of its own; by default wherever they are to be had.
        warm: what forks the kernel, for all the runs that share it; each is a process of its own.
        on_cell: is told of each outcome at once.
        target: the place to stand in for: web, vscode, cli, kaggle or local.
        faults: what is to go wrong, `NAME` or `NAME:VALUE` each; see `colab_gen.standin.FAULTS`.

    Raises:
        RecipeError: there is no such target or fault.
        EnvironmentProblem: no kernel can be started with that interpreter on this machine.
        RunError: the kernel failed to start for another reason.
    """
    start = time.perf_counter()
    place, wrong = _place(target), _faults(faults)
    executed = blank(notebook)
    if problems := check(notebook):
        return Report(problems=problems, target=target, notebook=executed)
    outcomes: list[Outcome] = []
    node: Any = None

    def tell(index: int, status: Status, message: str, seconds: float) -> None:
        outcome = _outcome(node.cells[index], index, status, message, seconds)
        outcomes.append(outcome)
        if on_cell:
            on_cell(outcome)

    with Machine(
        python=python,
        google_colab=google_colab,
        allow_network=allow_network,
        memory=memory,
        isolated=isolated,
        warm=warm,
        target=place,
        faults=wrong,
    ) as machine:
        if prepare:
            prepare(machine.drive)
        before = _files(machine.drive)
        page = FrontEnd(
            downloads=machine.downloads,
            secrets=secrets,
            uploads=uploads,
            credentials=machine.credentials,
        )
        place.set_up(page)
        wrong.set_up(page)
        killer = _Killer(wrong.value("killed"))
        while True:
            node = _node(executed)
            _execute(
                machine,
                page,
                node,
                lambda manager: Executor(
                    front_end=page,
                    timeout=timeout,
                    on_cell=tell,
                    on_ready=lambda: killer.start(manager.kill),
                ),
            )
            if not killer.has_killed(outcomes):
                break
            machine.renew()
            outcomes.clear()
        after = _files(machine.drive)
        if downloads_to:
            shutil.copytree(machine.downloads, downloads_to, dirs_exist_ok=True)
        return Report(
            outcomes=tuple(outcomes),
            downloads=tuple(page.saved),
            drive=tuple(sorted(name for name in after if after[name] != before.get(name))),
            requests=tuple(page.requests),
            limits=machine.limits,
            target=target,
            faults=(*map(str, wrong.all), *killer.told),
            environment=machine.state.get("environment", {}),
            seconds=time.perf_counter() - start,
            notebook=_plain(node),
        )


class _Killer:
    """Ends the first session of a run after some seconds, as Colab ends one."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._timer: threading.Timer | None = None
        self.told: list[str] = []

    def start(self, kill: Callable[[], None]) -> None:
        """Begin to count, unless no session is to be killed or one was already."""
        if self._seconds is not None and self._timer is None:
            self._timer = threading.Timer(self._seconds, kill)
            self._timer.daemon = True
            self._timer.start()

    def has_killed(self, outcomes: Sequence[Outcome]) -> bool:
        """Return whether the session that has just ended ended by this."""
        if self._timer is None or self.told:
            return False
        early = self._timer.is_alive()
        self._timer.cancel()
        failed = next((o for o in outcomes if o.status == "failed"), None)
        if early or failed is None or not failed.message.startswith("the session crashed"):
            self.told.append("the notebook ended before its session would have been killed")
            return False
        self.told.append(
            f"the session was killed in cell {failed.cell} ({failed.title}), and the notebook run"
            " again from the top on another machine with the same Drive"
        )
        return True


def _place(name: str) -> Target:
    if name not in TARGETS:
        near = did_you_mean(name, TARGETS)
        raise RecipeError(f"no target is named {one_line(name)}{near}; there are {_list(TARGETS)}")
    return TARGETS[name]


def _faults(texts: Sequence[str]) -> Faults:
    try:
        return parse_faults(texts)
    except FaultError as error:
        raise RecipeError(str(error)) from None


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)


def _node(notebook: Mapping[str, Any]) -> Any:
    # Files hold text as lists of lines; reading joins them, and converts nothing.
    return nbformat.reads(  # type: ignore[no-untyped-call]
        json.dumps(notebook), as_version=nbformat.NO_CONVERT
    )


def _execute(
    machine: Machine, page: FrontEnd, node: Any, make_executor: Callable[[Any], Executor]
) -> None:
    manager = machine.manager(page)
    try:
        make_executor(manager).preprocess(node, {}, km=manager)
    except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
        raise EnvironmentProblem(f"{machine.python} cannot be run: {error.strerror}") from None
    except RuntimeError as error:
        if machine.give_up():
            _execute(machine, page, node, make_executor)
        elif machine.state.get("fault"):
            raise EnvironmentProblem(one_line(machine.fault, 400)) from None
        else:
            raise RunError(f"the kernel did not start: {one_line(machine.fault, 400)}") from error


def _outcome(cell: Any, index: int, status: Status, message: str, seconds: float) -> Outcome:
    titled = _TITLE.search(cell.source)
    first = next((line for line in cell.source.splitlines() if line.strip()), "")
    return Outcome(
        cell=index,
        id=str(cell.get("id") or cell.metadata.get("id") or ""),
        title=one_line(titled[1] if titled else first, 80),
        status=status,
        message=message,
        seconds=seconds,
    )


def _files(folder: Path) -> dict[str, tuple[int, int, int]]:
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            status = path.stat()
            found[str(path.relative_to(folder))] = (
                status.st_mtime_ns,
                status.st_size,
                status.st_ino,
            )
    return found


def _plain(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {key: _plain(value) for key, value in node.items()}
    return [_plain(item) for item in node] if isinstance(node, list) else node

"""Google's own command `colab` (google-colab-cli): each call as a list, with a deadline."""

import contextlib
import math
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from colab_gen.errors import EnvironmentProblem, RunError
from colab_gen.interrupts import Interrupts
from colab_gen.text import one_line

__all__ = ["GPUS", "TPUS", "ColabCommand", "Execution"]

# Any other GPU it takes for an A100 and any other TPU for a v6e1, without a word.
GPUS = ("T4", "L4", "G4", "A100", "H100")
TPUS = ("V5E1", "V6E1")

_OLDEST = (0, 7, 5)
_INSTALL = "uv tool install google-colab-cli (Python 3.12 or newer, Linux or macOS)"
_LOGIN = "log in once with `colab sessions` in a terminal"
_NOT_LOGGED_IN = re.compile(
    r"To authorize colab-cli|No valid default credentials|DefaultCredentialsError|"
    r"RefreshError|invalid_grant"
)
# Seconds for a call to answer, and how much longer than its cell `exec` may take.
_VERSION, _NEW, _CONNECT, _STOP = 60.0, 300.0, 180.0, 120.0
_GRACE = 30.0
# After each of these signals it is given so many seconds to end.
_SIGNALS = ((signal.SIGINT, 20.0), (signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """How `colab exec` went.

    Attributes:
        seconds: one number for each code cell that it began, in order.
        late: the last of them was not done in its time.
        failure: how the command ended, in one line, and empty if it did so by itself and well.
    """

    seconds: tuple[float, ...]
    late: bool = False
    failure: str = ""


class ColabCommand:
    """The command on the PATH; `config` is its file of sessions, by default its own.

    Attributes:
        interrupts: what keeps Ctrl-C from `new` and `stop`, within a `with` block.
    """

    def __init__(self, config: Path | None = None) -> None:
        """Find the command.

        Raises:
            EnvironmentProblem: it is missing, is something else, or is too old.
        """
        found = shutil.which("colab")
        if not found:
            raise EnvironmentProblem(f"the command colab is not here; install it: {_INSTALL}")
        self._command = [found, *(["--config", str(config)] if config else [])]
        self.interrupts = Interrupts()
        code, text = self._call("version", within=_VERSION)
        version = re.search(r"Version: (\d+)\.(\d+)(?:\.(\d+))?", text)
        if code or not version:
            raise EnvironmentProblem(f"{found} is not google-colab-cli; install it: {_INSTALL}")
        if tuple(int(number or 0) for number in version.groups()) < _OLDEST:
            wanted = ".".join(map(str, _OLDEST))
            raise EnvironmentProblem(
                f"google-colab-cli is {version[0].split()[1]}, and {wanted} is the oldest that "
                "will do; upgrade it: uv tool upgrade google-colab-cli"
            )

    def new(self, session: str, *, gpu: str = "", tpu: str = "", high_ram: bool = False) -> None:
        """Get a machine under this name.

        Raises:
            EnvironmentProblem: nobody is logged in, or Colab did not grant the machine.
        """
        words = ["new", "-s", session]
        words += ["--gpu", gpu] if gpu else []
        words += ["--tpu", tpu.lower()] if tpu else []
        words += ["--high-mem"] if high_ram else []
        # Only a `new` that has ended lets `stop` know the machine.
        with self.interrupts.held():
            code, text = self._call(*words, within=_NEW, when_interrupted=_GRACE)
            if code is None:
                long = (
                    f"{_GRACE:g} s after Ctrl-C"
                    if self.interrupts.pressed
                    else f"within {_NEW:g} s"
                )
                raise EnvironmentProblem(
                    f"colab new did not answer {long}; whether Colab granted a machine "
                    "is told by Runtime > Manage sessions in Colab"
                )
        if _NOT_LOGGED_IN.search(text):
            raise EnvironmentProblem(f"colab is not logged in; {_LOGIN}")
        if code:
            raise EnvironmentProblem(f"colab granted no runtime: {_reason(text)}")

    def execute(self, session: str, notebook: Path, *, cells: int, timeout: float) -> Execution:
        """Execute all code cells of the file; it writes what came of it beside the file.

        Its exit status tells nothing of the cells, and it goes on after one that failed. Its own
        `--timeout` does not stop a cell that prints nothing; ours is kept by its progress lines.

        Args:
            session: the name of the machine.
            notebook: the file; `<stem>_output.ipynb` will be in the same folder.
            cells: how many code cells it has.
            timeout: seconds for each of them.

        Raises:
            EnvironmentProblem: there is no such session, or nobody is logged in.
            RunError: it ended before the first cell.
        """
        words = ["exec", "-s", session, "-f", str(notebook), "--timeout", f"{timeout:g}"]
        begun = time.monotonic()
        with tempfile.TemporaryFile() as errors:
            process = self._start(words, stdout=subprocess.PIPE, stderr=errors)
            assert process.stdout is not None
            progress = _Progress(process.stdout, cells)
            try:
                late = _watch(process, progress, begun, timeout)
            finally:
                # Interrupted, it still writes the outputs that it has.
                _end(process)
                progress.join(5)
            errors.seek(0)
            text = progress.tail + "\n" + errors.read().decode(errors="replace")
        failure = "" if process.returncode == 0 and not late else _ending(process, late, text)
        if failure and not progress.starts:
            if _NOT_LOGGED_IN.search(text):
                raise EnvironmentProblem(f"colab is not logged in; {_LOGIN}")
            if f"Session '{session}' not found" in text:
                raise EnvironmentProblem(
                    f"there is no session {one_line(session)}; `colab sessions` lists yours"
                )
            raise RunError(f"colab exec came to no cell: {failure}")
        ends = [*progress.starts[1:], time.monotonic()]
        seconds = tuple(end - start for start, end in zip(progress.starts, ends, strict=False))
        return Execution(seconds=seconds, late=late, failure=failure)

    def stop(self, session: str) -> str:
        """Release the machine; return an empty string, or that it may be running still."""
        try:
            for _ in range(10):
                code, text = self._call("stop", "-s", session, within=_STOP)
                # Ctrl-C reaches a process that has begun, and has no session of its own yet.
                if code != -signal.SIGINT:
                    break
        except OSError as error:
            code, text = 1, str(error)
        if code == 0:
            return ""
        why = f"did not answer within {_STOP:g} s" if code is None else f"failed: {_reason(text)}"
        return (
            f"the Colab machine may be running still, for colab stop {why}; release it with "
            f"`colab stop -s {session}` or Runtime > Manage sessions in Colab"
        )

    def _call(
        self, *words: str, within: float, when_interrupted: float = math.inf
    ) -> tuple[int | None, str]:
        with tempfile.TemporaryFile() as output:
            process = self._start(words, stdout=output, stderr=subprocess.STDOUT)
            until = time.monotonic() + within
            try:
                while process.poll() is None:
                    if time.monotonic() > min(until, self.interrupts.since + when_interrupted):
                        return None, ""
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(0.2)
            finally:
                _end(process)
            output.seek(0)
            return process.returncode, output.read().decode(errors="replace")

    def _start(self, words: Sequence[str], **streams: Any) -> subprocess.Popen[bytes]:
        wide = {"PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "1000"}
        return subprocess.Popen(
            [*self._command, *words],
            stdin=subprocess.DEVNULL,  # or it would wait for somebody to log in
            env={**os.environ, **wide},
            start_new_session=True,  # Ctrl-C is for us, and `new` and `stop` shall outlive it
            **streams,
        )


class _Progress(threading.Thread):
    """Reads what `colab exec` prints, and notes when it began each cell."""

    def __init__(self, stream: IO[bytes], cells: int) -> None:
        super().__init__(daemon=True)
        self.starts: list[float] = []
        self.tail = ""
        self._stream = stream
        self._cells = cells
        self.start()

    def run(self) -> None:
        text = b""
        with self._stream:
            while data := os.read(self._stream.fileno(), 65536):
                text = text[-4000:] + data
                # What a cell printed last may stand on the same line.
                while self._mark in text:
                    self.starts.append(time.monotonic())
                    text = text.partition(self._last_mark)[2]
        self.tail = text[-4000:].decode(errors="replace")

    @property
    def _mark(self) -> bytes:
        return b"[colab] Executing cell %d/%d" % (len(self.starts) + 1, self._cells)

    @property
    def _last_mark(self) -> bytes:
        return b"[colab] Executing cell %d/%d" % (len(self.starts), self._cells)


def _watch(
    process: subprocess.Popen[bytes], progress: _Progress, begun: float, timeout: float
) -> bool:
    """Wait for the end; return whether it had to be given up."""
    while process.poll() is None:
        starts = progress.starts
        until = starts[-1] + timeout + _GRACE if starts else begun + _CONNECT
        if time.monotonic() > until:
            return True
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.2)
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    for number, seconds in _SIGNALS:
        if process.poll() is not None:
            return
        process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)


def _ending(process: subprocess.Popen[bytes], late: bool, text: str) -> str:
    if late:
        return "it did not answer in time"
    if process.returncode < 0:
        return f"it was killed by signal {-process.returncode}"
    return f"it ended with exit code {process.returncode}: {_reason(text)}"


def _reason(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return one_line(lines[-1].removeprefix("[colab] "), 400) if lines else "it did not say why"

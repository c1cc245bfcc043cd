"""nbconvert's ExecutePreprocessor with Colab's page: tagged outputs, one outcome a cell."""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

from jupyter_core.utils import run_sync
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert.preprocessors import ExecutePreprocessor

from colab_gen.standin.client import quiet_log
from colab_gen.standin.frontend import FrontEnd

__all__ = ["Executor", "Status"]

Status = Literal["passed", "failed", "not run"]

# Called with the index of a cell, how it went, the failure in one line, and the seconds it took.
OnCell = Callable[[int, Status, str, float], None]

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_LONGEST = 500
# Seconds that an interrupted cell has to clean up.
_MOMENT = 5
_NO_MEMORY = ", as when memory runs out: keep less of it, or take a larger runtime"
# A page drops what a cell prints without end, too; here it would fill our memory.
_MOST_PRINTED = 5_000_000


class Executor(ExecutePreprocessor):
    """Executes the code cells up to the first that fails, or to the end of the session."""

    def __init__(
        self,
        *,
        front_end: FrontEnd,
        timeout: float,
        on_cell: OnCell,
        on_ready: Callable[[], None] | None = None,
    ) -> None:
        """Describe a run; `preprocess` with a manager from the machine carries it out.

        `on_ready` is called before the first cell, when the kernel is ready.
        """
        super().__init__(  # type: ignore[no-untyped-call]
            timeout_func=lambda _cell: timeout,
            startup_timeout=60,
            iopub_timeout=10,
            record_timing=False,
            log=quiet_log(),
        )
        self._front_end = front_end
        self._seconds = timeout
        self._on_cell = on_cell
        self._on_ready = on_ready
        self._over = False
        self._printed = 0
        self._tagged = _TaggedOutputs()
        self._listening: asyncio.Task[None] | None = None

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> tuple[Any, Any]:
        """Execute a code cell, unless the run is over, and tell how it went."""
        if self._on_ready:
            self._on_ready()
            self._on_ready = None
        if cell.cell_type != "code":
            return cell, resources
        if self._over:
            self._on_cell(index, "not run", "", 0.0)
            return cell, resources
        self._tagged = _TaggedOutputs()
        self._printed = 0
        start = time.perf_counter()
        message = self._execute(cell, resources, index)
        self._over = bool(message) or self._front_end.disconnected
        seconds = time.perf_counter() - start
        self._on_cell(index, "failed" if message else "passed", message, seconds)
        return cell, resources

    def _execute(self, cell: Any, resources: Any, index: int) -> str:
        message = ""
        try:
            super().preprocess_cell(cell, resources, index)  # type: ignore[no-untyped-call]
        except CellExecutionError as error:
            message = _one_line(f"{error.ename}: {error.evalue}" if error.evalue else error.ename)
            if error.ename == "KeyboardInterrupt":
                message = self._front_end.hopeless or message
        except CellTimeoutError:
            message = f"the cell took longer than {self._seconds:g} s and was interrupted"
            if not _interrupt(self.km, self._listening):
                return message
        except DeadKernelError:
            if self._front_end.disconnected:
                return ""
            return f"the session crashed: {_cause(self.km)}"
        _finish_cell(self._front_end, self.kc)
        return message

    async def _async_poll_output_msg(self, *arguments: Any) -> None:
        self._listening = asyncio.current_task()
        await super()._async_poll_output_msg(*arguments)

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        """Take a message as nbclient does, except for what Colab's page does with tags."""
        kind, content = msg["msg_type"], msg["content"]
        if kind == "display_data":
            area = (content.get("metadata") or {}).get("outputarea")
            if isinstance(area, Mapping) and area.get("nodisplay"):
                self._tagged.switch(area)
                return None
        if kind == "clear_output" and content.get("output_tags"):
            if content.get("wait"):
                self._tagged.waiting = tuple(content["output_tags"])
            else:
                self._remove(cell, cell_index, content["output_tags"])
            return None
        if self._tagged.waiting and kind in ("stream", "display_data", "execute_result", "error"):
            self._remove(cell, cell_index, self._tagged.waiting)
            self._tagged.waiting = ()
        if kind == "stream":
            self._printed += len(content["text"])
            if self._printed > _MOST_PRINTED:
                return None
        output = super().process_message(msg, cell, cell_index)
        if output is not None:
            self._tagged.mark(output)
        return output

    def _remove(self, cell: Any, index: int, tags: Any) -> None:
        doomed = [n for n, output in enumerate(cell.outputs) if self._tagged.has(output, tags)]
        cell.outputs = [o for n, o in enumerate(cell.outputs) if n not in doomed]
        for places in self._display_id_map.values():  # which holds positions among the outputs
            if index in places:
                left = [n for n in places[index] if n not in doomed]
                places[index] = [n - sum(d < n for d in doomed) for n in left]


class _TaggedOutputs:
    """Which tags are on, and which were when each output of the cell came."""

    def __init__(self) -> None:
        self.waiting: tuple[str, ...] = ()
        self._on: set[str] = set()
        self._of: dict[int, tuple[Any, frozenset[str]]] = {}

    def switch(self, area: Mapping[str, Any]) -> None:
        self._on |= set(area.get("add_tags") or ())
        self._on -= set(area.get("remove_tags") or ())

    def mark(self, output: Any) -> None:
        self._of[id(output)] = (output, frozenset(self._on))

    def has(self, output: Any, tags: Any) -> bool:
        return set(tags) <= self._of.get(id(output), (None, frozenset()))[1]


def _one_line(text: str) -> str:
    line = " ".join(_ANSI.sub("", text).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _cause(manager: Any) -> str:
    code = manager.exit_code
    if code is None:
        return "the kernel is gone"
    if code < 0 or code > 128:
        number = -code if code < 0 else code - 128
        why = _NO_MEMORY if number == 9 else ""
        return f"the kernel was killed by signal {number}{why}"
    return f"the kernel ended with exit code {code}"


async def _async_finish_cell(front_end: FrontEnd, client: Any) -> None:
    if await client.is_alive():
        await front_end.finish_cell(client)


async def _async_interrupt(manager: Any, listening: "asyncio.Task[None] | None") -> bool:
    """Interrupt the cell; return whether it ended then, within a moment."""
    await manager.interrupt_kernel()
    assert listening is not None
    ended, _ = await asyncio.wait({listening}, timeout=_MOMENT)
    # nbclient leaves it behind, where it would take the messages of whoever reads next.
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    return bool(ended)


_finish_cell = run_sync(_async_finish_cell)
_interrupt = run_sync(_async_interrupt)

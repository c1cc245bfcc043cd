"""A process that has done a kernel's imports and forks a kernel whenever it is asked for one.

Runs under the kernel's interpreter, as launch.py does. It holds no thread, event loop or socket of
zmq, since a fork copies none of these in working order; what a fork must not share with its
siblings is made anew in `start_afresh`.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["serve", "settle_garbage", "start_afresh"]

# What ipykernel sets it to where it is not set, and a library reads it once.
_BACKEND = "module://matplotlib_inline.backend_inline"
# What ipykernel imports while it starts, by and by; versions differ in what there is.
_WHILE_STARTING = (
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "encodings.idna",
    "faulthandler",
    "gzip",
    "http.client",
    "ipykernel.datapub",
    "ipykernel.inprocess",
    "pydoc",
    "resource",
    "sqlite3",
    "stringprep",
    "tornado.platform.asyncio",
    "tornado.queues",
)
_Facts = dict[str, Any]


def serve(
    control: int,
    folder: Path,
    preload: list[str],
    *,
    versions: Callable[[], _Facts],
    refusal: Callable[[str], str],
    paths: Callable[[], list[str]],
    start: Callable[..., None],
) -> None:
    """Answer requests until the other side is gone, then kill what is left and exit.

    Args:
        control: the descriptor of a socket that carries a JSON object a line each way.
        folder: a private folder; `home` in it is where imports find a home.
        preload: modules to be imported, as far as they are there.
        versions: imports what a kernel is and returns facts about it.
        refusal: returns why there are no namespaces; is given an empty folder.
        paths: returns where the interpreter and what it has loaded lie.
        start: becomes a kernel; takes the order, the connection file and what is known.
    """
    host = socket.socket(fileno=control)
    try:
        known = {**_import(folder, preload, versions), "parent": os.getpid(), "paths": paths()}
        # This forks, whereupon libraries of linear algebra end the threads they have started.
        known["refusal"] = refusal(str(folder / "empty"))
        _check_threads()
    except (ImportError, RuntimeError) as error:
        _say(host, {"refused": " ".join(str(error).split()) or type(error).__name__})
        os._exit(3)
    settle_garbage()
    _say(host, {"ready": os.getpid()})
    _Forks(host, start, known).answer()


def settle_garbage() -> None:
    """Let the collector look at what comes from now on only; till here it is best switched off."""
    # What is here now is hardly ever garbage, and looking for it takes time and copies its pages.
    gc.freeze()
    gc.enable()


def start_afresh() -> None:
    """Make a forked kernel differ from its siblings where a process of its own would."""
    tempfile.tempdir = None
    if numpy := sys.modules.get("numpy"):  # Python's own generators see to it themselves
        numpy.random.seed()
    if matplotlib := sys.modules.get("matplotlib"):
        for name in ("get_configdir", "get_cachedir"):
            clear = getattr(getattr(matplotlib, name, None), "cache_clear", None)
            if clear is not None:
                clear()


def _import(folder: Path, preload: list[str], versions: Callable[[], _Facts]) -> _Facts:
    """Return the versions, and the variables set by what a kernel imports as it goes."""
    os.chdir(folder / "home")  # matplotlib looks for settings where it is imported
    environment = dict(os.environ)
    for name in [n for n in environment if n.startswith(("MPL", "MATPLOTLIB", "XDG_"))]:
        del os.environ[name]
    # Settings of the user's are not the kernel's; libraries read them as they are imported.
    os.environ.update(HOME=str(folder / "home"), MPLBACKEND=_BACKEND)
    facts = versions()
    before = dict(os.environ)
    for name in (*_WHILE_STARTING, *preload):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    after = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    changed = {name: value for name, value in after.items() if before.get(name) != value}
    return {**facts, "variables": changed}


def _check_threads() -> None:
    threads = len(os.listdir("/proc/self/task"))
    if threads > 1:
        raise RuntimeError(f"{threads} threads are running after the imports")


class _Forks:
    """The kernels that were forked and have not ended."""

    def __init__(self, host: socket.socket, start: Callable[..., None], known: _Facts) -> None:
        self._host, self._start, self._known = host, start, known
        self._number_of: dict[int, int] = {}  # process id -> number of the request
        self._parent = os.getppid()

    def answer(self) -> None:
        waiting: list[Any] = [self._host]
        reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._wakeup = (reading, writing)
        waiting.append(reading)
        rest = b""
        # The other end of the socket may have been inherited by a process that lives longer.
        while os.getppid() == self._parent:
            ready, _, _ = select.select(waiting, [], [], 1)
            if reading in ready:
                os.read(reading, 4096)
                self._reap()
            if self._host in ready:
                data = self._host.recv(65536)
                if not data:
                    break
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._do(json.loads(line))
        for pid in self._number_of:
            _signal(pid, signal.SIGKILL)
        os._exit(0)

    def _do(self, request: dict[str, Any]) -> None:
        number = request["number"]
        if "signal" in request:
            for pid in [p for p, n in self._number_of.items() if n == number]:
                _signal(pid, request["signal"])
            return
        try:
            pid = os.fork()
        except OSError as error:
            _say(self._host, {"number": number, "refused": str(error)})
            return
        if pid == 0:
            self._become_kernel(request)
        self._number_of[pid] = number
        _say(self._host, {"number": number, "pid": pid})

    def _become_kernel(self, request: dict[str, Any]) -> None:
        code = 1
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for descriptor in self._wakeup:
                os.close(descriptor)
            self._host.close()
            complaints = os.open(request["stderr"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            os.dup2(complaints, 2)
            os.close(complaints)
            self._start(request["order"], request["connection"], known=self._known)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    def _reap(self) -> None:
        while self._number_of:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            number = self._number_of.pop(pid, None)
            if number is not None:
                code = os.waitstatus_to_exitcode(status)
                _say(self._host, {"number": number, "code": code})


def _signal(pid: int, number: int) -> None:
    # Neither id can be another's yet, for the process has not been waited for.
    for send in (os.killpg, os.kill):
        with contextlib.suppress(OSError):
            send(pid, number)
            return


def _say(host: socket.socket, message: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        host.sendall(json.dumps(message).encode() + b"\n")

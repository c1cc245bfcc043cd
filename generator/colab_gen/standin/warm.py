"""Kernels forked from a process that has done their imports, the host's side of it."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from colab_gen.standin.folders import Folder

__all__ = ["WarmKernel", "WarmParent", "keep_font_list", "preload_for"]

_LAUNCHER = Path(__file__).resolve().with_name("launch.py")
# What is slow to import and safe to have imported before a fork: package -> its modules. pyplot and
# tqdm.auto are not among them, for they ask on import which shell they are in.
_PRELOADS = {
    "PIL": ("PIL.Image", "PIL.PngImagePlugin", "PIL.JpegImagePlugin"),
    "matplotlib": (
        "matplotlib.backends.backend_agg",
        "matplotlib.figure",
        "matplotlib.font_manager",
        "matplotlib.style",
    ),
    "numpy": ("numpy", "numpy.random"),
    "pandas": ("pandas",),
    "requests": ("requests",),
    "tqdm": ("tqdm",),
}
_PATIENCE = 60


def preload_for(notebooks: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the modules to import ahead, of those that the notebooks' cells import."""
    found = set()
    for notebook in notebooks:
        for cell in notebook.get("cells", ()):
            source = cell.get("source", "")
            text = source if isinstance(source, str) else "".join(source)
            found.update(re.findall(r"^[ \t]*(?:import|from)[ \t]+(\w+)", text, re.MULTILINE))
    return tuple(m for name in sorted(found) for m in _PRELOADS.get(name, ()))


def keep_font_list(home: Path) -> None:
    """Copy the user's list of fonts to a new home, where matplotlib takes seconds to make it."""
    source = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "matplotlib"
    with contextlib.suppress(OSError):
        for file in source.glob("fontlist-*.json"):
            target = home / ".cache" / "matplotlib"
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target / file.name)


class WarmParent:
    """The process that forks kernels, for as long as the `with` block lasts.

    Any thread may ask it. Where it cannot be had it says so in `refusal`, and gives no kernels.

    Attributes:
        python: the interpreter of the kernels.
    """

    def __init__(self, python: str = sys.executable, preload: Sequence[str] = ()) -> None:
        """Describe it: the interpreter and the modules to be imported ahead, by full name."""
        self.python = python
        self._preload = tuple(preload)
        self._lock = threading.Lock()
        self._kernels: dict[int, WarmKernel] = {}
        self._asked = 0
        self._settled = threading.Event()
        self._refusal = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()

    def __enter__(self) -> Self:
        """Start the process; it imports while this one goes on."""
        # Elsewhere a process that has used the system's own libraries cannot be forked safely.
        if sys.platform != "linux":
            self._refuse(f"{sys.platform} has no safe fork")
            return self
        self._own = Folder()
        self._folder = self._own.path
        for name in ("home", "empty"):
            (self._folder / name).mkdir()
        keep_font_list(self._folder / "home")
        self._socket, other = socket.socketpair()
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("PYTHON") or name == "PYTHONHOME"
        }
        try:
            with other, open(self._folder / "stderr.txt", "wb") as complaints:
                self._process = subprocess.Popen(
                    [
                        self.python,
                        str(_LAUNCHER),
                        "--warm",
                        str(other.fileno()),
                        str(self._folder),
                        *self._preload,
                    ],
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=complaints,
                    pass_fds=[other.fileno()],
                    start_new_session=True,
                )
        except OSError as error:
            self._refuse(f"{self.python} cannot be run: {error.strerror}")
            return self
        self._listener = threading.Thread(target=self._listen, daemon=True, name="warm parent")
        self._listener.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process and its kernels."""
        if sys.platform != "linux" or os.getpid() != self._owner:
            return
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        if self._process is not None:
            try:
                self._process.wait(timeout=5 if self._settled.is_set() else 0)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._listener.join()
        self._socket.close()
        self._own.remove()

    @property
    def refusal(self) -> str:
        """Why no kernel comes from here, once that is known, else an empty text."""
        return self._refusal

    def start(self, order: str, connection: str, stderr: str) -> "WarmKernel | None":
        """Return a kernel that sets about starting, or None where one is to be started alone.

        Args:
            order: the file that says what the kernel's machine is like.
            connection: its connection file.
            stderr: the file for what it has to complain about.
        """
        if not self._settled.wait(_PATIENCE) or self._refusal or os.getpid() != self._owner:
            return None
        with self._lock:
            if self._refusal:  # said since; nobody would hear the end of this one
                return None
            self._asked += 1
            kernel = WarmKernel(self, self._asked)
            self._kernels[self._asked] = kernel
        request = {"order": order, "connection": connection, "stderr": stderr}
        self._ask({"number": kernel.number, **request})
        kernel.begun.wait(_PATIENCE)
        return kernel if kernel.pid else None

    def _ask(self, request: dict[str, Any]) -> None:
        with self._lock, contextlib.suppress(OSError):
            self._socket.sendall(json.dumps(request).encode() + b"\n")

    def _listen(self) -> None:
        with contextlib.suppress(OSError), self._socket.makefile("rb") as lines:
            for line in lines:
                self._hear(json.loads(line))
        self._refuse("the process that forks kernels has ended")
        with self._lock:
            left, self._kernels = list(self._kernels.values()), {}
        for kernel in left:  # they die with it
            kernel.end(-signal.SIGKILL)

    def _hear(self, message: dict[str, Any]) -> None:
        if "number" not in message:
            if "refused" in message:
                self._refuse(message["refused"])
            self._settled.set()
            return
        if "pid" in message:
            kernel = self._kernels[message["number"]]
            kernel.pid = message["pid"]
            kernel.begun.set()
            return
        with self._lock:
            kernel = self._kernels.pop(message["number"])
        kernel.end(message.get("code", 1))

    def _refuse(self, why: str) -> None:
        self._refusal = self._refusal or why
        self._settled.set()


class WarmKernel:
    """A forked kernel, to be dealt with as a `subprocess.Popen`; it leads a group of its own."""

    stdin = stdout = stderr = None

    def __init__(self, parent: WarmParent, number: int) -> None:
        self.number = number
        self.pid = 0
        self.returncode: int | None = None
        self.begun = threading.Event()
        self._ended = threading.Event()
        self._parent = parent

    def end(self, code: int) -> None:
        """Take note that it has ended."""
        self.returncode = code
        self.begun.set()
        self._ended.set()

    def poll(self) -> int | None:
        """Return what it ended with, a signal as a negative number, or None while it lives."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return what it ended with, once it has.

        Raises:
            subprocess.TimeoutExpired: it has not, in that time.
        """
        if not self._ended.wait(timeout):
            raise subprocess.TimeoutExpired("kernel", timeout or 0)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Signal the kernel and all of its group."""
        # Through the parent, which alone knows that the number is not another process's by now.
        if self.returncode is None:
            self._parent._ask({"number": self.number, "signal": int(number)})

    def kill(self) -> None:
        """Kill the kernel and all of its group."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask the kernel and all of its group to end."""
        self.send_signal(signal.SIGTERM)

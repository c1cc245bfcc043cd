"""The kernel itself, once it is where it belongs: ipykernel with what Colab's adds to it.

Runs under the kernel's interpreter; standard library, IPython and ipykernel only.
"""

import contextlib
import functools
import importlib
import json
import os
import platform
import re
import signal
import sys
import time
import tokenize
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

__all__ = ["extra_files", "run", "versions"]

# What cells use most of what Colab's image holds; a report tells of their versions.
_PACKAGES = ("matplotlib", "numpy", "pandas", "pillow", "tqdm")


def versions() -> dict[str, Any]:
    """Return the versions that decide how cells run.

    Raises:
        ImportError: this interpreter cannot run a kernel.
    """
    # ipykernel does without the debugger where there is none; nobody debugs here, and it is a
    # third of all that is imported. Cells can import it.
    sys.modules["debugpy"] = None  # type: ignore[assignment]
    try:
        import ipykernel.debugger
        import ipykernel.kernelapp
    finally:
        del sys.modules["debugpy"]
    import IPython
    from IPython.core.inputtransformer2 import TransformerManager

    _application_class()
    # Compiles, once for all forks, the expressions by which Python's tokenize goes.
    transformers: Any = TransformerManager
    transformers().transform_cell("rehearsed = 1\n")
    packages = {}
    for name in _PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            packages[name] = metadata.version(name)
    return {
        "environment": {
            "python": platform.python_version(),
            "ipython": IPython.__version__,
            "ipykernel": ipykernel._version.__version__,
            **packages,
        }
    }


def run(
    connection: str,
    *,
    parent: int,
    memory: int,
    drive: str,
    rewrite: str,
    real: bool,
    colab: bool = True,
    settings: dict[str, Any] | None = None,
) -> None:
    """Be the kernel until it ends.

    Args:
        connection: the connection file.
        parent: the process with which the kernel ends, 0 where something else sees to it.
        memory: bytes that the process may have, 0 for any number.
        drive: the folder that stands for Drive's file system, for `google.colab.drive`.
        rewrite: the machine's folder where there is no /content of its own, else an empty text.
        real: the google.colab on the path is Google's.
        colab: the kernel is Colab's, with google.colab in it.
        settings: what goes wrong, and how long is waited for what nobody answers.

    Raises:
        ImportError: the google.colab on the path lacks something.
    """
    settings = settings or {}
    sys.argv = ["ipykernel_launcher.py", "-f", connection]
    if colab:
        _complete_google_namespace()
    if real and colab:
        _put_back_what_newer_ipython_lacks()
    if settings.get("memory") is not None:
        _watch_memory(int(settings["memory"]) << 20)
    app = _application_class().instance(parent_handle=parent)
    app.initialize([connection])
    _flush_only_what_is_there()
    if colab:
        _add_colab(app.shell, drive, settings, real=real, linked=bool(rewrite))
    _mend_system_assign(app.shell)
    if rewrite:
        app.shell.input_transformers_cleanup.insert(0, _content_in(rewrite))
    _limit_memory(memory)
    app.start()
    os._exit(0)


@functools.cache
def _application_class() -> Any:
    """Return ipykernel's application, which here is started with just a connection file."""
    from ipykernel import kernelapp
    from ipykernel.kernelapp import IPKernelApp
    from traitlets.config import Config

    # Colab's kernel has no subshells, whose thread each message would have to pass.
    if hasattr(kernelapp, "ShellChannelThread"):
        kernelapp.ShellChannelThread = lambda *_, **__: None

    class Application(IPKernelApp):
        name = IPKernelApp.name

        def parse_command_line(self, argv: Any = None) -> None:
            # A parser for every option there is takes as long to make as half a shell.
            told = {"connection_file": argv[0]}
            # What asks for it writes out what is waiting; else a thread would for each cell.
            history = {"hist_file": ":memory:", "db_cache_size": 1000}
            self.update_config(Config({"IPKernelApp": told, "HistoryManager": history}))
            # It would make a record of every message, and have a handler drop it.
            self.log.setLevel(self.log_level)

    return Application


def _flush_only_what_is_there() -> None:
    """Spare each cell four flushes of empty streams, each of which waits for another thread."""
    from ipykernel.iostream import OutStream

    streams: Any = OutStream
    flush = streams.flush

    def flush_if_needed(stream: Any) -> None:
        here = getattr(stream, "_flush_pending", True)
        if here or getattr(stream, "_subprocess_flush_pending", True):
            flush(stream)

    streams.flush = flush_if_needed


def _add_colab(
    shell: Any, drive: str, settings: dict[str, Any], *, real: bool, linked: bool
) -> None:
    try:
        package = importlib.import_module("google.colab")
    except ImportError as error:
        raise ImportError(f"{sys.executable} cannot import google.colab: {error}") from error
    importlib.import_module("google.colab.drive")
    if not real:
        sys.modules["google.colab.drive"]._where = (drive, not linked)  # type: ignore[attr-defined]
        importlib.import_module("google.colab._settings").settings.update(settings)
    package.load_ipython_extension(shell)


def _watch_memory(limit: int) -> None:
    """Have the kernel killed when it takes more than `limit` bytes, as Colab's VM kills it."""
    kernel = os.getpid()
    if not os.path.exists("/proc/self/statm") or os.fork():
        return
    page = os.sysconf("SC_PAGE_SIZE")
    while os.getppid() == kernel:
        with open(f"/proc/{kernel}/statm") as file:
            if int(file.read().split()[1]) * page > limit:
                os.kill(kernel, signal.SIGKILL)
        time.sleep(0.01)
    os._exit(0)


def _limit_memory(memory: int) -> None:
    import resource

    # Address space is reserved generously by threads and GPU libraries; data is what fills memory.
    kind = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS
    if memory:
        resource.setrlimit(kind, (memory, memory))


def _complete_google_namespace() -> None:
    # An installed google package with an __init__.py of its own hides the folders before it.
    try:
        google = importlib.import_module("google")
    except ImportError:
        return
    ours = str(Path(sys.path[0]) / "google")
    if ours not in list(google.__path__):
        google.__path__ = [ours, *google.__path__]


def _mend_system_assign(shell: Any) -> None:
    """Make `x = !command` work where IPython expects the tokens of Python before 3.12."""
    from IPython.core import inputtransformer2 as it2

    lines = ["x = !y\n"]
    if "getoutput" in "".join(shell.input_transformer_manager.do_token_transforms(lines)):
        return

    class SystemAssign(it2.SystemAssign):
        @classmethod
        def find(cls, tokens_by_line: list[list[tokenize.TokenInfo]]) -> Any:
            for line in tokens_by_line:
                at = it2._find_assign_op(line)
                if at is None or line[at].line.strip().startswith("="):
                    continue
                after = line[at + 1] if at + 1 < len(line) else None
                if after is not None and after.string == "!":
                    return cls(after.start)
            return None

    transformers = shell.input_transformer_manager.token_transformers
    transformers[transformers.index(it2.SystemAssign)] = SystemAssign


def _content_in(machine: str) -> Callable[[list[str]], list[str]]:
    pattern = re.compile(r"(?<![\w./~-])/content(?![\w-])")

    def rewritten(lines: list[str]) -> list[str]:
        return [pattern.sub(f"{machine}/content", line) for line in lines]

    return rewritten


def extra_files(machine: Path, settings: dict[str, Any]) -> dict[str, str]:
    """Return what is looked for on the VM, Drive's program for one: source -> path inside."""
    folder = machine / "vm"
    folder.mkdir(exist_ok=True)
    hostname, program = folder / "hostname", folder / "drive"
    hostname.write_text("colab\n")
    source = Path(__file__).with_name("driveprogram.py").read_text()
    program.write_text(f"#!{sys.executable}\n{source}")
    program.chmod(0o755)
    faults = folder / "settings.json"
    faults.write_text(json.dumps(settings))
    return {
        str(hostname): "/var/colab/hostname",
        str(program): "/opt/google/drive/drive",
        str(faults): "/opt/google/drive/settings.json",
        str(Path(__file__).with_name("drivefs.py")): "/opt/google/drive/drivefs.py",
    }


def _put_back_what_newer_ipython_lacks() -> None:
    from IPython.utils import coloransi

    for name, code in (("Normal", "0"), ("Red", "0;31"), ("Green", "0;32")):
        if not hasattr(coloransi.TermColors, name):
            setattr(coloransi.TermColors, name, f"\033[{code}m")

"""The machine that a kernel runs on: folders that stand for Colab's, and the kernel in them."""

import contextlib
import json
import os
import sys
import tempfile
import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from jupyter_client.kernelspec import KernelSpec

from colab_gen.standin.client import Manager, quiet_log
from colab_gen.standin.faults import Faults
from colab_gen.standin.folders import Folder, remove_tree
from colab_gen.standin.frontend import FrontEnd
from colab_gen.standin.targets import TARGETS, Target
from colab_gen.standin.warm import WarmParent, keep_font_list

__all__ = ["Machine", "kill_kernels"]

# What part of the time that they would take the questions take that nobody answers.
_HURRY = 0.05
_HERE = Path(__file__).resolve().parent
_ROOTS = ("MyDrive", "Shareddrives", "Othercomputers", ".Trash-0", ".shortcut-targets-by-id")
_LIMITS = {
    "network": "the cells could reach the network of this machine",
    "processes": "the cells could see the processes of this machine",
}


# Machines of this process that are in use, by the thread that uses each.
_IN_USE: dict[int, "Machine"] = {}


class Machine:
    """Folders that last as long as the `with` block, and what it takes to start a kernel in them.

    Attributes:
        root: the folder of everything; it goes away with the machine.
        content: what the kernel sees as /content.
        drive: what it sees as My Drive.
        downloads: where the page saves what it is given.
    """

    def __init__(
        self,
        *,
        python: str = sys.executable,
        google_colab: Path | None = None,
        allow_network: bool = False,
        memory: int = 4 * 2**30,
        isolated: bool | None = None,
        warm: WarmParent | None = None,
        target: Target = TARGETS["web"],
        faults: Faults | None = None,
    ) -> None:
        """Describe a machine.

        Args:
            python: the kernel's interpreter, which needs ipykernel.
            google_colab: a checkout of Google's package, to be used in place of ours.
            allow_network: let the cells reach beyond this machine.
            memory: bytes that the kernel may use, 0 for any number.
            isolated: namespaces of its own, or none; the default is where they are to be had.
            warm: what forks the kernels, if it is of the same interpreter.
            target: the place that it stands for.
            faults: what goes wrong on it.
        """
        forced = os.environ.get("COLAB_GEN_ISOLATED")
        self.isolated = isolated if isolated is not None or not forced else forced != "0"
        self.python = python
        self._google_colab = google_colab
        self._network = allow_network
        self._memory = memory
        self._warm = warm if warm is not None and warm.python == python else None
        self._target = target
        self._faults = faults or Faults()
        self._managers: list[Manager] = []
        self._refusal = ""

    def __enter__(self) -> Self:
        """Make the folders."""
        # Sockets lie in it, whose paths end at about a hundred characters.
        short = "/tmp" if len(tempfile.gettempdir()) > 50 and os.path.isdir("/tmp") else None
        self._folder = Folder(short)
        self.root = self._folder.path
        self.content = self.root / "content"
        self.downloads = self.root / "downloads"
        files = self.root / "drivefs" / "files"
        self.drive = files / "MyDrive"
        if not self._target.colab:  # a folder stands for it, made by the cells themselves
            self.drive = self.content / "drive" / "MyDrive"
        try:
            self.drive.mkdir(parents=True)
            for name in ("content/.config", "content/sample_data", "downloads", "home", "new"):
                (self.root / name).mkdir(parents=True)
            for name in ("run", "tmp", "drivefs/work", "drivefs/empty"):
                (self.root / name).mkdir(parents=True)
            for name in _ROOTS:
                (files / name).mkdir(parents=True, exist_ok=True)
            # The name of before 2020 still leads there.
            (files / "My Drive").symlink_to("MyDrive")
            (self.root / "tmp").chmod(0o1777)
            keep_font_list(self.root / "home")
        except BaseException:
            self._folder.remove()
            raise
        _IN_USE[threading.get_ident()] = self
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the kernels and remove the folders."""
        _IN_USE.pop(threading.get_ident(), None)
        try:
            for manager in self._managers:
                manager.end()
        finally:
            self._folder.remove()

    def manager(self, front_end: FrontEnd) -> Manager:
        """Return a kernel manager, not yet started, whose client speaks to the front end."""
        number = len(self._managers)
        order = self.root / f"order{number}.json"
        order.write_text(json.dumps(self._order()))
        (self.root / "run" / "state.json").unlink(missing_ok=True)
        manager = Manager(
            transport="ipc",
            ip=str(self.root / "run" / f"k{number}"),
            connection_file=str(self.root / "run" / f"k{number}.json"),
            log=quiet_log(),
        )
        manager.front_end = front_end
        manager.warm = self._warm
        manager.stderr = self.root / f"stderr{number}.txt"
        launcher = str(_HERE / "launch.py")
        manager._kernel_spec = KernelSpec(
            argv=[self.python, launcher, str(order), "{connection_file}"],
            display_name="Python 3",
            language="python",
        )
        self._managers.append(manager)
        return manager

    def _order(self) -> dict[str, Any]:
        real = self._google_colab
        return {
            "machine": str(self.root),
            "isolated": self.isolated,
            "network": self._network,
            "memory": self._memory,
            "site": str(Path(real).resolve() if real else _HERE / "site"),
            "real": real is not None,
            "environment": dict(self._target.environment),
            "work": self._target.work,
            "home": self._target.home,
            "colab": self._target.colab,
            "settings": self._settings(),
        }

    def _settings(self) -> dict[str, Any]:
        # Google's own package keeps its deadlines; nobody needs to sit them out with ours.
        silent = self._target.answers is not None or "nobody" in self._faults.of("page")
        return {
            "patience": _HURRY if silent else 1,
            "mount": next(iter(self._faults.of("mount")), ""),
            "files": self._faults.of("files"),
            "fuse": False,
            "memory": self._faults.value("out-of-memory"),
        }

    @property
    def credentials(self) -> Path:
        """The file that is there once the page has given its consent."""
        return self.root / "run" / "credentials"

    def renew(self) -> None:
        """Have another machine in its place, with the same Drive; no kernel runs any more."""
        for manager in self._managers:
            manager.end()
        self.credentials.unlink(missing_ok=True)
        for name in ("content", "home", "tmp"):
            for path in (self.root / name).iterdir():
                if not self.drive.is_relative_to(path):
                    remove_tree(path)
        for name in ("content/.config", "content/sample_data"):
            (self.root / name).mkdir(parents=True, exist_ok=True)

    @property
    def state(self) -> Mapping[str, Any]:
        """What the launcher told: `environment`, `isolated`, `missing`, `refusal`, `fault`."""
        try:
            state: dict[str, Any] = json.loads((self.root / "run" / "state.json").read_text())
        except (OSError, ValueError):
            return {}
        return state

    def give_up(self) -> bool:
        """Return whether the last kernel lacked namespaces, or the process that forked it.

        The next one does without.
        """
        last = self._managers[-1]
        if self.isolated is None and last.exit_code == 4:
            self.isolated, self._refusal = False, str(self.state.get("refusal", ""))
            return True
        if last.forked and self._warm and self._warm.refusal:
            self._warm = None
            return True
        return False

    @property
    def fault(self) -> str:
        """Why the kernel did not start, in one line."""
        if text := self.state.get("fault"):
            return str(text)
        last = ""
        for manager in self._managers[-1:]:
            with contextlib.suppress(OSError):
                lines = manager.stderr.read_text(errors="replace").split("\n")
                last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return last or "the kernel said nothing"

    @property
    def limits(self) -> tuple[str, ...]:
        """What was not stood in for, a sentence each."""
        state = self.state
        if not state:
            return ()
        limits = [_LIMITS[name] for name in state.get("missing", ()) if name in _LIMITS]
        if not state["isolated"]:
            refusal = state.get("refusal") or self._refusal
            why = f", because {refusal}" if refusal else ""
            limits += [
                f"the cells ran on this machine's own file system{why}",
                f"/content was written {self.content} in the cells before they ran",
                "Drive was a link and not a mount, and could be written when mounted read-only",
            ]
            if not self._network:
                limits.append(_LIMITS["network"])
        fuse = state["isolated"] and "fuse" not in state.get("missing", ())
        limits += self._limits_of_faults(fuse=fuse)
        if self._google_colab and self._target.colab and not fuse:
            limits.append("drive.flush_and_unmount found nothing mounted, for it looks for FUSE")
        return tuple(limits)

    def _limits_of_faults(self, *, fuse: bool) -> list[str]:
        limits = []
        if self._settings()["patience"] != 1 and not self._google_colab and self._target.colab:
            limits.append("what nobody answers was waited for a twentieth of the time only")
        if not self._target.colab and (self._faults.of("mount") or self._faults.of("files")):
            limits.append(f"no fault of Drive was made, because {self._target.title} has no Drive")
        elif self._faults.of("files") and not fuse:
            what = "nothing" if self._google_colab else "Python's own file functions only"
            limits.append(f"the faults of files on Drive met {what}, for lack of /dev/fuse")
        return limits


def kill_kernels(threads: Collection[int]) -> None:
    """Kill the kernels of the machines that these threads use, which ends the runs in them."""
    for thread in threads:
        machine = _IN_USE.get(thread)
        for manager in machine._managers if machine else ():
            manager.kill()

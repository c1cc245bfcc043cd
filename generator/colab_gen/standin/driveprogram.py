"""Stands for the program that mounts Drive on the VM, as Google's drive.py calls it, and ours."""

import ctypes
import errno
import json
import os
import re
import signal
import sys
import time
from pathlib import Path

import drivefs  # type: ignore[import-not-found]  # beside it on the VM

__all__: list[str] = []

_BIND, _REMOUNT, _RDONLY = 0x1000, 0x20, 0x1
# A Drive that was mounted once more is another program, but the same files.
_RECORD = Path("/run/kernel/drivefs.json")
_FILES = "/var/colab/drivefs/files"
_STOPPED = "Drive File Stream encountered a problem and has stopped"
_SENTENCES = {
    "mount-failed": _STOPPED,
    "mount-timeout": _STOPPED,
    "domain-policy": "The domain policy has disabled Drive File Stream",
}


def main() -> None:
    """Show the drive at the mount point that the preferences name, and stay."""
    words = " ".join(sys.argv[1:])
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(15, b"drive", 0, 0, 0)
    found = re.search(r"mount_point_path:([^ ,]+)", words)
    if "--push_changes_and_quit" in words:
        _unmount(libc)
        return
    if not found:
        sys.exit(1)
    with open("/opt/google/drive/settings.json") as file:
        settings = json.load(file)
    if settings["mount"] == "mount-timeout":
        _log("QueryManager timed out")
    if settings["mount"] or not os.path.exists("/run/kernel/credentials"):
        print(_SENTENCES.get(settings["mount"], _STOPPED), flush=True)
        sys.exit(1)
    point, read_only = found[1], "read_only_mode:true" in words
    os.makedirs(point, exist_ok=True)
    # A cell that is interrupted interrupts its whole group.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.access("/dev/fuse", os.R_OK | os.W_OK):
        drivefs.serve(_FILES, point, _Faults(settings["files"]), read_only=read_only)
        return
    if libc.mount(_FILES.encode(), point.encode(), None, _BIND, None):
        print(_STOPPED, flush=True)
        sys.exit(1)
    if read_only:
        libc.mount(None, point.encode(), None, _BIND | _REMOUNT | _RDONLY, None)
    while True:
        signal.pause()


class _Faults:
    """Counts what is done on Drive, over all its mountings, and says when it goes wrong."""

    def __init__(self, faults: dict[str, float | None]) -> None:
        self._of = faults
        self.counts = {"reads": 0, "operations": 0}
        if _RECORD.exists():
            self.counts = json.loads(_RECORD.read_text())

    def operation(self) -> None:
        self.counts["operations"] += 1
        if slow := self._of.get("slow"):
            time.sleep(slow)
        if self.counts["operations"] - 1 == self._of.get("disconnect"):
            self._keep()
            raise drivefs.Died

    def read(self) -> None:
        self.operation()
        self.counts["reads"] += 1
        if "quota" in self._of or self.counts["reads"] == self._of.get("eio"):
            self._keep()
            raise OSError(errno.EIO, "")

    def write(self, size: int) -> None:
        self.operation()
        if size and "drive-full" in self._of:
            raise OSError(errno.ENOSPC, "")

    def listing(self, size: int) -> None:
        self.operation()
        most = self._of.get("eio-folder")
        if most is not None and size > most:
            raise OSError(errno.EIO, "")

    @property
    def full(self) -> bool:
        return "drive-full" in self._of

    def _keep(self) -> None:
        _RECORD.write_text(json.dumps(self.counts))


def _unmount(libc: ctypes.CDLL) -> None:
    with open("/proc/self/mounts") as file:
        points = [line.split()[1] for line in file if " fuse.drive " in line]
    for point in points:
        libc.umount2(point.encode(), 2)


def _log(text: str) -> None:
    folder = os.path.expanduser("~/.config/Google/DriveFS/Logs")
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/drive_fs.txt", "a") as file:
        file.write(f"{text}\n")


main()

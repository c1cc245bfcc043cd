"""Stands for the program that mounts Drive on the VM, as Google's drive.py calls it, and ours."""

import ctypes
import json
import os
import re
import signal
import sys

import drivefs  # type: ignore[import-not-found]  # beside it on the VM

__all__: list[str] = []

_BIND, _REMOUNT, _RDONLY = 0x1000, 0x20, 0x1
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
        drivefs.serve(_FILES, point, settings["files"], read_only=read_only)
        return
    if libc.mount(_FILES.encode(), point.encode(), None, _BIND, None):
        print(_STOPPED, flush=True)
        sys.exit(1)
    if read_only:
        libc.mount(None, point.encode(), None, _BIND | _REMOUNT | _RDONLY, None)
    while True:
        signal.pause()


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

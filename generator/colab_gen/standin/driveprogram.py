"""Stands for the program that mounts Drive on the VM, as Google's drive.py calls it."""

import ctypes
import os
import re
import signal
import sys

__all__: list[str] = []

_BIND, _REMOUNT, _RDONLY = 0x1000, 0x20, 0x1


def main() -> None:
    """Show the drive at the mount point that the preferences name, and stay."""
    words = " ".join(sys.argv[1:])
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(15, b"drive", 0, 0, 0)
    found = re.search(r"mount_point_path:([^ ,]+)", words)
    if "--push_changes_and_quit" in words or not found:
        sys.exit(1)
    point = found[1]
    os.makedirs(point, exist_ok=True)
    if libc.mount(b"/var/colab/drivefs/files", point.encode(), None, _BIND, None):
        print("Drive File Stream encountered a problem and has stopped", flush=True)
        sys.exit(1)
    if "read_only_mode:true" in words:
        libc.mount(None, point.encode(), None, _BIND | _REMOUNT | _RDONLY, None)
    while True:
        signal.pause()


main()

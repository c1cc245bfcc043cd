"""Google Drive as a folder."""

import contextlib
import ctypes
import os
import subprocess
import time

from google.colab import _faulty, _message, _settings, output

__all__ = ["flush_and_unmount", "mount"]

_RDONLY, _REMOUNT, _BIND, _DETACH = 0x1, 0x20, 0x1000, 2

# The folder with Drive's file system, and whether it can be mounted or only linked to.
_where = ("/var/colab/drivefs", True)
_mounted = None
_PROGRAM = "/opt/google/drive/drive"
_FAILURES = {
    "mount-failed": "mount failed",
    "mount-timeout": "mount failed: timeout during initial read of root folder; for more info: "
    "https://research.google.com/colaboratory/faq.html#drive-timeout",
    "domain-policy": "The domain policy has disabled Drive File Stream: "
    "https://support.google.com/a/answer/7496409",
}


def mount(mountpoint, force_remount=False, timeout_ms=120000, readonly=False):
    """Show the user's Drive at that folder.

    Raises:
        ValueError: the folder will not do, or there is no Drive to mount.
        MessageError: the user refused.
    """
    if " " in mountpoint:
        raise ValueError("Mountpoint must not contain a space.")
    # Asked first, and whether or not it is mounted already.
    _message.blocking_request(
        "request_auth", request={"authType": "dfs_ephemeral"}, timeout_sec=int(timeout_ms / 1000)
    )
    mountpoint = os.path.expanduser(mountpoint)
    if not force_remount and os.path.isdir(os.path.join(mountpoint, "My Drive")):
        print(
            f"Drive already mounted at {mountpoint}; to attempt to forcibly remount, "
            f'call drive.mount("{mountpoint}", force_remount=True).'
        )
        return
    _unmount()
    _check(mountpoint)
    if failure := _FAILURES.get(_settings.settings["mount"]):
        raise ValueError(failure)
    credentials = _settings.settings["credentials"]
    if credentials and not os.path.exists(credentials):
        raise ValueError("mount failed")  # nobody was there to allow it
    folder, can_mount = _where
    (_mount if can_mount else _link)(folder, mountpoint, readonly)
    if _settings.settings["files"] and not _settings.settings["fuse"]:
        _faulty.mounted(_mounted, f"{folder}/files")
        _faulty.install(_settings.settings["files"])
    output.clear(wait=True, output_tags="dfs-auth-dance")
    print(f"Mounted at {mountpoint}")


def flush_and_unmount(timeout_ms=24 * 60 * 60 * 1000):
    """Write what is not yet written and take Drive away."""
    if not _mounted:
        print("Drive not mounted, so nothing to flush and unmount.")
        return
    _unmount()


def _check(point):
    if os.path.islink(point):
        raise ValueError("Mountpoint must not be a symlink")
    if os.path.isdir(point) and os.listdir(point):
        raise ValueError("Mountpoint must not already contain files")
    if os.path.exists(point) and not os.path.isdir(point):
        raise ValueError("Mountpoint must either be a directory or not exist")
    normal = os.path.normpath(point)
    if "/" in normal and not os.path.exists(os.path.dirname(normal)):
        raise ValueError("Mountpoint must be in a directory that exists")


def _mount(folder, point, readonly):
    global _mounted
    point = os.path.abspath(point)
    os.makedirs(point, exist_ok=True)
    if _settings.settings["files"] and _settings.settings["fuse"]:
        _serve(point, readonly)
        return
    try:
        # An overlay is a file system of its own, so that os.path.ismount says what it should.
        layers = f"lowerdir={folder}/empty,upperdir={folder}/files,workdir={folder}/work"
        _call("mount", b"drive", point.encode(), b"overlay", 0, f"{layers},userxattr".encode())
    except OSError:
        try:
            _call("mount", f"{folder}/files".encode(), point.encode(), None, _BIND, None)
        except OSError as error:
            raise ValueError("mount failed") from error
    _mounted = point
    if readonly:
        _call("mount", None, point.encode(), None, _BIND | _REMOUNT | _RDONLY, None)


def _serve(point, readonly):
    """Have Drive's program mount a file system on which things go wrong."""
    global _mounted
    program = subprocess.Popen(
        [
            _PROGRAM,
            f"--features=read_only_mode:{str(bool(readonly)).lower()}",
            f"--preferences=mount_point_path:{point}",
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not os.path.ismount(point):
        if program.poll() is not None:
            raise ValueError("mount failed")
        time.sleep(0.01)
    _mounted = point


def _link(folder, point, readonly):
    global _mounted
    point = os.path.abspath(point)
    with contextlib.suppress(FileNotFoundError):
        os.rmdir(point)
    os.symlink(f"{folder}/files", point)
    _mounted = point


def _unmount():
    # Only one Drive at a time: mounting at another place takes it away from the first.
    global _mounted
    point, _mounted = _mounted, None
    if not point:
        return
    if _where[1]:
        with contextlib.suppress(OSError):
            _call("umount2", point.encode(), _DETACH)
    elif os.path.islink(point):
        os.unlink(point)
        os.mkdir(point)


def _call(name, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    typed = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in arguments]
    if getattr(libc, name)(*typed):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))

"""Folders that last as long as their process: what one that was killed has left is swept away."""

import contextlib
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where nothing is locked and nothing is swept
    fcntl = None  # type: ignore[assignment]

__all__ = ["Folder", "remove_tree"]

_PREFIX = "colab-gen-"
# Tells a folder of ours from any other of such a name, and is locked while its owner lives.
_LOCK = "colab-gen.lock"
_swept: set[str] = set()


class Folder:
    """A new folder of this process.

    Attributes:
        path: where it is, without links on the way.
    """

    def __init__(self, parent: str | None = None) -> None:
        """Make it in `parent`, by default where the system keeps such, and sweep that once."""
        parent = parent or tempfile.gettempdir()
        if parent not in _swept:
            _swept.add(parent)
            _sweep(parent)
        self._lock: int | None = None
        new = tempfile.mkdtemp(prefix=f"new-{_PREFIX}", dir=parent)
        if fcntl:
            # It has its name only when it is locked, so that nobody finds it and takes it for left.
            self._lock = os.open(f"{new}/{_LOCK}", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        path = os.path.join(parent, os.path.basename(new).removeprefix("new-"))
        os.rename(new, path)
        self.path = Path(path).resolve()

    def remove(self) -> None:
        """Remove it with all that is in it."""
        _remove(self.path)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _sweep(parent: str) -> None:
    if not fcntl:
        return
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        left = [Path(entry) for entry in entries if entry.name.startswith(_PREFIX)]
        for path in left:
            with contextlib.suppress(OSError):
                _sweep_one(path)


def _sweep_one(path: Path) -> None:
    if not _is_ours(path):
        return
    lock = os.open(path / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Somebody else may have swept it meanwhile; then the lock is that of no folder.
        there = os.stat(path / _LOCK, follow_symlinks=False)
        if os.path.samestat(there, os.fstat(lock)) and not _holds_mount(path):
            _remove(path)
    finally:
        os.close(lock)


def _is_ours(path: Path) -> bool:
    found = os.lstat(path)
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()


def _holds_mount(path: Path) -> bool:
    try:
        with open("/proc/self/mountinfo", "rb") as file:
            points = [line.split()[4].decode("unicode_escape") for line in file]
    except OSError:
        return False
    return any(point.startswith(f"{path.resolve()}/") for point in points)


def _remove(path: Path) -> None:
    # The lock goes last: what could not be removed now is still known as ours the next time.
    with contextlib.suppress(OSError):
        path.chmod(0o700)
        for child in list(path.iterdir()):
            if child.name != _LOCK:
                remove_tree(child)
        if set(os.listdir(path)) <= {_LOCK}:
            (path / _LOCK).unlink(missing_ok=True)
            path.rmdir()


def remove_tree(root: Path) -> None:
    """Remove a file, or a folder with what is in it whatever its rights; no link is followed."""

    def make_writable(function: object, path: str, _error: object) -> None:
        for place in (os.path.dirname(path), path):
            with contextlib.suppress(OSError):
                if not os.path.islink(place):
                    os.chmod(place, os.stat(place).st_mode | stat.S_IRWXU)
        with contextlib.suppress(OSError):
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path, ignore_errors=True)
            else:
                os.unlink(path)

    if root.is_symlink() or not root.is_dir():
        with contextlib.suppress(OSError):
            root.unlink()
    elif sys.version_info >= (3, 12):
        shutil.rmtree(root, onexc=make_writable)
    else:
        shutil.rmtree(root, onerror=make_writable)

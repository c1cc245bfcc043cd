"""Faults of files on Drive where no file system of our own can be mounted: in Python's functions.

What is written in C, and other programs such as cp, do not meet them.
"""

import builtins
import errno
import io
import os
import shutil
import time

import IPython

__all__ = ["install", "mounted"]

_roots = set()
_faults = {}
_counts = {"reads": 0, "operations": 0}
_dead = False


def mounted(*roots):
    """Drive is to be found at these paths, and well once more."""
    global _dead
    _roots.update(os.path.realpath(root) for root in roots)
    _dead = False


def install(faults):
    """Let Python's functions for files fail below these roots as the faults have it."""
    if _faults or not faults:
        return
    _faults.update(faults)
    builtins.open = io.open = _opening(io.open)
    names = IPython.get_ipython().user_ns
    if hasattr(names.get("open"), "__wrapped__"):
        names["open"] = io.open  # cells have one of IPython's own
    shutil._USE_CP_SENDFILE = False  # the kernel would copy, and Python not see it
    for name in ("listdir", "scandir"):
        setattr(os, name, _wrapped(getattr(os, name), _list))
    for name in ("mkdir", "open", "remove", "rename", "replace", "rmdir", "truncate", "unlink"):
        setattr(os, name, _wrapped(getattr(os, name), lambda _path: _operate()))
    for name in ("lstat", "stat"):
        setattr(os, name, _wrapped(getattr(os, name), lambda _path: _live()))


def _wrapped(function, meet):
    def faulty(path=".", *rest, **options):
        if _is_on_drive(path):
            meet(path)
        return function(path, *rest, **options)

    # os keeps sets of its functions that take one thing or another.
    for functions in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
        if function in functions:
            functions.add(faulty)
    return faulty


def _opening(function):
    def faulty(
        file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, *rest, **options
    ):
        if rest or options or not _is_on_drive(file):
            return function(file, mode, buffering, encoding, errors, newline, *rest, **options)
        _operate()
        raw = _Raw(file, mode.replace("b", "").replace("t", ""))
        if buffering == 0:
            return raw
        kind = io.BufferedReader if mode.strip("bt") == "r" else io.BufferedWriter
        buffer = (io.BufferedRandom if "+" in mode else kind)(raw)
        if "b" in mode:
            return buffer
        return io.TextIOWrapper(buffer, encoding, errors, newline, buffering == 1)

    return faulty


class _Raw(io.FileIO):
    def readinto(self, buffer):
        _read()
        return super().readinto(buffer)

    def read(self, size=-1):
        _read()
        return super().read(size)

    def readall(self):
        _read()
        return super().readall()

    def write(self, data):
        _operate()
        if "drive-full" in _faults:
            _fail(errno.ENOSPC)
        return super().write(data)


def _is_on_drive(path):
    if not isinstance(path, (str, bytes, os.PathLike)):
        return False
    # Without os.path.realpath, which asks os.lstat, which asks here.
    text = os.path.abspath(os.fsdecode(path))
    return any(text == root or text.startswith(f"{root}/") for root in _roots | _links())


def _links():
    from google.colab import drive

    return {drive._mounted} if drive._mounted else set()


def _live():
    if _dead:
        _fail(errno.ENOTCONN)


def _operate():
    global _dead
    _live()
    _counts["operations"] += 1
    if slow := _faults.get("slow"):
        time.sleep(slow)
    if _counts["operations"] - 1 == _faults.get("disconnect"):
        _dead = True
        _live()


def _read():
    _operate()
    _counts["reads"] += 1
    if "quota" in _faults or _counts["reads"] == _faults.get("eio"):
        _fail(errno.EIO)


def _list(path):
    _operate()
    most = _faults.get("eio-folder")
    if most is not None and sum(1 for _ in _entries(path)) > most:
        _fail(errno.EIO)


_entries = os.listdir


def _fail(number):
    raise OSError(number, os.strerror(number))

"""A folder shown at another place by a file system of our own that does what bad days do.

    with mounted(source, point, {"eio-reads": [3]}) as mount:
        ...  # the third read of a file below `point` gives EIO, whoever asks, C code too

It needs root and /dev/fuse; `CANNOT` says in a sentence why it cannot be used here, and is empty
where it can. What the stand-in of Drive does (colab_gen.standin.drivefs) serves the folder; each of
these faults is added to it:

    eio-reads: [n, …]           these reads give EIO, counted from 1 over all files and mountings
    eio-from: offset            every read that reaches the offset gives EIO, however often
    quota: true                 every read gives EIO
    short-reads: bytes          no read gives more than this much at once
    cut: offset                 nothing comes from behind the offset, though the size says otherwise
    flip: offset                one bit of the byte at the offset comes out wrong
    latency: seconds            each read and write takes longer by this
    bandwidth: bytes a second   what is read and written comes no faster
    gone: n                     the mount dies (ENOTCONN) at the n-th read or write
    room: bytes                 writes give ENOSPC beyond this much in all; statfs says so too
    eio-writes: [n, …]          these writes give EIO, counted from 1
    lose-writes: offset         writes behind the offset are said to be done and are not
    flip-writes: offset         one bit of the byte written at the offset is stored wrong
    eio-fsync: true             fsync gives EIO

Offsets are those in a file. Counts go on over a `remount()`, which comes back without a `gone` that
has happened. `mount.counts()` tells how much was read and written.
"""

import contextlib
import ctypes
import errno
import importlib.util
import json
import mmap
import os
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

__all__ = ["CANNOT", "Mount", "mounted"]

_DETACH = 2
_COUNTED = ("reads", "writes", "read", "written")
_COUNTS = struct.Struct("=4Q")


def _load_drivefs() -> Any:
    # Alone, since the package around it takes a second to import.
    (folder,) = importlib.util.find_spec("colab_gen").submodule_search_locations
    spec = importlib.util.spec_from_file_location("drivefs", f"{folder}/standin/drivefs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


drivefs = _load_drivefs()


def _why_not() -> str:
    if sys.platform != "linux" or os.geteuid() != 0:
        return "only root on Linux can mount a file system here"
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "there is no /dev/fuse"
    with open("/proc/self/status") as file:
        effective = next(line for line in file if line.startswith("CapEff"))
    return "" if int(effective.split()[1], 16) >> 21 & 1 else "mounting is not allowed here"


CANNOT = _why_not()


class Mount:
    """A mounted folder; `point` is where, `source` where its files really are."""

    def __init__(self, source: Path, point: Path, faults: dict[str, Any]) -> None:
        self.source, self.point, self.faults = source, point, faults
        self._record = point.with_name(point.name + ".counts")
        self._server: subprocess.Popen[bytes] | None = None

    def mount(self) -> None:
        """Show the folder; return when it can be used."""
        if not self._record.exists():
            self._record.write_bytes(bytes(_COUNTS.size))
        self.point.mkdir(parents=True, exist_ok=True)
        words = [json.dumps(self.faults), str(self._record)]
        command = [sys.executable, __file__, str(self.source), str(self.point), *words]
        self._server = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not os.path.ismount(self.point):
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise OSError(f"{self.point} was not mounted")
            time.sleep(0.01)

    def unmount(self) -> None:
        """Take it away; what is open there gives ENOTCONN from now on."""
        ctypes.CDLL(None).umount2(str(self.point).encode(), _DETACH)
        if self._server is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._server.wait(0.2)
            self._server.kill()
            self._server.wait()

    def remount(self, **faults: Any) -> None:
        """Mount it anew, as drive.mount(force_remount=True) does; faults given here are added."""
        self.unmount()
        self.faults = {k: v for k, v in self.faults.items() if k != "gone"} | faults
        self.mount()

    def counts(self) -> dict[str, int]:
        """Return reads, writes, and the bytes of each, so far."""
        return dict(zip(_COUNTED, _COUNTS.unpack(self._record.read_bytes()), strict=True))


@contextlib.contextmanager
def mounted(source: Path, point: Path, faults: dict[str, Any]):
    """Show `source` at `point` with these faults for as long as the block runs."""
    mount = Mount(source, point, faults)
    try:
        mount.mount()
        yield mount
    finally:
        mount.unmount()


class _NoFaults:
    """None of the stand-in's own faults."""

    full = False

    def operation(self) -> None:
        pass

    read = operation

    def write(self, size: int) -> None:
        pass

    listing = write


class _BadDay(drivefs._Drive):
    """Drive's file system with the faults of this module."""

    def __init__(self, source: str, faults: dict[str, Any], record: Path) -> None:
        super().__init__(source, _NoFaults())
        self._of = faults
        with open(record, "r+b") as file:
            self._counts = mmap.mmap(file.fileno(), _COUNTS.size)
        self._free_at = time.monotonic()
        self._written = _COUNTS.unpack(self._counts)[3]

    def _count(self, what: str, size: int) -> int:
        counts = dict(zip(_COUNTED, _COUNTS.unpack(self._counts), strict=True))
        counts[what + "s"] += 1
        counts["read" if what == "read" else "written"] += size
        self._counts[:] = _COUNTS.pack(*counts.values())
        if counts["reads"] + counts["writes"] == self._of.get("gone"):
            raise drivefs.Died
        wait = self._of.get("latency", 0)
        if self._of.get("bandwidth"):
            wait += size / self._of["bandwidth"]
        if wait:
            # From when the last one was done, so that a late wake-up slows nothing down.
            self._free_at = max(self._free_at, time.monotonic() - 0.05) + wait
            time.sleep(max(0, self._free_at - time.monotonic()))
        self._written = counts["written"]
        return counts[what + "s"]

    def _read(self, node: int, data: bytes) -> bytes:
        handle, offset, size, _ = drivefs._READ.unpack_from(data)
        size = min(size, self._of.get("short-reads", size))
        size = max(0, min(size, self._of.get("cut", offset + size) - offset))
        content = os.pread(handle, size, offset)
        number = self._count("read", len(content))
        until = offset + len(content)
        if "quota" in self._of or number in self._of.get("eio-reads", ()):
            raise OSError(errno.EIO, "")
        if "eio-from" in self._of and until > self._of["eio-from"]:
            raise OSError(errno.EIO, "")
        return _flipped(content, offset, self._of.get("flip"))

    def _write(self, node: int, data: bytes) -> bytes:
        handle, offset, size, _ = drivefs._READ.unpack_from(data)
        number = self._count("write", size)
        if number in self._of.get("eio-writes", ()):
            raise OSError(errno.EIO, "")
        if "room" in self._of and self._written > self._of["room"]:
            raise OSError(errno.ENOSPC, "")
        content = _flipped(data[40 : 40 + size], offset, self._of.get("flip-writes"))
        os.pwrite(handle, content[: max(0, self._of.get("lose-writes", 1 << 62) - offset)], offset)
        return size.to_bytes(4, sys.byteorder) + bytes(4)

    def _statfs(self, node: int, data: bytes) -> bytes:
        reply = super()._statfs(node, data)
        if "room" not in self._of:
            return reply
        blocks = max(0, self._of["room"] - self._written) // os.statvfs("/").f_bsize
        return reply[:8] + blocks.to_bytes(8, sys.byteorder) * 2 + reply[24:]

    def _fsync(self, node: int, data: bytes) -> bytes:
        if self._of.get("eio-fsync"):
            raise OSError(errno.EIO, "")
        return super()._fsync(node, data)


def _flipped(content: bytes, offset: int, flip: int | None) -> bytes:
    if flip is None or not offset <= flip < offset + len(content):
        return content
    changed = bytearray(content)
    changed[flip - offset] ^= 16
    return bytes(changed)


def _serve(source: str, point: str, faults: str, record: str) -> None:
    drive = _BadDay(source, json.loads(faults), Path(record))
    drivefs._answer_all(drivefs._mount(point), drive)


if __name__ == "__main__":
    _serve(*sys.argv[1:])

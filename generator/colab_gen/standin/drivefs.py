"""Drive as a file system of its own (FUSE), so that its faults meet whoever uses a file on it.

What is written in C, `cp` and the kernel's own copying meet them too. Speaks the kernel's protocol
(https://docs.kernel.org/filesystems/fuse) over /dev/fuse; standard library only.
"""

import ctypes
import errno
import os
import stat
import struct
import time
from collections.abc import Callable
from typing import Any, Protocol

__all__ = ["Died", "Faults", "serve"]

_HEADER, _REPLY = struct.Struct("=IIQQIIIHH"), struct.Struct("=IiQ")
_INIT = struct.Struct("=IIII")
_INIT_REPLY = struct.Struct("=IIIIHHIIHHIIH22x")
_ATTRIBUTES = struct.Struct("=6Q10I")
_READ = struct.Struct("=QQII")
_SET = struct.Struct("=IIQQQQQQIIIIIII")
_MOST = 1 << 20
_ATOMIC_TRUNC, _BIG_WRITES, _MAX_PAGES = 1 << 3, 1 << 5, 1 << 22
_DIRECT = 1  # what is read comes from here each time and not from the kernel's memory
# Before they are said to be missing, the kernel asks for these and then does without.
_UNKNOWN = errno.ENOSYS


class Died(Exception):
    """Drive's program is to end, with everything on it."""


class Faults(Protocol):
    """Is told what is done on Drive, and raises what goes wrong: an `OSError`, or `Died`."""

    @property
    def full(self) -> bool:
        """No room is left."""

    def operation(self) -> None:
        """Take note of anything but reading, writing and listing."""

    def read(self) -> None:
        """Take note of a read."""

    def write(self, size: int) -> None:
        """Take note of a write of so many bytes, or of cutting a file to so many."""

    def listing(self, size: int) -> None:
        """Take note of the listing of a folder with so many entries."""


def serve(source: str, point: str, faults: Faults, *, read_only: bool) -> None:
    """Show the folder `source` at `point`, with the faults, until it is unmounted."""
    _answer_all(_mount(point, read_only=read_only), _Drive(source, faults))


def _mount(point: str, *, read_only: bool = False) -> int:
    device = os.open("/dev/fuse", os.O_RDWR)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other,max_read={_MOST}"
    flags = ctypes.c_ulong(1 if read_only else 0)
    if libc.mount(b"drive", point.encode(), b"fuse.drive", flags, options.encode()):
        raise OSError(ctypes.get_errno(), "Drive cannot be mounted")
    return device


def _answer_all(device: int, drive: "_Drive") -> None:
    while True:
        try:
            request = os.read(device, _MOST + 4096)
        except OSError as error:
            if error.errno in (errno.EINTR, errno.EAGAIN, errno.ENOENT):
                continue
            return  # unmounted
        try:
            reply = drive.answer(request)
        except Died:
            return
        if reply is not None:
            try:
                os.write(device, reply)
            except OSError as error:
                if error.errno != errno.ENOENT:  # whoever asked waits no more
                    raise


class _Drive:
    """Answers the kernel's requests from a folder."""

    def __init__(self, source: str, faults: Faults) -> None:
        self._faults = faults
        self._paths = {1: source}
        self._nodes = {source: 1}
        self._listings: dict[int, list[os.DirEntry[str]]] = {}
        self._last = 1
        self._calls: dict[int, Callable[[int, bytes], bytes]] = {
            1: self._lookup, 3: self._getattr, 4: self._setattr, 5: self._readlink,
            9: self._mkdir, 10: self._unlink, 11: self._rmdir, 12: self._rename,
            14: self._open, 15: self._read, 16: self._write, 17: self._statfs, 18: self._release,
            20: self._fsync, 25: self._flush, 26: self._init, 27: self._opendir,
            28: self._readdir, 29: self._releasedir, 30: self._flush, 35: self._create,
            45: self._rename2,
        }  # fmt: skip

    def answer(self, request: bytes) -> bytes | None:
        """Return the bytes of the reply, or None where none is expected."""
        _, opcode, unique, node, *_ = _HEADER.unpack_from(request)
        if opcode in (2, 36, 42):  # forget, interrupt, forget several
            return None
        body, code = b"", 0
        try:
            call = self._calls.get(opcode)
            if call is None:
                # Drive knows neither links nor attributes beyond the usual ones.
                code = errno.EOPNOTSUPP if opcode in (6, 8, 13, 21, 22, 23, 24, 43) else _UNKNOWN
            else:
                body = call(node, request[_HEADER.size :])
        except OSError as error:
            code = error.errno or errno.EIO
        return _REPLY.pack(_REPLY.size + len(body), -code, unique) + body

    def _init(self, _node: int, data: bytes) -> bytes:
        major, minor, readahead, offered = _INIT.unpack_from(data)
        flags = offered & (_ATOMIC_TRUNC | _BIG_WRITES | _MAX_PAGES)
        minor, pages = min(minor, 38), _MOST // os.sysconf("SC_PAGE_SIZE")
        return _INIT_REPLY.pack(major, minor, readahead, flags, 16, 12, _MOST, 1, pages, 0, 0, 0, 0)

    def _path(self, node: int, name: bytes = b"") -> str:
        if node not in self._paths:
            raise FileNotFoundError(errno.ENOENT, "")
        text = os.fsdecode(name.rstrip(b"\0"))
        return f"{self._paths[node]}/{text}" if text else self._paths[node]

    def _attributes(self, found: os.stat_result) -> bytes:
        times = (found.st_atime_ns, found.st_mtime_ns, found.st_ctime_ns)
        return _ATTRIBUTES.pack(
            found.st_ino, found.st_size, found.st_blocks, *(t // 10**9 for t in times),
            *(t % 10**9 for t in times), found.st_mode, found.st_nlink, found.st_uid,
            found.st_gid, found.st_rdev, found.st_blksize, 0,
        )  # fmt: skip

    def _entry(self, path: str) -> bytes:
        found = os.lstat(path)
        if path not in self._nodes:
            self._last += 1
            self._nodes[path], self._paths[self._last] = self._last, path
        return struct.pack("=QQQQII", self._nodes[path], 0, 0, 0, 0, 0) + self._attributes(found)

    def _lookup(self, node: int, data: bytes) -> bytes:
        return self._entry(self._path(node, data))

    def _getattr(self, node: int, data: bytes) -> bytes:
        flags, _, handle = struct.unpack_from("=IIQ", data)
        found = os.fstat(handle) if flags & 1 else os.lstat(self._path(node))
        return struct.pack("=QII", 0, 0, 0) + self._attributes(found)

    def _setattr(self, node: int, data: bytes) -> bytes:
        valid, _, handle, size, _, atime, mtime, _, a_ns, m_ns, _, mode, *_ = _SET.unpack_from(data)
        path: Any = handle if valid & 64 else self._path(node)
        if valid & 1:
            os.chmod(path, stat.S_IMODE(mode))
        if valid & 8:
            self._faults.write(size)
            os.truncate(path, size)
        if valid & 0x1B0:
            now, found = time.time_ns(), os.stat(path)
            a_time = now if valid & 128 else atime * 10**9 + a_ns if valid & 16 else None
            m_time = now if valid & 256 else mtime * 10**9 + m_ns if valid & 32 else None
            times = (a_time or found.st_atime_ns, m_time or found.st_mtime_ns)
            os.utime(path, ns=times)
        found = os.stat(path) if isinstance(path, int) else os.lstat(path)
        return struct.pack("=QII", 0, 0, 0) + self._attributes(found)

    def _readlink(self, node: int, _data: bytes) -> bytes:
        return os.fsencode(os.readlink(self._path(node)))

    def _mkdir(self, node: int, data: bytes) -> bytes:
        self._faults.operation()
        path = self._path(node, data[8:])
        os.mkdir(path, struct.unpack_from("=I", data)[0])
        return self._entry(path)

    def _unlink(self, node: int, data: bytes) -> bytes:
        self._faults.operation()
        os.unlink(path := self._path(node, data))
        self._forget(path)
        return b""

    def _rmdir(self, node: int, data: bytes) -> bytes:
        self._faults.operation()
        os.rmdir(path := self._path(node, data))
        self._forget(path)
        return b""

    def _rename(self, node: int, data: bytes, names: int = 8) -> bytes:
        self._faults.operation()
        old, new, *_ = data[names:].split(b"\0")
        source = self._path(node, old)
        target = self._path(struct.unpack_from("=Q", data)[0], new)
        os.rename(source, target)
        self._forget(target)
        for path in [p for p in self._nodes if p == source or p.startswith(f"{source}/")]:
            number = self._nodes.pop(path)
            moved = target + path[len(source) :]
            self._nodes[moved], self._paths[number] = number, moved
        return b""

    def _rename2(self, node: int, data: bytes) -> bytes:
        if struct.unpack_from("=QI", data)[1]:
            raise OSError(errno.EINVAL, "")  # neither exchanging nor refusing to replace
        return self._rename(node, data, names=16)

    def _forget(self, path: str) -> None:
        self._paths.pop(self._nodes.pop(path, 0), None)

    def _open(self, node: int, data: bytes) -> bytes:
        flags = struct.unpack_from("=I", data)[0]
        handle = self._handle(self._path(node), flags)
        return struct.pack("=QII", handle, _DIRECT, 0)

    def _create(self, node: int, data: bytes) -> bytes:
        flags, mode = struct.unpack_from("=II", data)
        path = self._path(node, data[16:])
        handle = self._handle(path, flags | os.O_CREAT, mode)
        return self._entry(path) + struct.pack("=QII", handle, _DIRECT, 0)

    def _handle(self, path: str, flags: int, mode: int = 0o600) -> int:
        self._faults.operation()
        # The kernel says where each piece goes, at the end too.
        flags &= ~(os.O_APPEND | os.O_DIRECT | os.O_NOFOLLOW)
        if flags & os.O_ACCMODE == os.O_WRONLY:
            flags = flags & ~os.O_ACCMODE | os.O_RDWR
        return os.open(path, flags, mode)

    def _read(self, _node: int, data: bytes) -> bytes:
        handle, offset, size, _ = _READ.unpack_from(data)
        self._faults.read()
        return os.pread(handle, size, offset)

    def _write(self, _node: int, data: bytes) -> bytes:
        handle, offset, size, _ = _READ.unpack_from(data)
        self._faults.write(size)
        return struct.pack("=II", os.pwrite(handle, data[40 : 40 + size], offset), 0)

    def _statfs(self, node: int, _data: bytes) -> bytes:
        found = os.statvfs(self._path(node))
        free = (0, 0) if self._faults.full else (found.f_bfree, found.f_bavail)
        sizes = (found.f_blocks, *free, found.f_files, found.f_ffree)
        return struct.pack("=5Q4I24x", *sizes, found.f_bsize, found.f_namemax, found.f_frsize, 0)

    def _release(self, _node: int, data: bytes) -> bytes:
        os.close(struct.unpack_from("=Q", data)[0])
        return b""

    def _fsync(self, _node: int, data: bytes) -> bytes:
        self._faults.operation()
        os.fsync(struct.unpack_from("=Q", data)[0])
        return b""

    def _flush(self, _node: int, _data: bytes) -> bytes:
        return b""

    def _opendir(self, node: int, _data: bytes) -> bytes:
        with os.scandir(self._path(node)) as entries:
            found = list(entries)
        self._faults.listing(len(found))
        handle = max(self._listings, default=0) + 1
        self._listings[handle] = found
        return struct.pack("=QII", handle, 0, 0)

    def _readdir(self, _node: int, data: bytes) -> bytes:
        handle, offset, size, _ = _READ.unpack_from(data)
        listing = b""
        for number, entry in enumerate(self._listings[handle][offset:], int(offset) + 1):
            name = os.fsencode(entry.name)
            kind = entry.stat(follow_symlinks=False).st_mode >> 12
            record = struct.pack("=QQII", entry.inode(), number, len(name), kind) + name
            record += b"\0" * (-len(record) % 8)
            if len(listing) + len(record) > size:
                break
            listing += record
        return listing

    def _releasedir(self, _node: int, data: bytes) -> bytes:
        self._listings.pop(struct.unpack_from("=Q", data)[0], None)
        return b""

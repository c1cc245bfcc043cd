"""A root file system and namespaces of one's own, by libc, without being root.

Runs under the interpreter that is to run the kernel, which has the standard library and no more.
"""

import ctypes
import fcntl
import os
import platform
import socket
import struct
import sys
from pathlib import Path

__all__ = ["SYSTEM", "build_root", "enter", "lock_mounts", "mount", "mount_proc", "refusal"]

# What a machine's software needs; of all else in / the kernel sees nothing.
SYSTEM = ("bin", "etc", "gnu", "lib", "lib32", "lib64", "libx32", "nix", "sbin", "sys", "usr")

_NEWNS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = (
    0x00020000,
    0x08000000,
    0x10000000,
    0x20000000,
    0x40000000,
)
_RDONLY, _REMOUNT, _BIND, _MOVE, _REC, _PRIVATE = 0x1, 0x20, 0x1000, 0x2000, 0x4000, 0x40000
_DETACH = 2
_MOUNT_SETATTR = 442  # the same on every architecture
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "ppc64le": 203, "s390x": 217}
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000

_libc = ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc, name)(*arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Do what the system call of that name does, or raise its error."""
    _call(
        "mount",
        source.encode() or None,
        target.encode(),
        kind.encode() or None,
        ctypes.c_ulong(flags),
        data.encode() or None,
    )


def refusal(folder: str) -> str:
    """Return why this machine gives no namespaces, or an empty text; `folder` is any empty one."""
    if sys.platform != "linux":
        return f"{platform.system()} has no namespaces"
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _unshare(_NEWUSER | _NEWNS)
            mount("tmpfs", folder, "tmpfs")
        except (OSError, AttributeError) as error:
            os.write(writing, str(error).encode() or b"refused")
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read().decode()
    os.waitpid(child, 0)
    return f"this machine refuses namespaces ({answer})" if answer else ""


def enter(*, network: bool) -> list[str]:
    """Move into namespaces of our own; return what the kernel would not give.

    The pid namespace takes hold with the next fork.
    """
    missing = []
    _unshare(_NEWUSER | _NEWNS | _NEWIPC)
    if not network:
        try:
            _call("unshare", _NEWNET)
            _raise_loopback()
        except OSError:
            missing.append("network")
    try:
        if _proc_is_masked():  # then no new one may be mounted, and process ids would not fit it
            raise PermissionError
        _call("unshare", _NEWPID)
    except OSError:
        missing.append("processes")
    return missing


def lock_mounts() -> None:
    """Make what is mounted read-only stay so, even for uid 0 in here."""
    _unshare(_NEWUSER | _NEWNS)


def _unshare(flags: int) -> None:
    user, group = os.getuid(), os.getgid()
    _call("unshare", flags)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"0 {user} 1"),
        ("gid_map", f"0 {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    mount("", "/", "", _REC | _PRIVATE)


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        up_and_running = struct.pack("16sH22x", b"lo", 0x1 | 0x40)
        fcntl.ioctl(any_socket, 0x8914, up_and_running)


def _proc_is_masked() -> bool:
    with open("/proc/self/mountinfo") as file:
        points = [line.split()[4] for line in file]
    return any(p.startswith("/proc/") and p != "/proc/sys/fs/binfmt_misc" for p in points)


def build_root(
    machine: Path,
    keep: list[str],
    *,
    network: bool,
    files: dict[str, str],
    work: str = "/content",
    home: str = "/root",
    own: bool = True,
) -> None:
    """Lay out a root below `machine/new` and move into it; /proc is still to be mounted.

    Args:
        machine: the folder with content, home, tmp, run, drivefs and new.
        keep: paths outside the system that stay visible (the interpreter's), read-only.
        network: whether names are to be resolved.
        files: source -> path inside, more to be seen, read-only.
        work: where the cells run.
        home: the user's home.
        own: the user is root and may write in / too.
    """
    new = machine / "new"
    mount("tmpfs", str(new), "tmpfs", 0, "mode=755")
    root = _Root(new)
    for name in SYSTEM:
        root.show(f"/{name}")
    root.mirror("/var", without=("colab", "tmp"))
    root.mirror("/opt", without=("google",))
    root.bind("/dev", "/dev", writable=True)
    if Path("/dev/shm").is_dir() and not Path("/dev/shm").is_symlink():
        mount("tmpfs", str(new / "dev/shm"), "tmpfs", 0, "mode=1777")
    for inside, outside in (
        (home, "home"),
        (work, "content"),
        ("/tmp", "tmp"),
        ("/run/kernel", "run"),
        ("/var/colab/drivefs", "drivefs"),
    ):
        root.bind(str(machine / outside), inside, writable=True)
    os.symlink("/tmp", new / "var/tmp")
    for name in ("home", "media", "mnt", "proc", "srv"):
        (new / name).mkdir(exist_ok=True)
    if network and (real := os.path.realpath("/etc/resolv.conf")).startswith("/run/"):
        root.show(os.path.dirname(real))
    for source, inside in files.items():
        root.bind(source, inside)
    for path in sorted(keep, key=len):
        root.show(path)
    if not own:
        mount("", str(new), "", _REMOUNT | _BIND | _RDONLY)
    _move_into(new)


def mount_proc(*, own: bool) -> None:
    """Mount /proc of our pid namespace; the machine's own was bound where there is none."""
    if own:
        mount("proc", "/proc", "proc", 0xE)  # nosuid, nodev, noexec


class _Root:
    """A new root in the making."""

    def __init__(self, new: Path) -> None:
        self.new = new
        self.shown: list[str] = []

    def at(self, path: str) -> Path:
        return self.new / path.lstrip("/")

    def bind(self, source: str, path: str, *, writable: bool = False) -> None:
        target = self.at(path)
        if os.path.isdir(source):
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
        mount(source, str(target), "", _BIND | _REC)
        if not writable:
            _read_only(str(target))
        self.shown.append(path)

    def show(self, path: str, depth: int = 0) -> None:
        """Make a path of the machine be there in the new root, with every link on its way."""
        current = ""
        parts = Path(os.path.normpath(path)).parts[1:]
        for number, part in enumerate(parts):
            current = f"{current}/{part}"
            if not os.path.islink(current):
                continue
            text = os.readlink(current)
            if not self._is_shown(current) and not os.path.lexists(self.at(current)):
                self.at(current).parent.mkdir(parents=True, exist_ok=True)
                os.symlink(text, self.at(current))
            target = os.path.join(os.path.dirname(current), text, *parts[number + 1 :])
            if depth < 40:
                self.show(target, depth + 1)
            return
        if os.path.exists(path) and not self._is_shown(os.path.normpath(path)):
            self.bind(path, path)

    def mirror(self, path: str, without: tuple[str, ...]) -> None:
        """Show what a folder holds in a folder of our own, to which things can be added."""
        self.at(path).mkdir(parents=True, exist_ok=True)
        for name in os.listdir(path) if os.path.isdir(path) else ():
            if name in without or not os.access(f"{path}/{name}", os.R_OK):
                continue
            if os.path.islink(f"{path}/{name}"):  # /var/run: what it leads to is not for us
                os.symlink(os.readlink(f"{path}/{name}"), self.at(f"{path}/{name}"))
            else:
                self.bind(f"{path}/{name}", f"{path}/{name}")

    def _is_shown(self, path: str) -> bool:
        return any(path == p or path.startswith(f"{p}/") for p in self.shown if p not in _OURS)


# Folders of ours that take the place of the machine's: what the machine has there is not shown.
_OURS = ("/content", "/home/user", "/kaggle", "/root", "/tmp", "/run/kernel", "/var/colab/drivefs")


def _read_only(path: str) -> None:
    attributes = struct.pack("QQQQ", _RDONLY, 0, 0, 0)
    try:
        _call(
            "syscall",
            ctypes.c_long(_MOUNT_SETATTR),
            ctypes.c_long(_AT_FDCWD),
            path.encode(),
            ctypes.c_long(_AT_RECURSIVE),
            attributes,
            ctypes.c_long(len(attributes)),
        )
    except OSError:  # before Linux 5.12: the top at least; flags that it has cannot be dropped
        flags = os.statvfs(path).f_flag & 0xE
        mount("", path, "", _REMOUNT | _BIND | _RDONLY | flags)


def _move_into(new: Path) -> None:
    # The machine's /proc stays below until ours is mounted over it: uid_map is written through it.
    mount("/proc", str(new / "proc"), "", _BIND | _REC)
    os.chdir(new)
    number = _PIVOT_ROOT.get(platform.machine())
    try:
        if number is None:
            raise OSError
        _call("syscall", ctypes.c_long(number), b".", b".")
        _call("umount2", b".", _DETACH)
    except OSError:  # the machine's root is an initramfs
        mount(".", "/", "", _MOVE)
        os.chroot(".")
    os.chdir("/")

"""What minds a kernel: its end and that of its children, and the VM's own service.

Runs under the kernel's interpreter, as launch.py does.
"""

import contextlib
import ctypes
import os
import select
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = [
    "die_with_parent",
    "exit_as",
    "fork",
    "reap",
    "serve_until_ended",
    "service",
    "start_service",
]


def service() -> socket.socket:
    """Return where the VM's own service listens."""
    return socket.create_server(("127.0.0.1", 0))


def start_service() -> int:
    """Start what answers for the VM's own service, as 200 to all; return its port."""
    parent = os.getpid()
    with service() as server:
        port: int = server.getsockname()[1]
        if fork() == 0:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            server.settimeout(1)
            while os.getppid() == parent:
                try:
                    _answer(server)
                except OSError:
                    continue
            os._exit(0)
    return port


def _answer(server: socket.socket) -> None:
    caller, _ = server.accept()
    with caller:
        caller.settimeout(2)
        caller.recv(65536)
        caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")


def serve_until_ended(child: int, server: socket.socket) -> int:
    """Answer as the VM's service and reap whatever ends, until the child has."""
    reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    waiting: list[Any] = [reading, server]
    while True:
        while True:  # it may have ended before any signal of it could be heard
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == child:
                return os.waitstatus_to_exitcode(status)
            if pid == 0:
                break
        ready, _, _ = select.select(waiting, [], [])
        with contextlib.suppress(OSError):
            if reading in ready:
                os.read(reading, 4096)
            if server in ready:
                _answer(server)


def fork() -> int:
    """Fork a process that is killed when this one ends; return its number, or 0 in it."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(reading)  # the other end is closed when this process ends
        return pid
    os.close(writing)
    die_with_parent()
    if select.select([reading], [], [], 0)[0]:  # it has ended before that took hold
        os._exit(1)
    os.close(reading)
    return 0


def die_with_parent(ancestor: int = 0) -> None:
    """Be killed when the process that this one was forked from ends.

    End at once if it has by now: if `ancestor` is none any more of the processes above.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
        if ancestor and ancestor not in _above():
            os._exit(1)


def _above() -> Iterator[int]:
    """Yield the parent, its parent, and so on; an interpreter may be started by a script."""
    pid = os.getppid()
    while pid > 1:
        yield pid
        try:
            facts = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return
        pid = int(facts.rpartition(")")[2].split()[1])


def reap(child: int) -> int:
    """Wait for the child, and for whatever else ends; return what it ended with."""
    while True:
        try:
            pid, status = os.wait()
        except InterruptedError:
            continue
        if pid == child:
            return os.waitstatus_to_exitcode(status)


def exit_as(code: int) -> None:
    """End with the code of a process, as a shell tells it where a signal ended that."""
    os._exit(code if code >= 0 else 128 - code)

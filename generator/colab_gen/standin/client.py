"""A kernel client that shows every message to the front end before anyone filters them."""

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import time
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.session import Session, json_unpacker
from jupyter_core.utils import run_sync
from traitlets import Type

from colab_gen.standin.frontend import FrontEnd
from colab_gen.standin.warm import WarmKernel, WarmParent

__all__ = ["Client", "Manager", "quiet_log"]

_GRACE = 3
_PATIENCE = 60
# What the kernel said before the subscription reached it is lost, so it is soon asked again.
_SUBSCRIBING = 0.05
# What nobody will ever answer is waited for no longer than it takes to be sure of that.
_HOPELESS = 2


def quiet_log() -> logging.Logger:
    """Return a log that nobody sees: what goes wrong is told by reports and exceptions."""
    log = logging.Logger("colab-gen", level=logging.CRITICAL)
    log.addHandler(logging.NullHandler())
    return log


def _unpack(text: bytes) -> Any:
    """Return what a part of a message says, but not when, which takes long to read for nobody."""
    part = json_unpacker(text)
    if isinstance(part, dict) and "msg_id" in part:
        part.pop("date", None)
    return part


class _Iopub(AsyncZMQSocketChannel):
    client: "Client | None" = None

    async def get_msg(  # type: ignore[override]
        self, timeout: float | None = None
    ) -> dict[str, Any]:
        """Return the next message, which the front end has heard by then."""
        # A cell that never stops printing would leave the loop no turn for anything else.
        await asyncio.sleep(0)
        message = await super().get_msg(timeout)
        if self.client is not None:
            self.client.hear(message)
        return message


class Client(AsyncKernelClient):
    """A client of one kernel, with the page beside it."""

    iopub_channel_class = Type(_Iopub)
    front_end: FrontEnd
    manager: "Manager"
    _leaving = False
    _patient = ""
    _interrupt: "asyncio.Future[None] | None" = None

    def listen(self, front_end: FrontEnd, manager: "Manager") -> None:
        """Let the front end hear and answer all that the kernel says from now on."""
        self.front_end, self.manager = front_end, manager
        self.iopub_channel.client = self

    def hear(self, message: dict[str, Any]) -> None:
        """Show a message to the front end and send what it answers."""
        answer = self.front_end.receive(message)
        if answer is not None:
            reply = self.session.msg("input_reply", {"value": answer})
            self.stdin_channel.send(reply)
        if self.front_end.disconnected and not self._leaving:
            # The machine goes away under a cell that is still busy then.
            self._leaving = True
            asyncio.get_running_loop().call_later(_GRACE, self.manager.kill)
        if self.front_end.hopeless != self._patient:
            self._patient = self.front_end.hopeless
            if self._patient:
                asyncio.get_running_loop().call_later(_HOPELESS, self._give_up)

    def _give_up(self) -> None:
        if self.front_end.hopeless:
            self._interrupt = asyncio.ensure_future(self.manager.interrupt_kernel())

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers on both channels, and no longer.

        Raises:
            RuntimeError: it ended first, or the time is up.
        """
        until = time.monotonic() + (timeout or 60)
        while time.monotonic() < until:
            number = self.kernel_info()
            if await self._answers(number):
                return
            if not await self.is_alive():
                raise RuntimeError("the kernel ended before it was ready")
        raise RuntimeError(f"the kernel was not ready after {timeout:g} s")

    async def _answers(self, number: str) -> bool:
        with contextlib.suppress(Empty):
            reply = await self.shell_channel.get_msg(timeout=1)
            if reply["msg_type"] != "kernel_info_reply":
                return False
            self._handle_kernel_info_reply(reply)
            while True:
                message = await self.iopub_channel.get_msg(timeout=_SUBSCRIBING)
                if message["content"].get("execution_state") == "idle":
                    return True
        return False


class Manager(AsyncKernelManager):
    """A manager of one kernel.

    Attributes:
        stderr: where the kernel's own complaints go.
        warm: what forks the kernel; without, and where it will not, a process of its own starts it.
    """

    client_factory = Type(Client)
    front_end: FrontEnd
    stderr: Path
    warm: WarmParent | None = None
    _process: subprocess.Popen[bytes] | WarmKernel | None = None
    _group: int | None = None

    def __init__(self, **options: Any) -> None:
        super().__init__(session=Session(unpack=_unpack), **options)
        self._clients: list[Client] = []

    def client(self, **options: Any) -> Client:  # type: ignore[override]
        """Return a client to which the front end listens."""
        client = super().client(**options)
        assert isinstance(client, Client)
        client.listen(self.front_end, self)
        self._clients.append(client)
        return client

    async def _async_start_kernel(self, **options: Any) -> None:
        # An interpreter that PYTHON* variables of ours reach would not be the kernel's own.
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("PYTHON") or name == "PYTHONHOME"
        }
        with open(self.stderr, "wb") as complaints:
            await super()._async_start_kernel(
                **{
                    **options,
                    "env": environment,
                    "stdout": subprocess.DEVNULL,
                    "stderr": complaints,
                }
            )
        # The provisioner forgets both when the process has ended.
        self._process = getattr(self.provisioner, "process", None)
        self._group = getattr(self.provisioner, "pgid", None)
        await self._sockets()

    async def _sockets(self) -> None:
        """Wait until the kernel listens, or ends: a client that is too early tries in vain."""
        ports = (self.shell_port, self.iopub_port, self.stdin_port, self.hb_port, self.control_port)
        until = time.monotonic() + _PATIENCE
        while not all(os.path.exists(f"{self.ip}-{port}") for port in ports):
            if self.exit_code is not None or time.monotonic() > until:
                return
            await asyncio.sleep(0.004)

    start_kernel = run_sync(_async_start_kernel)  # type: ignore[assignment]

    async def _async_launch_kernel(self, kernel_cmd: list[str], **options: Any) -> None:
        _, _, order, connection, *_ = kernel_cmd
        process = self.warm.start(order, connection, str(self.stderr)) if self.warm else None
        if process is None:
            await super()._async_launch_kernel(kernel_cmd, **options)
            return
        provisioner: Any = self.provisioner
        provisioner.process, provisioner.pid, provisioner.pgid = process, process.pid, None
        self._reconcile_connection_info(provisioner.connection_info)

    @property
    def forked(self) -> bool:
        """Whether the kernel came from the warm parent."""
        return isinstance(self._process, WarmKernel)

    @property
    def exit_code(self) -> int | None:
        """What the kernel's process ended with; a signal is a negative number or 128 and more."""
        return None if self._process is None else self._process.poll()

    def kill(self) -> None:
        """Kill the kernel and all it started, whatever state it is in."""
        if self._process is None or self._process.returncode is not None:
            return  # once it is waited for, its number may be another's
        with contextlib.suppress(OSError):
            if self._group:
                os.killpg(self._group, signal.SIGKILL)
            self._process.kill()

    def end(self) -> None:
        """Kill the kernel, wait for its end, and let go of what its client holds."""
        self.kill()
        if self._process is not None:
            self._process.wait()
        for client in self._clients:
            client.stop_channels()
        self.cleanup_connection_file()
        self.cleanup_ipc_files()
        if getattr(self, "_created_context", False):
            self.context.destroy(linger=0)

"""Starts a kernel inside the stand-in machine: PYTHON launch.py ORDER.json CONNECTION.json.

PYTHON launch.py --warm SOCKET FOLDER MODULE... does the imports and forks as many as are asked for.

Runs under the kernel's interpreter, which need not have colab_gen, so it takes the standard
library, the files beside it and ipykernel only. Three processes come of it: this one, which the
client knows and signals; the first of the new pid namespace, which reaps; and the kernel, forked
and not executed anew, so that it finds the imports done.
"""

import compileall
import contextlib
import ctypes
import gc
import json
import os
import select
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import boot
import forkserver
import isolate

_KEPT = {"LANG", "LANGUAGE", "LD_LIBRARY_PATH", "PATH", "PYTHONHOME", "SSL_CERT_DIR", "TZ"}
_KEPT_PREFIXES = ("CONDA_", "CUDA_", "DYLD_", "LC_", "NIX_", "NVIDIA_", "SSL_CERT_")
_NETWORK = ("PIP_", "REQUESTS_", "UV_")


def main() -> None:
    """Become the kernel of one order, or the process that forks one for each order to come."""
    # The kernel's imports and its connection are the same inside and outside.
    sys.path.remove(os.path.dirname(os.path.abspath(__file__)))
    gc.disable()  # imports make much, and no garbage
    # Read when ipykernel is imported; in a pid namespace of ours the number says nothing.
    parent = os.environ.pop("JPY_PARENT_PID", "0")
    if sys.argv[1] == "--warm":
        control, folder, *preload = sys.argv[2:]
        # A kernel sees our package read-only, and would compile it each time.
        if not sys.dont_write_bytecode:
            compileall.compile_dir(Path(__file__).with_name("site"), quiet=2)
        forkserver.serve(
            int(control),
            Path(folder),
            preload,
            versions=boot.versions,
            refusal=isolate.refusal,
            paths=_interpreter_paths,
            start=_start,
        )
    else:
        _start(sys.argv[1], sys.argv[2], parent=int(parent))


def _start(
    order_file: str, connection: str, *, parent: int = 0, known: dict[str, Any] | None = None
) -> None:
    """Set up the machine that the order asks for and become its kernel.

    Args:
        order_file: what the machine is to be like.
        connection: the kernel's connection file.
        parent: the process with which the kernel ends, 0 where something else sees to it.
        known: what the process that this one was forked from has found out: `environment`,
            `refusal`, `paths`, `variables` that its imports set, and itself as `parent`.
    """
    _die_with_parent()
    if known and os.getppid() != known["parent"]:
        os._exit(1)  # it was gone before that took hold
    order = json.loads(Path(order_file).read_text())
    order["environment"].update((known or {}).get("variables", {}))
    machine = Path(order["machine"])
    state = {"isolated": False, "missing": [], "refusal": ""}
    try:
        state["environment"] = (known or boot.versions())["environment"]
    except ImportError as error:
        _tell(machine / "run", {**state, "fault": f"{sys.executable} cannot run a kernel: {error}"})
        sys.exit(3)
    if order["isolated"] is not False:
        state["refusal"] = known["refusal"] if known else isolate.refusal(str(machine / "new"))
        state["isolated"] = not state["refusal"]
        if order["isolated"] and state["refusal"]:
            _tell(machine / "run", {**state, "fault": state["refusal"]})
            sys.exit(3)
    if not known:
        forkserver.settle_garbage()
    if state["isolated"]:
        keep = known["paths"] if known else _interpreter_paths()
        _isolated(order, machine, connection, state, keep)
    else:
        _tell(machine / "run", state)
        service = _start_service()
        _kernel(order, machine, connection, state, parent=parent, service=service)


def _isolated(
    order: dict[str, Any],
    machine: Path,
    connection: str,
    state: dict[str, Any],
    keep: list[str],
) -> None:
    home = os.path.expanduser("~")
    # Before the namespaces are left behind, while this is still the machine's /.
    keep = [p for p in keep if not f"{home}/".startswith(f"{p.rstrip('/')}/") and p != "/tmp"]
    _environment(order, machine, isolated=True)
    try:
        state["missing"] = isolate.enter(network=order["network"])
        files = _site(order) | boot.extra_files(machine, order["settings"])
        isolate.build_root(
            machine,
            keep,
            network=order["network"],
            files=files,
            work=order["work"],
            home=order["home"],
            own=order["home"] == "/root",
        )
        order["settings"]["fuse"] = os.access("/dev/fuse", os.R_OK | os.W_OK)
        if not order["settings"]["fuse"]:
            state["missing"].append("fuse")
    except OSError as error:
        # Half of it is done by now, so that only a new process can go on without.
        _tell(machine / "run", {**state, "isolated": False, "refusal": str(error)})
        sys.exit(4)
    _tell(Path("/run/kernel"), state)
    own_processes = "processes" not in state["missing"]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt goes to the whole group
    first = os.fork()
    if first == 0:
        _die_with_parent()
        isolate.mount_proc(own=own_processes)
        server = _service()
        service = server.getsockname()[1]
        kernel = os.fork()
        if kernel == 0:
            server.close()
            signal.signal(signal.SIGINT, signal.default_int_handler)
            _die_with_parent()
            isolate.lock_mounts()
            _kernel(order, machine, connection, state, parent=0, service=service)
        _exit_as(_serve_until_ended(kernel, server))
    _exit_as(_reap(first))


def _kernel(
    order: dict[str, Any],
    machine: Path,
    connection: str,
    state: dict[str, Any],
    *,
    parent: int,
    service: int,
) -> None:
    isolated = state["isolated"]
    if not isolated:
        _environment(order, machine, isolated=False)
    if order["colab"]:
        for name in ("TBE_RUNTIME_ADDR", "TBE_EPHEM_CREDS_ADDR", "TBE_CREDS_ADDR"):
            os.environ[name] = f"127.0.0.1:{service}"
    if isolated:
        connection = "/run/kernel/" + os.path.basename(connection)
        content = json.loads(Path(connection).read_text())
        content["ip"] = "/run/kernel/" + os.path.basename(content["ip"])
        connection = "/run/kernel/inside.json"
        Path(connection).write_text(json.dumps(content))
    os.chdir(order["work"] if isolated else machine / "content")
    if order["colab"]:
        sys.path.insert(0, "/env/python" if isolated else order["site"])
    forkserver.start_afresh()
    sys.stdout.flush()
    try:
        boot.run(
            connection,
            parent=parent,
            memory=order["memory"],
            drive="/var/colab/drivefs" if isolated else str(machine / "drivefs"),
            rewrite="" if isolated else str(machine),
            real=order["real"],
            colab=order["colab"],
            settings={
                **order["settings"],
                "credentials": "/run/kernel/credentials"
                if isolated
                else str(machine / "run" / "credentials"),
            },
        )
    except ImportError as error:
        run = Path("/run/kernel") if isolated else machine / "run"
        _tell(run, {**state, "fault": str(error)})
        os._exit(3)


def _environment(order: dict[str, Any], machine: Path, *, isolated: bool) -> None:
    def is_kept(name: str) -> bool:
        if order["network"] and (name.startswith(_NETWORK) or name.lower().endswith("_proxy")):
            return True
        return name in _KEPT or name.startswith(_KEPT_PREFIXES)

    kept = {name: value for name, value in os.environ.items() if is_kept(name)}
    user_base = sys.modules["site"].getuserbase()
    os.environ.clear()
    os.environ.update({"LANG": "C.UTF-8", **kept, **order["environment"]})
    content = order["work"] if isolated else str(machine / "content")
    os.environ.update(
        HOME=order["home"] if isolated else str(machine / "home"),
        PATH=os.pathsep.join([os.path.dirname(sys.executable), kept.get("PATH", os.defpath)]),
        PYTHONUSERBASE=user_base,
    )
    if order["colab"]:
        os.environ["PYTHONPATH"] = "/env/python" if isolated else order["site"]
        os.environ["CLOUDSDK_CONFIG"] = f"{content}/.config"
    if not isolated:
        os.environ["TMPDIR"] = str(machine / "tmp")


def _site(order: dict[str, Any]) -> dict[str, str]:
    return {order["site"]: "/env/python"} if order["colab"] else {}


def _interpreter_paths() -> list[str]:
    paths = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix, sys.executable}
    paths.update(p for p in sys.path if os.path.isabs(p))
    with open("/proc/self/maps") as file:  # libraries may lie anywhere
        mapped = (line.split(None, 5)[-1].strip() for line in file)
        paths.update(os.path.dirname(p) for p in mapped if p.startswith("/"))
    return sorted(p for p in paths if os.path.exists(p))


def _service() -> socket.socket:
    """Return where the VM's own service listens."""
    return socket.create_server(("127.0.0.1", 0))


def _start_service() -> int:
    """Start what answers for the VM's own service, as 200 to all; return its port."""
    parent = os.getpid()
    with _service() as server:
        port: int = server.getsockname()[1]
        if os.fork() == 0:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            _die_with_parent()
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


def _serve_until_ended(child: int, server: socket.socket) -> int:
    """Answer as the VM's service and reap whatever ends, until the child has."""
    reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        while True:  # it may have ended before any signal of it could be heard
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == child:
                return os.waitstatus_to_exitcode(status)
            if pid == 0:
                break
        ready, _, _ = select.select([reading, server], [], [])
        with contextlib.suppress(OSError):
            if reading in ready:
                os.read(reading, 4096)
            if server in ready:
                _answer(server)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _reap(child: int) -> int:
    while True:
        try:
            pid, status = os.wait()
        except InterruptedError:
            continue
        if pid == child:
            return os.waitstatus_to_exitcode(status)


def _exit_as(code: int) -> None:
    os._exit(code if code >= 0 else 128 - code)


def _tell(folder: Path, state: dict[str, Any]) -> None:
    beside = folder / "state.tmp"
    beside.write_text(json.dumps(state))
    beside.rename(folder / "state.json")


if __name__ == "__main__":
    main()

"""Starts a kernel inside the stand-in machine: PYTHON launch.py ORDER.json CONNECTION.json.

PYTHON launch.py --warm SOCKET FOLDER MODULE... does the imports and forks as many as are asked for.

Runs under the kernel's interpreter, which need not have colab_gen, so it takes the standard
library, the files beside it and ipykernel only. Three processes come of it: this one, which the
client knows and signals; the first of the new pid namespace, which reaps; and the kernel, forked
and not executed anew, so that it finds the imports done.
"""

import compileall
import gc
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import boot
import forkserver
import isolate
import minder

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
    minder.die_with_parent(known["parent"] if known else parent)
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
        service = minder.start_service()
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
    first = minder.fork()
    if first == 0:
        isolate.mount_proc(own=own_processes)
        server = minder.service()
        service = server.getsockname()[1]
        kernel = minder.fork()
        if kernel == 0:
            server.close()
            signal.signal(signal.SIGINT, signal.default_int_handler)
            isolate.lock_mounts()
            _kernel(order, machine, connection, state, parent=0, service=service)
        minder.exit_as(minder.serve_until_ended(kernel, server))
    minder.exit_as(minder.reap(first))


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


def _tell(folder: Path, state: dict[str, Any]) -> None:
    beside = folder / "state.tmp"
    beside.write_text(json.dumps(state))
    beside.rename(folder / "state.json")


if __name__ == "__main__":
    main()

"""The page: what the user's browser would answer the kernel, and what it would save."""

import base64
import json
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from queue import Empty
from typing import Any

__all__ = ["FrontEnd", "Handler", "Refusal", "keep_silent"]

Handler = Callable[["FrontEnd", Any], Any]

_UPLOAD_CHUNK = 100 * 1024
_DOWNLOAD = re.compile(r'\s*download\((".*"), (".*"), (\d+)\);?\s*', re.DOTALL)
_UPLOADING = re.compile(
    r'google\.colab\._files\._uploadFiles(Continue)?\("([^"]*)"(?:, "([^"]*)")?\)'
)


class Refusal(Exception):
    """What a handler raises for the page to answer with an error of that text."""


class Silence(Exception):
    """What a handler raises for the page not to answer at all."""


def keep_silent(_front_end: "FrontEnd", _request: Any) -> None:
    """Handle a question as a page does at which there is nobody."""
    raise Silence


class FrontEnd:
    """The page beside one kernel: answers its questions, saves its downloads, takes notes.

    Attributes:
        handlers: type of question -> what answers it. Change an entry to have another page.
        requests: what was asked of the page and what became of it, a line each.
        saved: the names of the files that were downloaded.
        disconnected: the notebook has given its runtime back.
        otherwise: what answers a question that has no handler.
        fetches: what the notebook offers for download is fetched.
        hopeless: why the running cell waits for ever, empty where it does not.
    """

    def __init__(
        self,
        *,
        downloads: Path,
        secrets: Mapping[str, str] | None = None,
        uploads: Sequence[Path] = (),
        credentials: Path | None = None,
    ) -> None:
        """Describe the user: the secrets they keep, the files they pick when asked.

        `credentials` is a file that is there once they have allowed access to Drive.
        """
        self.downloads = downloads
        self.credentials = credentials
        self.secrets = dict(secrets or {})
        self.uploads = tuple(uploads)
        self.handlers: dict[str, Handler] = {
            "request_auth": _grant,
            "GetSecret": _tell_secret,
            "cell_javascript_eval": _evaluate,
        }
        self.requests: list[str] = []
        self.saved: list[str] = []
        self.disconnected = False
        self.otherwise: Handler = _ignore
        self.fetches = True
        self.hopeless = ""
        self.upload_steps: dict[str, Iterator[dict[str, Any]]] = {}
        self._to_download: list[tuple[str, str]] = []

    def note(self, text: str) -> None:
        """Write a line in the list of requests."""
        self.requests.append(text)

    def receive(self, message: Mapping[str, Any]) -> dict[str, Any] | None:
        """Take note of a message of the kernel; return the reply's value, if it asks for one."""
        kind = message.get("msg_type")
        if kind == "display_data":
            self._look_for_download(message["content"])
        if kind != "colab_request":
            return None
        metadata = message["metadata"]
        number = metadata.get("colab_msg_id")
        question = str(metadata.get("colab_request_type"))
        handler = self.handlers.get(question)
        if handler is None:
            if number is None:
                return None  # a report to the page, as of a running command
            handler = self.otherwise
            if handler is _ignore:
                self.note(f"{question}: not known here, answered with nothing")
        reply: dict[str, Any] = {"type": "colab_reply", "colab_msg_id": number}
        try:
            reply["data"] = handler(self, message["content"].get("request"))
        except Refusal as refusal:
            reply["error"] = str(refusal)
        except Silence:
            self.note(f"{question}: nobody answered")
            request = message["content"].get("request")
            self.hopeless = _hopeless(question, request, metadata) or self.hopeless
            return None
        return None if number is None else reply

    def _look_for_download(self, content: Mapping[str, Any]) -> None:
        script = (content.get("data") or {}).get("application/javascript")
        found = _DOWNLOAD.fullmatch(script) if isinstance(script, str) else None
        if found:
            self._to_download.append((json.loads(found[1]), json.loads(found[2])))

    async def finish_cell(self, client: Any) -> None:
        """Fetch what the cell asked to be downloaded, which the page does when the cell ended."""
        waiting, self._to_download = self._to_download, []
        self.hopeless = ""
        for target, name in waiting:
            if not self.fetches:
                self.note(f"download {name}: nothing saved, this page fetches no files")
                continue
            data = await _fetch(client, target)
            if data is None:
                self.note(f"download {name}: nothing saved, it was not to be read after the cell")
                continue
            path = _free(self.downloads / (Path(name).name or "download"))
            path.write_bytes(data)
            self.saved.append(path.name)
            self.note(f"download {name}: {len(data)} bytes")


def _ignore(_front_end: FrontEnd, _request: Any) -> None:
    return None


def _grant(front_end: FrontEnd, request: Any) -> None:
    if front_end.credentials:
        front_end.credentials.touch()
    front_end.note(f"request_auth {request.get('authType')}: granted")


def _tell_secret(front_end: FrontEnd, request: Any) -> dict[str, Any]:
    key = request.get("key")
    exists = key in front_end.secrets
    front_end.note(f"GetSecret {key}: {'told' if exists else 'there is none'}")
    return {"exists": exists, "access": exists, "payload": front_end.secrets.get(key, "")}


def _evaluate(front_end: FrontEnd, request: Any) -> Any:
    script = str(request.get("script", ""))
    uploading = _UPLOADING.fullmatch(script.strip().rstrip(";"))
    if uploading and uploading[1]:
        steps = front_end.upload_steps.get(uploading[2], iter(()))
        return next(steps, {"action": "complete"})
    if uploading:
        front_end.note(f"upload: {', '.join(p.name for p in front_end.uploads) or 'no file'}")
        front_end.upload_steps[uploading[3]] = _steps(front_end.uploads)
        return {"action": "starting"}
    if script.strip().startswith("google.colab.kernel.disconnect("):
        front_end.disconnected = True
        front_end.note("disconnect")
        return None
    try:
        # No script is run, but one that is a plain value needs no running.
        value = json.loads(script)
    except ValueError:
        value = None
        front_end.note(f"eval_js {' '.join(script.split())[:60]}: not run, answered with nothing")
    return value


def _hopeless(question: str, request: Any, metadata: Mapping[str, Any]) -> str:
    """Return why a question without an answer is waited for without end, if it is."""
    if question == "cell_javascript_eval" and _UPLOADING.search(str(request.get("script"))):
        return (
            "files.upload waits for ever, because nobody at this page picks files: put the file on"
            " Drive, or where the cell can read it"
        )
    if question == "request_auth" and request.get("authType") == "auth_user_ephemeral":
        return (
            "auth.authenticate_user waits for ever, because nobody at this page gives consent: run"
            " it where Colab's page is open, or use a service account"
        )
    if metadata.get("colab_gen_waits"):
        return (
            f"{question} waits for ever, because nobody at this page answers: give it a"
            " timeout_sec, and do without the answer when it is None"
        )
    return ""


def _steps(uploads: Sequence[Path]) -> Iterator[dict[str, Any]]:
    for path in uploads:
        yield {"action": "continue"}
        data = path.read_bytes()
        for start in range(0, len(data) or 1, _UPLOAD_CHUNK):
            piece = base64.b64encode(data[start : start + _UPLOAD_CHUNK]).decode()
            yield {"action": "append", "file": path.name, "data": piece}
    yield {"action": "complete"}


async def _fetch(client: Any, target: str, patience: float = 20) -> bytes | None:
    """Return what the kernel sends over a comm of that target, or None where it cannot."""
    comm = uuid.uuid4().hex
    opening = _send(client, "comm_open", {"comm_id": comm, "target_name": target, "data": {}})
    asking = _send(client, "comm_msg", {"comm_id": comm, "data": {}})
    parts: list[bytes] = []
    got = False
    until = time.monotonic() + patience
    while True:
        try:
            message = await client.iopub_channel.get_msg(timeout=max(0, until - time.monotonic()))
        except Empty:
            return None
        if time.monotonic() > until:  # others keep talking, as a thread that prints
            return None
        content, parent = message["content"], message["parent_header"].get("msg_id")
        if content.get("comm_id") == comm:
            if message["msg_type"] == "comm_close":
                # The kernel closes a comm whose opening failed, before anything was asked.
                return None if parent == opening else b"".join(parts)
            parts += [bytes(buffer) for buffer in message.get("buffers", ())]
            got, until = True, time.monotonic() + patience
        elif parent == asking and content.get("execution_state") == "idle":
            if not got:
                return None
            got = False
            asking = _send(client, "comm_msg", {"comm_id": comm, "data": {}})


def _send(client: Any, kind: str, content: dict[str, Any]) -> str:
    message = client.session.msg(kind, content)
    client.shell_channel.send(message)
    return str(message["header"]["msg_id"])


def _free(path: Path) -> Path:
    number, free = 0, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem} ({number}){path.suffix}")
    return free

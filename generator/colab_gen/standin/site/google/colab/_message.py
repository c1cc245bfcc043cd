"""Questions to the page: sent on iopub, answered on stdin."""

import itertools
import time

import IPython
import zmq
from google.colab import _settings, errors

__all__ = ["MessageError", "blocking_request", "read_reply_from_input", "send_request"]

_ids = itertools.count(1)
_POLL = 0.025


class MessageError(errors.Error):
    """The page answered with an error."""


def send_request(request_type, request_body, parent=None, expect_reply=True):
    """Put a question to the page; return its number, or None if no answer is expected."""
    return send(request_type, request_body, parent, expect_reply)


def read_reply_from_input(message_id, timeout_sec=None):
    """Return the answer to the question of that number, or None once the time is up.

    Raises:
        MessageError: the page answered with an error.
    """
    patience = _settings.settings["patience"]
    until = time.time() + timeout_sec * patience if timeout_sec else None
    while until is None or time.time() < until:
        value = _next_input()
        if not isinstance(value, dict):
            time.sleep(_POLL)
        elif value.get("type") == "colab_reply" and value.get("colab_msg_id") == message_id:
            if "error" in value:
                raise MessageError(value["error"])
            return value.get("data")
    return None


def blocking_request(request_type, request="", timeout_sec=5, parent=None):
    """Put a question to the page and return its answer, or None once the time is up."""
    number = send_request(request_type, request, parent=parent, expect_reply=True)
    return read_reply_from_input(number, timeout_sec)


def send(request_type, request_body, parent, expect_reply, **extra):
    """Put a question to the page with more in its metadata than Google's package says there."""
    kernel = IPython.get_ipython().kernel
    metadata = {"colab_request_type": request_type, **extra}
    number = None
    if expect_reply:
        metadata["colab_msg_id"] = number = next(_ids)
    if parent is None and (running := kernel.shell.parent_header):
        # Only the session: the question belongs to the page, not to a cell.
        parent = {"header": {"session": running["header"]["session"]}}
    application = kernel.parent
    message = application.session.msg(
        "colab_request", content={"request": request_body}, metadata=metadata, parent=parent
    )
    application.session.send(application.iopub_socket, message)
    return number


def _next_input():
    kernel = IPython.get_ipython().kernel
    try:
        _, message = kernel.session.recv(kernel.stdin_socket, zmq.NOBLOCK)
        return message["content"].get("value")
    except (AttributeError, KeyError, TypeError, ValueError, zmq.ZMQError):
        return None  # nothing there, or nothing that can be read

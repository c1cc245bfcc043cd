"""Secrets of the user."""

import re
import threading

from google.colab import _message, errors

__all__ = ["NotebookAccessError", "SecretNotFoundError", "TimeoutException", "get"]

_one_at_a_time = threading.Lock()


class NotebookAccessError(Exception):
    """The secret exists, but this notebook may not read it."""

    def __init__(self, key):
        super().__init__(f"Notebook does not have access to secret {key}")


class SecretNotFoundError(errors.Error):
    """There is no such secret."""

    def __init__(self, key):
        super().__init__(f"Secret {key} does not exist.")


class TimeoutException(errors.Error):
    """No page answered."""

    def __init__(self, key):
        super().__init__(
            f"Requesting secret {key} timed out. Secrets can only be fetched when"
            " running from the Colab UI."
        )


def get(key):
    """Return the secret of that name.

    Raises:
        ValueError: the name is empty, no text, or has white space.
        TimeoutException: no page answered within ten seconds.
        SecretNotFoundError: there is no such secret.
        NotebookAccessError: this notebook may not read it.
    """
    if not isinstance(key, str) or not key:
        raise ValueError("Please enter a valid secret name")
    if re.search(r"\s", key):
        raise ValueError("Secret name cannot contain spaces or whitespace")
    with _one_at_a_time:
        answer = _message.blocking_request("GetSecret", request={"key": key}, timeout_sec=10)
    if not answer:
        raise TimeoutException(key)
    if not answer.get("exists"):
        raise SecretNotFoundError(key)
    if not answer.get("access"):
        raise NotebookAccessError(key)
    return answer.get("payload", "")

"""The snippets pane."""

from google.colab import _message

__all__ = ["register"]


def register(url):
    """Add the snippets of the notebook at that address to the pane."""
    _message.blocking_request("register_snippets", {"url": url})

"""A stand-in for Colab's own package: the same names, messages and texts, made anew.

It speaks the protocol of the real one, so either can sit on the kernel's path.
"""

from google.colab import (
    auth,
    autoviz,
    data_table,
    drive,
    errors,
    files,
    output,
    runtime,
    snippets,
    userdata,
    widgets,
)

__all__ = [
    "auth",
    "autoviz",
    "data_table",
    "drive",
    "errors",
    "files",
    "output",
    "runtime",
    "snippets",
    "userdata",
    "widgets",
]

__version__ = "0.0.1a2"


def load_ipython_extension(shell):
    """Add what Colab's kernel has beyond IPython's: the `%shell` and `%%shell` magics."""
    from google.colab import _magics

    _magics.register(shell)

"""`run` with kernels from one parent a process: they differ in nothing but the time (test_warm)."""

import atexit
import functools
import tempfile

from colab_gen.run import run as run_alone
from colab_gen.standin import WarmParent

__all__ = ["parent", "run"]


def run(notebook, **options):
    return run_alone(notebook, warm=parent(), **options)


@functools.cache
def parent():
    warm = WarmParent(preload=("numpy", "PIL.Image"))
    # Its folder outlives the test that happens to be first.
    before, tempfile.tempdir = tempfile.tempdir, None
    warm.__enter__()
    tempfile.tempdir = before
    atexit.register(warm.__exit__, None, None, None)
    return warm

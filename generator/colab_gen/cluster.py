"""A cluster of Dask as an executor."""

import logging
import time
from collections.abc import Callable, Collection
from concurrent.futures import Executor, Future
from importlib import import_module
from typing import Any, TypeVar

from colab_gen.errors import EnvironmentProblem
from colab_gen.job import stop
from colab_gen.text import one_line

__all__ = ["Cluster", "scheduler"]

_T = TypeVar("_T")
_CLOSING = 5  # seconds for the client to say goodbye


class Cluster(Executor):
    """The workers of a scheduler; each needs colab_gen installed, and the kernel's packages.

    Attributes:
        size: how many jobs the workers perform at once.
    """

    def __init__(self, client: Any) -> None:
        """Take over a client, which is closed with the executor."""
        self._client = client
        # Two tries of a job are alike, and Dask would give the second the result of the first.
        self._executor: Executor = client.get_executor(pure=False)
        self.size: int = sum(client.nthreads().values())

    def submit(self, fn: Callable[..., _T], /, *args: Any, **kwargs: Any) -> Future[_T]:
        """Submit a call as every executor does; if its worker is lost, Dask takes another.

        Raises:
            RuntimeError: the scheduler went away and did not come back in time.
        """
        # A client that lost its scheduler takes calls all the same, and never ends some of them.
        while self._client.status == "connecting":
            time.sleep(0.1)
        if self._client.status != "running":
            raise RuntimeError("the scheduler went away")
        return self._executor.submit(fn, *args, **kwargs)

    def stop(self, digests: Collection[str]) -> int:
        """Kill the kernels of these jobs on all workers; return how many have not ended yet."""
        try:
            return sum(self._client.run(stop, set(digests), on_error="ignore").values())
        except Exception:  # the scheduler is gone, and the client of it with each its own error
            return 0

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let go of the scheduler; what it still performs for us is cancelled."""
        if self._client.status == "running":
            self._executor.shutdown(wait=wait and not cancel_futures)
        self._client.close(timeout=_CLOSING)


def scheduler(address: str, *, timeout: float = 20) -> Cluster:
    """Return an executor on the workers of a Dask scheduler, as `tcp://host:8786`.

    Raises:
        EnvironmentProblem: dask is not installed, nobody answers at the address within the
            seconds of `timeout`, or no worker is there by then.
    """
    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        raise EnvironmentProblem(
            "a scheduler takes dask, which is missing: pip install 'colab-gen[dask]'"
        ) from None
    log = logging.getLogger("distributed")
    log.setLevel(max(log.level, logging.CRITICAL))  # what goes wrong is told by results
    try:
        client = distributed.Client(address, timeout=timeout, set_as_default=False)
    except Exception as error:
        raise EnvironmentProblem(
            f"no scheduler answers at {one_line(address)} within {timeout:g} s: "
            f"{type(error).__name__}"
        ) from None
    try:
        client.wait_for_workers(1, timeout=timeout)
    except Exception:
        client.close()
        raise EnvironmentProblem(f"the scheduler at {one_line(address)} has no workers") from None
    return Cluster(client)

"""Ctrl-C where something has to be brought to its end first."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from types import FrameType, TracebackType
from typing import Self

__all__ = ["Interrupts", "ignore_interrupts"]

# Seconds between two that come of one key held down, and of impatience, at the most.
_REPEAT = 1.0


def ignore_interrupts() -> None:
    """Ignore Ctrl-C from now on, in a command that has nothing left but to say why it ends."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


class Interrupts:
    """Within the `with` block Ctrl-C raises `KeyboardInterrupt` once, and not while it is held.

    Pressed again and again, it is ignored after the block too, until it rests for a second.

    Attributes:
        since: when the first came, by `time.monotonic()`; infinity while none has come.
    """

    def __init__(self) -> None:
        self.since = inf
        self._latest = -inf
        self._held = False
        self._taken = False
        self._ours = False

    def __enter__(self) -> Self:
        """Take Ctrl-C over; only the main thread gets it, and only unless it is ignored."""
        self._before = signal.getsignal(signal.SIGINT)
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and self._before not in (signal.SIG_IGN, None):
            signal.signal(signal.SIGINT, self._take)
            self._ours = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give it back, and raise what was held unless there is an error already."""
        if self._ours:
            signal.signal(signal.SIGINT, self._take_late if self.pressed else self._before)
        if error is None:
            self._raise()

    @property
    def pressed(self) -> bool:
        """Whether one has come."""
        return self.since < inf

    def hold(self) -> None:
        """Raise nothing from now on."""
        self._held = True

    @contextmanager
    def held(self) -> Iterator[None]:
        """Raise nothing in this block, but after it what came meanwhile."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        self._raise()

    def _raise(self) -> None:
        if self.pressed and not self._taken:
            self._taken = True
            raise KeyboardInterrupt

    def _take(self, _number: int, _frame: FrameType | None) -> None:
        self._latest = time.monotonic()
        self.since = min(self.since, self._latest)
        if not self._held:
            self._raise()

    def _take_late(self, number: int, _frame: FrameType | None) -> None:
        # A repetition shall not end the command before it has said what came of the first.
        before, self._latest = self._latest, time.monotonic()
        if self._latest - before > _REPEAT:
            signal.signal(number, self._before)
            signal.raise_signal(number)

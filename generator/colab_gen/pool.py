"""Many notebooks at once, on any `concurrent.futures.Executor`: threads, processes, a cluster."""

import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from dataclasses import dataclass, replace

from colab_gen.errors import EnvironmentProblem
from colab_gen.job import Job, Result, perform, stop
from colab_gen.text import one_line

__all__ = ["run_all"]

# A job that has lost this many workers is given up.
_WORKERS = 3
_PATIENCE = 10.0  # seconds for killed kernels to be noticed and their machines to be removed


@dataclass(slots=True, kw_only=True)
class _State:
    """How far a job is; `digest` is the one that the result must have been made for."""

    job: Job
    digest: str
    tries: int = 0
    lost: int = 0
    last: Result | None = None
    result: Result | None = None


def run_all(
    jobs: Sequence[Job],
    executor: Executor,
    *,
    in_flight: int,
    fail_fast: bool = False,
    retries: int = 0,
    on_result: Callable[[Result], None] | None = None,
    work: Callable[[Job], Result] = perform,
    another: Callable[[], Executor] | None = None,
) -> list[Result]:
    """Perform the jobs and return their results, in the order of the jobs.

    A worker that is lost costs its job a try, and the job is performed again, alone, since it may
    be what ended the worker; so it is up to three times, whatever `retries` says. On an interrupt
    the kernels of what runs are killed, here and, where the executor has a method `stop`, at its
    workers, and the interrupt is raised again.

    Args:
        jobs: what to perform; names may repeat.
        executor: where to perform; it is left open.
        in_flight: how many jobs the executor is given at once.
        fail_fast: begin nothing more once a notebook has failed for good; what was not begun has
            a result with no tries.
        retries: how often a failed notebook is tried again, where its job does not say.
        on_result: is told of each result for good at once, in this thread.
        work: what performs a job. It must be picklable where the executor is not one of threads.
        another: makes an executor in place of one that broke, as one of processes does when it
            loses a process; without it, what is left then has a fault.
    """
    states = [_State(job=job, digest=job.digest) for job in jobs]
    pool = _Pool(executor, work, retries, another)
    waiting = deque(states)
    stopped = False

    def end(state: _State) -> bool:
        if on_result and state.result:
            on_result(state.result)
        return fail_fast and not (state.result and state.result.passed)

    try:
        while pool.running or (waiting and not stopped):
            while waiting and not stopped and pool.has_room(waiting[0], in_flight):
                state = waiting.popleft()
                if not pool.submit(state):
                    stopped = end(state)
            for state in pool.completed():
                if state.result:
                    stopped = end(state) or stopped
                else:
                    waiting.append(state)  # behind the others, which it does not hold up then
            if stopped:
                pool.cancel()
    except BaseException:
        pool.abandon({state.digest for state in states})
        raise
    finally:
        pool.close()
    return [state.result or state.last or _not_run(state) for state in states]


class _Pool:
    """The futures of an executor and the jobs they stand for."""

    def __init__(
        self,
        executor: Executor,
        work: Callable[[Job], Result],
        retries: int,
        another: Callable[[], Executor] | None,
    ) -> None:
        self.running: dict[Future[Result], _State] = {}
        self._executor = executor
        self._work = work
        self._retries = retries
        self._another = another
        self._made: list[Executor] = []

    def has_room(self, state: _State, in_flight: int) -> bool:
        """Return whether the job can be submitted now."""
        if state.lost or any(other.lost for other in self.running.values()):
            return not self.running
        return len(self.running) < in_flight

    def submit(self, state: _State) -> bool:
        """Return whether an executor took the job; if not, the result says why."""
        try:
            try:
                future = self._executor.submit(self._work, state.job)
            except Exception:
                if not self._another:
                    raise
                self._executor = self._another()
                self._made.append(self._executor)
                future = self._executor.submit(self._work, state.job)
        except Exception as error:  # each executor has its own for being closed or broken
            state.result = _fault(state, f"no worker is left: {_told(error)}")
            return False
        self.running[future] = state
        return True

    def completed(self) -> list[_State]:
        """Wait for a future, and return what has ended; without a result it is to go on."""
        # With a time limit, since Windows hears no Ctrl-C in a wait that has none.
        done = wait(self.running, timeout=1, return_when=FIRST_COMPLETED).done
        # No future is kept: for one that is, a cluster would make a lost result again.
        return [self._settle(done.pop()) for _ in range(len(done))]

    def _settle(self, future: Future[Result]) -> _State:
        state = self.running.pop(future)
        state.tries += 1
        try:
            result = replace(future.result(), tries=state.tries)
        except (Exception, CancelledError) as error:  # the executor's, since `perform` has none
            state.lost += 1
            if state.lost >= _WORKERS:
                state.result = _fault(state, f"{state.lost} workers were lost: {_told(error)}")
            return state
        if result.digest != state.digest:
            state.result = _fault(state, "its worker has another colab_gen, or other files for it")
            return state
        state.last = result
        retries = self._retries if state.job.retries is None else state.job.retries
        if result.passed or state.tries - state.lost > retries:
            state.result = result
        return state

    def cancel(self) -> None:
        """Take back what the executor has not begun."""
        cancelled = {f: state for f, state in self.running.items() if f.cancel()}
        for future in cancelled:
            del self.running[future]
        self._stop_elsewhere({state.digest for state in cancelled.values()})

    def abandon(self, digests: Collection[str]) -> None:
        """Take back what has not begun, and kill the kernels of the rest until all have ended."""
        for future in self.running:
            future.cancel()
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            left = stop(digests) + self._stop_elsewhere(digests)
            if not left and all(future.done() for future in self.running):
                return
            time.sleep(0.2)

    def _stop_elsewhere(self, digests: Collection[str]) -> int:
        # A cluster calls a job cancelled that its worker has begun and goes on with.
        ask: Callable[[Collection[str]], int] | None = getattr(self._executor, "stop", None)
        return ask(digests) if ask and digests else 0

    def close(self) -> None:
        """Close the executors made in place of broken ones."""
        for executor in self._made:
            executor.shutdown(wait=False, cancel_futures=True)


def _fault(state: _State, reason: str) -> Result:
    return Result(
        name=state.job.name,
        digest=state.digest,
        fault=reason,
        code=EnvironmentProblem.exit_code,
        tries=state.tries,
    )


def _not_run(state: _State) -> Result:
    reason = "not run, since another notebook failed"
    return replace(_fault(state, reason), code=0, tries=0)


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {one_line(error, 200)}".rstrip(": ")

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from colab_gen.errors import EnvironmentProblem
from colab_gen.job import perform
from colab_gen.pool import run_all
from conftest import ROOT
from processes import processes_of
from test_pool import ran


def test_a_scheduler_that_is_not_there():
    from colab_gen.cluster import scheduler

    start = time.monotonic()
    with pytest.raises(EnvironmentProblem, match=r"no scheduler answers at tcp://127\.0\.0\.1:1 "):
        scheduler("tcp://127.0.0.1:1", timeout=2)
    assert time.monotonic() - start < 30


def test_without_dask_it_says_what_is_missing(monkeypatch):
    from colab_gen.cluster import scheduler

    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(EnvironmentProblem, match=r"colab-gen\[dask\]"):
        scheduler("tcp://127.0.0.1:1")


class Dask:
    """A scheduler and two workers, each a process of its own, that speak TCP."""

    def __init__(self, folder):
        self.folder = folder
        self.processes = []
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("DASK_")},
            "TMPDIR": str(folder), "PYTHONPATH": f"{ROOT / 'generator'}:{ROOT / 'tests'}",
        }  # fmt: skip
        file = folder / "scheduler.json"
        place = ["--host", "127.0.0.1", "--no-dashboard"]
        self.start(["scheduler", *place, "--port", "0", "--scheduler-file", file], environment)
        self.wait(file.exists)
        self.address = json.loads(file.read_text())["address"]
        one = ["--nthreads", "1", "--no-nanny", "--local-directory", folder]
        for name in ("first", "second"):
            self.start(["worker", self.address, *place, *one, "--name", name], environment)
        self.wait(lambda: self.told().count("Registered to:") == 2)

    def start(self, words, environment):
        command = [sys.executable, "-W", "ignore", "-m", "dask", *map(str, words)]
        with open(self.folder / f"log{len(self.processes)}", "wb") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        self.processes.append(process)

    def wait(self, ready):
        until = time.monotonic() + 120
        while not ready():
            assert time.monotonic() < until, self.told()
            time.sleep(0.05)

    def told(self):
        return "\n".join(p.read_text(errors="replace") for p in self.folder.glob("log*"))

    def end(self):
        for process in reversed(self.processes):
            process.kill()
            process.wait()


@pytest.fixture
def dask(own_tmp):
    pytest.importorskip("distributed")
    cluster = Dask(Path(own_tmp))
    yield cluster
    cluster.end()


class Noting:
    """`perform` that writes its process and the job's name in a file first; it can be pickled."""

    def __init__(self, file):
        self.file = file

    def __call__(self, job):
        with open(self.file, "a") as file:
            file.write(f"{os.getpid()} {job.name}\n")
        return perform(job)


def sleeping(count, seconds):
    code = f"import time; time.sleep({seconds})"
    return [replace(ran(f"print({n})", code), name=str(n)) for n in range(count)]


# Of what dask itself does with its event loop and sockets.
own_warnings = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.mark.runs
@own_warnings
def test_a_killed_worker_costs_only_the_job_in_flight(dask, own_tmp):
    from colab_gen.cluster import scheduler

    begun, ended, worker = Path(own_tmp) / "begun", [], dask.processes[2]

    def kill_at_work():
        dask.wait(lambda: ended and jobs_of(worker.pid)[-1:] not in ([], ended[-1:]))
        worker.kill()

    def jobs_of(pid):
        lines = begun.read_text().splitlines()
        return [line.split()[1] for line in lines if line.startswith(f"{pid} ")]

    with scheduler(dask.address, timeout=60) as cluster, ThreadPoolExecutor(1) as killer:
        assert cluster.size == 2
        killed = killer.submit(kill_at_work)
        results = run_all(
            sleeping(6, 1.5),
            cluster,
            in_flight=2,
            on_result=lambda result: ended.append(result.name),
            work=Noting(str(begun)),
        )
        killed.result()
    assert [r.name for r in results] == list("012345")
    assert all(r.passed for r in results), [r.fault for r in results]
    times = Counter(line.split()[1] for line in begun.read_text().splitlines())
    assert worker.wait(60) == -signal.SIGKILL
    assert sorted(times.values()) == [1, 1, 1, 1, 1, 2], times
    dask.wait(lambda: not processes_of(f"{own_tmp}/colab-gen-"))


@pytest.mark.runs
@own_warnings
def test_a_scheduler_that_goes_away_is_a_fault_and_no_hang(dask):
    from colab_gen.cluster import scheduler

    start = time.monotonic()
    with scheduler(dask.address, timeout=20) as cluster:
        threading.Timer(1.5, dask.processes[0].kill).start()
        results = run_all(sleeping(4, 3), cluster, in_flight=2)
    assert not any(r.passed for r in results)
    assert {r.code for r in results} == {3}
    assert time.monotonic() - start < 120


@pytest.mark.runs
def test_the_command_on_a_scheduler(dask, own_tmp, tmp_path, colab_gen):
    for job in sleeping(3, 0):
        (tmp_path / f"{job.name}.ipynb").write_text(job.text)
    done = colab_gen("validate", ".", "--scheduler", dask.address)
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith("3 of 3 notebooks passed\n")
    assert [line.split(",")[0] for line in done.stdout.splitlines()] == [
        f"{n}.ipynb: passed" for n in range(3)
    ]
    (tmp_path / "0.ipynb").write_text(sleeping(1, 99)[0].text)
    process = subprocess.Popen(
        [sys.executable, "-m", "colab_gen", "validate", "0.ipynb", "--scheduler", dask.address],
        env={**os.environ, "PYTHONPATH": str(ROOT / "generator")},
        cwd=tmp_path, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    dask.wait(lambda: processes_of(f"{own_tmp}/colab-gen-"))
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=120)[1].strip() == "colab-gen: interrupted"
    assert process.returncode == 130
    dask.wait(lambda: not processes_of(f"{own_tmp}/colab-gen-"))

import gc
import json
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from colab_gen.job import Job, Result, perform, stop
from colab_gen.pool import run_all
from colab_gen.report import Report
from conftest import ROOT
from processes import processes_of
from test_static import notebook

FORK = multiprocessing.get_context("spawn")


def jobs(*names, **more):
    return [Job(name=name, text=name, **more) for name in names]


def result(job, *, passed=True):
    problems = () if passed else ("bad",)
    report = Report(notebook={}, problems=problems)
    return Result(name=job.name, digest=job.digest, report=report, code=0 if passed else 1)


def ran(*sources, **more):
    return Job(name="n", text=json.dumps(notebook(*sources)), **more)


class Script:
    """A fake of `perform`: what each job does at each of its tries, by the words in its name."""

    def __init__(self):
        self.begun, self.lock = [], threading.Lock()

    def __call__(self, job):
        with self.lock:
            self.begun.append(job.name)
            number = self.begun.count(job.name)
        word = job.name.split()[min(number, len(job.name.split()) - 1)]
        if word == "slow":
            time.sleep(0.1)
        if word == "lost":
            raise EOFError("the worker went away")
        if word == "other":
            return replace(result(job), digest="other")
        return result(job, passed=word != "bad")


@pytest.mark.parametrize(
    ("names", "options", "passed", "tries"),
    [
        ("a ok,b slow,c ok,d slow", {}, "1111", [1, 1, 1, 1]),
        ("a bad,b ok", {}, "01", [1, 1]),
        ("a bad,b ok", {"retries": 2}, "01", [3, 1]),
        ("a bad bad ok,b bad bad bad ok", {"retries": 2}, "10", [3, 3]),
        ("a lost ok,b ok", {}, "11", [2, 1]),
        ("a lost,b ok", {"retries": 5}, "01", [3, 1]),
        ("a lost bad,b ok", {}, "01", [2, 1]),
        ("a lost bad ok,b ok", {"retries": 1}, "11", [3, 1]),
        ("a other,b ok", {}, "01", [1, 1]),
        ("", {}, "", []),
    ],
)
@pytest.mark.parametrize("in_flight", [1, 3])
def test_results_come_in_the_order_of_the_jobs(names, options, passed, tries, in_flight):
    given_jobs = jobs(*filter(None, names.split(",")))
    seen = []
    with ThreadPoolExecutor(3) as executor:
        results = run_all(
            given_jobs, executor, in_flight=in_flight, work=Script(), on_result=seen.append,
            **options,
        )  # fmt: skip
    assert [r.name for r in results] == [j.name for j in given_jobs]
    assert "".join(str(int(r.passed)) for r in results) == passed
    assert [r.tries for r in results] == tries
    assert sorted(r.name for r in seen) == sorted(j.name for j in given_jobs)
    for r in results:
        assert r.passed or r.fault or r.report.problems


def test_a_job_may_say_its_own_retries():
    with ThreadPoolExecutor(1) as executor:
        (found,) = run_all(jobs("a bad bad ok", retries=2), executor, in_flight=1, work=Script())
    assert (found.passed, found.tries) == (True, 3)


@pytest.mark.parametrize(("in_flight", "most"), [(1, 2), (2, 3)])
def test_fail_fast_begins_nothing_more(in_flight, most):
    work = Script()
    names = ["a ok", "b bad", *(f"{n} slow" for n in "cdefgh")]
    with ThreadPoolExecutor(2) as executor:
        results = run_all(jobs(*names), executor, in_flight=in_flight, fail_fast=True, work=work)
    assert len(work.begun) <= most
    assert [r.name for r in results] == names
    assert results[1].report.problems == ("bad",)
    assert {r.tries for r in results[4:]} == {0}
    assert results[-1].fault == "not run, since another notebook failed"


def test_no_more_are_in_flight_than_asked():
    now, most, lock = 0, 0, threading.Lock()

    def work(job):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.01)
        with lock:
            now -= 1
        return result(job)

    with ThreadPoolExecutor(8) as executor:
        run_all(jobs(*"abcdefghijkl"), executor, in_flight=3, work=work)
    assert most <= 3


def die_once(job):
    mark = Path(job.text)
    if mark.name == "poison" or (mark.name == "once" and not mark.exists()):
        mark.touch()
        os._exit(1)
    time.sleep(0.05)
    return result(job)


def test_a_broken_executor_is_replaced_and_only_the_culprit_given_up(tmp_path):
    given_jobs = [
        Job(name=name, text=str(tmp_path / kind))
        for name, kind in [("a", "fine"), ("p", "poison"), ("o", "once"), ("b", "fine")]
    ]

    def make():
        return ProcessPoolExecutor(2, mp_context=FORK)

    with make() as executor:
        results = run_all(given_jobs, executor, in_flight=4, work=die_once, another=make)
    assert [r.passed for r in results] == [True, False, True, True]
    assert results[1].fault.startswith("3 workers were lost: BrokenProcessPool")
    assert results[1].code == 3


def test_without_another_the_rest_has_a_fault(tmp_path):
    given_jobs = [Job(name=n, text=str(tmp_path / "poison")) for n in "abc"]
    with ProcessPoolExecutor(1, mp_context=FORK) as executor:
        results = run_all(given_jobs, executor, in_flight=1, work=die_once)
    assert [r.fault.split(":")[0] for r in results] == ["no worker is left"] * 3


class Interrupting(Executor):
    """Begins nothing, and is interrupted when it gets its second job."""

    def __init__(self):
        self.futures, self.told = [], []

    def submit(self, fn, /, *args, **kwargs):
        if self.futures:
            raise KeyboardInterrupt
        self.futures.append(Future())
        return self.futures[0]

    def stop(self, digests):
        self.told.append(digests)
        return 0


def test_an_interrupt_takes_everything_back():
    executor, given_jobs = Interrupting(), jobs("a", "b")
    with pytest.raises(KeyboardInterrupt):
        run_all(given_jobs, executor, in_flight=2)
    assert executor.futures[0].cancelled()
    assert executor.told == [{job.digest for job in given_jobs}]


def test_a_digest_tells_all_that_decides_the_result(tmp_path):
    upload = tmp_path / "u.txt"
    upload.write_text("1")
    (tmp_path / "s").mkdir()
    base = Job(name="a", text="x", snippets=(tmp_path / "s",), options={"uploads": (upload,)})
    digests = [base.digest]
    assert replace(base, name="b", retries=3).digest == base.digest
    assert pickle.loads(pickle.dumps(base)).digest == base.digest
    digests.append(replace(base, text="y").digest)
    digests.append(replace(base, options={**base.options, "timeout": 1}).digest)
    upload.write_text("2")
    digests.append(base.digest)
    (tmp_path / "s" / "new.md").write_text("text")
    digests.append(base.digest)
    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize(
    ("job", "fault", "code"),
    [
        (Job(name="n", text="{"), "not a notebook, since not JSON", 1),
        (Job(name="n", text='{"nbformat": 3, "cells": []}'), "a notebook of nbformat 3", 1),
        (ran("1", snippets=(Path("none"),)), "there is no directory of snippets none", 1),
        (ran("1", options={"python": "/no/python"}), "/no/python cannot be run", 3),
        (ran("1", options={"bad": 1}), "a fault of ours: TypeError", 1),
        (Job(name="n", text='{"nbformat": 4, "cells": [3], "metadata": 1}'), "", 1),
    ],
)
def test_perform_never_raises(job, fault, code):
    found = perform(job)
    assert (found.passed, found.code) == (False, code)
    assert found.fault.startswith(fault)
    assert "\n" not in found.fault
    assert bool(found.fault) != bool(found.report)
    assert found.digest == job.digest
    json.dumps(found.as_dict())


@pytest.mark.runs
def test_kernels_in_threads_leave_nothing(recwarn, monkeypatch, own_tmp):
    monkeypatch.setattr(tempfile, "tempdir", own_tmp)
    threads = threading.active_count()
    given_jobs = [ran("x = 1", f"print({n})\nassert {n} != 3") for n in range(6)]
    cells = []

    def work(job):
        return perform(job, on_cell=cells.append)

    with ThreadPoolExecutor(3) as executor:
        results = run_all(given_jobs, executor, in_flight=3, work=work)
    assert [r.passed for r in results] == [n != 3 for n in range(6)]
    printed = [r.report.notebook["cells"][1]["outputs"][0]["text"] for r in results]
    assert printed == [f"{n}\n" for n in range(6)]
    assert len(cells) == 12
    assert os.listdir(own_tmp) == []
    gc.collect()  # what is left open would warn now
    assert not recwarn.list
    assert threading.active_count() - threads <= 3
    assert pickle.loads(pickle.dumps(results)) == results
    assert stop([j.digest for j in given_jobs]) == 0


@pytest.mark.runs
def test_processes_give_the_results_of_threads():
    given_jobs = [ran(f"print({n})\n1 / {n}") for n in range(3)]
    with ProcessPoolExecutor(2, mp_context=FORK) as executor:
        found = run_all(given_jobs, executor, in_flight=2)
    with ThreadPoolExecutor(2) as executor:
        expected = run_all(given_jobs, executor, in_flight=2)
    assert [[o.message for o in r.report.outcomes] for r in found] == [
        [o.message for o in r.report.outcomes] for r in expected
    ]
    assert [r.passed for r in found] == [False, True, True]


@pytest.mark.runs
def test_a_job_can_be_stopped():
    job = ran("import time; time.sleep(100)")
    with ThreadPoolExecutor(1) as executor:
        future = executor.submit(perform, job)
        until = time.monotonic() + 60
        while stop([job.digest]) and time.monotonic() < until:
            time.sleep(0.1)
        assert not future.result(timeout=60).passed
    assert stop([job.digest]) == 0


@pytest.mark.runs
@pytest.mark.parametrize("wait", [0.2, 3])
def test_ctrl_c_leaves_no_process(tmp_path, own_tmp, wait):
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.ipynb").write_text(json.dumps(notebook("import time; time.sleep(99)")))
    environment = {**os.environ, "TMPDIR": own_tmp, "PYTHONPATH": str(ROOT / "generator")}
    process = subprocess.Popen(
        [sys.executable, "-m", "colab_gen", "validate", str(tmp_path), "-j", "2"],
        env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        until = time.monotonic() + 60
        while len(os.listdir(own_tmp)) < 2 and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(wait)
        process.send_signal(signal.SIGINT)
        out, complaints = process.communicate(timeout=120)
        assert (process.returncode, out) == (130, "")
        assert complaints.strip() == "colab-gen: interrupted"
        assert os.listdir(own_tmp) == []
        assert processes_of(own_tmp) == []
    finally:
        process.kill()

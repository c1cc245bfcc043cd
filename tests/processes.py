"""Processes that tests start, interrupt and look for."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from conftest import ROOT

__all__ = ["interrupted", "processes_of", "wait_for"]


def interrupted(body, folder, end, *, own, at_least=1):
    """Run a script that calls `tell` once it is at work, end it by a signal, and see nothing left.

    Args:
        body: the lines of the script, which can import from the generator and the tests.
        folder: where the script goes.
        end: the signal.
        own: the script's folder for temporary files, by which its processes are known.
        at_least: so many processes there are while it is at work.
    """
    mark = folder / "started"
    script = folder / "script.py"
    script.write_text(
        f"import sys; sys.path[:0] = [{str(ROOT / 'generator')!r}, {str(ROOT / 'tests')!r}]\n"
        "from pathlib import Path\nfrom colab_gen.run import run\n"
        "from test_static import notebook\n"
        f"def tell(outcome): Path({str(mark)!r}).touch()\n{body}"
    )
    environment = {**os.environ, "TMPDIR": own}
    process = subprocess.Popen(
        [sys.executable, script], env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        wait_for(mark.exists)
        time.sleep(0.5)
        assert len(processes_of(own)) >= at_least
        process.send_signal(end)
        complaints = process.communicate(timeout=120)[1]
        wait_for(lambda: not processes_of(own))
        if end == signal.SIGINT:
            assert "KeyboardInterrupt" in complaints.splitlines()[-1]
            assert os.listdir(own) == []
    finally:
        process.kill()


def wait_for(condition, seconds=120):
    # A busy machine is slow, which is no failure.
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.05)
    assert condition()


def processes_of(folder):
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if folder in line:
            found.append(line)
    return found

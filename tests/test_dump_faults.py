"""Dumps on bad days: damaged files, a full disk, kills, and a Drive that fails."""

import contextlib
import errno
import os
import random
import resource
import signal
import time
import types

import numpy as np
import pytest
from crash import count
from crash_dump import ways
from dumps import flip, run_cell, same
from fusemount import CANNOT, mounted


@pytest.fixture
def cell(tmp_path):
    return run_cell(tmp_path)


def hurry(cell):
    """Let the cell not wait before it tries again."""
    cell.names["time"] = types.SimpleNamespace(sleep=lambda s: None, monotonic=time.monotonic)


def remote(cell):
    """Let the cell take the folder for one of a Drive."""
    cell.names["dump_is_local"] = lambda path: False
    hurry(cell)


def with_room(cell, free):
    """Let the cell find so many bytes free, wherever it looks."""
    usage = types.SimpleNamespace(free=free)
    cell.names["shutil"] = types.SimpleNamespace(disk_usage=lambda path: usage)


VALUE = {"a": np.arange(30_000.0), "b": np.arange(50_000)[::2], "c": ["text"] * 50}


@pytest.fixture
def dumped(cell):
    """Two versions, and the path of the newer one."""
    cell.dump("v", "the one before")
    return cell, cell.dump("v", VALUE)


def test_every_flipped_bit_is_refused(dumped):
    cell, path = dumped
    size = path.stat().st_size
    index = cell.dump_told(path)
    start, length, _ = index["stream"]
    edges = [0, 8, 63, 64, start - 1, start, start + length]
    edges += [size - back for back in (28, 20, 12, 1)]
    around = [offset for begin, n in index["buffers"] for offset in (begin, begin + n - 1)]
    rng = random.Random(1)
    for offset in [*edges, *around, *(rng.randrange(size) for _ in range(100))]:
        bit = rng.randrange(8)
        flip(path, offset, bit)
        with pytest.raises(RuntimeError, match=r"v is damaged .*load\('v', version=-1\) gives"):
            cell.load("v")
        flip(path, offset, bit)
    assert same(cell.load("v"), VALUE)
    flip(path, size // 3)
    assert cell.load("v", version=-1) == "the one before"


def test_every_short_or_torn_file_is_refused(dumped):
    cell, path = dumped
    whole = path.read_bytes()
    rng = random.Random(2)
    lengths = [0, 1, 63, 64, 100, len(whole) - 1]
    for length in [*lengths, *(rng.randrange(len(whole)) for _ in range(40))]:
        path.write_bytes(whole[:length])
        with pytest.raises(RuntimeError, match="v is damaged"):
            cell.load("v")
        # What a crash of the system leaves: the size is right, pages are missing.
        if whole[length:].strip(b"\0"):
            path.write_bytes(whole[:length].ljust(len(whole), b"\0"))
            with pytest.raises(RuntimeError, match="v is damaged"):
                cell.load("v")
    path.write_bytes(whole + b"x")
    with pytest.raises(RuntimeError, match="v is damaged"):
        cell.load("v")
    path.unlink()
    assert cell.load("v") == "the one before"


def syncing(monkeypatch, errors):
    """Return the list of the syncs to come; the first of them fail with `errors`."""
    syncs, sync = [], os.fsync

    def noting(file):
        syncs.append(file)
        if errors:
            raise errors.pop(0)
        sync(file)

    monkeypatch.setattr(os, "fsync", noting)
    return syncs


LARGE = np.arange(5_000_000)


def test_an_error_that_an_early_sync_is_told_of_counts(dumped, monkeypatch):
    cell, path = dumped
    # The kernel tells of it once, so that the sync at the end would find nothing.
    syncing(monkeypatch, [OSError(errno.EIO, "Input/output error")])
    with pytest.raises(RuntimeError, match=r"v is not dumped .*Input/output error"):
        cell.dump("v", LARGE)
    assert sorted(os.listdir(path.parent)) == ["v.1.dump", path.name]
    assert same(cell.load("v"), VALUE)


def test_only_a_local_disk_begins_early(cell, monkeypatch):
    syncs = syncing(monkeypatch, [])
    cell.dump("v", LARGE)
    assert len(syncs) > 1
    syncs.clear()
    remote(cell)
    cell.dump("v", LARGE)
    assert len(syncs) == 1
    assert same(cell.load("v"), LARGE)


def test_checksums_are_held_once_in_a_session(dumped):
    _, path = dumped
    again = run_cell(path.parents[1])
    held, sum_up = [], again.names["dump_sum_up"]

    def noting(sums, pieces):
        held.extend(len(data) for _, data in pieces)
        sum_up(sums, pieces)

    again.names["dump_sum_up"] = noting
    assert same(again.load("v"), VALUE)
    assert sum(held) > 400_000
    held.clear()
    again.load("v")
    assert held == []
    again.load("v", verify=True)
    assert sum(held) > 400_000


def test_from_a_drive_it_is_copied_and_held_against_checksums(dumped):
    cell, path = dumped
    remote(cell)
    large = {"x": np.random.default_rng(0).random(3_000_000)}
    cell.dump("large", large)
    assert same(cell.load("large"), large)
    assert same(cell.load("v"), VALUE)
    whole, facts = path.read_bytes(), path.stat()
    flip(path, 1000)
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))  # nothing tells that it has changed
    with pytest.raises(RuntimeError, match="v is damaged"):
        cell.load("v")
    path.write_bytes(whole)
    with_room(cell, 9)
    assert same(cell.load("large"), large)  # no room to copy it: taken to memory


def test_reading_goes_on_where_it_failed(dumped, monkeypatch):
    cell, path = dumped
    remote(cell)
    cell.dump("large", np.arange(6_000_000))
    opened = cell.names["DUMPS"].__class__.open
    faults, offsets = [2, 3], []

    class Failing:
        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *details):
            self.file.close()

        def seek(self, offset):
            offsets.append(offset)
            self.file.seek(offset)

        def read(self, size):
            faults[:] = [n - 1 for n in faults]
            if 0 in faults:
                raise OSError(errno.EIO, "Input/output error")
            return self.file.read(size)

    monkeypatch.setattr(type(path), "open", lambda self, *a, **k: Failing(opened(self, *a, **k)))
    assert (cell.load("large") == np.arange(6_000_000)).all()
    assert offsets == [0, 8 << 20, 8 << 20]
    faults[:] = range(1, 99)
    with pytest.raises(RuntimeError, match=r"cannot be read \(.*mount Drive again with force_re"):
        cell.load("v")


@pytest.mark.parametrize("what", ["said", "limit"])
def test_a_full_disk_leaves_the_old_dump(cell, what):
    cell.dump("v", VALUE)
    value = np.random.default_rng(0).random(500_000)
    if what == "said":
        with_room(cell, 3_000_000)
        for each in (value, [{"a": (value,)}]):
            with pytest.raises(RuntimeError, match="4 MB do not fit in the 3 MB left"):
                cell.dump("v", each)
    else:
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, limits[1]))
        try:
            with pytest.raises(RuntimeError, match=r"v is not dumped .* see that Drive has room"):
                cell.dump("v", value)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, ignored)
    assert same(cell.load("v"), VALUE)
    assert [p.name for p in cell.DUMPS.iterdir()] == ["v.1.dump"]


def test_killed_at_random_moments(tmp_path):
    random.seed(5)
    told = count(ways(tmp_path)["ours"], tmp_path / "place", 12)
    assert (told["false"], told["lost"]) == (0, 0)
    assert told["whole"] > 0


FAULTS = [
    ({"eio-reads": [2]}, ""),
    ({"quota": True}, "cannot be read"),
    ({"cut": 9_000_000}, "cannot be read"),
    ({"flip": 9_000_000}, "v is damaged"),
    ({"short-reads": 70_000}, ""),
    ({"gone": 4}, "cannot be read"),
]


@pytest.mark.skipif(bool(CANNOT), reason=f"NOT CHECKED: {CANNOT}")
@pytest.mark.parametrize(("faults", "words"), FAULTS, ids=str)
def test_loading_from_a_bad_drive(tmp_path, faults, words):
    value = np.arange(2_000_000)
    run_cell(tmp_path / "source").dump("v", value)
    with mounted(tmp_path / "source", tmp_path / "drive", faults) as mount:
        cell = run_cell(mount.point)
        assert not cell.dump_is_local(cell.DUMPS)
        hurry(cell)
        if words:
            with pytest.raises(RuntimeError, match=words):
                cell.load("v")
        else:
            assert (cell.load("v") == value).all()
    assert (run_cell(tmp_path / "source").load("v") == value).all()


WRITES = [
    ({"eio-writes": [2]}, ""),
    ({"room": 9_000_000}, "v is not dumped"),
    ({"gone": 2}, "v is not dumped"),
    ({"eio-fsync": True}, "v is not dumped"),
    ({"lose-writes": 9_000_000}, ""),
    ({"flip-writes": 9_000_000}, ""),
    ({"latency": 0.01}, ""),
]


@pytest.mark.skipif(bool(CANNOT), reason=f"NOT CHECKED: {CANNOT}")
@pytest.mark.parametrize(("faults", "words"), WRITES, ids=str)
def test_dumping_to_a_bad_drive(tmp_path, faults, words):
    run_cell(tmp_path / "source").dump("v", "the one before")
    value = np.arange(2_000_000)
    with mounted(tmp_path / "source", tmp_path / "drive", faults) as mount:
        cell = run_cell(mount.point)
        if words:
            with pytest.raises(RuntimeError, match=words):
                cell.dump("v", value)
        else:
            with contextlib.suppress(RuntimeError):
                cell.dump("v", value)
    later = run_cell(tmp_path / "source")
    if "latency" in faults:
        assert (later.load("v") == value).all()
    # It is whole, or refused for what a lying Drive has made of it; then the one before is there.
    try:
        loaded = later.load("v")
    except RuntimeError as error:
        told = str(error)
    else:
        told = "" if isinstance(loaded, str) or (loaded == value).all() else "wrong"
    assert told == "" or "v is damaged" in told
    if told or words:
        assert later.load("v", version=-1 if told else 0) == "the one before"

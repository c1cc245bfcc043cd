"""The mount that other tests rely on does what its table says."""

import errno
import os
import shutil

import pytest
from fusemount import CANNOT, mounted

DATA = bytes(range(256)) * 4096  # 1 MiB

pytestmark = pytest.mark.skipif(bool(CANNOT), reason=f"NOT CHECKED: {CANNOT}")


@pytest.fixture
def show(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a").write_bytes(DATA)
    return lambda **faults: mounted(
        tmp_path / "real", tmp_path / "shown", {k.replace("_", "-"): v for k, v in faults.items()}
    )


def number_of(action):
    try:
        action()
    except OSError as error:
        return error.errno
    return 0


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        ({}, DATA),
        ({"short_reads": 1000}, DATA),
        ({"cut": 5000}, DATA[:5000]),
        ({"flip": 70000}, DATA[:70000] + bytes([DATA[70000] ^ 16]) + DATA[70001:]),
        ({"latency": 0.001, "bandwidth": 100e6}, DATA),
        ({"quota": True}, errno.EIO),
        ({"eio_reads": [1]}, errno.EIO),
        ({"eio_from": 0}, errno.EIO),
        ({"gone": 1}, errno.ENOTCONN),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_reading(show, faults, expected):
    def read():
        with open(mount.point / "a", "rb") as file:
            assert hash(file.read()) == hash(expected)

    with show(**faults) as mount:
        assert mount.point.joinpath("a").stat().st_size == len(DATA)
        if not isinstance(expected, int):
            read()
            assert mount.counts()["read"] == len(expected)
            return
        assert number_of(read) in (expected, errno.ECONNABORTED)
        mount.remount()
        expected = DATA if "eio_reads" in faults or "gone" in faults else expected
        assert number_of(read) == (0 if isinstance(expected, bytes) else expected)


@pytest.mark.parametrize(
    ("faults", "error", "stored"),
    [
        ({}, 0, DATA),
        ({"room": 300_000}, errno.ENOSPC, None),
        ({"eio_writes": [1]}, errno.EIO, None),
        ({"lose_writes": 9}, 0, DATA[:9]),
        ({"flip_writes": 9}, 0, DATA[:9] + bytes([DATA[9] ^ 16]) + DATA[10:]),
        ({"eio_fsync": True}, errno.EIO, DATA),
        ({"gone": 1}, errno.ECONNABORTED, None),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_writing(show, faults, error, stored):
    def write():
        with open(mount.point / "b", "wb", buffering=0) as file:
            rest = memoryview(DATA)
            while rest:
                rest = rest[file.write(rest) :]
            os.fsync(file.fileno())

    with show(**faults) as mount:
        if "room" in faults:
            assert shutil.disk_usage(mount.point).free <= faults["room"]
        # What is under way when the mount dies is aborted, what comes later not connected.
        assert number_of(write) in (error, errno.ENOTCONN if "gone" in faults else error)
        if stored is not None:
            assert mount.source.joinpath("b").read_bytes() == stored

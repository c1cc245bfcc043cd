"""Staging on bad days: a mount that fails in every way, kills, second runs, folders of others."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
from cells import Cells, tree
from colab_gen.form import set_values
from fusemount import CANNOT, mounted
from test_staging import BIG, TAR, Stage, make_tar, stage  # noqa: F401
from zips import Member, make_zip

RANDOM = random.Random(3)
FILES = {f"d{n % 5}/{n}": RANDOM.randbytes(30_000) for n in range(200)} | {"big": BIG}
ZIP = make_zip(*[Member(k, v, method=8 * (n % 2)) for n, (k, v) in enumerate(FILES.items())])
TAR_OF_FILES = make_tar(*FILES.items())

# faults -> words of the sentence, or nothing where it is whole in the end
FAULTS = [
    ({"eio-reads": [1]}, ""),
    ({"eio-reads": [4, 5, 9]}, ""),
    ({"eio-reads": [5, 6, 7]}, ""),  # until it is mounted once more
    ({"eio-from": 3_000_000}, "make a copy of the file in Drive"),
    ({"quota": True}, "make a copy of the file in Drive"),
    ({"short-reads": 70_000}, ""),
    ({"cut": 3_000_000}, "at byte 11[0-9]* of the archive"),
    ({"flip": 3_000_000}, "is damaged"),
    ({"latency": 0.01, "bandwidth": 60e6}, ""),
    ({"gone": 1}, ""),
    ({"gone": 6}, ""),
]


@pytest.mark.skipif(bool(CANNOT), reason=f"NOT CHECKED: {CANNOT}")
@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize(("faults", "words"), FAULTS, ids=lambda v: str(v)[:30])
def test_a_mount_on_bad_days(tmp_path, faults, words, kind):
    real, name = tmp_path / "real", f"data.{kind}"
    real.mkdir()
    real.joinpath(name).write_bytes(ZIP if kind == "zip" else TAR_OF_FILES)
    before = real.joinpath(name).read_bytes()
    with mounted(real, tmp_path / "mounted", faults) as mount:
        cells = Cells("staging", DRIVE=mount.point, drive_is_local=True)
        cells.names["STAGING_PAUSES"][:] = [0.01, 0.01]
        cells.names["staging_remount"] = lambda _: mount.remount() or True
        place = tmp_path / "content" / "stage"
        values = {"archive_name": name, "stage_folder": str(place)}
        if words and not (kind == "tar" and "flip" in faults):
            with pytest.raises(RuntimeError, match=words):
                cells.run("archive_name", **values)
            assert not os.listdir(place.parent)
        else:
            assert "Staged 201 files" in cells.run("archive_name", **values)
            # A tar without compression has no checksum of what it holds.
            assert tree(place).keys() - {".staged.json"} == FILES.keys()
            assert "flip" in faults or tree(place).items() >= FILES.items()
        read = mount.counts()["read"]
    assert real.joinpath(name).read_bytes() == before
    if not faults.keys() & {"gone", "quota", "eio-from", "eio-reads", "cut"}:
        assert read < 1.1 * len(before)  # one pass


@pytest.mark.skipif(bool(CANNOT), reason=f"NOT CHECKED: {CANNOT}")
def test_drive_has_one_reader_who_goes_forward(tmp_path):
    real = tmp_path / "real"
    real.mkdir()
    real.joinpath("data.zip").write_bytes(ZIP)
    with mounted(real, tmp_path / "mounted", {}) as mount:
        cells = Cells("staging", DRIVE=mount.point, drive_is_local=True)
        offsets = tmp_path / "offsets"
        fill = cells.names["StagingSource"].fill

        def noted(self, offset, view):
            with offsets.open("a") as file:
                file.write(f"{offset}\n")
            return fill(self, offset, view)

        cells.names["StagingSource"].fill = noted
        cells.run("archive_name", stage_folder=str(tmp_path / "stage"))
    numbers = list(map(int, offsets.read_text().split()))
    body = numbers[numbers.index(0) :]
    assert len(body) > 5
    assert body == sorted(body)


def test_second_runs(stage):  # noqa: F811
    assert "Staged 1 files" in stage(make_zip(Member("a", b"1")))
    archive = stage.drive / "data.zip"
    assert "already" in stage()
    later = archive.stat().st_mtime_ns + 10**9
    os.utime(archive, ns=(later, later))
    assert "Staged 1" in stage()
    assert "Staged 2" in stage(make_zip(Member("b", b"2"), Member("c", b"3")))
    assert stage.tree == {"b": b"2", "c": b"3"}
    assert "is damaged" in stage.refused(make_zip(Member("a", crc=1)))
    assert stage.tree == {"b": b"2", "c": b"3"}  # what was whole stays
    assert "Staged 1" in stage(make_zip(Member("x")), "other.zip")
    note = json.loads((stage.folder / ".staged.json").read_text())
    assert note["files"] == 1
    assert note["bytes"] == 4
    assert note["size"] == (stage.drive / "other.zip").stat().st_size


def test_what_is_somebody_elses_stays(stage):  # noqa: F811
    stage.folder.mkdir(parents=True)
    stage.folder.joinpath("mine").write_text("work")
    assert "is not this cell's" in stage.refused(make_zip(Member("a")))
    assert stage.tree == {"mine": b"work"}
    stage.folder.joinpath("mine").unlink()
    assert "Staged 1" in stage(make_zip(Member("a")))
    partial = stage.folder.with_name("stage.partial")
    partial.mkdir()
    partial.joinpath("mine").write_text("work")
    assert "is not this cell's" in stage.refused(make_zip(Member("b")))
    assert partial.joinpath("mine").read_text() == "work"
    shutil.rmtree(partial)


def test_an_archive_that_is_missing_and_one_that_changes(stage):  # noqa: F811
    stage.drive.joinpath("other.tar.gz").touch()
    assert "archives there: other.tar.gz." in stage.refused()
    unzip = stage.cells.names["staging_unzip"]

    def changed(*args):
        unzip(*args)
        stage.drive.joinpath("data.zip").write_bytes(make_zip(Member("b")))

    stage.cells.names["staging_unzip"] = changed
    assert "it was changed meanwhile" in stage.refused(make_zip(Member("a")))


def test_the_archive_is_kept_where_that_is_asked_for(stage):  # noqa: F811
    kept = stage.folder.with_name("stage.kept.zip")
    assert "Staged" in stage(make_zip(Member("a")), "kept.zip", keep_archive=True)
    assert kept.read_bytes() == stage.drive.joinpath("kept.zip").read_bytes()
    assert kept.stat().st_mtime_ns == stage.drive.joinpath("kept.zip").stat().st_mtime_ns
    assert stage(TAR, "kept.tar", keep_archive=True).startswith("Staged 3")


def test_one_process_does_the_same(stage):  # noqa: F811
    stage.cells.names["staging_cores"] = lambda: 1
    assert "Staged 201 files" in stage(ZIP)
    assert stage.tree == FILES


@pytest.mark.parametrize("pack", [False, True])
def test_a_folder_on_drive(stage, pack):  # noqa: F811
    folder = stage.drive / "photos"
    (folder / "b" / "empty").mkdir(parents=True)
    (folder / "b" / "a.jpg").write_bytes(b"x" * 5000)
    (folder / "a.txt").write_bytes(b"x" * 5000)
    if not pack:
        assert "switch pack on, and photos.zip is made beside it" in stage.refused(name="photos")
        return
    assert "Packed 3 files and folders" in stage(name="photos", pack=True)
    assert stage.tree == {"a.txt": b"x" * 5000, "b/a.jpg": b"x" * 5000, "b/empty": None}
    assert "already" in stage(name="photos", pack=True)
    kinds = {member[1]: member[4] for member in members_of(stage.cells, stage.drive / "photos.zip")}
    assert kinds == {"a.txt": 8, "b/a.jpg": 0, "b/empty/": 0}
    assert {p.name for p in stage.drive.iterdir()} == {"photos", "photos.zip"}


def members_of(cells, path):
    source = cells.names["StagingSource"](path)
    start, end, _ = cells.names["staging_directory"](source, path.stat().st_size)
    members = list(cells.names["staging_members"](source.pieces(start, end - start)))
    source.close()
    return members


def test_the_cell_that_packs(stage):  # noqa: F811
    run = stage.cells.run
    assert run("pack_folder") == "Nothing is packed, since pack_folder is empty\n"
    with pytest.raises(RuntimeError, match="there is no folder"):
        run("pack_folder", pack_folder="absent")
    (stage.drive / "x").mkdir()
    (stage.drive / "x" / "a").write_text("a")
    assert "Packed 1 files" in run("pack_folder", pack_folder="x", pack_archive="y.zip")
    assert "is there already" in run("pack_folder", pack_folder="x", pack_archive="y.zip")
    assert "Staged 1 files" in stage(name="y.zip")


SCRIPT = """
import json, sys
from pathlib import Path
names = {"DRIVE": Path("/")}
for source in json.loads(Path(sys.argv[1]).read_text()):
    exec(compile(source, "cell", "exec"), names)
"""


def command(tmp_path, content):
    """Return the command that runs the cells, their stage, and what it holds when it is whole."""
    drive = tmp_path / "data.zip"
    drive.write_bytes(content)
    place = tmp_path / "content" / "stage"
    place.parent.mkdir()
    cells = Cells("staging", DRIVE=tmp_path, drive_is_local=True)
    values = {"archive_name": str(drive), "stage_folder": str(place)}
    file = tmp_path / "cells.json"
    file.write_text(json.dumps([set_values(s, values) for s in cells.sources]))
    return [sys.executable, "-c", SCRIPT, str(file)], place


def whole_or_absent(place, files):
    if place.exists():
        assert {k: v for k, v in tree(place).items() if k != ".staged.json"} == files


SMALL = {f"d{n % 3}/{n}": b"%d" % n * 50 for n in range(25)}


@pytest.mark.skipif(not shutil.which("strace"), reason="NOT CHECKED: there is no strace here")
def test_killed_at_every_call_that_names_the_folder(tmp_path):
    line, place = command(tmp_path, make_zip(*[Member(k, v) for k, v in SMALL.items()]))
    calls = "mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,rmdir,openat,write,symlinkat"
    log = tmp_path / "log"
    subprocess.run(["strace", "-f", "-qq", "-o", log, "-e", f"trace={calls}", *line], check=True)
    # The calls of the process itself from the first that names the folder on.
    mine = log.read_text().split()[0]
    names = [re.match(rf"{mine} +(\w+)\((.*)", text) for text in log.read_text().splitlines()]
    numbers: dict[str, int] = {}
    moments = []
    for found in filter(None, names):
        numbers[found[1]] = numbers.get(found[1], 0) + 1
        if str(place) in found[2] or '"new' in found[2] or (moments and found[1] != "openat"):
            moments.append((found[1], numbers[found[1]]))
    assert len(moments) > 10
    for call, number in moments:
        shutil.rmtree(place.parent)
        place.parent.mkdir()
        inject = f"inject={call}:signal=KILL:when={number}"
        killed = ["strace", "-qq", "-o", os.devnull, "-e", inject, *line]
        subprocess.run(killed, check=False, capture_output=True)
        whole_or_absent(place, SMALL)
    again = subprocess.run(line, check=True, capture_output=True, text=True)
    assert "Staged 25 files" in again.stdout or "already" in again.stdout
    whole_or_absent(place, SMALL)
    assert os.listdir(place.parent) == ["stage"]


def test_killed_at_random_moments(tmp_path):
    line, place = command(tmp_path, ZIP)
    start = time.monotonic()
    subprocess.run(line, check=True, capture_output=True)
    takes = time.monotonic() - start
    for number in range(12):
        shutil.rmtree(place, ignore_errors=True)
        process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        time.sleep(takes * (number + 1) / 13)
        process.kill()
        process.communicate()
        whole_or_absent(place, FILES)
    assert subprocess.run(line, check=True, capture_output=True).returncode == 0
    assert os.listdir(place.parent) == ["stage"]
    whole_or_absent(place, FILES)


def test_an_interrupt_ends_it_all(tmp_path):
    line, place = command(tmp_path, make_zip(Member("a", bytes(300 << 20))))
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not list(place.parent.glob("stage.partial/new/*")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    error = process.communicate(timeout=60)[1]
    assert b"KeyboardInterrupt" in error
    # Either it came in time, or all was done.
    whole_or_absent(place, {"a": bytes(300 << 20)})
    assert set(os.listdir(place.parent)) <= {"stage"}

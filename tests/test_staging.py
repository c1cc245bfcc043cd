"""Staging: hostile archives, every format, second runs, and what is left after a failure."""

import bz2
import contextlib
import ctypes
import gzip
import io
import lzma
import os
import stat
import tarfile
from pathlib import Path

import pytest
import zstandard
from cells import Cells, tree
from zips import Member, make_zip

LINK = stat.S_IFLNK | 0o777
BIG = os.urandom(5 << 20)  # more than is unpacked at once


class Stage:
    """A place to stage in, its Drive, and the cells."""

    def __init__(self, folder: Path) -> None:
        self.drive, self.folder = folder / "drive", folder / "content" / "stage"
        self.drive.mkdir()
        self.cells = Cells("staging", DRIVE=self.drive, drive_is_local=True)
        self.cells.names["STAGING_PAUSES"][:] = [0.01, 0.01]

    def __call__(self, content: bytes | None = None, name: str = "data.zip", **fields) -> str:
        if content is not None:
            self.drive.joinpath(name).write_bytes(content)
        values = {"archive_name": name, "stage_folder": str(self.folder), **fields}
        return self.cells.run("archive_name", **values)

    def refused(self, *args, **kwargs) -> str:
        with pytest.raises(RuntimeError) as caught:
            self(*args, **kwargs)
        assert "\n" not in str(caught.value)
        assert str(caught.value).endswith(".")
        return str(caught.value)

    @property
    def tree(self):
        return {k: v for k, v in tree(self.folder).items() if k != ".staged.json"}


@pytest.fixture(params=["StagingDeflate", "StagingWhole"])
def stage(request, tmp_path):
    """Stage with libdeflate and, as where the system has none, with zlib."""
    made = Stage(tmp_path)
    kind = made.cells.names[request.param]
    try:
        kind()
    except OSError:
        pytest.skip("NOT CHECKED: there is no libdeflate here")
    made.cells.names["staging_whole"] = kind
    yield made
    # Whatever happens, nothing is left beside the stage, and nothing outside was touched.
    beside = (
        {p.name for p in made.folder.parent.iterdir()} if made.folder.parent.exists() else set()
    )
    assert {n for n in beside if not n.startswith("stage.kept")} <= {"stage"}
    assert {p.name for p in tmp_path.iterdir()} <= {"drive", "content"}


A = Member("a.txt")

ZIPS_THAT_ARE_FINE = {
    "plain": (make_zip(A, Member("d/b", b"bb")), {"a.txt": b"data", "d/b": b"bb"}),
    "stored": (make_zip(Member("a", b"x", method=0)), {"a": b"x"}),
    "empty zip": (make_zip(), {}),
    "empty file": (make_zip(Member("a", b"")), {"a": b""}),
    "empty folder": (make_zip(Member("d/e/", b"", 0o40755, 0)), {"d/e": None}),
    "folder by its mode": (make_zip(Member("d", b"", 0o40755, 0)), {"d": None}),
    "a folder after what is in it": (make_zip(Member("d/a"), Member("d/", b"")), {"d/a": b"data"}),
    "zip64": (make_zip(Member("a", large=True), large=True), {"a": b"data"}),
    "zip64 in an sfx": (make_zip(A, large=True, prefix=b"#!/bin/sh\n"), {"a.txt": b"data"}),
    "data descriptors": (
        make_zip(Member("a", described=True), Member("b", described=True)),
        {"a": b"data", "b": b"data"},
    ),
    "big data descriptor": (
        make_zip(Member("a", BIG, described=True), A), {"a": BIG, "a.txt": b"data"},
    ),
    "as much as is unpacked at once": (
        make_zip(Member("a", bytes(1 << 21)), Member("b", BIG[: 1 << 20], method=0)),
        {"a": bytes(1 << 21), "b": BIG[: 1 << 20]},
    ),
    "big stored": (make_zip(Member("a", BIG, method=0), A), {"a": BIG, "a.txt": b"data"}),
    "big empty": (make_zip(Member("a", bytes(1 << 23))), {"a": bytes(1 << 23)}),
    "prepended": (make_zip(A, prefix=b"MZ" + bytes(5000)), {"a.txt": b"data"}),
    "comment": (make_zip(A, comment=b"PK\5\6" * 99), {"a.txt": b"data"}),
    "backwards": (make_zip(*[Member(f"{n}") for n in range(9)], backwards=True),
                  {f"{n}": b"data" for n in range(9)}),
    "capitals": (make_zip(Member("a"), Member("A", b"B")), {"a": b"data", "A": b"B"}),
    "utf-8": (make_zip(Member("süß/日本", flags=0x800)), {"süß/日本": b"data"}),
    "utf-8 unmarked": (make_zip(Member("süß/日本")), {"süß/日本": b"data"}),
    "cp437": (make_zip(Member(b"s\x81\xe1")), {"süß": b"data"}),
    "backslashes": (make_zip(Member("d\\a.txt", system=0)), {"d/a.txt": b"data"}),
    "dots and slashes": (make_zip(Member("./d//./a")), {"d/a": b"data"}),
    "link": (
        make_zip(A, Member("d/l", b"../a.txt", LINK)), {"a.txt": b"data", "d/l": "-> ../a.txt"},
    ),
    "dangling link": (make_zip(Member("l", b"absent", LINK)), {"l": "-> absent"}),
    "many": (make_zip(*[Member(f"d{n % 7}/{n}", b"%d" % n) for n in range(3000)]),
             {f"d{n % 7}/{n}": b"%d" % n for n in range(3000)}),
}  # fmt: skip

ZIPS_THAT_ARE_NOT = {
    "zip slip": (make_zip(A, Member("../evil")), "would leave the stage folder"),
    "zip slip within": (make_zip(Member("d/../../evil")), "would leave the stage folder"),
    "absolute": (make_zip(Member("/tmp/evil")), "'/tmp/evil' in it would leave"),
    "backslash slip": (make_zip(Member("..\\evil")), "would leave the stage folder"),
    "backslash absolute": (make_zip(Member("\\evil")), "would leave the stage folder"),
    "drive letter": (make_zip(Member("C:\\evil")), "would leave the stage folder"),
    "nul": (make_zip(Member("a\0b")), "would leave the stage folder"),
    "very deep": (make_zip(Member("a/" * 9000 + "b")), "would leave the stage folder"),
    "no name": (make_zip(Member("")), "has no name"),
    "character device": (make_zip(Member("d", mode=stat.S_IFCHR | 0o666)), "is a device"),
    "block device": (make_zip(Member("d", mode=stat.S_IFBLK | 0o666)), "is a device"),
    "fifo": (make_zip(Member("d", mode=stat.S_IFIFO | 0o666)), "is a device"),
    "link out": (make_zip(Member("l", b"../x", LINK)), "'l' in it is a link that leaves"),
    "link to the root": (make_zip(Member("l", b"/etc/passwd", LINK)), "is a link that leaves"),
    "link out from within": (make_zip(Member("d/l", b"../../x", LINK)), "is a link that leaves"),
    "link chain": (
        make_zip(Member("f/up", b"..", LINK), Member("f/g/l", b"../up/../../x", LINK)),
        "'f/g/l' in it is a link that leaves",
    ),
    "through a link": (make_zip(Member("l", b"d", LINK), Member("l/a")), "'l' is in it twice"),
    "through a link, first": (make_zip(Member("l/a"), Member("l", b"d", LINK)), "is in it twice"),
    "encrypted": (make_zip(Member("a", flags=1)), "'a' in it is encrypted"),
    "strongly encrypted": (make_zip(Member("a", method=99)), "'a' in it is encrypted"),
    "unknown method": (make_zip(Member("a", method=14)), "in an unknown way (method 14)"),
    "same name": (make_zip(A, A), "'a.txt' is in it twice"),
    "file and folder": (make_zip(Member("a"), Member("a/b")), "'a' is in it twice"),
    "folder and file": (make_zip(Member("a/b"), Member("a")), "is in it twice"),
    "overlapping": (make_zip(A, Member("b", offset=0)), "overlaps others"),
    "nested": (make_zip(Member("a", b"x" * 9999, method=0), Member("b", offset=50)), "overlaps"),
    "behind the end": (make_zip(Member("a", offset=5000)), "overlaps others"),
    "smaller than said": (make_zip(Member("a", size=9)), "'a' in it is damaged"),
    "larger than said": (make_zip(Member("a", bytes(9999), size=9)), "'a' in it is damaged"),
    "bomb": (make_zip(Member("a", bytes(1 << 24), size=5)), "'a' in it is damaged"),
    "big bomb": (make_zip(Member("a", bytes(1 << 24), size=9 << 20)), "'a' in it is damaged"),
    "too large": (make_zip(Member("a", size=1 << 60, large=True)), "delete something there"),
    "packed cut short": (make_zip(Member("a", b"x" * 99, packed=3)), "'a' in it is damaged"),
    "wrong crc": (make_zip(Member("a", crc=1)), "'a' in it is damaged"),
    "wrong crc of a big one": (make_zip(Member("a", BIG, crc=1)), "'a' in it is damaged"),
    "no deflate": (make_zip(Member("a", b"\xff" * 20, method=0)).replace(
        b"PK\3\4\x14\0\0\0\0\0", b"PK\3\4\x14\0\0\0\x08\0").replace(
        b"PK\1\2\x14\3\x14\0\0\0\0\0", b"PK\1\2\x14\3\x14\0\0\0\x08\0"), "damaged"),
    "truncated": (make_zip(A, Member("b", b"x" * 999))[:-30], "damaged"),
    "cut at the front": (make_zip(A, Member("b", b"x" * 999))[9:], "damaged"),
    "flipped in the directory": (make_zip(A).replace(b"PK\1\2", b"PK\1\3"), "directory is damaged"),
    "part of several": (make_zip(A).replace(b"PK\5\6\0\0", b"PK\5\6\1\0"), "one part of several"),
}  # fmt: skip


@pytest.mark.parametrize("case", ZIPS_THAT_ARE_FINE)
def test_a_zip_that_is_fine(stage, case):
    content, expected = ZIPS_THAT_ARE_FINE[case]
    files = [v for v in expected.values() if isinstance(v, bytes)]
    assert stage(content).startswith(f"Staged {len(files)} files ")
    assert stage.tree == expected
    assert stage() == f"data.zip is staged already in {stage.folder}\n"


@pytest.mark.parametrize("case", ZIPS_THAT_ARE_NOT)
def test_a_zip_that_is_refused(stage, case):
    content, words = ZIPS_THAT_ARE_NOT[case]
    message = stage.refused(content)
    assert message.startswith("'data.zip' is not staged: ")
    assert words in message
    assert len(message) < 700
    assert not stage.folder.exists()


def attempt(stage, content, name):
    """Return the sentence of the failure, or nothing where it was staged."""
    try:
        stage(content, name)
    except RuntimeError as error:
        return str(error)
    return ""


def test_every_flipped_bit_is_noticed(stage):
    content = make_zip(Member("a", b"some data " * 20), Member("b", bytes(range(99)), method=0))
    start = content.index(b"PK\1\2")
    quiet = {"a": b"some data " * 20, "b": bytes(range(99))}
    for bit in range(0, start * 8, 29):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        # The local headers say again what the directory says, and the directory holds.
        if message := attempt(stage, bytes(flipped), f"{bit}.zip"):
            assert "is not staged" in message
        else:
            assert stage.tree == quiet


def test_permissions(stage):
    stage(make_zip(Member("run", mode=0o100755), Member("read", mode=0o100444)))
    assert stage.folder.joinpath("run").stat().st_mode & 0o111
    assert not stage.folder.joinpath("read").stat().st_mode & 0o111


def make_tar(*members):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content, *changes in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for key, value in (changes[0] if changes else {}).items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


TAR = make_tar(
    ("./d", b"", {"type": tarfile.DIRTYPE, "mode": 0o755}),
    ("./d/a", b"data"),
    ("big", BIG),
    ("d/l", b"", {"type": tarfile.SYMTYPE, "linkname": "../big"}),
    ("twin", b"", {"type": tarfile.LNKTYPE, "linkname": "d/a"}),
    ("süß/" * 40 + "a", b"long"),
)
HELD = {"d/a": b"data", "big": BIG, "d/l": "-> ../big", "twin": b"data", "süß/" * 40 + "a": b"long"}
PACKERS = {
    "tar": bytes,
    "tar.gz": gzip.compress,
    "tgz": lambda data: gzip.compress(data[:99]) + gzip.compress(data[99:]),
    "tar.bz2": bz2.compress,
    "tar.xz": lzma.compress,
    "tar.zst": zstandard.compress,
}


@pytest.mark.parametrize("ending", PACKERS)
def test_a_tar_that_is_fine(stage, ending):
    name = f"my data.{ending}"
    assert stage(PACKERS[ending](TAR), name).startswith("Staged 3 files ")
    assert stage.tree == HELD
    assert "already" in stage(None, name)
    assert stage(PACKERS[ending](make_tar()), name).startswith("Staged 0 files ")
    assert stage.tree == {}


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize("cut", [0.3, 0.9, -1100, -9])
def test_a_tar_that_is_cut(stage, ending, cut):
    # Cut between two members, and behind the last one, too.
    content = make_tar(*[(f"{n}", os.urandom(512 * 3)) for n in range(9)])
    whole = PACKERS[ending](content)
    cut = int(len(whole) * cut) // 512 * 512 if isinstance(cut, float) else cut
    if ending == "tar" and cut in (-9, -1100):
        return  # zeros at the end that nobody needs
    if message := attempt(stage, whole[:cut], f"x.{ending}"):
        assert any(word in message for word in ("cut off", "damaged"))
        assert not stage.folder.exists()
    else:  # zstandard's checksum may be what is missing
        assert ending == "tar.zst"
        assert len(stage.tree) == 9


TARS_THAT_ARE_NOT = {
    "slip": (make_tar(("../evil", b"")), "would leave the stage folder"),
    "absolute": (make_tar(("/evil", b"")), "would leave the stage folder"),
    "device": (make_tar(("d", b"", {"type": tarfile.CHRTYPE})), "is a device"),
    "fifo": (make_tar(("d", b"", {"type": tarfile.FIFOTYPE})), "is a device"),
    "link out": (
        make_tar(("l", b"", {"type": tarfile.SYMTYPE, "linkname": "../x"})),
        "a link that",
    ),
    "hard link out": (
        make_tar(("l", b"", {"type": tarfile.LNKTYPE, "linkname": "../x"})),
        "would leave",
    ),
    "hard link to nothing": (
        make_tar(("l", b"", {"type": tarfile.LNKTYPE, "linkname": "x"})),
        "a link to what is not there",
    ),
    "through a link": (
        make_tar(("l", b"", {"type": tarfile.SYMTYPE, "linkname": "d"}), ("l/a", b"")),
        "'l' is in it twice",
    ),
    "same name": (make_tar(("a", b""), ("a", b"")), "'a' is in it twice"),
    "no end": (make_tar(("a", b"x" * 512), ("b", b"x" * 512))[:1024], "is cut off"),
    "not a tar": (b"hello" * 999, "damaged"),
    "nothing": (b"", "damaged"),
    "one letter": (b"P", "damaged"),
    "no tar in it": (gzip.compress(b"hello" * 999), "damaged"),
    "header bomb": (
        gzip.compress(make_tar(("x", bytes(40 << 20), {"type": tarfile.XHDTYPE})), 1),
        "too large",
    ),
}


@pytest.mark.parametrize("case", TARS_THAT_ARE_NOT)
def test_a_tar_that_is_refused(stage, case):
    content, words = TARS_THAT_ARE_NOT[case]
    message = stage.refused(content, "data.tar")
    assert message.startswith("'data.tar' is not staged: ")
    assert words in message
    assert not stage.folder.exists()


def test_what_does_not_fit_is_refused(stage, monkeypatch):
    usage = stage.cells.names["shutil"].disk_usage("/")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage._replace(free=100_000))
    for name, content in {
        "a.zip": make_zip(Member("a", bytes(150_000))),
        "b.zip": make_zip(*[Member(f"{n}", b"x") for n in range(30)]),
        "a.tar.gz": gzip.compress(make_tar(("a", bytes(150_000)))),
    }.items():
        message = stage.refused(content, name)
        assert "on the disk" in message or "delete something there" in message
        assert not stage.folder.exists()


def test_the_fastest_unpacker_is_taken(monkeypatch):
    names = Cells("staging", DRIVE=Path("/"), drive_is_local=True).names
    library = ctypes.CDLL

    def loaded(name):
        if name == "libdeflate.so.0":
            raise OSError(f"{name}: cannot open shared object file")
        return library(name)

    with contextlib.suppress(OSError):
        library("libdeflate.so.0")
        assert type(names["staging_whole"]()) is names["StagingDeflate"]
    monkeypatch.setattr("ctypes.CDLL", loaded)
    assert type(names["staging_whole"]()) is names["StagingWhole"]
    monkeypatch.undo()
    names["STAGING_ZLIB"] = object()  # isal is chosen
    assert type(names["staging_whole"]()) is names["StagingWhole"]

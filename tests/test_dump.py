"""The cell of dump and load, taken from a notebook and run on folders and on bad file systems."""

import contextlib
import errno
import math
import os
import pickle
import random
import resource
import signal
import sys
import time
import types
from datetime import date

import numpy as np
import pytest
from colab_gen.run import run
from conftest import ROOT
from fusemount import CANNOT, mounted
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_features import make

sys.path.insert(0, str(ROOT / "benchmarks"))
from crash import count
from crash_dump import ways
from dump_cell import cell_source, run_cell

EVERY = settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


@pytest.fixture(scope="module")
def source():
    return cell_source()


@pytest.fixture
def cell(tmp_path, source):
    return run_cell(tmp_path, source)


@pytest.fixture(scope="module")
def shared(tmp_path_factory, source):
    """One for all examples of a property."""
    return run_cell(tmp_path_factory.mktemp("drive"), source)


def remote(cell):
    """Let the cell take the folder for one of a Drive."""
    cell.names["dump_is_local"] = lambda path: False
    cell.names["time"] = types.SimpleNamespace(sleep=lambda s: None, monotonic=time.monotonic)
    return cell


def same(one, two):
    """Whether two values are equal, of one type, all the way down; NaN equals NaN."""
    if type(one) is not type(two):
        return False
    if isinstance(one, np.ndarray):
        if (one.dtype, one.shape) != (two.dtype, two.shape):
            return False
        if one.dtype.hasobject:
            return same(one.reshape(-1).tolist(), two.reshape(-1).tolist())
        return one.tobytes() == two.tobytes()
    if isinstance(one, dict):
        return same(list(one.items()), list(two.items()))
    if isinstance(one, (list, tuple)):
        return len(one) == len(two) and all(map(same, one, two))
    return one == two or (isinstance(one, float) and math.isnan(one) and math.isnan(two))


PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(),
    st.complex_numbers(allow_nan=False), st.dates(), st.frozensets(st.integers()),
    st.sampled_from([20_000, 90_001]).map(bytearray),
)  # fmt: skip
TYPES = [
    "?", "i1", "u2", "<i4", ">i4", "u8", "f2", "<f4", ">f8", "g", "c8", "c16", "S3", "U2", "M8[ns]",
    "m8[s]", "V5", "i4,f8", "O",
]  # fmt: skip
DTYPES = st.sampled_from(TYPES).map(np.dtype)
SHAPES = st.lists(st.sampled_from([0, 1, 2, 3, 7, 60, 300]), max_size=3).filter(
    lambda shape: math.prod(shape) <= 60_000
)


@st.composite
def arrays(draw):
    """Arrays of every type; with gaps, reversed, turned, read-only, of both orders."""
    dtype, shape = draw(DTYPES), draw(SHAPES)
    count = math.prod(shape)
    if dtype.hasobject:
        flat = np.array([*map(str, range(count)), None], dtype=object)[:count]
    else:
        data = np.random.default_rng(draw(st.integers(0, 99))).bytes(count * dtype.itemsize)
        # Any bytes are no text in UTF-32.
        flat = np.zeros(count, dtype) if dtype.kind == "U" else np.frombuffer(data, dtype)
        if dtype.kind == "?":
            flat = flat.view("u1") % 2 == 1
    array = flat.reshape(shape).copy(order=draw(st.sampled_from("CF")))
    if shape:
        steps = draw(st.tuples(*[st.sampled_from([1, 2, -1, -3])] * len(shape)))
        array = array[tuple(slice(None, None, step) for step in steps)]
        array = array.transpose(draw(st.permutations(range(len(shape)))))
    if draw(st.booleans()):
        array.flags.writeable = False
    return array


NESTED = st.recursive(
    PLAIN | arrays(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=5), inner, max_size=4)
        | st.tuples(inner, inner)
    ),
    max_leaves=8,
)


@given(value=NESTED)
@EVERY
def test_any_nested_value_comes_back(shared, value):
    shared.dump("value", value)
    assert same(shared.load("value"), value)
    assert same(shared.load("value", verify=True), value)


@given(array=arrays())
@EVERY
def test_any_array_comes_back(shared, array):
    shared.dump("array", {"a": array, "again": [array]})
    loaded = shared.load("array")
    assert same(loaded["a"], array)
    assert loaded["again"][0] is loaded["a"]
    if array.flags.forc and not array.dtype.hasobject:
        assert loaded["a"].flags.writeable == array.flags.writeable


def test_arrays_are_writable_and_the_file_stays_as_it_is(cell):
    array = np.arange(100_000)
    cell.dump("a", array)
    loaded = cell.load("a")
    loaded += 1
    assert (loaded == array + 1).all()
    assert (cell.load("a", verify=True) == array).all()


def test_a_mapped_array_is_a_plain_one_afterwards(cell, tmp_path):
    mapped = np.memmap(tmp_path / "raw", dtype="f4", mode="w+", shape=(300, 200))
    mapped[:] = np.random.default_rng(0).random((300, 200))
    cell.dump("m", [mapped, mapped[::2, ::3]])
    one, two = cell.load("m")
    assert type(one) is type(two) is np.ndarray
    assert (one == mapped).all()
    assert (two == mapped[::2, ::3]).all()


def test_large_arrays_with_gaps_are_written_in_pieces(cell):
    values = np.random.default_rng(0).integers(0, 255, (3, 3000, 2500), "u1")
    turned = [values.transpose(2, 0, 1), values[:, ::2, ::-1], values[::2].T, values[1:2, :, ::2]]
    cell.dump("turned", turned)
    assert all((a == b).all() for a, b in zip(cell.load("turned"), turned, strict=True))


MODES = ("1", "L", "P", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "LA", "PA",
         "I;16", "RGBa", "La")  # fmt: skip


@pytest.mark.parametrize("size", [(1, 1), (37, 5), (3000, 900), (0, 4)])
def test_images_of_every_mode(cell, size):
    from PIL import Image

    noise = np.random.default_rng(0).integers(0, 255, (max(size[1], 1), max(size[0], 1), 3), "u1")
    photo = Image.fromarray(noise).crop((0, 0, *size))
    images = [Image.frombytes(m, size, Image.new(m, size, 5).tobytes()) for m in MODES]
    images += [photo, photo.crop((0, 0, 90, 50)).quantize()]
    images[0].info["note"] = "kept"
    cell.dump("images", {"all": images, "first": images[0]})
    loaded = cell.load("images")
    assert loaded["all"] == images
    assert [i.mode for i in loaded["all"]][: len(MODES)] == list(MODES)
    assert loaded["first"] is loaded["all"][0]
    assert loaded["first"].info == {"note": "kept"}


def test_images_from_files_can_be_worked_with(cell, tmp_path):
    from PIL import Image, ImageDraw

    for name in ("a.jpg", "a.png"):
        Image.new("RGB", (90, 60), "teal").save(tmp_path / name)
    with Image.open(tmp_path / "a.jpg") as jpg, Image.open(tmp_path / "a.png") as png:
        cell.dump("opened", [jpg, png])
        first, second = cell.load("opened")
        assert [first, second] == [jpg, png]
        assert pickle.loads(pickle.dumps(first)) == jpg
    assert (first.format, second.format) == ("JPEG", "PNG")
    ImageDraw.Draw(first).rectangle((0, 0, 5, 5), fill="red")
    second.putpixel((1, 1), (1, 2, 3))
    assert (first.getpixel((2, 2)), second.getpixel((1, 1))) == ((255, 0, 0), (1, 2, 3))
    first.rotate(90).resize((20, 20)).save(tmp_path / "b.jpg")
    assert cell.load("opened")[0].getpixel((2, 2)) != (255, 0, 0)


def peak(work):
    """Return the MB that the work needs on top, as the system counts."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pytest.skip("NOT CHECKED: the system does not tell how much memory is taken")

    def status(name):
        with open("/proc/self/status") as file:
            return next(int(x.split()[1]) for x in file if x.startswith(name)) * 1024 / 1e6

    before = status("VmRSS:")
    work()
    return status("VmHWM:") - before


def test_no_copy_in_memory(cell):
    from PIL import Image

    array = np.random.default_rng(0).random((300, 100_000), np.float32)  # 120 MB
    images = [Image.fromarray(array[0:30].view("u1").reshape(2000, 2000, 3)) for _ in range(10)]
    cell.dump("warm", array[:9])
    values = {"array": array, "turned": array.T, "images": images, "nested": {"a": [(array,)]}}
    for name, value in values.items():
        assert peak(lambda name=name, value=value: cell.dump(name, value)) < 64, name
        assert peak(lambda name=name: cell.load(name, verify=False)) < 16, name
        cell.forget(name)


def test_frames_and_sparse_matrices(cell):
    pd, sparse = __import__("pandas"), __import__("scipy.sparse").sparse
    frame = pd.DataFrame({"n": np.arange(9000.0), "t": ["a", None, "ß"] * 3000})
    frame["when"] = pd.date_range("2020", periods=9000, tz="UTC")
    frame["kind"] = frame["t"].astype("category")
    matrix = sparse.random(300, 300, 0.3, format="csr", random_state=1)
    cell.dump("both", [frame, matrix, frame.n])
    one, two, three = cell.load("both")
    pd.testing.assert_frame_equal(one, frame)
    pd.testing.assert_series_equal(three, frame.n)
    assert (two != matrix).nnz == 0


def test_parquet(cell):
    pd, pq = pytest.importorskip("pandas"), pytest.importorskip("pyarrow.parquet")
    frame = pd.DataFrame({"n": np.arange(90_000.0), "t": ["a", None, "ß"] * 30_000})
    path = cell.dump("frame", frame, engine="parquet")
    assert path.suffix == ".parquet"
    assert pq.read_table(path).num_rows == 90_000
    pd.testing.assert_frame_equal(cell.load("frame"), frame)
    assert cell.dump("other", {"a": 1}, engine="parquet").suffix == ".dump"
    with pytest.raises(RuntimeError, match=r"cannot be Parquet .*: take engine='pickle'"):
        cell.dump("frame", pd.DataFrame({"x": [1, "a", object()]}), engine="parquet")
    flip(path, 2000)
    with pytest.raises(RuntimeError, match="frame is damaged"):
        cell.load("frame")
    with pytest.raises(RuntimeError, match="'csv' is no engine"):
        cell.dump("frame", frame, engine="csv")


class Tensor:
    """Pickled as torch's are: by a function and what it is called with."""

    def __init__(self, data):
        self.data = data

    def __reduce_ex__(self, protocol):
        return Tensor, (self.data,)


def test_what_holds_arrays_of_its_own(cell):
    cell.dump("t", Tensor(np.arange(90_000.0)))
    assert (cell.load("t").data == np.arange(90_000.0)).all()
    index = cell.dump_told(cell.dump_files()["t"][-1][1])
    assert [length for _, length in index["buffers"]] == [720_000]


@pytest.mark.parametrize(
    "value",
    [lambda: 1, (x for x in ()), open, {"a": [sys]}, type("Local", (), {})()],
    ids=["lambda", "generator", "file function", "module", "local class"],
)
def test_what_cannot_be_pickled_leaves_nothing(cell, value):
    if value is open:
        value = open(os.devnull)  # noqa: SIM115
    cell.dump("v", 1)
    with pytest.raises(RuntimeError, match=r"^v cannot be pickled \(.*: dump the data in it"):
        cell.dump("v", [np.zeros(90_000), value])
    if hasattr(value, "close") and hasattr(value, "name"):
        value.close()
    assert cell.load("v") == 1
    assert [p.name for p in cell.DUMPS.iterdir()] == ["v.1.dump"]


@pytest.mark.parametrize(
    "name", ["a", "model 3", "ßéλ😀", "a.5", "x.dump", "a-1", "[b]*?", "-", "%s"]
)
def test_names(cell, name):
    cell.dump(name, [1])
    cell.dump(name, [2])
    assert (cell.load(name), cell.load(name, version=-1)) == ([2], [1])
    assert list(cell.dump_files()) == [name]
    cell.forget(name)
    assert list(cell.DUMPS.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".a", "a/b", "../a", "a\\b", "a\0b", "a\nb", " a", "a ", "x" * 201,
             "\ud800", "\x1b[0m", 3, None, b"a"],
)  # fmt: skip
def test_names_that_are_none(cell, name):
    for use in (lambda: cell.dump(name, 1), lambda: cell.load(name), lambda: cell.forget(name)):
        with pytest.raises(RuntimeError, match="is no name for a dump: take one such as"):
            use()


def test_versions(tmp_path, source, capsys):
    cell = run_cell(tmp_path, cell_source(dump_keep_versions=2))
    for number in range(5):
        cell.dump("v", number)
    assert [cell.load("v", version=-back) for back in range(3)] == [4, 3, 2]
    for version in (-3, 1):
        with pytest.raises(RuntimeError, match="0 is the newest and -2 the oldest"):
            cell.load("v", version=version)
    with pytest.raises(RuntimeError, match=r"There is no dump w in .*; dumps: v"):
        cell.load("w")
    run_cell(tmp_path, cell_source(dump_keep_versions=0)).dump("v", 5)
    assert len(list(cell.DUMPS.iterdir())) == 1
    capsys.readouterr()
    cell.forget("v")
    assert "Forgot v: 1 files deleted" in capsys.readouterr().out


def test_the_table_and_dumps_of_older_cells(cell, capsys):
    cell.DUMPS.mkdir()
    (cell.DUMPS / "old.pickle").write_bytes(pickle.dumps({"a": date(2020, 1, 1)}, 5))
    (cell.DUMPS / "torn.1.dump").write_bytes(b"x")
    cell.dump("new", np.zeros((300, 200)))
    capsys.readouterr()
    cell.dumps()
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ["name", "size"]
    new, old, torn = rows
    assert "numpy.ndarray 300x200" in new
    assert f"Python {sys.version.split()[0]}, numpy {np.__version__}" in new
    assert "0.5 MB" in new
    assert "of an older cell" in old
    assert "cannot be read: it is cut short" in torn
    assert cell.load("old") == {"a": date(2020, 1, 1)}
    cell.dump("old", 2)
    assert (cell.load("old"), cell.load("old", version=-1)["a"].year) == (2, 2020)
    (cell.DUMPS / "empty.pickle").touch()
    with pytest.raises(RuntimeError, match="empty is damaged"):
        cell.load("empty")


def test_flush_where_nothing_is_mounted(cell, capsys):
    cell.flush()
    assert "There is no Colab here" in capsys.readouterr().out


@pytest.mark.runs
@pytest.mark.parametrize("fault", ["", "mount-failed"])
def test_flush_uploads_and_mounts_again(catalog, fault):
    notebook = make(catalog, ["dump"])
    broken = f"from google.colab import _settings\n_settings.settings['mount'] = {fault!r}\n"
    code = (broken if fault else "") + "flush()\nprint(load('example'))"
    last = dict(notebook["cells"][-1], id="last", source=code)
    last["metadata"] = {"id": "last"}
    notebook["cells"].append(last)
    report = run(notebook)
    if report.limits:
        pytest.skip("NOT CHECKED: no file system can be mounted here")
    if fault:
        assert "keep this session" in report.outcomes[-1].message
    else:
        assert report.passed, report.outcomes
        text = "".join(o.get("text", "") for o in report.notebook["cells"][-1]["outputs"])
        assert "Drive has everything that was written\n{'step': 3" in text
    assert "dumps/example.1.dump" in report.drive


def flip(path, offset, bit=3):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1 << bit]))


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


def test_checksums_are_held_once_in_a_session(dumped, source):
    _, path = dumped
    again = run_cell(path.parents[1], source)
    held, check = [], again.names["dump_check"]
    again.names["dump_check"] = lambda data: held.append(len(data)) or check(data)
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
    cell.names["shutil"] = types.SimpleNamespace(disk_usage=lambda p: types.SimpleNamespace(free=9))
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


def test_a_failing_load_says_which_versions_differ(cell):
    module = types.ModuleType("lost_package")
    module.__version__ = "1.5"
    exec("class Thing: pass", module.__dict__)
    sys.modules["lost_package"] = module
    try:
        cell.dump("thing", module.Thing())
    finally:
        del sys.modules["lost_package"]
    with pytest.raises(RuntimeError, match=r"lost_package 1\.5 \(here none\).*run the cells"):
        cell.load("thing")


def test_names_of_numpys_modules_on_both_sides(cell):
    for module in ("numpy.core.multiarray", "numpy._core.multiarray"):
        stream = b"\x80\x04c" + module.encode() + b"\n_reconstruct\n."
        assert cell.dump_unpickle(__import__("io").BytesIO(stream), None, {}).__name__


@pytest.mark.parametrize("what", ["said", "limit"])
def test_a_full_disk_leaves_the_old_dump(cell, what):
    cell.dump("v", VALUE)
    value = np.random.default_rng(0).random(500_000)
    if what == "said":
        cell.names["shutil"] = types.SimpleNamespace(
            disk_usage=lambda p: types.SimpleNamespace(free=3_000_000)
        )
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
def test_loading_from_a_bad_drive(tmp_path, source, faults, words):
    value = np.arange(2_000_000)
    run_cell(tmp_path / "source", source).dump("v", value)
    with mounted(tmp_path / "source", tmp_path / "drive", faults) as mount:
        cell = run_cell(mount.point, source)
        assert not cell.dump_is_local(cell.DUMPS)
        cell.names["time"] = types.SimpleNamespace(sleep=lambda s: None, monotonic=time.monotonic)
        if words:
            with pytest.raises(RuntimeError, match=words):
                cell.load("v")
        else:
            assert (cell.load("v") == value).all()
    assert (run_cell(tmp_path / "source", source).load("v") == value).all()


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
def test_dumping_to_a_bad_drive(tmp_path, source, faults, words):
    run_cell(tmp_path / "source", source).dump("v", "the one before")
    value = np.arange(2_000_000)
    with mounted(tmp_path / "source", tmp_path / "drive", faults) as mount:
        cell = run_cell(mount.point, source)
        if words:
            with pytest.raises(RuntimeError, match=words):
                cell.dump("v", value)
        else:
            with contextlib.suppress(RuntimeError):
                cell.dump("v", value)
    later = run_cell(tmp_path / "source", source)
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

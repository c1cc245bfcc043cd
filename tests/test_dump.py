"""The cell of dump and load: what comes back, and what it costs."""

import math
import os
import pickle
import sys

import numpy as np
import pytest
from dumps import flip, run_cell, same, watched
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EVERY = settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


@pytest.fixture
def cell(tmp_path):
    return run_cell(tmp_path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One for all examples of a property."""
    return run_cell(tmp_path_factory.mktemp("drive"))


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


@given(
    pieces=st.lists(
        st.tuples(st.integers(0, 3) | st.integers(0, 20_000), st.booleans()), max_size=9
    )
)
@EVERY
def test_the_sums_of_pieces_are_those_of_the_whole(shared, pieces):
    draw, whole, parts = np.random.default_rng(0), b"", []
    for length, begins_a_buffer in pieces:
        if begins_a_buffer:
            whole += bytes(-len(whole) % 64)
        parts.append((len(whole), draw.bytes(length)))
        whole += parts[-1][1]
    pages = np.frombuffer(whole.ljust(-(-len(whole) // 4096) * 4096, b"\0"), "<u8").reshape(-1, 512)
    for some in parts, [(0, whole)]:
        sums = np.zeros(len(pages), "<u8")
        shared.names["dump_sum_up"](sums, some)
        assert sums.tolist() == pages.sum(1).tolist()


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
    cell.dump("again", loaded)  # of mapped images, whose memory Pillow 11 does not hand out
    assert cell.load("again")["all"] == images


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
    Image.effect_noise((90, 60), 50).save(tmp_path / "mapped.bmp")
    with Image.open(tmp_path / "mapped.bmp") as mapped:
        cell.dump("mapped", mapped)
        assert cell.load("mapped") == mapped
    assert cell.load("opened")[0].getpixel((2, 2)) != (255, 0, 0)


@pytest.mark.skipif(
    not os.access("/proc/self/clear_refs", os.W_OK),
    reason="NOT CHECKED: the system does not tell how much memory is taken",
)
def test_no_copy_in_memory(cell):
    from PIL import Image

    array = np.random.default_rng(0).random((300, 100_000), np.float32)  # 120 MB
    images = [Image.fromarray(array[0:30].view("u1").reshape(2000, 2000, 3)) for _ in range(10)]
    cell.dump("warm", array[:9])
    values = {"array": array, "turned": array.T, "images": images, "nested": {"a": [(array,)]}}
    for name, value in values.items():
        assert watched(lambda name=name, value=value: cell.dump(name, value))[2] < 64, name
        assert watched(lambda name=name: cell.load(name, verify=False))[2] < 16, name
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

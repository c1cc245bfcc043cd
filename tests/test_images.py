"""The cell of images.md: whatever file it meets, it shows it, or names it and goes on."""

import base64
import io
import re
import struct
import zlib
from xml.etree import ElementTree

import numpy as np
import pytest
from cells import execute, printed_by
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageDraw

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{}</svg>'
TURNED = Image.Exif()
TURNED[0x0112] = 6


def drawn(mode="RGB", size=(120, 80)):
    image = Image.new("RGB", size, "steelblue")
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 3, size[1]), fill="orange")
    return image.convert(mode)


def saved(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def frames(count, size=(60, 40)):
    return [Image.new("L", size, 9 * n) for n in range(1, count)]


def bomb():
    """Return a PNG of 40,000 x 40,000 pixels that is whole in its head and short in bytes."""

    def chunk(kind, content):
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def palette():
    image = drawn("P")
    image.info["transparency"] = 0
    return image


@pytest.fixture(scope="module")
def cell(catalog, tmp_path_factory):
    names, said = execute(catalog, "images-2", image_pattern=str(tmp_path_factory.mktemp("none")))
    assert "holds: nothing" in said
    return names


@pytest.fixture
def show(cell, monkeypatch):
    """Call show_images; return the figures (kind, picture, caption, width) and its line."""

    def called(images, **options):
        pages = []
        monkeypatch.setitem(cell, "display", lambda data, raw: pages.append(data))
        line = printed_by(cell["show_images"], images, **options)
        assert line.count("\n") == 1
        found = []
        for page in pages:
            root = ElementTree.fromstring(page["text/html"])  # well-formed, whatever the names
            assert {e.tag for e in root.iter()} == {"div", "figure", "img", "figcaption"}
            for figure in root:
                img, caption = figure
                kind, coded = re.fullmatch("data:image/(.+);base64,(.+)", img.get("src")).groups()
                found.append((kind, base64.b64decode(coded), caption.text, int(img.get("width"))))
        return found, line

    return called


def opened(content):
    return Image.open(io.BytesIO(content)).convert("RGB")


# name of the file, what is in it, and what is said of it; an empty text where it is shown.
FILES = [
    ("plot.png", saved(drawn(), "PNG"), ""),
    ("photo.jpg", saved(drawn(size=(2000, 1500)), "JPEG"), ""),
    ("turned.jpg", saved(drawn(), "JPEG", exif=TURNED), ""),
    ("print.jpg", saved(drawn("CMYK"), "JPEG"), ""),
    ("grey.jpg", saved(drawn("L"), "JPEG"), ""),
    ("deep.png", saved(Image.fromarray(np.arange(4800, dtype="u2").reshape(60, 80)), "PNG"), ""),
    ("real.tif", saved(Image.fromarray(np.eye(50, dtype="f4")), "TIFF"), ""),
    ("bits.tif", saved(drawn("1"), "TIFF"), ""),
    ("palette.png", saved(palette(), "PNG", transparency=0), ""),
    ("clear.png", saved(drawn("RGBA"), "PNG"), ""),
    ("half.png", saved(drawn("LA"), "PNG"), ""),
    ("pixel.png", saved(Image.new("RGB", (1, 1), "red"), "PNG"), ""),
    ("thread.png", saved(Image.new("RGB", (1, 9000), "red"), "PNG"), ""),
    ("new.webp", saved(drawn(), "WEBP"), ""),
    ("icon.ico", saved(drawn(), "ICO"), ""),
    ("old.bmp", saved(drawn(), "BMP"), ""),
    ("still.gif", saved(drawn("P"), "GIF"), ""),
    ("moving.gif", saved(drawn("L", (60, 40)), "GIF", save_all=True, append_images=frames(5)), ""),
    ("drawing.svg", SVG.format("<circle r='4'/>").encode(), ""),
    ("script.svg", SVG.format("<script>alert(1)</script>").encode(), ""),
    ("<b onclick='x'>&.png", saved(drawn(), "PNG"), ""),
    ("two\nlines \u05e2 \U0001f600.png", saved(drawn(), "PNG"), ""),
    ("short.jpg", saved(drawn(size=(900, 900)), "JPEG")[:4000], "damaged"),
    ("short.png", saved(drawn(), "PNG")[:90], "damaged"),
    ("flipped.png", saved(drawn(), "PNG").replace(b"IDAT", b"IDAT\xff", 1), "damaged"),
    ("empty.png", b"", "no image"),
    ("page.png", b"<!doctype html><script>alert(1)</script>", "no image"),
    ("notes.txt", b"no picture", "no image"),
    ("secret.png", SVG.format("").encode(), "no image"),
    ("broken.svg", SVG.format("<g>").encode(), "damaged"),
    ("page.svg", b"<html><script>alert(1)</script></html>", "no image"),
    ("laughs.svg", b'<!DOCTYPE s [<!ENTITY a "ha">' + b"".join(
        b'<!ENTITY %c "%s">' % (c, b"&%c;" % (c - 1) * 90) for c in b"bcdefgh"
    ) + b"]><svg>&h;</svg>", "damaged"),
    ("huge.svg", SVG.format("<g/>" * 400_000).encode(), "too large: raise image_megabytes"),
    ("bomb.png", bomb(), "refused: more pixels than any photo has"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "said"), FILES, ids=[repr(f[0]) for f in FILES])
def test_a_file_is_shown_or_named(show, tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    found, line = show(tmp_path / name)
    shown = " ".join(name.split())
    if said:
        assert (found, line) == ([], f"Shown 0 of 1 images in 0 KB: {shown} ({said})\n")
        return
    ((kind, picture, caption, width),) = found
    assert line.startswith("Shown 1 of 1 images in ")
    assert caption == shown
    assert 1 <= width <= 960
    if kind == "svg+xml":
        assert picture == content
    else:
        assert max(opened(picture).size) <= 960


def test_all_of_them_in_one_grid(show, tmp_path):
    for name, content, _ in FILES:
        (tmp_path / name).write_bytes(content)
    found, line = show(tmp_path)
    assert len(found) == sum(not said for _, _, said in FILES)
    assert all(f" ({said})" in line for _, _, said in FILES if said)


@pytest.mark.parametrize(
    ("name", "point", "colour"),
    [
        ("turned.jpg", (0.5, 0.1), "orange"),  # what was left is on top now
        ("print.jpg", (0.1, 0.5), "orange"),
        ("print.jpg", (0.9, 0.5), "steelblue"),
        ("clear.png", (0.1, 0.5), "orange"),
        ("palette.png", (0.9, 0.5), "steelblue"),
        ("deep.png", (0.01, 0.01), "black"),
        ("deep.png", (0.99, 0.99), "white"),
        ("real.tif", (0.9, 0.1), "black"),
        ("bits.tif", (0.99, 0.01), None),
    ],
)
def test_its_colours_are_right(show, tmp_path, name, point, colour):
    (content,) = [content for file, content, _ in FILES if file == name]
    (tmp_path / name).write_bytes(content)
    picture = opened(show(tmp_path / name)[0][0][1])
    got = picture.getpixel(
        tuple(int(p * side) for p, side in zip(point, picture.size, strict=True))
    )
    expected = Image.new("RGB", (1, 1), colour or got).getpixel((0, 0))
    assert max(abs(a - b) for a, b in zip(got, expected, strict=True)) < 40


def test_an_animation_moves_while_it_is_small(show, tmp_path):
    rng = np.random.default_rng(1)
    noise = [Image.fromarray(rng.integers(0, 255, (300, 300), "u1")) for _ in range(30)]
    small = saved(drawn("L", (60, 40)), "GIF", save_all=True, append_images=frames(5))
    (tmp_path / "small.gif").write_bytes(small)
    (tmp_path / "large.gif").write_bytes(
        saved(noise[0], "GIF", save_all=True, append_images=noise[1:])
    )
    (large, still), line = show(tmp_path)
    assert still[:2] == ("gif", small)
    assert not getattr(Image.open(io.BytesIO(large[1])), "is_animated", False)
    assert "large.gif (its first frame: a larger image_megabytes lets it move)" in line
    assert "Shown 2 of 2" in line


def test_many_photos_stay_within_the_megabytes(show, cell, monkeypatch, tmp_path):
    monkeypatch.setitem(cell, "image_megabytes", 0.2)
    rng = np.random.default_rng(1)
    noise = Image.fromarray(rng.integers(0, 255, (480, 640, 3), "u1"))  # worse than any photo
    content = saved(noise, "JPEG", quality=95)
    for n in range(20):
        (tmp_path / f"{n}.jpg").write_bytes(content)
    found, line = show(tmp_path, width=480)
    assert [caption for _, _, caption, _ in found] == [f"{n}.jpg" for n in range(20)]
    assert float(re.search(r"in (\S+) KB", line)[1]) <= 200
    assert all(width == 480 for *_, width in found)


def test_no_more_than_300_are_shown(show):
    found, line = show([Image.new("L", (1, 1))] * 301)
    assert len(found) == 300
    assert line.startswith("Shown 300 of 301 images")


@pytest.mark.parametrize(
    ("array", "darkest", "lightest"),
    [
        (np.array([[0, 100], [200, 255]], "u1"), 0, 255),
        (np.array([[10, 20], [30, 40]], "u1"), 10, 40),
        (np.array([[0.0, 0.5], [0.25, 0.75]]), 0, 191),
        (np.array([[False, True]]), 0, 255),
        (np.array([[-1.0, 1.0]], "f2"), 0, 255),
        (np.array([[0.0, np.nan], [np.inf, 1.0]]), 0, 255),
        (np.array([[0, 1], [2, 3]]), 0, 255),  # the labels of a mask
        (np.array([[[0, 0, 0], [100, 100, 100]]]), 0, 100),
        (np.zeros((4, 4, 1), "u2"), 0, 0),
        (np.full((2, 2), np.nan), 0, 0),
        (np.array([[1e308, -1e308]]), 0, 255),
        (np.arange(64).reshape(8, 8).astype("u1")[::-2, ::3], 8, 62),
    ],
    ids=lambda value: f"{value.dtype}{value.shape}" if isinstance(value, np.ndarray) else None,
)
def test_an_array_becomes_grey(show, array, darkest, lightest):
    ((_, picture, caption, _),), _ = show(array)
    assert caption == "1"
    low, high = opened(picture).convert("L").getextrema()
    assert abs(low - darkest) <= 1
    assert abs(high - lightest) <= 1


@pytest.mark.parametrize(
    "array",
    [np.zeros(5), np.zeros((0, 3)), np.zeros((3, 4, 5)), np.array([["a"]]), np.array([[1j]]),
     np.array([[None]]), np.zeros((3, 8, 8))],
    ids=lambda a: f"{a.dtype}{a.shape}",
)  # fmt: skip
def test_an_array_that_is_no_image(show, array):
    found, line = show(array)
    assert found == []
    assert f"an array of shape {array.shape} and {array.dtype} is no image" in line


def test_lists_batches_and_captions(show):
    photo = drawn("CMYK", (300, 200))
    found, line = show([photo, np.zeros((4, 4)), np.zeros((4, 4, 3))], captions=list("abc"))
    assert [caption for _, _, caption, _ in found] == ["a", "b", "c"]
    assert line.startswith("Shown 3 of 3 images")
    assert (photo.mode, photo.size) == ("CMYK", (300, 200))
    assert len(show(np.zeros((5, 4, 4, 3)))[0]) == 5
    assert show([])[0] == []


def test_a_picture_that_is_open_stays_as_it_is(show, tmp_path):
    drawn(size=(2000, 1500)).save(tmp_path / "a.jpg", exif=TURNED)
    with Image.open(tmp_path / "a.jpg") as image:
        ((_, picture, _, _),), _ = show(image)
        assert image.size == (2000, 1500)
    assert opened(picture).size == (720, 960)


@settings(max_examples=60, deadline=None)
@given(
    arrays.arrays(
        st.one_of(arrays.boolean_dtypes(), arrays.integer_dtypes(), arrays.floating_dtypes()),
        arrays.array_shapes(min_dims=1, max_dims=3, max_side=6),
    )
)
def test_any_array_is_shown_or_explained(cell, array):
    cell["display"] = lambda data, raw: None
    line = printed_by(cell["show_images"], [array])
    shape = array.shape
    fits = len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4))
    assert line.startswith(f"Shown {int(fits)} of 1 images")
    assert fits or "is no image: it takes numbers" in line


@pytest.mark.parametrize(
    ("pattern", "shown"),
    [
        ("*.png", ["2.png", "10.png", "a [1].png"]),
        ("a [1].png", ["a [1].png"]),
        ("deep/**/*", ["3.png"]),
        ("", []),
        ("a, b.png", ["a, b.png"]),
        ("10.png, deep/*", ["10.png", "3.png"]),
        ("absent/*.png", []),
    ],
)
def test_patterns(catalog, tmp_path, monkeypatch, pattern, shown):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deep").mkdir()
    for name in ("10.png", "2.png", "a [1].png", "deep/3.png"):
        drawn().save(tmp_path / name)
    if "a, b" in pattern:
        drawn().save(tmp_path / pattern)
    names, said = execute(catalog, "images-2", image_pattern=pattern)
    assert [name.rpartition("/")[2] for name in names["images_paths"]] == shown
    assert said.count("\n") == 1 if not shown else f"Shown {len(shown)} of {len(shown)} " in said

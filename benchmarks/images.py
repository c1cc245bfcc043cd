"""What 200 photographs of 12 megapixels cost in a notebook: ours, and what people paste today.

    uv run python benchmarks/images.py [--photos 200] [--rounds 3] [--folder DIR] [--json FILE]

Each way runs in a process of its own, which tells the bytes that it adds to the notebook (its
outputs as JSON), its seconds and its peak memory. `IPython.display.Image` embeds the files as they
are. The limit is the same thumbnails as JPEG of one quality, without captions, checks or a budget.
"""

import argparse
import functools
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from side_by_side import machine, measure, median, save, status, table

ROOT = Path(__file__).resolve().parents[1]
DIFFERENT = 10


def photo(path: Path, seed: int) -> None:
    """Write a 4000x3000 JPEG with the detail of a photo: noise at every scale, about 4 MB."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(seed)
    total = np.zeros((3000, 4000, 3), "f4")
    for side in (4, 16, 64, 256, 1024):
        noise = rng.integers(0, 256, (side * 3 // 4, side, 3), "u1")
        total += np.asarray(Image.fromarray(noise).resize((4000, 3000), 3), "f4") * 2 / side**0.5
    total += rng.normal(0, 12, total.shape)
    total -= total.min()
    Image.fromarray((total * (255 / total.max())).astype("u1")).save(path, quality=90)


def photos(folder: Path, count: int) -> None:
    """Fill the folder: a few different photos, over and over."""
    for n in range(count):
        path = folder / f"photo {n}.jpg"
        if n < DIFFERENT:
            photo(path, n)
        else:
            shutil.copyfile(folder / f"photo {n % DIFFERENT}.jpg", path)


def ours(folder: Path) -> list[dict]:
    """Execute the cell of images.md and return what it displays."""
    sys.path.insert(0, str(ROOT / "tests"))
    from cells import sources

    (text,) = sources("images", image_pattern="*.jpg")
    bundles: list[dict] = []
    names = {"shown": lambda data, raw: bundles.append(data)}
    exec(text.replace("import display\n", "import display\n\ndisplay = shown\n", 1), names)
    return bundles


def embedded(folder: Path) -> list[dict]:
    """Return what `display(Image(path))` of each file gives."""
    from IPython.core.formatters import DisplayFormatter
    from IPython.display import Image

    form = DisplayFormatter()
    return [form.format(Image(str(path)))[0] for path in sorted(folder.glob("*.jpg"))]


def limit(folder: Path) -> list[dict]:
    """Return thumbnails and nothing else, made one after the other."""
    import base64
    import io

    from PIL import Image

    bundles = []
    for path in sorted(folder.glob("*.jpg")):
        with Image.open(path) as image:
            image.thumbnail((240, 240))
            buffer = io.BytesIO()
            image.save(buffer, "JPEG", quality=60)
        bundles.append({"image/jpeg": base64.b64encode(buffer.getvalue()).decode()})
    return bundles


WAYS = {
    "images cell": ours,
    "IPython.display.Image": embedded,
    "limit: thumbnails only": limit,
}


def child(way: str, folder: Path) -> None:
    """Do it once in this process, and print the figures as JSON."""
    start = time.perf_counter()
    bundles = WAYS[way](folder)
    outputs = [{"output_type": "display_data", "data": data, "metadata": {}} for data in bundles]
    seconds = time.perf_counter() - start
    added = len(json.dumps(outputs, indent=1))
    # What getrusage tells outlives exec, so it would be the peak of who made the photos.
    figures = {"seconds": seconds, "notebook MB": added / 1e6, "memory MB": status("VmHWM")}
    print("\n" + json.dumps(figures))


def main() -> None:
    """Make the photos, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the photos are made")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, Path.cwd())
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        photos(Path(name), options.photos)
        size = sum(p.stat().st_size for p in Path(name).iterdir()) / 1e6

        def run(way: str) -> dict[str, float]:
            command = [sys.executable, __file__, "--child", way]
            done = subprocess.run(command, cwd=name, check=True, capture_output=True, text=True)
            return dict(json.loads(done.stdout.splitlines()[-1]))

        figures = measure({way: functools.partial(run, way) for way in WAYS}, options.rounds)
    print(f"{options.photos} photos of 12 megapixels, {size:.0f} MB; {machine()}\n")
    print(table(figures, "IPython.display.Image"))
    added = median(figures, "images cell", "notebook MB")
    print(f"\nours adds {added:.2f} MB to the notebook: {added / size:.2%} of the photos")
    if options.json:
        save(options.json, "photos in a notebook", figures, photos=options.photos, megabytes=size)


if __name__ == "__main__":
    main()

"""Make the images that the cell of images.md shows."""

from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any

from PIL import Image

NAMES = ("plot.png", "photo.jpg", "moving.gif", "drawing.svg", "damaged.png")
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 5"><circle r="4"/></svg>'


def prepare(drive: Path, values: Mapping[str, Any]) -> None:
    """Put images of several kinds and a damaged file where the pattern looks, if below Drive."""
    my_drive = PurePosixPath(values.get("mount_point", "/content/drive"), "MyDrive")
    pattern = PurePosixPath("/content", values["image_pattern"])
    if not pattern.is_relative_to(my_drive) or ".." in pattern.parts or pattern == my_drive:
        return
    *folders, last = pattern.relative_to(my_drive).parts
    folder = drive.joinpath(*(part for part in folders if part != "**"))
    if any(set("*?[") & {*part} for part in folders if part != "**"):
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES if set("*?[") & {*last} else (last,):
        if fnmatch(name, last) and not folder.joinpath(name).exists():
            _draw(folder / name)


def _draw(path: Path) -> None:
    image = Image.new("RGB", (640, 400), "steelblue")
    if path.suffix.lower() in {".jpg", ".jpeg"}:
        turned = Image.Exif()
        turned[0x0112] = 6  # turn it by 90 degrees to see it
        image.save(path, "JPEG", exif=turned)
    elif path.suffix.lower() == ".gif":
        image.save(path, "GIF", save_all=True, append_images=[image.rotate(180)])
    elif path.suffix.lower() == ".svg":
        path.write_text(SVG, encoding="utf-8")
    else:
        image.save(path, "PNG")
    if path.name == NAMES[-1]:
        path.write_bytes(path.read_bytes()[:200])

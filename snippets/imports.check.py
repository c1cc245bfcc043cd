"""Make the module folder that the cell of imports.md copies."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any


def prepare(drive: Path, values: Mapping[str, Any]) -> None:
    """Put every named module into the folder, or one called helpers where none is named."""
    my_drive = PurePosixPath(values.get("mount_point", "/content/drive"), "MyDrive")
    place = my_drive / values["module_folder"].strip()
    if not place.is_relative_to(my_drive) or ".." in place.parts or place == my_drive:
        return
    names = [name.strip() for name in values["module_names"].split(",") if name.strip()]
    for name in names or ["helpers"]:
        if all(part.isidentifier() for part in name.split(".")):
            _write(drive / place.relative_to(my_drive), name.split("."))


def _write(folder: Path, parts: list[str]) -> None:
    for part in parts[:-1]:
        folder = folder / part
        folder.mkdir(parents=True, exist_ok=True)
        folder.joinpath("__init__.py").touch()
    folder.mkdir(parents=True, exist_ok=True)
    # Where another name has made a package of it, the package will do.
    if not folder.joinpath(parts[-1]).is_dir():
        folder.joinpath(f"{parts[-1]}.py").write_text("ANSWER = 42\n", encoding="utf-8")

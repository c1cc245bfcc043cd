"""Make the archive that the cells of staging.md unpack."""

import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

FILES = {"data/names.csv": b"id,name\n1,Ada\n2,Grace\n", "data/raw/one.bin": bytes(range(256))}


def prepare(drive: Path, values: Mapping[str, Any]) -> None:
    """Put an archive of two files, in the format its name says, where the notebook looks."""
    my_drive = PurePosixPath(values.get("mount_point", "/content/drive"), "MyDrive")
    place = my_drive / values["archive_name"]
    if not place.is_relative_to(my_drive) or ".." in place.parts or place == my_drive:
        return
    archive = drive / place.relative_to(my_drive)
    if archive.exists():
        return
    archive.parent.mkdir(parents=True, exist_ok=True)
    if archive.name.lower().endswith(".zip"):
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
            for name, content in FILES.items():
                target.writestr(name, content)
    else:
        archive.write_bytes(_tar(archive.suffix.lower()))


def _tar(suffix: str) -> bytes:
    kinds = {".gz": "gz", ".tgz": "gz", ".xz": "xz", ".txz": "xz", ".bz2": "bz2"}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{kinds.get(suffix, '')}") as target:
        for name, content in FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            target.addfile(member, io.BytesIO(content))
    if suffix not in {".zst", ".tzst"}:
        return buffer.getvalue()
    import zstandard  # Colab's image has it, and only this format needs it

    return zstandard.compress(buffer.getvalue())

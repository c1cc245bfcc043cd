"""The ways of staging for crash.py: our cells, and cp + unzip."""

import json
import shutil
import sys
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from crash import Way
from staging import RUNNER, Case, cells, make_archive

__all__ = ["ways"]

FILES = Case("for kills", 3000, 2048, text=True)


def ways(folder: Path) -> Mapping[str, Way]:
    """Return what is killed; the archive lies in the folder, the stage is `place/stage`."""
    archive = folder / "data.zip"
    make_archive(archive, FILES)
    with zipfile.ZipFile(archive) as opened:
        expected = {info.filename: info.CRC for info in opened.infolist()}

    def clear(place: Path) -> None:
        while place.exists():  # what was just killed may not be gone yet
            shutil.rmtree(place, ignore_errors=True)
        place.mkdir()

    def ours(place: Path) -> list[str]:
        file = folder / "cells.json"
        file.write_text(json.dumps(cells(archive, place / "stage", isal=False)))
        return [sys.executable, "-c", RUNNER, str(file)]

    def paste(place: Path) -> list[str]:
        # As in people's cells: what is there is not made again.
        line = 'test -d "$2" || { cp "$1" "$2.zip" && unzip -qq "$2.zip" -d "$2"; }'
        return ["sh", "-c", line, "sh", str(archive), str(place / "stage")]

    def verdict(place: Path) -> str:
        stage = place / "stage"
        if not stage.exists():
            return "none"  # the next run makes it
        found = {
            path.relative_to(stage).as_posix(): zlib.crc32(path.read_bytes())
            for path in stage.rglob("*")
            if path.is_file() and path.name != ".staged.json"
        }
        return "whole" if found == expected else "false"

    return {
        "ours": Way(prepare=clear, command=ours, verdict=verdict),
        "cp + unzip": Way(prepare=clear, command=paste, verdict=verdict),
    }

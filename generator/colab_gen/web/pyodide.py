"""Python for the browser: the npm package `pyodide`, one version of it, byte for byte."""

import base64
import hashlib
import io
import json
import os
import sys
import tarfile
import urllib.request
import zipfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from colab_gen.errors import EnvironmentProblem

__all__ = ["VERSION", "pack", "pyodide_files"]

VERSION = "314.0.7"
# As the registry's page of the version has it, under `dist.integrity`.
_SHA512 = "0YvXxEhfEdpLfb/XkM2BFAeMROq0iMUX2bzzH9pOttyMcWkwq+HbE5uyuGD82LN7y2q+SNvi/6V5JEsOlD2R1A=="
_REGISTRY = "https://registry.npmjs.org"
_SECONDS = 60  # without a byte
_LONGEST = 50_000_000
_FILES = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm")
# Parts of the standard library that making a notebook never imports: half of it.
_UNUSED = """
_pydatetime.py _pydecimal.py _pyio.py _pyrepl bdb.py cProfile.py calendar.py cmd.py code.py
configparser.py ctypes curses dbm doctest.py email ensurepip ftplib.py getpass.py gettext.py http
idlelib imaplib.py lib2to3 mailbox.py mimetypes.py modulefinder.py multiprocessing netrc.py
optparse.py pdb.py pickletools.py plistlib.py poplib.py profile.py pstats.py pyclbr.py pydoc.py
pydoc_data shelve.py smtplib.py socketserver.py sqlite3 statistics.py sysconfig tarfile.py
telnetlib.py this.py timeit.py tkinter trace.py tracemalloc.py turtle.py turtledemo unittest
uuid.py venv webbrowser.py wsgiref xml xmlrpc zipapp.py zoneinfo
"""
_ENCODINGS = ("__init__", "aliases", "ascii", "cp437", "idna", "latin_1", "utf_8", "utf_8_sig")


def pyodide_files() -> dict[str, bytes]:
    """Return the files that start Python in a browser, by name: about 13 MB, 4.6 as transferred.

    The package comes from the npm registry, or from the cache once it was there.

    Raises:
        EnvironmentProblem: it cannot be downloaded, or is not the one we know.
    """
    with tarfile.open(fileobj=io.BytesIO(_package()), mode="r:gz") as package:

        def read(name: str) -> bytes:
            file = package.extractfile(f"package/{name}")
            assert file is not None
            return file.read()

        files = {name: read(name) for name in _FILES}
        lock = json.loads(read("pyodide-lock.json"))
        library = read("python_stdlib.zip")
    # Its list of packages, which could be loaded from elsewhere, is left empty.
    files["pyodide-lock.json"] = json.dumps({"info": lock["info"], "packages": {}}).encode()
    files["python_stdlib.zip"] = _trimmed(library)
    return files


def pack(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Return a zip of the files, the same bytes for the same files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in sorted(files):
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, 9)
    return packed.getvalue()


def _trimmed(library: bytes) -> bytes:
    unused = frozenset(_UNUSED.split())

    def used(name: str) -> bool:
        folder, _, rest = name.partition("/")
        if folder == "encodings":
            return rest.removesuffix(".py") in _ENCODINGS
        return folder not in unused and not name.endswith("/")

    with zipfile.ZipFile(io.BytesIO(library)) as archive:
        return pack((name, archive.read(name)) for name in archive.namelist() if used(name))


def _package() -> bytes:
    kept = _cache() / f"pyodide-{VERSION}.tgz"
    with suppress(OSError):
        package = kept.read_bytes()
        if _is_ours(package):
            return package
    package = _download()
    with suppress(OSError):  # no cache is no harm
        kept.parent.mkdir(parents=True, exist_ok=True)
        beside = kept.with_name(f".{kept.name}.{os.getpid()}.tmp")
        beside.write_bytes(package)
        beside.replace(kept)
    return package


def _download() -> bytes:
    registry = os.environ.get("npm_config_registry") or _REGISTRY  # noqa: SIM112, npm's own name
    address = f"{registry.rstrip('/')}/pyodide/-/pyodide-{VERSION}.tgz"
    try:
        with urllib.request.urlopen(address, timeout=_SECONDS) as answer:
            package: bytes = answer.read(_LONGEST)
    except (OSError, ValueError) as error:
        raise EnvironmentProblem(
            f"cannot download Pyodide, which the page needs, from {address}: {error}; "
            "`colab-gen web` without --out needs no download"
        ) from None
    if not _is_ours(package):
        raise EnvironmentProblem(
            f"{address} is not the Pyodide {VERSION} we know: its hash differs"
        )
    return package


def _is_ours(package: bytes) -> bool:
    return base64.b64encode(hashlib.sha512(package).digest()).decode() == _SHA512


def _cache() -> Path:
    if folder := os.environ.get("XDG_CACHE_HOME"):
        return Path(folder, "colab-gen")
    if sys.platform == "win32" and (folder := os.environ.get("LOCALAPPDATA")):
        return Path(folder, "colab-gen", "cache")
    return Path.home() / (
        "Library/Caches/colab-gen" if sys.platform == "darwin" else ".cache/colab-gen"
    )

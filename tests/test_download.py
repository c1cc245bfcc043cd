"""The cells of download.md: one whole file to offer, by an absolute path, or one sentence."""

import os
import zipfile
from pathlib import Path

import pytest
from cells import execute

FILES = ("a.txt", "b, c.txt", "plots/1.png", "plots/2.png", "plots/deep/3.png")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Work in a folder with some files, and with an own folder for temporary files."""
    home = tmp_path / "content"
    for name in FILES:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(name)
    (home / "empty").mkdir()
    (tmp_path / "temporary").mkdir()
    monkeypatch.chdir(home)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    return home


@pytest.mark.parametrize(
    ("path", "offered", "holds"),
    [
        ("a.txt", "a.txt", None),
        (" a.txt ", "a.txt", None),
        ("b, c.txt", "b, c.txt", None),
        ("plots/../a.txt", "a.txt", None),
        ("plots/1*", "plots/1.png", None),
        ("plots/deep", "deep.zip", ["deep/", "deep/3.png"]),
        ("empty", "empty.zip", ["empty/"]),
        ("plots/*.png", "download.zip", ["1.png", "2.png"]),
        ("a.txt, plots/1.png", "download.zip", ["a.txt", "plots/1.png"]),
        ("a.txt,, a.txt", "a.txt", None),
        ("empty, plots/deep,", "download.zip", ["empty/", "plots/deep/", "plots/deep/3.png"]),
        ("**/*.png", "download.zip", ["1.png", "2.png", "deep/3.png"]),
    ],
)  # fmt: skip
def test_what_is_offered(catalog, folder, path, offered, holds):
    names, said = execute(catalog, "download-4", download_path=path)
    file = names["DOWNLOAD"]
    assert file.is_absolute()
    assert ".." not in file.parts
    assert said.startswith(f"{file} is ready to download")
    if holds is None:
        assert file == folder / offered
        assert "zip" not in said
        return
    assert file == folder.parent / "temporary" / offered
    with zipfile.ZipFile(file) as archive:
        assert archive.namelist() == holds
        assert archive.testzip() is None
    assert os.listdir(file.parent) == [offered]
    again, _ = execute(catalog, "download-4", names, download_path=path)
    assert again["DOWNLOAD"] == file


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "download_path is empty"),
        (" , ", "download_path is empty"),
        ("absent", "holds: a.txt, b, c.txt, empty, plots"),
        ("plots/deep/absent.png", "deep holds: 3.png"),
        ("absent/folder/*", "holds: a.txt"),
        ("a.txt, absent", "There is no "),
        ("..", "cannot hold its own zip"),
    ],
)
def test_what_cannot_be_offered(catalog, folder, path, words):
    with pytest.raises(RuntimeError, match=r"^[^\n]+$") as caught:
        execute(catalog, "download-4", download_path=path)
    assert words in str(caught.value)
    assert os.listdir(folder.parent / "temporary") == []


def test_links_are_followed_once_and_pipes_left_out(catalog, folder):
    (folder / "plots" / "round").symlink_to(folder)
    (folder / "plots" / "gone").symlink_to(folder / "absent")
    os.mkfifo(folder / "plots" / "pipe")
    names, _ = execute(catalog, "download-4", download_path="plots")
    held = zipfile.ZipFile(names["DOWNLOAD"]).namelist()
    assert "plots/1.png" in held
    assert not [name for name in held if "gone" in name or "pipe" in name or "round/" in name[:-1]]


def test_a_disk_that_is_full_leaves_nothing(catalog, folder, monkeypatch):
    def full(self, *rest):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "write", full)
    with pytest.raises(RuntimeError, match=r"make room on the disk; then run this cell again\.$"):
        execute(catalog, "download-4", download_path="plots")
    assert os.listdir(folder.parent / "temporary") == []


class Page:
    """What the last cell asks of google.colab, as a page that answers or none."""

    def __init__(self, answer):
        self.answer, self.sent = answer, []

    def eval_js(self, script, timeout_sec):
        return self.answer

    def download(self, path):
        self.sent.append(path)


@pytest.fixture
def page(monkeypatch):
    def opened(answer):
        made = Page(answer)
        colab = type("colab", (), {"files": made, "output": made})
        monkeypatch.setitem(__import__("sys").modules, "google", type("google", (), {}))
        monkeypatch.setitem(__import__("sys").modules, "google.colab", colab)
        return made

    return opened


@pytest.mark.parametrize(
    ("megabytes", "answer", "large", "words", "sent"),
    [
        (1, True, False, "The browser fetches {}, 1.00 MB", 1),
        (500, True, False, "The browser fetches {}, 500.00 MB", 1),
        (501, True, False, "{} has 501 MB, too much for many browsers: copy it to Drive", 0),
        (501, True, True, "The browser fetches {}, 501.00 MB", 1),
        (501, None, False, "copy it to Drive with shutil.copy2(", 0),
        (1, None, False, "No Colab page answers here, so nothing is downloaded: take {}", 0),
    ],
)
def test_what_is_sent(catalog, tmp_path, page, megabytes, answer, large, words, sent):
    file = tmp_path / "a.bin"
    with file.open("wb") as made:
        made.truncate(megabytes * 10**6)
    there = page(answer)
    _, said = execute(catalog, "download-6", {"DOWNLOAD": file}, send_large=large)
    assert words.format(file) in said
    assert said.count("\n") == 1
    assert there.sent == [str(file)] * sent
    assert file.stat().st_size == megabytes * 10**6


@pytest.mark.parametrize("kaggle", [True, False])
def test_where_there_is_no_colab(catalog, tmp_path, page, monkeypatch, kaggle):
    if kaggle:
        page(True)
        monkeypatch.setenv("KAGGLE_KERNEL_RUN_TYPE", "Interactive")
    file = Path(tmp_path, "a.bin")
    file.touch()
    _, said = execute(catalog, "download-6", {"DOWNLOAD": file})
    assert said == f"No Colab page takes the file here; it lies at {file}\n"


def test_a_file_that_is_gone(catalog, tmp_path):
    with pytest.raises(RuntimeError, match="run the cell above first"):
        execute(catalog, "download-6", {"DOWNLOAD": tmp_path / "gone"})

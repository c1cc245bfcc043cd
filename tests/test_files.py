import os
import stat

import pytest
from colab_gen.errors import NotebookError
from colab_gen.files import write_whole


def test_a_file_is_written_with_ordinary_rights(tmp_path):
    write_whole(tmp_path / "a.ipynb", "ä\n")
    assert (tmp_path / "a.ipynb").read_bytes() == b"\xc3\xa4\n"
    other = tmp_path / "other"
    other.touch()
    assert (tmp_path / "a.ipynb").stat().st_mode == other.stat().st_mode
    assert sorted(os.listdir(tmp_path)) == ["a.ipynb", "other"]


def test_nothing_is_overwritten_unasked(tmp_path):
    path = tmp_path / "a.ipynb"
    path.write_text("mine")
    with pytest.raises(NotebookError, match="is there already; --force"):
        write_whole(path, "new")
    assert path.read_text() == "mine"
    path.chmod(0o640)
    write_whole(path, "new", overwrite=True)
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["a.ipynb"]


def test_a_dangling_link_counts_as_taken(tmp_path):
    (tmp_path / "a.ipynb").symlink_to(tmp_path / "nowhere")
    with pytest.raises(NotebookError, match="is there already"):
        write_whole(tmp_path / "a.ipynb", "new")


@pytest.mark.parametrize("name", ["none/a.ipynb", "x" * 300 + ".ipynb", "a\0b.ipynb"])
def test_what_cannot_be_written_is_one_line_and_leaves_nothing(tmp_path, name):
    with pytest.raises(NotebookError) as error:
        write_whole(tmp_path / name, "new")
    assert "cannot write" in str(error.value)
    assert os.listdir(tmp_path) == []


def test_a_failing_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.ipynb"
    path.write_text("old")

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NotebookError, match="No space left"):
        write_whole(path, "new", overwrite=True)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.ipynb"]

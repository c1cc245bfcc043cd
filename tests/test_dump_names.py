"""What dumps are kept under: names, versions and the table; flushing; other packages' versions."""

import pickle
import sys
import types
from datetime import date

import numpy as np
import pytest
from dumps import run_cell
from test_features import make
from warmed import run


@pytest.fixture
def cell(tmp_path):
    return run_cell(tmp_path)


@pytest.mark.parametrize(
    "name", ["a", "model 3", "ßéλ😀", "a.5", "x.dump", "a-1", "[b]*?", "-", "%s"]
)
def test_names(cell, name):
    cell.dump(name, [1])
    cell.dump(name, [2])
    assert (cell.load(name), cell.load(name, version=-1)) == ([2], [1])
    assert list(cell.dump_files()) == [name]
    cell.forget(name)
    assert list(cell.DUMPS.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".a", "a/b", "../a", "a\\b", "a\0b", "a\nb", " a", "a ", "x" * 201,
             "\ud800", "\x1b[0m", 3, None, b"a"],
)  # fmt: skip
def test_names_that_are_none(cell, name):
    for use in (lambda: cell.dump(name, 1), lambda: cell.load(name), lambda: cell.forget(name)):
        with pytest.raises(RuntimeError, match="is no name for a dump: take one such as"):
            use()


def test_versions(tmp_path, capsys):
    cell = run_cell(tmp_path, dump_keep_versions=2)
    for number in range(5):
        cell.dump("v", number)
    assert [cell.load("v", version=-back) for back in range(3)] == [4, 3, 2]
    for version in (-3, 1):
        with pytest.raises(RuntimeError, match="0 is the newest and -2 the oldest"):
            cell.load("v", version=version)
    with pytest.raises(RuntimeError, match=r"There is no dump w in .*; dumps: v"):
        cell.load("w")
    run_cell(tmp_path, dump_keep_versions=0).dump("v", 5)
    assert len(list(cell.DUMPS.iterdir())) == 1
    capsys.readouterr()
    cell.forget("v")
    assert "Forgot v: 1 files deleted" in capsys.readouterr().out


def test_the_table_and_dumps_of_older_cells(cell, capsys):
    cell.DUMPS.mkdir()
    (cell.DUMPS / "old.pickle").write_bytes(pickle.dumps({"a": date(2020, 1, 1)}, 5))
    (cell.DUMPS / "torn.1.dump").write_bytes(b"x")
    cell.dump("new", np.zeros((300, 200)))
    capsys.readouterr()
    cell.dumps()
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ["name", "size"]
    new, old, torn = rows
    assert "numpy.ndarray 300x200" in new
    assert f"Python {sys.version.split()[0]}, numpy {np.__version__}" in new
    assert "0.5 MB" in new
    assert "of an older cell" in old
    assert "cannot be read: it is cut short" in torn
    assert cell.load("old") == {"a": date(2020, 1, 1)}
    cell.dump("old", 2)
    assert (cell.load("old"), cell.load("old", version=-1)["a"].year) == (2, 2020)
    (cell.DUMPS / "empty.pickle").touch()
    with pytest.raises(RuntimeError, match="empty is damaged"):
        cell.load("empty")


def test_flush_where_nothing_is_mounted(cell, capsys):
    cell.flush()
    assert "There is no Colab here" in capsys.readouterr().out


@pytest.mark.runs
@pytest.mark.parametrize("fault", ["", "mount-failed"])
def test_flush_uploads_and_mounts_again(catalog, fault):
    notebook = make(catalog, ["dump"])
    broken = f"from google.colab import _settings\n_settings.settings['mount'] = {fault!r}\n"
    code = (broken if fault else "") + "flush()\nprint(load('example'))"
    last = dict(notebook["cells"][-1], id="last", source=code)
    last["metadata"] = {"id": "last"}
    notebook["cells"].append(last)
    report = run(notebook)
    if report.limits:
        pytest.skip("NOT CHECKED: no file system can be mounted here")
    if fault:
        assert "keep this session" in report.outcomes[-1].message
    else:
        assert report.passed, report.outcomes
        text = "".join(o.get("text", "") for o in report.notebook["cells"][-1]["outputs"])
        assert "Drive has everything that was written\n{'step': 3" in text
    assert "dumps/example.1.dump" in report.drive


def test_a_failing_load_says_which_versions_differ(cell):
    module = types.ModuleType("lost_package")
    module.__version__ = "1.5"
    exec("class Thing: pass", module.__dict__)
    sys.modules["lost_package"] = module
    try:
        cell.dump("thing", module.Thing())
    finally:
        del sys.modules["lost_package"]
    with pytest.raises(RuntimeError, match=r"lost_package 1\.5 \(here none\).*run the cells"):
        cell.load("thing")


def test_names_of_numpys_modules_on_both_sides(cell):
    for module in ("numpy.core.multiarray", "numpy._core.multiarray"):
        stream = b"\x80\x04c" + module.encode() + b"\n_reconstruct\n."
        assert cell.dump_unpickle(__import__("io").BytesIO(stream), None, {}).__name__

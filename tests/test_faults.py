"""What goes wrong on Colab, made to go wrong: a notebook finishes or says in a sentence why not."""

import pytest
from colab_gen.checks import preparation
from colab_gen.errors import RecipeError
from colab_gen.standin import FAULTS, FaultError, parse_faults
from test_features import make, printed
from test_run import texts
from test_static import notebook
from warmed import run

MOUNT = "from google.colab import drive\ndrive.mount('/content/drive')\n"
FOLDER = {"download_path": "/content/drive/MyDrive/images"}
NAMED = {"module_names": "helpers"}

# What ends a feature, in words of its sentence; an empty text where it finishes.
CASES = [
    *(
        ("drive", fault, {}, words)
        for fault, words in (
            ("consent-refused", "Drive was not allowed: run this cell again"),
            ("mount-timeout", "move files from its top level into folders"),
            ("mount-failed", "use the account of this notebook"),
            ("domain-policy", "ask for it, or take another account"),
            ("nobody", "mount it first with colab drivemount"),
        )
    ),
    ("staging", "eio:1", {}, ""),
    ("staging", "quota", {}, "make a copy of the file in Drive"),
    ("staging", "disconnect:0", {}, ""),
    ("staging", "disconnect:1", {}, ""),
    ("staging", "eio-folder:0", {}, ""),
    ("staging", "drive-full", {}, ""),
    ("staging", "slow:0.1", {}, ""),
    ("staging", "killed:3", {}, ""),
    ("imports", "eio:1", NAMED, ""),
    ("imports", "quota", NAMED, "mount Drive again with force_remount on"),
    ("imports", "disconnect:0", NAMED, "mount Drive again with force_remount on"),
    ("imports", "disconnect:2", NAMED, "mount Drive again with force_remount on"),
    ("imports", "eio-folder:0", NAMED, "mount Drive again with force_remount on"),
    ("imports", "slow:0.1", NAMED, ""),
    ("dump", "eio:1", {}, ""),
    ("dump", "quota", {}, "or make a copy of the file there"),
    ("dump", "drive-full", {}, "see that Drive has room"),
    ("dump", "disconnect:0", {}, "force_remount on"),
    ("dump", "disconnect:2", {}, "force_remount on"),
    ("dump", "eio-folder:0", {}, "cannot be listed"),
    ("dump", "slow:0.1", {}, ""),
    ("images", "quota", {}, "make a copy of it in Drive"),
    ("images", "eio:1", {}, "make a copy of it in Drive"),
    ("images", "disconnect:0", {}, "mount it again with force_remount on"),
    ("images", "disconnect:1", {}, "mount it again with force_remount on"),
    ("images", "disconnect:3", {}, "mount it again with force_remount on"),
    ("images", "eio-folder:2", {}, "mount it again with force_remount on"),
    ("images", "slow:0.05", {}, ""),
    ("download", "quota", FOLDER, "mount it again with force_remount on"),
    ("download", "disconnect:1", FOLDER, "mount it again with force_remount on"),
    ("download", "eio-folder:2", FOLDER, "mount it again with force_remount on"),
    ("download", "nobody", {}, ""),
    ("memory", "out-of-memory:400", {"fill_memory": True}, "take a larger runtime"),
    ("memory", "nobody", {}, ""),
    ("keepalive", "nobody", {}, ""),
]


@pytest.mark.runs
@pytest.mark.parametrize(
    ("feature", "fault", "values", "words"), CASES, ids=[f"{c[0]}-{c[1]}" for c in CASES]
)
def test_a_feature_finishes_or_names_the_remedy(catalog, feature, fault, values, words):
    # Images and the download take from Drive only where it is mounted.
    nobody = fault == "nobody"
    features = [feature, "images"] if "download_path" in values else [feature]
    features += ["drive"] if feature in ("images", "download") and not nobody else []
    given = make(catalog, features, **values)
    if "download_path" in values:
        given["cells"] = [
            c for c in given["cells"] if c["metadata"]["colab_gen"]["snippet"] != "images"
        ]
    report = run(given, prepare=_prepare(catalog, features, values), faults=(fault,), timeout=120)
    failed = [o for o in report.outcomes if o.status == "failed"]
    assert bool(failed) == bool(words), failed
    assert report.faults[0].startswith(fault.split(":")[0])
    for outcome in failed:
        crashed = outcome.message.startswith("the session crashed: ")
        assert outcome.message.startswith("RuntimeError: ") or crashed
        assert words in outcome.message
        assert "Traceback" not in outcome.message


def _prepare(catalog, features, values):
    return preparation(catalog, make(catalog, features, **values))


@pytest.mark.runs
def test_a_download_to_nobody_says_so(catalog):
    report = run(make(catalog, ["download"]), faults=["nobody"])
    assert "nothing is downloaded" in printed(report, "download-6")
    assert report.downloads == ()


@pytest.mark.runs
def test_a_killed_session_is_run_again_with_the_same_drive():
    report = run(
        notebook(
            MOUNT + "import pathlib, time\nhere = pathlib.Path('/content/drive/MyDrive/step')\n"
            "there = pathlib.Path('/content/gone')\nassert not there.exists()",
            "step = int(here.read_text()) if here.exists() else 0\n"
            "here.write_text(str(step + 1)); there.touch()\nprint('step', step)",
            "time.sleep(1000) if step == 0 else None",
        ),
        faults=["killed:3"],
    )
    assert report.passed, report.outcomes
    assert "step 1" in texts(report)[1]
    assert report.drive == ("step",)
    assert "killed in cell 2" in report.faults[1]
    assert "again from the top" in report.faults[1]


@pytest.mark.runs
def test_a_notebook_that_ends_before_it_is_killed():
    report = run(notebook("1"), faults=["killed:100"])
    assert report.passed
    assert report.faults[1] == "the notebook ended before its session would have been killed"


@pytest.mark.runs
@pytest.mark.parametrize(
    ("fault", "kind", "text"),
    [
        ("secret-missing", "userdata.SecretNotFoundError", "Secret KEY does not exist."),
        (
            "secret-denied",
            "userdata.NotebookAccessError",
            "Notebook does not have access to secret KEY",
        ),
        (
            "nobody",
            "userdata.TimeoutException",
            "Requesting secret KEY timed out. Secrets can only be fetched when running from the"
            " Colab UI.",
        ),
    ],
)
def test_secrets_that_are_not_told(fault, kind, text):
    report = run(
        notebook(
            "from google.colab import userdata\ntry:\n  userdata.get('KEY')\n"
            f"except {kind} as error:\n  assert str(error) == {text!r}, error\n"
            "else:\n  raise AssertionError('it was told')"
        ),
        secrets={"KEY": "word"},
        faults=[fault],
    )
    assert report.passed, report.outcomes


@pytest.mark.runs
@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("from google.colab import files\nfiles.upload()", "files.upload waits for ever"),
        ("from google.colab import auth\nauth.authenticate_user()", "or use a service account"),
        ("from google.colab import output\noutput.eval_js('1')", "give it a timeout_sec"),
        ("from google.colab import output\nassert output.eval_js('1', timeout_sec=3) is None", ""),
        ("from google.colab import output\noutput.eval_js('1', ignore_result=True)", ""),
    ],
)
def test_what_nobody_answers_does_not_hang(source, words):
    report = run(notebook(source), faults=["nobody"], timeout=60)
    assert report.seconds < 20
    assert report.passed == (not words)
    assert words in report.outcomes[0].message


@pytest.mark.runs
def test_a_drive_that_died_comes_back():
    report = run(
        notebook(
            MOUNT + "import os\nopen('/content/drive/MyDrive/a', 'w').write('x' * 9)",
            "try:\n  while True: open('/content/drive/MyDrive/a').read()\n"
            "except OSError as error:\n  assert error.errno in (107, 103), error",
            "try: os.listdir('/content/drive/MyDrive')\n"
            "except OSError as error: assert error.errno == 107, error\n"
            "else: raise AssertionError('it lives')",
            "drive.mount('/content/drive', force_remount=True)\n"
            "assert open('/content/drive/MyDrive/a').read() == 'x' * 9",
            "!cp /content/drive/MyDrive/a /content/b && mv /content/b /content/drive/MyDrive/c\n"
            "assert sorted(os.listdir('/content/drive/MyDrive')) == ['a', 'c']",
        ),
        faults=["disconnect:12"],
    )
    if report.limits:
        pytest.skip("NOT CHECKED: no file system of our own can be mounted here")
    assert report.passed, report.outcomes


@pytest.mark.runs
def test_the_file_system_of_the_faults_is_one():
    report = run(
        notebook(
            MOUNT + "import os, mmap, shutil, tempfile\nos.chdir('/content/drive/MyDrive')\n"
            "data = os.urandom(3_000_001)\nopen('a', 'wb').write(data)\n"
            "assert open('a', 'rb').read() == data",
            "with open('a', 'ab') as f: f.write(b'end')\n"
            "with open('a', 'r+b') as f: f.seek(5); f.write(b'five'); f.truncate(100)\n"
            "assert open('a', 'rb').read() == data[:5] + b'five' + data[9:100]",
            "os.makedirs('x/y/z'); os.rename('a', 'x/y/z/b'); os.rename('x', 'w')\n"
            "os.replace('w/y/z/b', 'b'); assert os.stat('b').st_size == 100\n"
            "os.utime('b', (1, 2)); assert os.stat('b').st_mtime == 2\n"
            "assert [p for p, *_ in os.walk('.')] == ['.', './w', './w/y', './w/y/z']",
            "with open('b', 'rb') as f, mmap.mmap(f.fileno(), 0, mmap.MAP_PRIVATE) as m:\n"
            "  assert m[:3] == data[:3]",
            "with tempfile.TemporaryFile(dir='.') as f: f.write(b'x'); f.flush(); os.fsync(f)\n"
            "shutil.copytree('w', 'v'); shutil.rmtree('w'); os.remove('b')\n"
            "assert os.listdir('.') == ['v']; os.chdir('/content')",
            "for n in range(3000): open(f'/content/drive/MyDrive/v/{n}', 'w').close()\n"
            "assert len(os.listdir('/content/drive/MyDrive/v')) == 3001\n"
            "assert shutil.disk_usage('/content/drive').total > 0\n"
            "assert os.path.realpath('/content/drive/My Drive') == '/content/drive/MyDrive'",
        ),
        faults=["slow:0"],
    )
    if report.limits:
        pytest.skip("NOT CHECKED: no file system of our own can be mounted here")
    assert report.passed, report.outcomes


@pytest.mark.runs
@pytest.mark.parametrize(
    ("fault", "source", "number"),
    [
        ("eio:1", "open(D + 'a').read()", 5),
        ("quota", "shutil.copy(D + 'a', '/content/b')", 5),
        ("quota", "pathlib.Path(D + 'a').read_text()", 5),
        ("drive-full", "pathlib.Path(D + 'b').write_text('x')", 28),
        ("eio-folder:0", "os.listdir(D)", 5),
        ("disconnect:0", "list(os.scandir(D))", 107),
        ("disconnect:0", "open(D + 'a')", 107),
        ("slow:0.1", "open(D + 'a').read()", None),
    ],
)
def test_faults_without_a_file_system_of_our_own(fault, source, number):
    report = run(
        notebook(
            MOUNT + "import os, pathlib, shutil; D = '/content/drive/MyDrive/'",
            f"number = None\ntry: {source}\nexcept OSError as error: number = error.errno\n"
            f"assert number == {number}, number",
            "drive.mount('/content/drive', force_remount=True)\nos.stat(D + 'a')\n"
            "open('c', 'w').write('x'); assert open('c').read() == 'x'",
        ),
        prepare=lambda drive: drive.joinpath("a").write_text("words"),
        faults=[fault],
        isolated=False,
    )
    assert report.passed, report.outcomes
    assert any("Python's own file functions only" in line for line in report.limits)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("eoi", "no fault is named 'eoi' (did you mean eio?); there are consent-refused"),
        ("", "no fault is named ''"),
        ("eio:x", "eio:x is no whole number; take one such as eio:1"),
        ("eio:0", "eio:0 is no whole number"),
        ("eio:1.5", "eio:1.5 is no whole number"),
        ("slow:-1", "slow:-1 is no number of seconds; take one such as slow:0.2"),
        ("slow:nan", "slow:nan is no number of seconds"),
        ("quota:3", "the fault quota takes no value"),
    ],
)
def test_faults_that_are_none(text, message):
    with pytest.raises(FaultError) as caught:
        parse_faults([text])
    assert str(caught.value).startswith(message)
    with pytest.raises(RecipeError):
        run(notebook("1"), faults=[text])


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_says_what_it_does(name):
    (fault,) = parse_faults([name]).all
    assert str(fault).startswith(f"{name}: ")
    assert "{}" not in str(fault)

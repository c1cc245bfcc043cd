"""Notebooks of someone else's run as they are; broken ones give a report and leave nothing."""

import json
import os
import tempfile

import pytest
from processes import processes_of
from test_run import texts
from test_static import notebook
from warmed import run

pytestmark = pytest.mark.runs

CELLS = [
    "from google.colab import drive\ndrive.mount('/content/drive')",
    "!ls /content/drive/MyDrive\n%cd /content/drive/MyDrive\n!pwd",
    "x = !echo one; echo two\nfiles_here = !ls\nprint(len(x), x[0], files_here)",
    "%cd -q /content\n%pwd",
    "%%shell\nset -e\necho from shell > made.txt\ncat made.txt",
    "%%bash\necho from bash >> made.txt; wc -l < made.txt",
    "%%writefile helper.py\ndef double(n): return 2 * n",
    "import helper\nhelper.double(21)",
    '#@title A form { display-mode: "form", run: "auto" }\n'
    'name = "data.csv" #@param {type:"string"}\nrate = 0.5 #@param {type:"slider", min:0, max:1}\n'
    'kind = "a" #@param ["a", "b"] {allow-input: true}\n#@markdown A note.\n'
    "print(name, rate, kind)",
    "from google.colab import files\nuploaded = files.upload()\n"
    "for fn in uploaded.keys():\n"
    "  print('User uploaded file \"{name}\" with length {length} bytes'.format(\n"
    "      name=fn, length=len(uploaded[fn])))",
    "from google.colab import userdata\nkey = userdata.get('API_KEY')\nprint(key[:2])",
    "from google.colab import output\noutput.eval_js('document.title')\n"
    "output.register_callback('notebook.f', lambda: 1)\nprint(output.eval_js('40'))",
    "from google.colab import data_table\ndata_table.enable_dataframe_formatter()\n"
    "%load_ext google.colab.data_table",
    "import matplotlib.pyplot as plt\n%matplotlib inline\nplt.plot([1, 2]); plt.show()",
    "from IPython.display import HTML, Javascript, display, clear_output\n"
    "display(HTML('<b>x</b>'), Javascript('1'))\nclear_output()",
    "%env KEY=value\nimport os; os.environ['KEY']",
    "try:\n  import ipywidgets as widgets\n  display(widgets.IntSlider(value=7))\n"
    "except ImportError: print('no ipywidgets here')",
    "%time sum(range(10))\n%timeit -n1 -r1 pass",
    "import google.colab, sys\n'google.colab' in sys.modules, 'google.colab' in str(get_ipython())",
    "files.download('made.txt')",
]


def test_a_notebook_of_someone_elses_runs_without_a_change(tmp_path):
    picked = tmp_path / "picked.txt"
    picked.write_text("words")
    report = run(
        notebook(*CELLS),
        prepare=lambda drive: drive.joinpath("data.csv").write_text("a,b\n"),
        uploads=[picked],
        secrets={"API_KEY": "sk-1"},
    )
    assert report.passed, [o.message for o in report.outcomes if o.message]
    said = texts(report)
    assert "data.csv" in said[1]
    assert "2 one ['data.csv']" in said[2]
    assert said[4].strip() == "from shell"
    assert said[5].strip() == "2"
    assert said[7] == "42"
    assert said[8] == "data.csv 0.5 a\n"
    assert "with length 5 bytes" in said[9]
    assert report.downloads == ("made.txt",)


def test_cells_that_were_run_are_found_in_the_history():
    report = run(notebook("a = 'sought'", "%history", "%history -g sought", "%rerun 1\nprint(a)"))
    assert report.passed, [o.message for o in report.outcomes if o.message]
    said = texts(report)
    assert "a = 'sought'" in said[1]
    assert "1: a = 'sought'" in said[2]


MOUNT = "from google.colab import drive\ndrive.mount('/content/drive')\n"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("from google.colab import drive\ndrive.mount('/content/my drive')", "ValueError: Mountp"),
        ("from google.colab import drive\ndrive.mount('/no/where/drive')", "ValueError: Mountp"),
        (MOUNT + "open('/content/drive/MyDrive/no.csv')", "FileNotFoundError: "),
        ("open('/content/gdrive/MyDrive/no.csv')", "FileNotFoundError: "),
        ("undefined + 1", "NameError: name 'undefined' is not defined"),
        ("while True: pass", "the cell took longer than 3 s"),
        ("import os\nos._exit(3)", "the session crashed: the kernel ended with exit code 3"),
        # The kernel ends a tenth of a second after the cell, so what follows may still run.
        ("exit()", None),
        ("import sys; sys.exit(2)", "SystemExit: 2"),
        ("line = 'x' * 2**20\nfor n in range(2048): print(line)", ""),
        ("import os\nprint(os.urandom(100_000).decode('latin1'))", ""),
        ("import sys\nsys.stdout.buffer.write(b'x')", "AttributeError"),
        ("!head -c 100000 /dev/urandom", ""),
        ("raise Exception(chr(0) + '\\ud800' + '\\x1b[31m')", None),
        ("import os\nos.kill(os.getppid(), 9)", None),
        ("import os\nfor n in range(3, 64):\n  try: os.close(n)\n  except OSError: pass", None),
    ],
)
def test_a_broken_notebook_gives_a_report(source, message, monkeypatch):
    # Sockets lie in it, whose paths must be short.
    folder = tempfile.mkdtemp(dir="/tmp")
    monkeypatch.setattr(tempfile, "tempdir", folder)
    limit = 120 if "2048" in source else 3
    report = run(notebook(source, "2"), timeout=limit)
    if message is not None:
        assert report.passed == (not message), report.outcomes
        assert report.outcomes[0].message.startswith(message)
    assert "\n" not in report.outcomes[0].message
    assert len(json.dumps(report.notebook)) < 2**24
    assert processes_of(folder) == []
    os.rmdir(folder)
    assert report.seconds < 100


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\x80\x02garbage" * 1000,
        os.urandom(10_000),
        b"[]",
        b'{"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": []}]}',
        b'{"nbformat": 5, "nbformat_minor": 0, "metadata": {}, "cells": []}',
        b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code"}]}',
        b'{"nbformat": 4, "nbformat_minor": 5, "cells": 3}',
        b'{"cells": []}',
        b"[" * 100_000,
    ],
    ids=range(10),
)
def test_a_file_that_is_no_notebook(colab_gen, tmp_path, text):
    (tmp_path / "broken.ipynb").write_bytes(text)
    done = colab_gen("validate", "broken.ipynb")
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert "broken.ipynb" in done.stdout + done.stderr

import json

import pytest
from test_cli import Terminal
from test_static import notebook


@pytest.mark.runs
def test_on_a_terminal_the_lines_are_live(tmp_path):
    for name, source in (("a", "1"), ("b", "1/0")):
        (tmp_path / f"{name}.ipynb").write_text(json.dumps(notebook("0", source)))
    terminal = Terminal(tmp_path, "validate", ".", "-j", "2")
    for words in ("notebooks", "0/2", "b.ipynb: FAILED", "1 of 2 notebooks passed"):
        terminal.expect(words)
    assert terminal.end() == 1

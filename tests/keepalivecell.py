"""What the keepalive snippet's cell makes: the script, and the page that shows it."""

import json
import re
from contextlib import redirect_stdout
from io import StringIO
from unittest.mock import patch

from conftest import ROOT

SNIPPET = ROOT / "snippets" / "keepalive.md"


def run_cell(mode: str = "click", hours: int = 12) -> tuple[str, str]:
    """Run the cell with these form fields; return the script and the HTML it shows."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", SNIPPET.read_text("utf-8"), re.M | re.S)
    for name, value in {"keepalive_mode": mode, "keepalive_hours": hours}.items():
        code, found = re.subn(rf"^{name} = \S+", f"{name} = {json.dumps(value)}", code, flags=re.M)
        assert found == 1
    names: dict[str, str] = {}
    shown = []
    with patch("IPython.display.display", shown.append), redirect_stdout(StringIO()):
        exec(compile(code, str(SNIPPET), "exec"), names)
    (page,) = shown
    return names["KEEPALIVE_SCRIPT"], page.data


def script(mode: str = "click", hours: int = 12) -> str:
    """Return the script as the cell makes it."""
    return run_cell(mode, hours)[0]

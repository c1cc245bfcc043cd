"""Format and lint the Python fences of Markdown files, as ruff does whole files.

    python tests/fences.py [--fix] FILE…

Returns 1 and says where when a fence is not formatted (with --fix it is rewritten) or breaks a
rule. Names that other snippets hand on, in CAPITALS, are looked at in the rendered notebooks.
"""

import re
import subprocess
import sys
from pathlib import Path

FENCE = re.compile(r"^(```python\n)(.*?)^(```)$", re.DOTALL | re.MULTILINE)
# Colab wants form fields above the imports (E402); the formatter minds the width, long sentences
# aside (E501); every cell imports what it uses, which ruff takes for a repetition where an earlier
# cell used the same import in functions only (F811).
RULES = ["--isolated", "--select=E,F,W,I,B,UP,SIM", "--ignore=E402,E501,F811"]


def ruff(*words: str, text: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ruff", *words, "--stdin-filename=cell.py", "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


def check(path: Path, *, fix: bool) -> list[str]:
    text = path.read_text(encoding="utf-8")
    faults = []

    def formatted(fence: re.Match[str]) -> str:
        line = text.count("\n", 0, fence.start()) + 2
        linted = ruff("check", "--quiet", "--extend-ignore=F821", *RULES, text=fence[2])
        faults.extend(f"{path}:{line}: {fault}" for fault in linted.stdout.splitlines()[:8])
        done = ruff("format", "--isolated", "--line-length=88", text=fence[2])
        if done.returncode:
            faults.append(f"{path}:{line}: {done.stderr.strip()}")
            return fence[0]
        if done.stdout != fence[2]:
            faults.append(f"{path}:{line}: the fence is not formatted")
        return fence[1] + done.stdout + fence[3]

    new = FENCE.sub(formatted, text)
    if fix and new != text:
        path.write_text(new, encoding="utf-8")
    return faults


def main() -> int:
    files = [Path(word) for word in sys.argv[1:] if word != "--fix"]
    faults = [fault for file in files for fault in check(file, fix="--fix" in sys.argv)]
    print("\n".join(faults))
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())

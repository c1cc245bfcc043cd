"""Does what google-colab-cli 0.7.5 was seen to do; behaviour.json beside it says what fails."""

import json
import os
import signal
import sys
import time
from pathlib import Path

here = Path(__file__).parent
do = json.loads((here / "behaviour.json").read_text())
words = sys.argv[1:]
with (here / "calls.jsonl").open("a") as file:
    print(json.dumps(words), file=file)
if words[0] == "--config":
    words = words[2:]


def log(text):
    with (here / "log.txt").open("a") as file:
        print(text, file=file)


def error(text, code=1):
    print(text, file=sys.stderr)
    sys.exit(code)


if words[0] == "version":
    print(do.get("version", "Version: 0.7.5"))
elif words[0] == "new":
    print(f"[colab] Creating session '{words[2]}'...")
    time.sleep(do.get("new_seconds", 0))
    if "new" in do:
        error(do["new"])
    log("made")
    print("[colab] Session READY.")
elif words[0] == "stop":
    time.sleep(do.get("stop_seconds", 0))
    if "stop" in do:
        error(do["stop"])
    log("released")
    print("[colab] Session terminated.")
elif words[0] == "exec":
    if "exec" in do:
        print(do["exec"])
        sys.exit(1)
    file = Path(words[words.index("-f") + 1])
    notebook = json.loads(file.read_text())
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    try:
        for number, cell in enumerate(code, 1):
            print(f"[colab] Executing cell {number}/{len(code)} - {cell.get('id')}...", flush=True)
            source = "".join(cell["source"])
            if "hang" in source:
                log("hangs")
                time.sleep(100)
            if "deaf" in source:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                time.sleep(100)
            if "killed" in source:
                os.kill(os.getpid(), signal.SIGKILL)
            if "lost" in source:
                error("websocket._exceptions.WebSocketConnectionClosedException: socket closed.")
            if "flood" in source:
                print("x" * 10**6)
            if "fail" in source:
                cell["outputs"] = [
                    {
                        "output_type": "error",
                        "ename": "ValueError",
                        "evalue": "a \x1b[31mred\nword",
                        "traceback": [],
                    }
                ]
            else:
                cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": source}]
                print(source, end="", flush=True)
    except KeyboardInterrupt:
        log("interrupted")
        sys.exit(1)
    finally:
        if not do.get("writes_nothing"):
            file.with_name(file.stem + "_output.ipynb").write_text(json.dumps(notebook))

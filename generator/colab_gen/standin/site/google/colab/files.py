"""Files between the user's computer and the runtime."""

import base64
import json
import os
import uuid

import IPython
from google.colab import output

__all__ = ["download", "upload", "upload_file", "view"]

_CHUNK = 1024 * 1024
_PICKER = '<input type="file" id="{}" name="files[]" {} disabled /><output id="{}"></output>'
_RECEIVER = """
async function download(id, name, size) {
  if (!google.colab.kernel.accessAllowed) return;
  const channel = await google.colab.kernel.comms.open(id);
  const parts = [];
  channel.send({});
  for await (const message of channel.messages) {
    channel.send({});
    parts.push(...(message.buffers || []));
  }
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(parts, {type: 'application/binary'}));
  link.download = name;
  link.click();
}
"""


def upload(target_dir=""):
    """Let the user pick files and save them; return their names here and what they hold."""
    picked = _ask_for_files(multiple=True)
    if target_dir:
        os.makedirs(target_dir, exist_ok=True)
    saved = {}
    for name, data in picked.items():
        here = _free_name(os.path.join(target_dir, name))
        print(f"Saving {name} to {here}")
        with open(here, "ab") as file:
            file.write(data)
        saved[here] = data
    return saved


def upload_file(filename):
    """Let the user pick one file and save it under that name.

    Raises:
        ValueError: none was picked, or several.
    """
    picked = _ask_for_files(multiple=False)
    if not picked:
        raise ValueError("File has not been uploaded")
    if len(picked) > 1:
        raise ValueError("Multiple files received, please upload a single file")
    [(name, data)] = picked.items()
    with open(filename, "wb") as file:
        file.write(data)
    print(f"Saved {name} to {os.getcwd()}/{filename}")


def download(filename):
    """Have the page fetch the file, which it does only once the cell has ended.

    Raises:
        FileNotFoundError: there is no such file now.
    """
    if not os.path.exists(filename):
        raise FileNotFoundError(f"Cannot find file: {filename}")
    manager = IPython.get_ipython().kernel.comm_manager
    target = f"download_{uuid.uuid4()}"

    def on_open(comm, _message):
        # Opened here and not before: a file that the cell removed meanwhile is gone.
        file = open(filename, "rb")  # noqa: SIM115

        def on_ready(_message):
            if chunk := file.read(_CHUNK):
                comm.send({}, None, [chunk])
                return
            comm.close()
            file.close()
            manager.unregister_target(target, on_open)

        comm.on_msg(on_ready)

    manager.register_target(target, on_open)
    name, size = os.path.basename(filename), os.path.getsize(filename)
    _run_script(_RECEIVER)
    _run_script(f"download({json.dumps(target)}, {json.dumps(name)}, {size})")


def view(filepath):
    """Show the file, or the folder, in the page's file browser.

    Raises:
        FileNotFoundError: there is no such file.
    """
    if not os.path.exists(filepath):
        raise FileNotFoundError(f"Cannot find file: {filepath}")
    _run_script(f"google.colab.files.view({json.dumps(os.path.abspath(filepath))})")


def _run_script(text):
    IPython.display.display(IPython.display.Javascript(text))


def _ask_for_files(multiple):
    number = uuid.uuid4()
    picker, result = f"files-{number}", f"result-{number}"
    widget = _PICKER.format(picker, "multiple" if multiple else "", result)
    IPython.display.display(IPython.display.HTML(widget))
    step = output.eval_js(f'google.colab._files._uploadFiles("{picker}", "{result}")')
    files = {}
    while step["action"] != "complete":
        step = output.eval_js(f'google.colab._files._uploadFilesContinue("{result}")')
        if step["action"] == "append":
            data = base64.b64decode(step["data"])
            files[step["file"]] = files.get(step["file"], b"") + data
    return files


def _free_name(name):
    stem, extension = os.path.splitext(name)
    number, free = 0, name
    while os.path.lexists(free):
        number += 1
        free = f"{stem} ({number}){extension}"
    return free

"""The magics of Colab's kernel."""

import subprocess

__all__ = ["register"]


def register(shell):
    """Give the shell `%shell` and `%%shell`, which run under bash and fail with the command."""

    def run(line, cell=None):
        ignoring = line.strip().startswith("--ignore-errors")
        command = (line if cell is None else cell).removeprefix("--ignore-errors")
        done = subprocess.Popen(
            ["/bin/bash", "-c", shell.var_expand(command, depth=2)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
        )
        for text in done.stdout:
            print(text, end="")
        if done.wait() and not ignoring:
            raise subprocess.CalledProcessError(done.returncode, command)

    shell.register_magic_function(run, magic_kind="line_cell", magic_name="shell")

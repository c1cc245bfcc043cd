"""The command `web`."""

import threading
import webbrowser
from pathlib import Path

import click

from colab_gen import console
from colab_gen.catalog import load_catalog
from colab_gen.errors import EnvironmentProblem, UsageProblem

__all__ = ["web"]


@click.command()
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Write a static site.")
@click.option("--force", is_flag=True, help="Write into DIR though there is something in it.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Any free one unless told.")
@click.option("--no-open", is_flag=True, help="Do not open the browser.")
@click.pass_obj
def web(
    directories: tuple[Path, ...], /, out: Path | None, force: bool, port: int, no_open: bool
) -> None:
    """Build notebooks on a page: served on this machine until Ctrl-C, or written as a site."""
    from colab_gen.web import make_server, write_site  # a Markdown parser and a server to import

    catalog = load_catalog(directories)
    if out:
        size = write_site(catalog, out, force=force)
        console.tell(str(out))
        console.say(f"Wrote the page, {size / 1e6:.1f} MB, for any static host.")
        return
    if force:
        raise UsageProblem("--force goes with --out")
    try:
        server = make_server(catalog, port)
    except OSError as error:
        raise EnvironmentProblem(f"cannot serve on port {port}: {error.strerror}") from None
    address = f"http://127.0.0.1:{server.server_address[1]}/"
    console.tell(address)
    console.say("The builder page is there until Ctrl-C.")
    if not no_open:
        # Some browsers hold the call up until they are closed.
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    with server:
        server.serve_forever()

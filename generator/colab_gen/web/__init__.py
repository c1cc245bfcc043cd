"""The builder page: its answers, a server for this machine, and the static site."""

from colab_gen.web.server import make_server
from colab_gen.web.site import write_site

__all__ = ["make_server", "write_site"]

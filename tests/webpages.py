"""The builder page in a browser, for tests, benchmarks and pictures."""

import functools
import http.server
import shutil
import threading
from contextlib import contextmanager
from pathlib import Path

__all__ = ["KINDS", "Page", "builder_context", "file_server", "find_chromium", "serving"]

KINDS = Path(__file__).with_name("web")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
START = 240_000  # ms; Python starts in some seconds, on a busy machine in more
# Counts what the policy forbids, and whatever ran that was typed.
WATCH = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) => {
  violations.push(`${event.violatedDirective} ${event.blockedURI}`);
});
"""


class Page:
    """A page that notes all it asked for and complained of."""

    def __init__(self, context, url, *, fragment="", engine="server"):
        self.page = context.new_page()
        self.url, self.said, self.requests = url, [], []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        context.on("request", lambda request: self.requests.append(request.url))
        self.page.add_init_script(WATCH)
        self.page.goto(f"{url}#{fragment}" if fragment else url)
        self.page.get_by_role("status").filter(has_text="Ready:").wait_for(
            timeout=START if engine == "worker" else 60_000
        )

    def tick(self, title):
        self.page.get_by_role("checkbox", name=title, exact=True).click()

    def settle(self):
        """Wait until the page shows the answer to all that was done."""
        self.page.evaluate("document.activeElement.blur()")
        self.page.locator("body[data-settled]").wait_for()

    def download(self):
        with self.page.expect_download() as download:
            self.page.get_by_role("button", name="Download .ipynb").click()
        return download.value.suggested_filename, Path(download.value.path()).read_bytes()

    def copied(self, button):
        self.page.get_by_role("button", name=button, exact=True).click()
        self.page.get_by_text("copied").wait_for()
        return self.page.evaluate("navigator.clipboard.readText()")

    def is_clean(self):
        assert self.said == []
        assert self.page.evaluate("violations") == []
        assert self.page.evaluate("window.hacked") is None
        assert [u for u in self.requests if not u.startswith((self.url, "blob:"))] == []


def builder_context(browser):
    """Return a context of a desktop's size whose pages may use the clipboard."""
    made = browser.new_context(viewport={"width": 1300, "height": 900})
    made.grant_permissions(["clipboard-read", "clipboard-write"])
    return made


def find_chromium():
    """Return the Chromium of this machine, or None."""
    return next(filter(None, map(shutil.which, CHROMIUM)), None)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_words):
        pass


def file_server(folder):
    """Return a server of the files in a folder that says nothing."""
    handler = functools.partial(Quiet, directory=folder)
    return http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)


@contextmanager
def serving(server):
    """Serve in the background; the value is the address."""
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield "http://{}:{}/".format(*server.server_address)
    server.shutdown()
    server.server_close()
    thread.join()

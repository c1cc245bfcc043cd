"""The places where a notebook may be run, and how each differs from Colab's own page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from colab_gen.standin.frontend import FrontEnd, keep_silent

__all__ = ["TARGETS", "Target"]

_COLAB: Mapping[str, str] = MappingProxyType(
    {
        "COLAB_RELEASE_TAG": "release-colab-gen-stand-in",
        "COLAB_BACKEND_VERSION": "next",
        "COLAB_GPU": "0",
        "COLAB_JUPYTER_IP": "127.0.0.1",
        "USE_AUTH_EPHEM": "1",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A place where a notebook may be run.

    Attributes:
        title: what people call it.
        colab: the runtime is Colab's and has google.colab; elsewhere Drive is but a folder.
        answers: the questions that its page answers, `None` for all of them.
        work: the folder in which the cells run.
        home: the user's home.
        environment: the variables that tell a kernel where it is.
    """

    name: str
    title: str
    colab: bool = True
    answers: frozenset[str] | None = None
    work: str = "/content"
    home: str = "/root"
    environment: Mapping[str, str] = field(default_factory=lambda: _COLAB)

    @property
    def fetches(self) -> bool:
        """Its page fetches what files.download offers."""
        return self.answers is None

    def set_up(self, page: FrontEnd) -> None:
        """Have the page leave unanswered what it leaves unanswered here."""
        if self.answers is None:
            return
        page.fetches = False
        for question in page.handlers:
            if question not in self.answers:
                page.handlers[question] = keep_silent
        page.otherwise = keep_silent


TARGETS: Mapping[str, Target] = MappingProxyType(
    {
        target.name: target
        for target in (
            Target(name="web", title="Colab's page"),
            # https://github.com/googlecolab/colab-vscode forwards this question and no other.
            Target(name="vscode", title="Colab in VS Code", answers=frozenset({"request_auth"})),
            Target(name="cli", title="Colab's command line", answers=frozenset()),
            # Kaggle's own image and a Jupyter of one's own lack google.colab, which is no package
            # that could be installed: it comes with Colab's image only. Neither has a /content, and
            # only on Kaggle are the cells root's, so that they could make one.
            Target(
                name="kaggle",
                title="Kaggle",
                colab=False,
                work="/kaggle/working",
                environment=MappingProxyType(
                    {"KAGGLE_KERNEL_RUN_TYPE": "Interactive", "KAGGLE_URL_BASE": ""}
                ),
            ),
            Target(
                name="local",
                title="a local Jupyter",
                colab=False,
                work="/home/user/notebooks",
                home="/home/user",
                environment=MappingProxyType({}),
            ),
        )
    }
)

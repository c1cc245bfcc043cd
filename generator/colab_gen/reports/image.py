"""Colab's present image, and where the environment of a run differs from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from colab_gen.reports.material import Named
from colab_gen.text import one_line

__all__ = ["COLAB", "Version", "versions"]

# The image of 2026-08-19; https://github.com/googlecolab/backend-info tells of a new one.
COLAB: Mapping[str, str] = {
    "python": "3.13",
    "ipython": "7.34.0",
    "ipykernel": "6.17.1",
    "matplotlib": "3.10.0",
    "numpy": "2.1.3",
    "pandas": "2.2.3",
    "pillow": "11.3.0",
    "tqdm": "4.67.3",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What a package was here, in one line, and what it is on Colab."""

    package: str
    here: str
    colab: str

    @property
    def same(self) -> bool:
        """Every notebook ran on Colab's version; a minor version stands for all of its patches."""
        return all(
            version == self.colab or version.startswith(f"{self.colab}.")
            for version in self.here.split(", ")
        )


def versions(reports: Sequence[Named]) -> tuple[Version, ...]:
    """Return the packages that are known of the kernels; none where nothing was run."""
    found = []
    for package, colab in COLAB.items():
        here = [report.environment.get(package, "") for _, report in reports]
        if known := sorted({one_line(version, 40) for version in here if version}):
            found.append(Version(package=package, here=", ".join(known), colab=colab))
    return tuple(found)

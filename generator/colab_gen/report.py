"""How a notebook went: a `Report` of all of it, an `Outcome` of each code cell."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from colab_gen.standin import Status

__all__ = ["Outcome", "Report", "Status"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one code cell went; `message` is one line, and empty unless it failed."""

    cell: int
    id: str
    title: str
    status: Status
    message: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a notebook went.

    Attributes:
        outcomes: one for each code cell, in order.
        problems: what the static check found; with any, nothing was run.
        downloads: the names of the files that the page saved.
        drive: the files below My Drive that the notebook wrote or changed.
        requests: what was asked of the page.
        limits: what could not be stood in for on this machine.
        target: the place that was stood in for.
        faults: what was made to go wrong, a sentence each.
        environment: the kernel's `python`, `ipython` and `ipykernel`.
        seconds: all of it, starting the kernel included.
        notebook: the notebook with the outputs of this run, and of no earlier one.
    """

    outcomes: tuple[Outcome, ...] = ()
    problems: tuple[str, ...] = ()
    downloads: tuple[str, ...] = ()
    drive: tuple[str, ...] = ()
    requests: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    target: str = "web"
    faults: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    notebook: dict[str, Any]

    @property
    def passed(self) -> bool:
        """Nothing was found and no cell failed."""
        return not self.problems and all(o.status != "failed" for o in self.outcomes)

    def as_dict(self) -> dict[str, Any]:
        """Return all but the notebook as plain data."""
        return {
            "passed": self.passed,
            "outcomes": [asdict(outcome) for outcome in self.outcomes],
            "problems": list(self.problems),
            "downloads": list(self.downloads),
            "drive": list(self.drive),
            "requests": list(self.requests),
            "limits": list(self.limits),
            "target": self.target,
            "faults": list(self.faults),
            "environment": dict(self.environment),
            "seconds": self.seconds,
        }

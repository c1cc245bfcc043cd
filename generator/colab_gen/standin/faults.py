"""What can be made to go wrong in the stand-in, as it goes wrong on Colab."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Literal

from colab_gen.standin.frontend import FrontEnd, Refusal, keep_silent

__all__ = ["FAULTS", "Fault", "FaultError", "FaultKind", "Faults", "parse_faults"]

Where = Literal["page", "mount", "files", "session"]


class FaultError(ValueError):
    """No fault is called that, or it takes no such value; the text says so in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultKind:
    """A thing that can go wrong.

    Attributes:
        text: what happens, with `{}` for the value.
        where: `page`, `mount` and `files` concern the page's answers, the mounting of Drive and
            the files on it; `session` ends the kernel.
        default: the value where none is given, `None` where the fault takes none.
    """

    text: str
    where: Where
    default: float | None = None


FAULTS: Mapping[str, FaultKind] = MappingProxyType(
    {
        "consent-refused": FaultKind(text="the user does not allow access to Drive", where="page"),
        "mount-timeout": FaultKind(text="Drive takes too long to list My Drive", where="mount"),
        "mount-failed": FaultKind(text="Drive's program ends while it mounts", where="mount"),
        "domain-policy": FaultKind(text="a Workspace has switched Drive off", where="mount"),
        "eio": FaultKind(
            text="read number {} of a file on Drive gives EIO", where="files", default=1
        ),
        "eio-folder": FaultKind(
            text="listing a folder of Drive with more than {} entries gives EIO",
            where="files",
            default=1000,
        ),
        "quota": FaultKind(text="every read of a file on Drive gives EIO", where="files"),
        "drive-full": FaultKind(text="every write to Drive gives ENOSPC", where="files"),
        "disconnect": FaultKind(
            text="Drive dies after {} operations (errno 107)", where="files", default=10
        ),
        "slow": FaultKind(
            text="every operation on Drive takes {} s more", where="files", default=0.2
        ),
        "nobody": FaultKind(text="nobody at the page answers anything", where="page"),
        "secret-missing": FaultKind(text="there are no secrets", where="page"),
        "secret-denied": FaultKind(text="the notebook may not read any secret", where="page"),
        "out-of-memory": FaultKind(
            text="the session is killed when its memory passes {} MB",
            where="session",
            default=1000,
        ),
        "killed": FaultKind(
            text="the session is killed after {} s and the notebook run again",
            where="session",
            default=2,
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong in a run."""

    name: str
    value: float | None = None

    def __str__(self) -> str:
        """What happens, in words."""
        value = "" if self.value is None else f"{self.value:g}"
        return f"{self.name}: {FAULTS[self.name].text.format(value)}"


class Faults:
    """All that goes wrong in a run."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self.all = tuple(faults)

    def value(self, name: str) -> float | None:
        """Return the value of the fault of that name, `None` where it is not among these."""
        return next((f.value for f in self.all if f.name == name), None)

    def of(self, where: Where) -> dict[str, float | None]:
        """Return name -> value of those that concern that part."""
        return {f.name: f.value for f in self.all if FAULTS[f.name].where == where}

    def set_up(self, page: FrontEnd) -> None:
        """Make the page answer as these faults have it."""
        for name in self.of("page"):
            if name == "nobody":
                page.handlers = dict.fromkeys(page.handlers, keep_silent)
                page.otherwise = keep_silent
                page.fetches = False
            elif name == "consent-refused":
                page.handlers["request_auth"] = _refuse
            else:
                page.handlers["GetSecret"] = _no_secret if name == "secret-missing" else _deny


def parse_faults(texts: Iterable[str]) -> Faults:
    """Return the faults that `NAME` or `NAME:VALUE` describe.

    Raises:
        FaultError: there is no such fault, or the value will not do.
    """
    faults: dict[str, Fault] = {}
    for text in texts:
        name, colon, value = text.strip().partition(":")
        kind = FAULTS.get(name)
        if kind is None:
            near = get_close_matches(name, FAULTS, n=1, cutoff=0.5)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise FaultError(f"no fault is named {name!r}{hint}; there are {', '.join(FAULTS)}")
        faults[name] = Fault(name, _value(name, value, kind.default) if colon else kind.default)
    return Faults(faults.values())


def _value(name: str, text: str, default: float | None) -> float:
    if default is None:
        raise FaultError(f"the fault {name} takes no value, so {name}:{text} says too much")
    try:
        value = float(text)
    except ValueError:
        value = -1
    whole = name not in ("slow", "killed")
    if not 0 <= value < 1e9 or (whole and value != int(value)) or (name == "eio" and value < 1):
        kind = "whole number" if whole else "number of seconds"
        raise FaultError(f"{name}:{text} is no {kind}; take one such as {name}:{default:g}")
    return value


def _refuse(page: FrontEnd, request: Any) -> None:
    page.note(f"request_auth {request.get('authType')}: refused")
    raise Refusal("Error: credential propagation was unsuccessful")


def _no_secret(page: FrontEnd, request: Any) -> dict[str, Any]:
    page.note(f"GetSecret {request.get('key')}: there is none")
    return {"exists": False, "access": False, "payload": ""}


def _deny(page: FrontEnd, request: Any) -> dict[str, Any]:
    page.note(f"GetSecret {request.get('key')}: not for this notebook")
    return {"exists": True, "access": False, "payload": ""}

"""A stand-in of Colab: the machine for the kernel, `google.colab` on its path, and the page."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from colab_gen.standin.executor import Executor, Status
    from colab_gen.standin.faults import FAULTS, FaultError, Faults, parse_faults
    from colab_gen.standin.frontend import FrontEnd
    from colab_gen.standin.machine import Machine, kill_kernels
    from colab_gen.standin.targets import TARGETS, Target
    from colab_gen.standin.warm import WarmParent, preload_for

__all__ = [
    "FAULTS",
    "TARGETS",
    "Executor",
    "FaultError",
    "Faults",
    "FrontEnd",
    "Machine",
    "Status",
    "Target",
    "WarmParent",
    "kill_kernels",
    "parse_faults",
    "preload_for",
]

# Looked up when they are asked for: the process that forks kernels is to be had without nbconvert,
# and does its imports while nbconvert does its own.
_MODULES = {
    "executor": ("Executor", "Status"),
    "faults": ("FAULTS", "FaultError", "Faults", "parse_faults"),
    "frontend": ("FrontEnd",),
    "machine": ("Machine", "kill_kernels"),
    "targets": ("TARGETS", "Target"),
    "warm": ("WarmParent", "preload_for"),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"colab_gen.standin.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""A stand-in of Colab: the machine for the kernel, `google.colab` on its path, and the page."""

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

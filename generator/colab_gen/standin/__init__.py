"""A stand-in of Colab: the machine for the kernel, `google.colab` on its path, and the page."""

from colab_gen.standin.executor import Executor
from colab_gen.standin.frontend import FrontEnd
from colab_gen.standin.machine import Machine, MachineFault
from colab_gen.standin.warm import WarmParent, preload_for

__all__ = ["Executor", "FrontEnd", "Machine", "MachineFault", "WarmParent", "preload_for"]

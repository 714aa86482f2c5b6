"""What the engine's process may use, and that it never outlives the one that started it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_MEGABYTE = 1 << 20


def end_with(parent: int) -> None:
    """This process is killed when its parent's thread that started it ends; at once if it has."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def bound_memory(megabytes: int) -> None:
    """Asking for more private memory than that fails here, instead of starving the machine."""
    # Not the address space: libraries map files and reserve room that they never touch.
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (megabytes * _MEGABYTE, hard))
    # A photo of a customer must not lie about in a core file.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def allow_processor(seconds: float) -> None:
    """From now on so much processor time may be used, over all threads; then SIGXCPU ends us."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def peak_megabytes() -> int:
    """The most memory this process has had in use at once, since its program began."""
    # What getrusage tells on Linux begins with the peak of the process that started this one.
    with contextlib.suppress(FileNotFoundError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) >> 10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kilobytes on Linux, bytes on macOS (getrusage(2)).
    return peak >> (20 if sys.platform == "darwin" else 10)

"""Connections treated badly: held open in silence, or cut."""

import errno
import os
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator

# At most so many calls are held at a time, and as many threads stay free for the others.
MOST_HELD = 8
_held = threading.BoundedSemaphore(MOST_HELD)
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_LOOK_SECONDS = 0.25


def delay(seconds: float) -> None:
    """The time is over; at once if too many are held already."""
    if _held.acquire(blocking=False):
        try:
            time.sleep(seconds)
        finally:
            _held.release()


def hold(wire: socket.socket, seconds: float) -> None:
    """The time is over, or the caller has given up; at once if too many are held already."""
    if not _held.acquire(blocking=False):
        return
    try:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and not _gone(wire, left):
            pass
    finally:
        _held.release()


def cut(wire: socket.socket) -> Iterator[bytes]:
    """No answer: the connection is reset when the server asks for the first part of it."""
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        # The server goes on to end its socket politely; what it then holds is one of this pair.
        os.dup2(ours.fileno(), wire.fileno())
    raise ConnectionResetError(errno.ECONNRESET, "reset on purpose")
    yield b""


def _gone(wire: socket.socket, seconds: float) -> bool:
    readable, _, _ = select.select([wire], [], [], min(seconds, _LOOK_SECONDS))
    if not readable:
        return False
    try:
        if wire.recv(1, socket.MSG_PEEK) == b"":
            return True
    except OSError:
        return True
    # The caller has sent more already: nothing to wait for but the time.
    time.sleep(min(seconds, _LOOK_SECONDS))
    return False

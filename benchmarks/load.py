"""A load generator: requests made beforehand, sent over keep-alive connections by one thread."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

_LONGEST_SILENCE_SECONDS = 30
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"


@dataclass(frozen=True)
class Outcome:
    """How long all of it took, and each answer from the first byte sent to the last received."""

    seconds: float
    latencies: list[float]


@dataclass
class _Line:
    """One connection: what it waits for, and since when."""

    wire: socket.socket
    asked_at: float = 0.0
    heard: bytearray = field(default_factory=bytearray)


def drive(port: int, requests: Sequence[bytes], *, connections: int) -> Outcome:
    """Every request was answered with 200; as many as there are connections were under way."""
    waiting = iter(requests)
    latencies: list[float] = []
    with selectors.DefaultSelector() as selector:
        lines = [_Line(_connect(port)) for _ in range(min(connections, len(requests)))]
        began = time.perf_counter()
        for line in lines:
            selector.register(line.wire, selectors.EVENT_READ, line)
            _ask(line, next(waiting))
        while len(latencies) < len(requests):
            ready = selector.select(_LONGEST_SILENCE_SECONDS)
            assert ready, "the server went silent"
            for key, _ in ready:
                line = key.data
                if _hear(line):
                    latencies.append(time.perf_counter() - line.asked_at)
                    following = next(waiting, None)
                    if following is not None:
                        _ask(line, following)
        seconds = time.perf_counter() - began
        for line in lines:
            line.wire.close()
    return Outcome(seconds, latencies)


def post(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """The bytes of a POST on a connection that stays open."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _connect(port: int) -> socket.socket:
    wire = socket.create_connection(("127.0.0.1", port), timeout=_LONGEST_SILENCE_SECONDS)
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return wire


def _ask(line: _Line, request: bytes) -> None:
    line.heard.clear()
    line.asked_at = time.perf_counter()
    line.wire.sendall(request)


def _hear(line: _Line) -> bool:
    """True once the whole answer is here; it must be a 200."""
    chunk = line.wire.recv(65536)
    assert chunk, "the server closed a connection"
    line.heard += chunk
    head, found, body = bytes(line.heard).partition(_END_OF_HEAD)
    if not found:
        return False
    status = head.split(b" ", 2)[1]
    assert status == b"200", f"answered {head.splitlines()[0].decode()}: {body[:200]!r}"
    return len(body) >= _length(head)


def _length(head: bytes) -> int:
    for header in head.splitlines():
        if header.lower().startswith(_LENGTH):
            return int(header[len(_LENGTH) :])
    raise AssertionError("an answer without a length")

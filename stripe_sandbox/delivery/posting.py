"""Sending letters over HTTP, on connections that stay open."""

import http.client
import time
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from stripe_sandbox.delivery.letters import Letter, Outcome

_CONNECT_SECONDS = 3.05
_ANSWER_SECONDS = 15
_LONGEST_ANSWER_BYTES = 64 * 1024


class Poster:
    """What one thread sends with: a handshake for every event would be the slow part."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], http.client.HTTPConnection] = {}

    def send(self, letter: Letter) -> Outcome:
        """The letter was sent, or could not be; a redirect is not followed, as at Stripe."""
        began = time.monotonic()
        try:
            status = self._posted(letter)
        except (OSError, ValueError, http.client.HTTPException) as error:
            spent = time.monotonic() - began
            return Outcome(letter, time.time(), spent, fault=type(error).__name__)
        return Outcome(letter, time.time(), time.monotonic() - began, status)

    def close(self) -> None:
        """No connection is open."""
        for connection in self._kept.values():
            connection.close()
        self._kept.clear()

    def _posted(self, letter: Letter) -> int:
        address = urlsplit(letter.url)
        place = (address.scheme, address.netloc)
        kept = self._kept.pop(place, None)
        if kept is not None:
            try:
                return self._exchange(place, kept, letter, address)
            except (BrokenPipeError, ConnectionResetError):
                # The receiver had closed a connection nobody used: that was no try.
                kept.close()
        return self._exchange(place, _connected(address), letter, address)

    def _exchange(
        self,
        place: tuple[str, str],
        connection: http.client.HTTPConnection,
        letter: Letter,
        address: SplitResult,
    ) -> int:
        """One request and its answer; the connection is kept if both sides may use it again."""
        path = address.path or "/"
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": letter.signature(),
            "User-Agent": "Stripe/1.0 (sandbox look-alike)",
        }
        target = f"{path}?{address.query}" if address.query else path
        try:
            connection.request("POST", target, letter.body.encode(), headers)
            answer = connection.getresponse()
            answer.read(_LONGEST_ANSWER_BYTES)
        except BaseException:
            connection.close()
            raise
        if answer.will_close or not answer.isclosed():
            connection.close()
        else:
            self._kept[place] = connection
        return answer.status


def _connected(address: SplitResult) -> http.client.HTTPConnection:
    kind: Callable[..., http.client.HTTPConnection] = http.client.HTTPConnection
    if address.scheme == "https":
        kind = http.client.HTTPSConnection
    if not address.hostname:
        raise ValueError("an address without a host")
    connection = kind(address.hostname, address.port, timeout=_CONNECT_SECONDS)
    connection.connect()
    connection.sock.settimeout(_ANSWER_SECONDS)
    return connection

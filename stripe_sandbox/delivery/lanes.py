"""Lanes: each endpoint has its own few threads, so that one that is slow holds up no other."""

import threading
from collections import deque
from collections.abc import Callable

from stripe_sandbox.delivery.letters import Letter, Outcome
from stripe_sandbox.delivery.posting import Poster

_THREADS = 4
# Letters written ahead of what the threads of a lane can send at once.
LONGEST_QUEUE = 64
_IDLE_SECONDS = 30.0


class Lane:
    """The way to one endpoint: letters go in, and what came of them is told."""

    def __init__(self, landed: Callable[[Outcome], None]) -> None:
        # Deliveries on their way; only the thread that sends and records looks at them.
        self.flying: set[int] = set()
        self._landed = landed
        self._letters: deque[Letter] = deque()
        self._changed = threading.Condition()
        self._threads = 0
        self._idle = 0
        self._stopped = False

    def send(self, letter: Letter) -> None:
        """The letter is on its way: a thread has it, or will when one is free."""
        self.flying.add(letter.delivery)
        with self._changed:
            self._letters.append(letter)
            if self._idle >= len(self._letters):
                self._changed.notify()
            elif self._threads < _THREADS:
                self._threads += 1
                threading.Thread(target=self._run, name="delivery", daemon=True).start()

    def stop(self) -> None:
        """No letter is begun any more."""
        with self._changed:
            self._stopped = True
            self._letters.clear()
            self._changed.notify_all()

    def _run(self) -> None:
        poster = Poster()
        while (letter := self._next()) is not None:
            self._landed(poster.send(letter))
        poster.close()

    def _next(self) -> Letter | None:
        """The next letter; None when the thread has had nothing to do for long, and ends."""
        with self._changed:
            while not self._letters:
                self._idle += 1
                called = not self._stopped and self._changed.wait(_IDLE_SECONDS)
                self._idle -= 1
                if not called and not self._letters:
                    self._threads -= 1
                    return None
            return self._letters.popleft()

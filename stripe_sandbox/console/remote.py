"""A running sandbox, asked over HTTP."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from stripe_sandbox import Json

# A year of many subscriptions is gone through before the clock answers.
_LONGEST_SECONDS = 900
_KEY = "sk_test_of_the_console"


class Refused(Exception):
    """The sandbox said no, or cannot be reached; the message is one line for a person."""


@dataclass(frozen=True)
class Remote:
    """The sandbox at this address."""

    base: str

    def get(self, path: str, query: Mapping[str, object] | None = None) -> Json:
        """What stands there."""
        return self._call("GET", f"{path}?{_form(query)}" if query else path)

    def post(self, path: str, form: Mapping[str, object] | None = None) -> Json:
        """What came of it."""
        return self._call("POST", path, _form(form or {}))

    def delete(self, path: str) -> Json:
        """What came of it."""
        return self._call("DELETE", path)

    def _call(self, method: str, path: str, form: str = "") -> Json:
        address = urlsplit(self.base)
        if address.scheme != "http" or not address.hostname:
            raise Refused(f"--base is an address such as http://localhost:12111, not {self.base}")
        headers = {
            "Authorization": f"Bearer {_KEY}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        connection = http.client.HTTPConnection(
            address.hostname, address.port, timeout=_LONGEST_SECONDS
        )
        try:
            connection.request(method, path, form, headers)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or error
            raise Refused(
                f"no sandbox answers at {self.base} ({reason}); start one, or name it with --base"
            ) from error
        finally:
            connection.close()
        return _read(answer.status, body, self.base)


def _read(status: int, body: bytes, base: str) -> Json:
    try:
        found = json.loads(body)
        message = found["error"]["message"] if status >= 400 else ""
    except (ValueError, KeyError, TypeError):
        raise Refused(f"what answers at {base} is no sandbox (status {status})") from None
    if status >= 400:
        raise Refused(" ".join(str(message).split()))
    return dict(found)


def _form(values: Mapping[str, object]) -> str:
    given = {name: value for name, value in values.items() if value is not None}
    return urlencode(given)

"""A debugging aid: every API request as one line of JSON, in a folder of one's choice."""

import json
import os
import re
import threading

from flask import Flask, Response, request

from stripe_sandbox.sandbox import Sandbox

# The sandbox keeps no card numbers, wherever they were typed, and no secret of a payment.
_SECRET = re.compile(r"(\b|_)(number|cvc|secret)\]?$")
_SHOWN_OF_A_KEY = 6


def install(app: Flask, sandbox: Sandbox) -> None:
    """Each request to the API is written to a file of this process, in the folder if one is set."""
    folder = sandbox.settings.request_log
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / f"{os.getpid()}.jsonl").open("a", buffering=1)
    lock = threading.Lock()

    def write(response: Response) -> Response:
        # What was too large to read is refused unread.
        if request.path.startswith("/v1/") and response.status_code != 413:
            line = json.dumps(_line(response.status_code))
            with lock:
                file.write(f"{line}\n")
        return response

    app.after_request(write)


def _line(status: int) -> dict[str, object]:
    pairs = [*request.args.items(multi=True), *request.form.items(multi=True)]
    return {
        "method": request.method,
        "path": request.path,
        "form": [[name, "…" if _SECRET.search(name) else value] for name, value in pairs],
        "sdk": "X-Stripe-Client-User-Agent" in request.headers,
        "key_ends": request.headers.get("Authorization", "")[-_SHOWN_OF_A_KEY:],
        "status": status,
    }

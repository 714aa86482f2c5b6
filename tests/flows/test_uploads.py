"""F6: who may send a file to the front end, and how many."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message

from services import auth_service, generation_service
from talkingphoto import runtime
from ui.session import SESSION_COOKIE
from ui.uploads import PATH, OwnUploads


def answer(method: str, path: str, cookie: str) -> tuple[int, dict[str, str]]:
    """Status and headers for the request at a door behind which everything is taken."""
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(b"cookie", cookie.encode())],
    }
    said: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"file", "more_body": False}

    async def send(message: Message) -> None:
        said.append(message)

    asyncio.run(OwnUploads(PlainTextResponse("taken"))(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in said[0]["headers"]}
    return said[0]["status"], headers


@pytest.fixture
def cookie() -> str:
    """Somebody has signed in."""
    runtime.ready()
    signed_in = auth_service.auth_service.register(
        email=f"{uuid.uuid4()}@example.com",
        password="a sentence that nobody else uses",
        terms_accepted=True,
        ip=str(uuid.uuid4()),
        user_agent="test",
    )
    return f"{SESSION_COOKIE}={signed_in.token}"


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("token", ["", "made-up"])
def test_f6_a_file_of_nobody_is_not_taken(method: str, token: str) -> None:
    runtime.ready()
    assert answer(method, f"{PATH}a/b", f"{SESSION_COOKIE}={token}")[0] == 403


def test_f6_nobody_fills_the_memory_with_files(cookie: str) -> None:
    for number in range(generation_service.UPLOADS_PER_USER.most):
        assert answer("PUT", f"{PATH}a/{number}", cookie)[0] == 200
    status, headers = answer("PUT", f"{PATH}a/more", cookie)
    assert (status, 0 < int(headers["retry-after"]) <= 3600) == (429, True)
    # What is there may still be taken back, and pages are no files.
    assert answer("DELETE", f"{PATH}a/0", cookie)[0] == 200
    assert answer("GET", "/studio", cookie)[0] == 200

"""Who may send a file: Streamlit itself asks only for a token that anybody may make up."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from services import auth_service, generation_service
from talkingphoto.foundation import errors
from ui.session import SESSION_COOKIE

PATH = "/_stcore/upload_file/"
_CHANGES = frozenset({"PUT", "DELETE"})


class OwnUploads:
    """Middleware: files are taken from a person who is signed in, not too many of them, and from
    nobody else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The response of the inner application, or 403 or 429 before any of the file is read."""
        refusal = await run_in_threadpool(_refusal, Request(scope)) if _is_upload(scope) else None
        await (refusal or self._app)(scope, receive, send)


def _is_upload(scope: Scope) -> bool:
    return (
        scope["type"] == "http" and scope["method"] in _CHANGES and scope["path"].startswith(PATH)
    )


def _refusal(request: Request) -> PlainTextResponse | None:
    token = request.cookies.get(SESSION_COOKIE)
    user = auth_service.auth_service.current_user(token, active=False)
    if user is None:
        return PlainTextResponse("Sign in to send a photo.", 403)
    if request.method == "DELETE":
        return None
    try:
        # Each stays in memory as long as its tab is open, whatever name it was sent under.
        generation_service.generation_service.count_upload(user.id)
    except errors.RateLimited as refusal:
        wait = {"Retry-After": str(refusal.retry_after_seconds)}
        return PlainTextResponse(refusal.message, 429, wait)
    return None

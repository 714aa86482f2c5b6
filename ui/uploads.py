"""Who may send a file: Streamlit itself asks only for a token that anybody may make up."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from services import auth_service
from ui.session import SESSION_COOKIE

PATH = "/_stcore/upload_file/"
_CHANGES = frozenset({"PUT", "DELETE"})


class OwnUploads:
    """Middleware: a file is taken from a person who is signed in, and from nobody else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The response of the inner application, or 403 before any of the file is read."""
        if not _is_upload(scope) or await run_in_threadpool(_signed_in, Request(scope)):
            await self._app(scope, receive, send)
            return
        refusal = PlainTextResponse("Sign in to send a photo.", 403)
        await refusal(scope, receive, send)


def _is_upload(scope: Scope) -> bool:
    return (
        scope["type"] == "http" and scope["method"] in _CHANGES and scope["path"].startswith(PATH)
    )


def _signed_in(request: Request) -> bool:
    token = request.cookies.get(SESSION_COOKIE)
    return auth_service.auth_service.current_user(token, active=False) is not None

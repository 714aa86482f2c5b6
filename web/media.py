"""A customer's own videos: to be played in a page or saved, and only by their owner."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from flask import Blueprint, request, send_file
from werkzeug.wrappers import Response

from talkingphoto.foundation import errors
from web import guards

bp = Blueprint("media", __name__)

_KEPT_SECONDS = 600


@bp.get("/media/<uuid:generation_id>/<any(video, poster):kind>")
@guards.anyone
def media(generation_id: UUID, kind: Literal["video", "poster"]) -> Response:
    """200 or 206 for the owner with a signed address; 404 for others, 403 once it is too old."""
    generations = guards.wiring().generations
    user = guards.current_user()
    if user is None:
        raise _nothing()
    named = generations.media_by_token(request.args.get("token", ""))
    # The address alone opens nothing: it may have been sent to somebody else.
    own = generations.media(user_id=user.id, generation_id=str(generation_id), kind=kind)
    if named != own:
        raise _nothing()
    if kind == "video" and _begins():
        generations.delivered(
            user_id=user.id,
            generation_id=str(generation_id),
            kind="saved" if request.args.get("download") == "1" else "played",
            ip=guards.client_ip(),
        )
    response = send_file(
        own.path,
        mimetype=own.mime,
        as_attachment=request.args.get("download") == "1",
        download_name=own.filename,
        conditional=True,
    )
    response.headers["Cache-Control"] = f"private, max-age={_KEPT_SECONDS}"
    # Our pages are another origin of the same site.
    response.headers["Cross-Origin-Resource-Policy"] = "same-site"
    return response


def _begins() -> bool:
    """Whether the file is asked for from its start: a player asks for many parts of it."""
    asked = request.headers.get("Range", "bytes=0-")
    return request.method == "GET" and asked.startswith("bytes=0-")


def _nothing() -> errors.NotFound:
    return errors.NotFound("media.unknown", "There is no such video in your studio.")

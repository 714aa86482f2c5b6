"""The page on which anybody may report a video, and the door at which a hosted engine calls."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, current_app, render_template, request
from markupsafe import Markup

from talkingphoto.foundation import errors
from talkingphoto.generations import reports
from web import guards
from web.errors import page_style

bp = Blueprint("reports", __name__)


@bp.get("/report/<uuid:generation_id>")
@guards.anyone
def form(generation_id: UUID) -> str:
    """The form; whether there is such a video is not said."""
    return _page("report.html", reason="", contact="", wrong="")


@bp.post("/report/<uuid:generation_id>")
@guards.anyone
def send(generation_id: UUID) -> Response | str:
    """The report is on record and a person looks at it; 400 and the form again without a reason."""
    guards.only("reason", "contact")
    reason = guards.lines("reason", most=reports.LONGEST_REASON).strip()
    contact = guards.field("contact", most=reports.LONGEST_CONTACT, default="").strip()
    if not reason:
        page = _page("report.html", reason="", contact=contact, wrong="Say what is wrong with it.")
        return Response(page, 400)
    guards.wiring().generations.report(
        generation_id=str(generation_id), reason=reason, contact=contact, ip=guards.client_ip()
    )
    return _page("reported.html")


@bp.post(guards.VIDEO_CALLBACK)
@guards.anyone
def hear() -> Response:
    """200: we look at the job that the engine speaks of; 400 for what it did not sign."""
    raw = request.get_data(cache=False)
    if not raw:
        raise errors.InvalidRequest("video.callback", "There is nothing in this call.")
    guards.wiring().generations.hear(dict(request.headers), raw)
    return Response("heard", mimetype="text/plain")


def _page(template: str, **values: str) -> str:
    return render_template(
        template,
        app_url=current_app.config["APP_URL"],
        style=Markup(page_style()),  # noqa: S704 - our own file
        longest_reason=reports.LONGEST_REASON,
        longest_contact=reports.LONGEST_CONTACT,
        **values,
    )

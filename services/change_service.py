"""Changing plans: what can be chosen, what it costs, yes, and undo."""

from __future__ import annotations

from talkingphoto import runtime as runtimes
from talkingphoto.billing import changes
from talkingphoto.workflows import change_making, change_preview, change_view, duplicates

ChangeOption = change_view.ChangeOption
PendingChange = change_view.PendingChange
ChangeView = change_view.ChangeView
PreviewLine = changes.PreviewLine
ChangePreview = change_preview.ChangePreview
ChangeOutcome = change_making.ChangeOutcome


class ChangeService:
    """The verbs of a plan change."""

    def __init__(self, runtime: runtimes.Runtime) -> None:
        self.runtime = runtime

    def options(self, user_id: str) -> ChangeView:
        """Every plan, when a change to it would begin, and the change that is under way."""
        with self.runtime.read_only() as session:
            return change_view.of_customer(session, user_id=user_id)

    def preview(self, *, user_id: str, item: str) -> ChangePreview:
        """What the change would cost and bring now, with a token that is good for ten minutes."""
        return change_preview.preview(self.runtime, user_id=user_id, item=item)

    def confirm(self, *, user_id: str, token: str, request_id: str) -> ChangeOutcome:
        """The change that was shown is made, once a request; Conflict `change.stale` when it
        would not be what was shown any more."""
        return change_making.confirm(
            self.runtime, user_id=user_id, token=token, request_id=request_id
        )

    def undo(self, *, user_id: str) -> None:
        """The change that waits for the end of the period will not come."""
        change_making.undo(self.runtime, user_id=user_id)

    def sweep(self) -> int:
        """Changes whose time has come are where Stripe has them, and second plans given back."""
        return change_making.sweep(self.runtime) + duplicates.sweep(self.runtime)

    def give_back_duplicate(self, subscription_id: str) -> None:
        """A second plan that was paid by accident has ended and its payment went back."""
        duplicates.settle(self.runtime, subscription_id)


change_service = ChangeService(runtimes.current())

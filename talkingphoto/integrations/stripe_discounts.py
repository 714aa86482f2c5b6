"""Coupons and promotion codes at Stripe."""

from __future__ import annotations

from dataclasses import dataclass

import stripe

from talkingphoto.billing.codes import Promotion
from talkingphoto.integrations import stripe_reading_standing
from talkingphoto.integrations.stripe_calls import StripeCalls, safe, translated

_MOST_OF_A_NAME = 100


@dataclass(frozen=True)
class NewCoupon:
    """A coupon of ours: so many per cent off for so many months."""

    id: str
    name: str
    percent: int
    months: int


class DiscountCalls(StripeCalls):
    """What is taken off prices."""

    def ensure_coupon(self, coupon: NewCoupon) -> str:
        """The coupon exists under its id, as it was first made."""
        with translated():
            try:
                return str(self._v1.coupons.retrieve(coupon.id).id)
            except stripe.InvalidRequestError as fault:
                if fault.code != "resource_missing":
                    raise
            made = self._v1.coupons.create(
                {
                    "id": coupon.id,
                    "name": coupon.name,
                    "percent_off": coupon.percent,
                    "duration": "repeating",
                    "duration_in_months": coupon.months,
                },
                {"idempotency_key": f"coupon:{coupon.id}"},
            )
            return str(made.id)

    def find_promotion_code(self, code: str, *, customer_id: str | None) -> Promotion | None:
        """The code as it is now: that of this customer if there is one, and one that is active
        rather than one that is not."""
        coupon = "data.promotion.coupon"
        asked = {
            "code": code,
            "limit": _MOST_OF_A_NAME,
            "expand": [f"{coupon}.currency_options", f"{coupon}.applies_to"],
        }
        with translated():
            found = self._v1.promotion_codes.list(asked).data
        read = [stripe_reading_standing.promotion(one) for one in found]
        theirs = [one for one in read if one.customer_id in {None, customer_id}]
        theirs.sort(key=lambda one: (one.is_active, one.customer_id is not None), reverse=True)
        return theirs[0] if theirs else None

    def add_promotion_code(self, subscription_id: str, *, promotion_code_id: str, key: str) -> bool:
        """The code takes something off the plan's next invoices; False where another discount
        does, which stays alone."""
        with translated():
            found = self._v1.subscriptions.retrieve(
                safe(subscription_id), {"expand": ["discounts"]}
            )
            if any(one.promotion_code == promotion_code_id for one in found.discounts):
                return True  # by an earlier run
            if found.discounts:
                return False
            self._v1.subscriptions.update(
                subscription_id,
                {"discounts": [{"promotion_code": promotion_code_id}]},
                {"idempotency_key": key},
            )
            return True

    def add_coupon(self, subscription_id: str, *, coupon_id: str, key: str) -> None:
        """The coupon is taken off the plan's next invoices, beside what was taken off before."""
        asked = {"expand": ["discounts.source.coupon"]}
        with translated():
            found = self._v1.subscriptions.retrieve(safe(subscription_id), asked)
            if any(one.source.coupon.id == coupon_id for one in found.discounts):
                return  # by an earlier run, whose key Stripe may have forgotten
            kept = [{"discount": one.id} for one in found.discounts]
            self._v1.subscriptions.update(
                subscription_id,
                {"discounts": [*kept, {"coupon": coupon_id}]},
                {"idempotency_key": key},
            )

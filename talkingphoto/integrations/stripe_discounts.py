"""Coupons and promotion codes at Stripe."""

from __future__ import annotations

from dataclasses import dataclass

import stripe

from talkingphoto.integrations.stripe_calls import StripeCalls, safe, translated


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

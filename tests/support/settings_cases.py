"""Settings for tests: complete sets of keys that look real, read without this machine's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from talkingphoto.foundation import settings

OWN = {
    "SECRET_KEY": "first-secret-of-more-than-thirty-two-letters",
    "JWT_SECRET_KEY": "second-secret-of-more-than-thirty-two-letters",
}
REAL = {
    "STRIPE_SECRET_KEY": "sk_test_0123456789abcdef",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_fedcba9876543210",
    "STRIPE_WEBHOOK_SECRET": "whsec_00112233445566778899",
    **OWN,
}
LIVE = {
    "STRIPE_SECRET_KEY": "sk_live_0123456789abcdef",
    "STRIPE_PUBLISHABLE_KEY": "pk_live_fedcba9876543210",
    "STRIPE_WEBHOOK_SECRET": "whsec_00112233445566778899",
    "APP_URL": "https://shop.example",
    "WEB_URL": "https://shop.example",
    **OWN,
}


def environment(given: Mapping[str, str], folder: Path) -> dict[str, str]:
    """These variables, with the data and the .env file of a folder of the test's own."""
    own = {"TALKINGPHOTO_DATA": str(folder / "data"), "TALKINGPHOTO_ENV_FILE": str(folder / ".env")}
    return own | dict(given)


def loaded(given: Mapping[str, str], folder: Path) -> settings.Settings:
    """The settings that these variables make."""
    return settings.load(environment(given, folder))


def refusal(given: Mapping[str, str], folder: Path) -> tuple[str, ...]:
    """The faults for which these variables are refused."""
    with pytest.raises(settings.SettingsFault) as refused:
        loaded(given, folder)
    # A traceback shows the values of whatever hangs on behind the refusal.
    fault = refused.value
    assert fault.__cause__ is None
    assert fault.__context__ is None or fault.__suppress_context__
    return fault.faults

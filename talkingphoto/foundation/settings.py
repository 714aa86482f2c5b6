"""What the operator decides: read once from the environment, .env and dev.env, then frozen.

The environment wins over `.env`, which wins over the generated `dev.env`. Every fault is found
before any is reported, and a report names variables and remedies, never a value.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlencode, urlsplit

from dotenv import dotenv_values
from pydantic import (
    AliasGenerator,
    BaseModel,
    ConfigDict,
    NonNegativeInt,
    PositiveInt,
    SecretStr,
    ValidationError,
)

from talkingphoto.foundation import dev_secrets, setting_rules

PROJECT_ROOT = Path(__file__).resolve().parents[2]
LIVE_API_BASE = "https://api.stripe.com"
SANDBOX_API_BASE = "http://127.0.0.1:12111"
ENV_FILE = "TALKINGPHOTO_ENV_FILE"

# Ours begin with TALKINGPHOTO_ unless the name says enough by itself.
_PREFIXED = frozenset(
    {
        *("data", "env_file", "pg_bin", "clock", "smtp_url", "mail_from", "trusted_proxies"),
        *("log_level", "video_engine", "video_engine_url", "video_engine_key"),
        *("video_engine_webhook_secret", "c2pa_certificate", "c2pa_key"),
        *("storage", "s3_bucket", "s3_endpoint", "s3_region", "s3_access_key"),
        *("s3_secret_key", "photo_days", "video_days", "trial_days", "trial_card"),
        *("fraud_refund_up_to", "founder_email", "seller"),
    }
)


def variable(attribute: str) -> str:
    """The environment variable behind an attribute of Settings."""
    return f"TALKINGPHOTO_{attribute.upper()}" if attribute in _PREFIXED else attribute.upper()


class SettingsFault(Exception):
    """The settings cannot be used; `faults` holds a line for each reason, without any value."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Settings(BaseModel):
    """Every setting with its default; secrets show as stars wherever they are printed."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        alias_generator=AliasGenerator(validation_alias=variable),
        populate_by_name=True,
    )

    stripe_publishable_key: str = ""
    stripe_secret_key: SecretStr = SecretStr("")
    stripe_webhook_secret: SecretStr = SecretStr("")
    stripe_starter_monthly_price_id: str = ""
    stripe_starter_yearly_price_id: str = ""
    stripe_pro_monthly_price_id: str = ""
    stripe_pro_yearly_price_id: str = ""
    stripe_enterprise_monthly_price_id: str = ""
    stripe_enterprise_yearly_price_id: str = ""
    secret_key: SecretStr = SecretStr("")
    jwt_secret_key: SecretStr = SecretStr("")
    database_url: SecretStr = SecretStr("")
    redis_url: SecretStr = SecretStr("")
    stripe_success_url: str = ""
    stripe_cancel_url: str = ""
    stripe_api_base: str = ""
    app_url: str = "http://localhost:8501"
    web_url: str = "http://localhost:5001"
    worker: Literal["embedded", "external"] = "embedded"
    clock: Literal["system", "sandbox"] = "system"
    dunning_owner: Literal["stripe", "talkingphoto"] = "stripe"
    data: Path = Path("data")
    env_file: Path = Path(".env")
    pg_bin: Path | None = None
    smtp_url: SecretStr = SecretStr("")
    mail_from: str = "TalkingPhoto <hello@localhost>"
    founder_email: str = ""
    seller: str = "TalkingPhoto"
    trusted_proxies: NonNegativeInt = 0
    video_engine: Literal["embedded", "hosted"] = "embedded"
    video_engine_url: str = ""
    video_engine_key: SecretStr = SecretStr("")
    video_engine_webhook_secret: SecretStr = SecretStr("")
    c2pa_certificate: Path | None = None
    c2pa_key: Path | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    storage: Literal["folder", "s3"] = "folder"
    s3_bucket: str = ""
    s3_endpoint: str = ""
    s3_region: str = "us-east-1"
    s3_access_key: SecretStr = SecretStr("")
    s3_secret_key: SecretStr = SecretStr("")
    trial_days: NonNegativeInt = 7
    trial_card: Literal["required", "optional"] = "required"
    photo_days: PositiveInt = 7
    video_days: PositiveInt = 90
    fraud_refund_up_to: NonNegativeInt = 5000
    sandbox: bool = True

    @property
    def livemode(self) -> bool:
        """True with a live Stripe key: real money moves."""
        return "_live_" in self.stripe_secret_key.get_secret_value()

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """The signing secrets in use, newest first; two while one is being rotated out."""
        return tuple(
            part.strip()
            for part in self.stripe_webhook_secret.get_secret_value().split(",")
            if part.strip()
        )

    @property
    def success_url(self) -> str:
        """Where checkout returns to, with the session id that Stripe fills in."""
        base = self.stripe_success_url or f"{self.app_url}/success"
        return _with_query(base, "session_id={CHECKOUT_SESSION_ID}")

    def cancel_url(self, *, item: str) -> str:
        """Where checkout returns to when nothing was paid, with what had been chosen."""
        base = self.stripe_cancel_url or f"{self.app_url}/cancel"
        return _with_query(base, urlencode({"item": item}))

    @property
    def allowed_origins(self) -> frozenset[str]:
        """The origins whose forms may post to us."""
        return frozenset({setting_rules.origin(self.app_url), setting_rules.origin(self.web_url)})

    def price_id(self, item: str) -> str:
        """The operator's own Stripe price for a plan item such as `pro:year`, or empty."""
        plan, _, interval = item.partition(":")
        name = {"month": "monthly", "year": "yearly"}.get(interval, "")
        return str(getattr(self, f"stripe_{plan}_{name}_price_id", ""))


def load(
    environ: Mapping[str, str] | None = None,
    *,
    make_dev_secrets: Callable[[Path], dict[str, str]] = dev_secrets.ensure,
) -> Settings:
    """The settings, with dev.env made when no Stripe key is set; SettingsFault lists all faults."""
    given = dict(os.environ if environ is None else environ)
    written = _read_env_file(given) | {k: v for k, v in given.items() if v.strip()}
    values = _known(written)
    faults = setting_rules.unknown_names(written, known=_variables())
    sandbox = not values.get("STRIPE_SECRET_KEY")
    faults += setting_rules.faults(values, sandbox=sandbox)
    if not faults and sandbox:
        values = _made(make_dev_secrets, values) | values
    try:
        chosen = Settings.model_validate({**values, "sandbox": sandbox})
    except ValidationError as fault:
        # A rule may have spoken about the same variable: one line each is enough.
        spoken = {line.partition(":")[0] for line in faults}
        named = dict.fromkeys(str(error["loc"][0]) for error in fault.errors())
        faults += [f"{name}: {_remedy(name)}" for name in named if name not in spoken]
    if faults:
        raise SettingsFault(tuple(faults))
    return _completed(chosen)


def _made(
    make_dev_secrets: Callable[[Path], dict[str, str]], values: Mapping[str, str]
) -> dict[str, str]:
    try:
        return make_dev_secrets(_under_root(values.get("TALKINGPHOTO_DATA", "data")))
    except dev_secrets.Damaged as fault:
        raise SettingsFault(fault.faults) from None
    except (OSError, UnicodeDecodeError):
        line = "TALKINGPHOTO_DATA: dev.env cannot be read or made there; name a folder of yours"
        raise SettingsFault((line,)) from None


def _completed(chosen: Settings) -> Settings:
    """Paths are absolute, addresses carry no slash at the end, the API base is the one to call."""
    base = chosen.stripe_api_base or (SANDBOX_API_BASE if chosen.sandbox else LIVE_API_BASE)
    return chosen.model_copy(
        update={
            "data": _under_root(str(chosen.data)),
            "app_url": chosen.app_url.rstrip("/"),
            "web_url": chosen.web_url.rstrip("/"),
            "stripe_api_base": base.rstrip("/"),
        }
    )


def _read_env_file(environ: Mapping[str, str]) -> dict[str, str]:
    path = _under_root(environ.get(ENV_FILE) or ".env")
    if not path.is_file():
        return {}
    try:
        found = dotenv_values(path)
    except (OSError, UnicodeDecodeError):
        # Without the cause: the message of a decoding error holds the bytes of the file.
        raise SettingsFault((f"{ENV_FILE}: the file cannot be read as UTF-8 text",)) from None
    return {name: value for name, value in found.items() if value and value.strip()}


def _known(values: dict[str, str]) -> dict[str, str]:
    return {name: values[name].strip() for name in _variables() if name in values}


def _variables() -> tuple[str, ...]:
    return tuple(variable(name) for name in Settings.model_fields if name != "sandbox")


def _remedy(name: str) -> str:
    choices = {
        "WORKER": "use embedded or external",
        "TALKINGPHOTO_CLOCK": "use system or sandbox",
        "DUNNING_OWNER": "use stripe or talkingphoto",
        "TALKINGPHOTO_TRUSTED_PROXIES": "use a whole number, 0 when no proxy is in front",
        "TALKINGPHOTO_VIDEO_ENGINE": "use embedded or hosted",
        "TALKINGPHOTO_LOG_LEVEL": "use debug, info, warning or error",
        "TALKINGPHOTO_STORAGE": "use folder or s3",
        "TALKINGPHOTO_TRIAL_DAYS": "use a whole number of days, 0 for no trials",
        "TALKINGPHOTO_TRIAL_CARD": "use required or optional",
        "TALKINGPHOTO_PHOTO_DAYS": "use a whole number of days, 1 or more",
        "TALKINGPHOTO_VIDEO_DAYS": "use a whole number of days, 1 or more",
    }
    return choices.get(name, "not a value this setting can have")


def _under_root(path: str) -> Path:
    return (PROJECT_ROOT / path).resolve()


def _with_query(url: str, query: str) -> str:
    return f"{url}{'&' if urlsplit(url).query else '?'}{query}"

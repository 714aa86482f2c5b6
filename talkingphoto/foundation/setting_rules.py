"""What may not be: each rule answers with a line naming the variable and the remedy, no value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

_PLACEHOLDER = re.compile(
    r"\.\.\.|^your[-_]|^generate-|^change-?me|_xxx|^<.*>$|your-domain", re.IGNORECASE
)
_SECRET_KEY = re.compile(r"^(sk|rk)_(test|live)_[A-Za-z0-9]{8,}$")
_PUBLISHABLE_KEY = re.compile(r"^pk_(test|live)_[A-Za-z0-9]{8,}$")
_WEBHOOK_SECRET = re.compile(r"^whsec_[A-Za-z0-9+/=_]{8,}$")
_OWN_SECRETS = ("SECRET_KEY", "JWT_SECRET_KEY")
_S3_NEEDED = (
    *("TALKINGPHOTO_S3_BUCKET", "TALKINGPHOTO_S3_ACCESS_KEY", "TALKINGPHOTO_S3_SECRET_KEY"),
)
_S3 = (*_S3_NEEDED, "TALKINGPHOTO_S3_ENDPOINT", "TALKINGPHOTO_S3_REGION")
_URLS = ("APP_URL", "WEB_URL", "STRIPE_SUCCESS_URL", "STRIPE_CANCEL_URL", "STRIPE_API_BASE")
_HOSTED_ENGINE = (
    "TALKINGPHOTO_VIDEO_ENGINE_URL",
    "TALKINGPHOTO_VIDEO_ENGINE_KEY",
    "TALKINGPHOTO_VIDEO_ENGINE_WEBHOOK_SECRET",
)
_C2PA = ("TALKINGPHOTO_C2PA_CERTIFICATE", "TALKINGPHOTO_C2PA_KEY")
SHORTEST_SECRET = 32


def origin(url: str) -> str:
    """The scheme and host of an address, as a browser sends them in `Origin`."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    port = "" if parts.port in {None, usual} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def unknown_names(given: Mapping[str, str], *, known: Iterable[str]) -> list[str]:
    """A line for each of our own variables that no setting reads: a typo must not be a default."""
    names = frozenset(known)
    return [
        f"{name}: no such setting; see .env.example"
        for name in sorted(given)
        if name.startswith("TALKINGPHOTO_") and name not in names
    ]


def faults(values: Mapping[str, str], *, sandbox: bool) -> list[str]:
    """A line for each value that cannot be used, alone or beside the others."""
    placeholders = [name for name, value in values.items() if _PLACEHOLDER.search(value)]
    rest = {name: value for name, value in values.items() if name not in placeholders}
    found = [f"{name}: still a placeholder; set a real value or remove it" for name in placeholders]
    found += _stripe_keys(rest, sandbox=sandbox, skip=placeholders)
    found += _clock(rest, sandbox=sandbox)
    found += _own_secrets(rest, sandbox=sandbox, skip=placeholders)
    found += _addresses(rest)
    found += _video_engine(rest, skip=placeholders)
    found += _provenance(rest, skip=placeholders)
    found += _storage(rest, skip=placeholders)
    return found


def _stripe_keys(values: Mapping[str, str], *, sandbox: bool, skip: list[str]) -> list[str]:
    if sandbox:
        half = [n for n in ("STRIPE_WEBHOOK_SECRET", "STRIPE_PUBLISHABLE_KEY") if n in values]
        return [f"{name}: set, but STRIPE_SECRET_KEY is not; set both or neither" for name in half]
    return [
        *_shapes(values),
        *_missing(("STRIPE_WEBHOOK_SECRET",), values, skip=skip),
        *_one_mode(values),
    ]


def _shapes(values: Mapping[str, str]) -> list[str]:
    found = []
    if "STRIPE_SECRET_KEY" in values and not _SECRET_KEY.match(values["STRIPE_SECRET_KEY"]):
        found.append("STRIPE_SECRET_KEY: not a Stripe secret key (sk_test_… or sk_live_…)")
    publishable = values.get("STRIPE_PUBLISHABLE_KEY")
    if publishable and not _PUBLISHABLE_KEY.match(publishable):
        found.append("STRIPE_PUBLISHABLE_KEY: not a publishable key (pk_test_… or pk_live_…)")
    signing = values.get("STRIPE_WEBHOOK_SECRET")
    if signing and not _are_signing_secrets(signing):
        found.append("STRIPE_WEBHOOK_SECRET: not a signing secret (whsec_…), or a list of them")
    found += [
        f"{name}: not a price id (price_…)"
        for name, value in values.items()
        if name.endswith("_PRICE_ID") and not value.startswith("price_")
    ]
    return found


def _are_signing_secrets(text: str) -> bool:
    secrets = [part.strip() for part in text.split(",") if part.strip()]
    return bool(secrets) and all(map(_WEBHOOK_SECRET.match, secrets))


def _one_mode(values: Mapping[str, str]) -> list[str]:
    keys = [values.get(name, "") for name in ("STRIPE_SECRET_KEY", "STRIPE_PUBLISHABLE_KEY")]
    modes = {mode for mode in ("_test_", "_live_") for key in keys if mode in key}
    found = []
    if len(modes) > 1:
        found.append(
            "STRIPE_PUBLISHABLE_KEY: one key is for test and the other for live; use one mode"
        )
    if "_live_" not in keys[0]:
        return found
    insecure = [n for n in _URLS if n in values and not values[n].lower().startswith("https://")]
    return [
        *found,
        *(f"{name}: must begin with https:// when a live key is set" for name in insecure),
        *_missing(("APP_URL", "WEB_URL"), values, skip=[]),
    ]


def _clock(values: Mapping[str, str], *, sandbox: bool) -> list[str]:
    if sandbox or values.get("TALKINGPHOTO_CLOCK") != "sandbox":
        return []
    return [
        "TALKINGPHOTO_CLOCK: beside STRIPE_SECRET_KEY only the system's time will do; remove it"
        " or set system"
    ]


def _own_secrets(values: Mapping[str, str], *, sandbox: bool, skip: list[str]) -> list[str]:
    short = [n for n in _OWN_SECRETS if n in values and len(values[n]) < SHORTEST_SECRET]
    found = [f"{name}: shorter than {SHORTEST_SECRET} characters; {_MAKE_ONE}" for name in short]
    if not sandbox:
        found += _missing(_OWN_SECRETS, values, skip=skip)
    chosen = [values[name] for name in _OWN_SECRETS if name in values]
    if len(chosen) == 2 and chosen[0] == chosen[1]:
        found.append("JWT_SECRET_KEY: the same as SECRET_KEY; use two different secrets")
    return found


def _addresses(values: Mapping[str, str]) -> list[str]:
    found = [
        f"{name}: not an address such as http://localhost:8501"
        for name in _URLS
        if name in values and not _is_web_address(values[name])
    ]
    endpoint = values.get("TALKINGPHOTO_S3_ENDPOINT")
    if endpoint and not _is_web_address(endpoint):
        found.append("TALKINGPHOTO_S3_ENDPOINT: not an address such as https://s3.example.com")
    database = values.get("DATABASE_URL", "postgresql://")
    if not re.match(r"^postgres(ql)?(\+psycopg)?://", database):
        found.append("DATABASE_URL: must begin with postgresql://")
    if not re.match(r"^(rediss?|unix)://", values.get("REDIS_URL", "redis://")):
        found.append("REDIS_URL: must begin with redis:// or rediss://")
    if not re.match(r"^smtps?(\+starttls)?://", values.get("TALKINGPHOTO_SMTP_URL", "smtp://")):
        found.append("TALKINGPHOTO_SMTP_URL: must begin with smtp://, smtp+starttls:// or smtps://")
    return found


def _video_engine(values: Mapping[str, str], *, skip: list[str]) -> list[str]:
    if values.get("TALKINGPHOTO_VIDEO_ENGINE") != "hosted":
        return []
    found = [
        f"{name}: missing; an engine elsewhere needs its address, its key and its webhook secret"
        for name in _HOSTED_ENGINE
        if name not in values and name not in skip
    ]
    url, _, secret = (values.get(name) for name in _HOSTED_ENGINE)
    if url is not None and not _is_safe_address(url):
        found.append(f"{_HOSTED_ENGINE[0]}: must begin with https://, or be on this machine")
    if secret is not None and len(secret) < SHORTEST_SECRET:
        found.append(f"{_HOSTED_ENGINE[2]}: shorter than {SHORTEST_SECRET} characters; {_MAKE_ONE}")
    return found


def _provenance(values: Mapping[str, str], *, skip: list[str]) -> list[str]:
    given = [name for name in _C2PA if name in values]
    found = [
        f"{name}: not the whole path of a file, such as /etc/talkingphoto/c2pa.pem"
        for name in given
        if not (Path(values[name]).is_absolute() and Path(values[name]).is_file())
    ]
    missing = [name for name in _C2PA if name not in values and name not in skip]
    if len(missing) == 1:
        found.append(f"{missing[0]}: missing; a certificate signs only with its key: set both")
    return found


def _is_safe_address(value: str) -> bool:
    """Photos and a key go there: in the clear only within this machine."""
    if not _is_web_address(value):
        return False
    parts = urlsplit(value)
    return parts.scheme == "https" or parts.hostname in {"localhost", "127.0.0.1", "::1"}


def _storage(values: Mapping[str, str], *, skip: list[str]) -> list[str]:
    if values.get("TALKINGPHOTO_STORAGE") != "s3":
        return [
            f"{name}: set, but TALKINGPHOTO_STORAGE is not s3; set that too, or remove this"
            for name in _S3
            if name in values
        ]
    return [
        f"{name}: missing; TALKINGPHOTO_STORAGE=s3 needs it"
        for name in _S3_NEEDED
        if name not in values and name not in skip
    ]


def _is_web_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        port = parts.port  # Read here, because it is where a port that is no number shows.
    except ValueError:
        return False
    named = bool(parts.hostname) and port != 0
    return parts.scheme in {"http", "https"} and named and not parts.fragment


def _missing(names: Iterable[str], values: Mapping[str, str], *, skip: list[str]) -> list[str]:
    return [
        f"{name}: missing; it is needed beside the other keys"
        for name in names
        if name not in values and name not in skip
    ]


_MAKE_ONE = "make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"

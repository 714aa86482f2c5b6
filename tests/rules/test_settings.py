"""O7: what may not be set together, or at all, is refused by name and never by value."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from talkingphoto.foundation import settings
from tests.support.settings_cases import LIVE, OWN, REAL, loaded, refusal

# What a guide's reader has after copying its §2 and changing nothing.
GUIDE_BLOCK = {
    "STRIPE_PUBLISHABLE_KEY": "pk_test_...",
    "STRIPE_SECRET_KEY": "sk_test_...",
    "STRIPE_WEBHOOK_SECRET": "whsec_...",
    **{
        f"STRIPE_{plan}_{interval}_PRICE_ID": "price_..."
        for plan in ("STARTER", "PRO", "ENTERPRISE")
        for interval in ("MONTHLY", "YEARLY")
    },
    "SECRET_KEY": "your-secret-key-here",
    "JWT_SECRET_KEY": "your-jwt-secret-here",
    "DATABASE_URL": "postgresql://user:password@localhost:5432/talkingphoto_mvp",
    "REDIS_URL": "redis://localhost:6379/0",
}
SHORT = "s" * 31
LONG = "s" * 32
HOSTED = {
    "TALKINGPHOTO_VIDEO_ENGINE": "hosted",
    "TALKINGPHOTO_VIDEO_ENGINE_URL": "https://engine.example/v1",
    "TALKINGPHOTO_VIDEO_ENGINE_KEY": "an-engine-key",
    "TALKINGPHOTO_VIDEO_ENGINE_WEBHOOK_SECRET": LONG,
}

# (what is changed in a complete set of real test keys, the variables that are named)
FAULTS_WITH_TEST_KEYS: dict[str, tuple[dict[str, str], set[str]]] = {
    "webhook secret missing": ({"STRIPE_WEBHOOK_SECRET": ""}, {"STRIPE_WEBHOOK_SECRET"}),
    "webhook secret blank": ({"STRIPE_WEBHOOK_SECRET": "  "}, {"STRIPE_WEBHOOK_SECRET"}),
    "webhook secret is no such thing": (
        {"STRIPE_WEBHOOK_SECRET": "hunter2hunter2"},
        {"STRIPE_WEBHOOK_SECRET"},
    ),
    "webhook secret too short": ({"STRIPE_WEBHOOK_SECRET": "whsec_1"}, {"STRIPE_WEBHOOK_SECRET"}),
    "one of two webhook secrets wrong": (
        {"STRIPE_WEBHOOK_SECRET": "whsec_0123456789abcdef,hunter2hunter2"},
        {"STRIPE_WEBHOOK_SECRET"},
    ),
    "webhook secret a placeholder": (
        {"STRIPE_WEBHOOK_SECRET": "whsec_..."},
        {"STRIPE_WEBHOOK_SECRET"},
    ),
    "secret key a placeholder": ({"STRIPE_SECRET_KEY": "sk_test_..."}, {"STRIPE_SECRET_KEY"}),
    "secret key is the publishable one": (
        {"STRIPE_SECRET_KEY": "pk_test_0123456789abcdef"},
        {"STRIPE_SECRET_KEY"},
    ),
    "secret key cut off": ({"STRIPE_SECRET_KEY": "sk_test_0123"}, {"STRIPE_SECRET_KEY"}),
    "publishable key is the secret one": (
        {"STRIPE_PUBLISHABLE_KEY": "sk_test_fedcba9876543210"},
        {"STRIPE_PUBLISHABLE_KEY"},
    ),
    "publishable key of the other mode": (
        {"STRIPE_PUBLISHABLE_KEY": "pk_live_0123456789abcdef"},
        {"STRIPE_PUBLISHABLE_KEY"},
    ),
    "price id is a product": (
        {"STRIPE_PRO_YEARLY_PRICE_ID": "prod_0123456789"},
        {"STRIPE_PRO_YEARLY_PRICE_ID"},
    ),
    "price id as the guide prints it": (
        {"STRIPE_PRO_YEARLY_PRICE_ID": "price_..."},
        {"STRIPE_PRO_YEARLY_PRICE_ID"},
    ),
    "secret missing": ({"SECRET_KEY": ""}, {"SECRET_KEY"}),
    "second secret missing": ({"JWT_SECRET_KEY": ""}, {"JWT_SECRET_KEY"}),
    "secret too short": ({"SECRET_KEY": SHORT}, {"SECRET_KEY"}),
    "second secret too short": ({"JWT_SECRET_KEY": SHORT}, {"JWT_SECRET_KEY"}),
    "secrets the same": ({"SECRET_KEY": LONG, "JWT_SECRET_KEY": LONG}, {"JWT_SECRET_KEY"}),
    "secret as in the guide": ({"SECRET_KEY": "your-secret-key-here"}, {"SECRET_KEY"}),
    "secret as in the guide's production": (
        {"SECRET_KEY": "generate-strong-production-key-of-many-letters"},
        {"SECRET_KEY"},
    ),
    "the sandbox's clock": ({"TALKINGPHOTO_CLOCK": "sandbox"}, {"TALKINGPHOTO_CLOCK"}),
    "return address as in the guide": (
        {"STRIPE_SUCCESS_URL": "https://your-domain.com/success"},
        {"STRIPE_SUCCESS_URL"},
    ),
}
# (what is set on top of nothing, the variables that are named)
FAULTS_IN_THE_SANDBOX: dict[str, tuple[dict[str, str], set[str]]] = {
    "webhook secret without a key": (
        {"STRIPE_WEBHOOK_SECRET": "whsec_0123456789abcdef"},
        {"STRIPE_WEBHOOK_SECRET"},
    ),
    "publishable key without a key": (
        {"STRIPE_PUBLISHABLE_KEY": "pk_test_0123456789abcdef"},
        {"STRIPE_PUBLISHABLE_KEY"},
    ),
    "short secret": ({"SECRET_KEY": SHORT}, {"SECRET_KEY"}),
    "no scheme": ({"APP_URL": "shop.example:8501"}, {"APP_URL"}),
    "another scheme": ({"WEB_URL": "ftp://localhost:5001"}, {"WEB_URL"}),
    "no host": ({"APP_URL": "http:///app"}, {"APP_URL"}),
    "half an IPv6 address": ({"APP_URL": "http://[::1"}, {"APP_URL"}),
    "a port that is no number": ({"APP_URL": "http://localhost:eight"}, {"APP_URL"}),
    "a port too high": ({"APP_URL": "http://localhost:65536"}, {"APP_URL"}),
    "a fragment": ({"STRIPE_CANCEL_URL": "http://localhost/#cancel"}, {"STRIPE_CANCEL_URL"}),
    "another database": ({"DATABASE_URL": "mysql://root:hunter2@localhost"}, {"DATABASE_URL"}),
    "another cache": ({"REDIS_URL": "memcached://hunter2@localhost"}, {"REDIS_URL"}),
    "mail over HTTP": ({"TALKINGPHOTO_SMTP_URL": "http://localhost"}, {"TALKINGPHOTO_SMTP_URL"}),
    "unknown kind of worker": ({"WORKER": "yes please"}, {"WORKER"}),
    "hops that are no number": (
        {"TALKINGPHOTO_TRUSTED_PROXIES": "one"},
        {"TALKINGPHOTO_TRUSTED_PROXIES"},
    ),
    "fewer hops than none": (
        {"TALKINGPHOTO_TRUSTED_PROXIES": "-1"},
        {"TALKINGPHOTO_TRUSTED_PROXIES"},
    ),
    "unknown clock": ({"TALKINGPHOTO_CLOCK": "sundial"}, {"TALKINGPHOTO_CLOCK"}),
    "retries owned by nobody": ({"DUNNING_OWNER": "nobody"}, {"DUNNING_OWNER"}),
    "an engine of neither kind": (
        {"TALKINGPHOTO_VIDEO_ENGINE": "steam"},
        {"TALKINGPHOTO_VIDEO_ENGINE"},
    ),
    "a hosted engine without anything": (
        {"TALKINGPHOTO_VIDEO_ENGINE": "hosted"},
        {f"TALKINGPHOTO_VIDEO_ENGINE_{name}" for name in ("URL", "KEY", "WEBHOOK_SECRET")},
    ),
    "a hosted engine without its webhook secret": (
        HOSTED | {"TALKINGPHOTO_VIDEO_ENGINE_WEBHOOK_SECRET": " "},
        {"TALKINGPHOTO_VIDEO_ENGINE_WEBHOOK_SECRET"},
    ),
    "a hosted engine with a short webhook secret": (
        HOSTED | {"TALKINGPHOTO_VIDEO_ENGINE_WEBHOOK_SECRET": "hunter2hunter2"},
        {"TALKINGPHOTO_VIDEO_ENGINE_WEBHOOK_SECRET"},
    ),
    "a hosted engine in the clear": (
        HOSTED | {"TALKINGPHOTO_VIDEO_ENGINE_URL": "http://engine.example"},
        {"TALKINGPHOTO_VIDEO_ENGINE_URL"},
    ),
    "a hosted engine as in the example": (
        HOSTED | {"TALKINGPHOTO_VIDEO_ENGINE_URL": "https://engine.your-domain.com/v1"},
        {"TALKINGPHOTO_VIDEO_ENGINE_URL"},
    ),
    "a certificate without its key": (
        {"TALKINGPHOTO_C2PA_CERTIFICATE": __file__},
        {"TALKINGPHOTO_C2PA_KEY"},
    ),
    "a key without its certificate": (
        {"TALKINGPHOTO_C2PA_KEY": __file__},
        {"TALKINGPHOTO_C2PA_CERTIFICATE"},
    ),
    "a certificate that is not there": (
        {"TALKINGPHOTO_C2PA_CERTIFICATE": "/etc/hunter2.pem", "TALKINGPHOTO_C2PA_KEY": __file__},
        {"TALKINGPHOTO_C2PA_CERTIFICATE"},
    ),
    "a key somewhere below": (
        {"TALKINGPHOTO_C2PA_CERTIFICATE": __file__, "TALKINGPHOTO_C2PA_KEY": "hunter2.pem"},
        {"TALKINGPHOTO_C2PA_KEY"},
    ),
    "unknown level": ({"TALKINGPHOTO_LOG_LEVEL": "verbose"}, {"TALKINGPHOTO_LOG_LEVEL"}),
    "a misspelt name of ours": ({"TALKINGPHOTO_DATE": "/srv/hunter2"}, {"TALKINGPHOTO_DATE"}),
}
FAULTS_WITH_LIVE_KEYS: dict[str, tuple[dict[str, str], set[str]]] = {
    "app over http": ({"APP_URL": "http://shop.example"}, {"APP_URL"}),
    "web over http": ({"WEB_URL": "http://shop.example"}, {"WEB_URL"}),
    "no public addresses": ({"APP_URL": "", "WEB_URL": ""}, {"APP_URL", "WEB_URL"}),
    "return over http": (
        {"STRIPE_SUCCESS_URL": "http://shop.example/success"},
        {"STRIPE_SUCCESS_URL"},
    ),
    "a sandbox for an API": (
        {"STRIPE_API_BASE": "http://127.0.0.1:12111"},
        {"STRIPE_API_BASE"},
    ),
    "publishable key of the other mode": (
        {"STRIPE_PUBLISHABLE_KEY": "pk_test_0123456789abcdef"},
        {"STRIPE_PUBLISHABLE_KEY"},
    ),
    "the sandbox's clock": ({"TALKINGPHOTO_CLOCK": "sandbox"}, {"TALKINGPHOTO_CLOCK"}),
    "a half address": ({"APP_URL": "https://["}, {"APP_URL"}),
}


def refuses(given: dict[str, str], changed: dict[str, str], named: set[str], folder: Path) -> None:
    """Refused naming exactly these variables, one line each, and no value that was changed."""
    faults = refusal(given | changed, folder)
    assert {line.partition(":")[0] for line in faults} == named
    assert len(faults) == len(named)
    said = "\n".join(faults)
    for value in changed.values():
        assert not value.strip() or value not in said
        assert "hunter2" not in said


@pytest.mark.parametrize("case", FAULTS_WITH_TEST_KEYS)
def test_o7_a_bad_value_beside_real_test_keys_is_named(case: str, tmp_path: Path) -> None:
    changed, named = FAULTS_WITH_TEST_KEYS[case]
    refuses(REAL, changed, named, tmp_path)


@pytest.mark.parametrize("case", FAULTS_IN_THE_SANDBOX)
def test_o7_a_bad_value_without_any_stripe_key_is_named(case: str, tmp_path: Path) -> None:
    changed, named = FAULTS_IN_THE_SANDBOX[case]
    refuses({}, changed, named, tmp_path)


@pytest.mark.parametrize("case", FAULTS_WITH_LIVE_KEYS)
def test_o7_a_bad_value_beside_live_keys_is_named(case: str, tmp_path: Path) -> None:
    changed, named = FAULTS_WITH_LIVE_KEYS[case]
    refuses(LIVE, changed, named, tmp_path)


def test_o7_every_fault_is_told_at_once(tmp_path: Path) -> None:
    bad = REAL | {
        "STRIPE_SECRET_KEY": "sk_test_...",
        "STRIPE_WEBHOOK_SECRET": "hunter2hunter2",
        "SECRET_KEY": SHORT,
        "JWT_SECRET_KEY": "",
        "DATABASE_URL": "oracle://scott:tiger@db",
        "TALKINGPHOTO_LOG_LEVEL": "verbose",
        "TALKINGPHOTO_TYPO": "x",
    }
    named = {line.partition(":")[0] for line in refusal(bad, tmp_path)}
    assert named == set(bad) - set(REAL) | {
        "STRIPE_SECRET_KEY",
        "STRIPE_WEBHOOK_SECRET",
        "SECRET_KEY",
        "JWT_SECRET_KEY",
    }


def test_o7_the_guides_block_as_printed_is_refused_naming_its_placeholders(tmp_path: Path) -> None:
    faults = refusal(GUIDE_BLOCK, tmp_path)
    assert {line.partition(":")[0] for line in faults} == set(GUIDE_BLOCK) - {
        "DATABASE_URL",
        "REDIS_URL",
    }
    assert all("placeholder" in line for line in faults)
    assert not any(value in line for value in GUIDE_BLOCK.values() for line in faults)


def test_w6_an_empty_webhook_secret_beside_a_real_key_refuses_to_start(tmp_path: Path) -> None:
    for empty in ("", " ", ",", " , "):
        with pytest.raises(settings.SettingsFault) as refused:
            loaded(REAL | {"STRIPE_WEBHOOK_SECRET": empty}, tmp_path)
        assert "STRIPE_WEBHOOK_SECRET" in str(refused.value)


def test_a_complete_set_of_test_keys_is_accepted_and_calls_stripe(tmp_path: Path) -> None:
    chosen = loaded(REAL, tmp_path)
    assert not chosen.sandbox
    assert not chosen.livemode
    assert chosen.stripe_api_base == settings.LIVE_API_BASE
    assert not (tmp_path / "data").exists()


def test_a_complete_set_of_live_keys_is_accepted(tmp_path: Path) -> None:
    chosen = loaded(LIVE, tmp_path)
    assert chosen.livemode
    assert not chosen.sandbox


def test_the_sandboxes_clock_is_followed_when_asked_for_and_no_key_is_set(tmp_path: Path) -> None:
    assert loaded({}, tmp_path).clock == "system"
    assert loaded({"TALKINGPHOTO_CLOCK": "sandbox"}, tmp_path).clock == "sandbox"
    assert loaded(REAL | {"TALKINGPHOTO_CLOCK": "system"}, tmp_path).clock == "system"


def test_the_guides_block_with_its_placeholders_filled_in_is_accepted(tmp_path: Path) -> None:
    filled = GUIDE_BLOCK | REAL | {n: "price_1AbC" for n in GUIDE_BLOCK if n.endswith("_ID")}
    chosen = loaded(filled, tmp_path)
    assert chosen.database_url.get_secret_value() == GUIDE_BLOCK["DATABASE_URL"]
    assert chosen.price_id("pro:year") == "price_1AbC"
    assert chosen.price_id("pack:50") == ""


def test_a_restricted_key_is_a_secret_key_too(tmp_path: Path) -> None:
    assert not loaded(REAL | {"STRIPE_SECRET_KEY": "rk_test_0123456789"}, tmp_path).sandbox


def test_a_secret_of_exactly_32_characters_is_long_enough(tmp_path: Path) -> None:
    assert loaded(REAL | {"SECRET_KEY": LONG}, tmp_path).secret_key.get_secret_value() == LONG


def test_w5_two_webhook_secrets_are_both_in_use_newest_first(tmp_path: Path) -> None:
    both = {"STRIPE_WEBHOOK_SECRET": "whsec_newnewnew , whsec_oldoldold,"}
    assert loaded(REAL | both, tmp_path).webhook_secrets == ("whsec_newnewnew", "whsec_oldoldold")


def test_secrets_are_stars_wherever_settings_are_printed(tmp_path: Path) -> None:
    secret = {
        **REAL,
        **OWN,
        "DATABASE_URL": "postgresql://u:db-password@localhost/x",
        "REDIS_URL": "redis://:redis-password@localhost",
        "TALKINGPHOTO_SMTP_URL": "smtp://u:mail-password@localhost",
    }
    chosen = loaded(secret, tmp_path)
    for printed in (repr(chosen), str(chosen), f"{chosen}", str(chosen.model_dump())):
        for name, value in secret.items():
            assert name == "STRIPE_PUBLISHABLE_KEY" or value not in printed
        assert "password" not in printed


def test_a_hosted_engine_is_reached_by_https_or_on_this_machine(tmp_path: Path) -> None:
    assert loaded({}, tmp_path).video_engine == "embedded"
    assert loaded(HOSTED, tmp_path).video_engine_url == "https://engine.example/v1"
    near = HOSTED | {"TALKINGPHOTO_VIDEO_ENGINE_URL": "http://127.0.0.1:9000"}
    assert loaded(near, tmp_path).video_engine == "hosted"


def test_settings_cannot_be_changed_once_read(tmp_path: Path) -> None:
    chosen = loaded({}, tmp_path)
    with pytest.raises(ValidationError):
        chosen.app_url = "http://localhost:1"


def test_addresses_lose_their_last_slash_and_carry_the_session_id(tmp_path: Path) -> None:
    chosen = loaded({"APP_URL": "http://localhost:8501/", "WEB_URL": "http://h:1/"}, tmp_path)
    assert chosen.app_url == "http://localhost:8501"
    assert chosen.web_url == "http://h:1"
    assert chosen.cancel_url(item="pack:10") == "http://localhost:8501/cancel?item=pack%3A10"
    assert chosen.success_url == "http://localhost:8501/success?session_id={CHECKOUT_SESSION_ID}"
    given = {"STRIPE_SUCCESS_URL": "https://x.example/done?from=stripe"}
    assert loaded(given, tmp_path).success_url == (
        "https://x.example/done?from=stripe&session_id={CHECKOUT_SESSION_ID}"
    )


@pytest.mark.parametrize(
    ("address", "as_a_browser_sends_it"),
    [
        ("http://localhost:8501", "http://localhost:8501"),
        ("https://Shop.Example/app", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("http://shop.example:80/", "http://shop.example"),
        ("http://[::1]:5001", "http://[::1]:5001"),
    ],
)
def test_s14_allowed_origins_are_written_as_browsers_send_them(
    address: str, as_a_browser_sends_it: str, tmp_path: Path
) -> None:
    chosen = loaded({"APP_URL": address, "WEB_URL": address}, tmp_path)
    assert chosen.allowed_origins == {as_a_browser_sends_it}

"""What a password must be, and what comparing one costs."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkingphoto.accounts import common_passwords, passwords
from talkingphoto.foundation import errors

EMAIL = "ada.lovelace@engines.example.com"


def verdict(password: str, *, email: str = EMAIL) -> str:
    """The code of the rule that is broken; `ok` when none is."""
    try:
        passwords.check(password, email=email)
    except errors.InvalidRequest as refusal:
        return refusal.code.removeprefix("auth.password_")
    return "ok"


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("an owl at dawn", "short"),  # 14
        ("an owl at dawn!", "ok"),  # 15
        ("", "short"),
        (" " * 14, "short"),
        ("owl at dawn, " * 19 + "and more!", "ok"),  # 256
        ("owl at dawn, " * 19 + "and more!!", "long"),  # 257
        ("čtrnáct žluťoučkých koní", "ok"),
        ("夜明けに新聞を読むふくろうの話です", "ok"),
        ("🦉 📰 🌅 fünf Wörter", "ok"),
        ("u\u0308ber den wolken", "ok"),  # 15 in its composed form
        ("u\u0308ber den wolke", "short"),  # 14 in its composed form
        ("allsmallletterswithoutspaces", "ok"),
        ("7391 4062 8855 1937", "ok"),
    ],
)
def test_s1_length_alone_decides_and_every_character_counts(password: str, expected: str) -> None:
    assert verdict(password) == expected


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "Password12345678",
        "P@ssword1234567!",
        "123456789012345",
        "987654321098765",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabc",
        "qwertyuiopasdfghjkl",
        "1q2w3e4r5t6y7u8i",
        "iloveyou iloveyou",
        "Welcome Summer 2026!",
        "correct horse battery staple",
        "talkingphoto2026",
        "...............",
        EMAIL,
        "ada lovelace ada",
        "AdaLovelace2026!",
        "engines.example.com",
    ],
)
def test_s1_what_everybody_tries_first_is_refused(password: str) -> None:
    assert verdict(password) == "common"


@pytest.mark.parametrize(
    "password",
    [
        "my password is a green tractor",
        "summer rain on a tin roof",
        "the dragon ate nine scones",
        "an owl reads the paper at dawn",
        "Vx7#qLm2!tRw9zKd",
    ],
)
def test_s1_a_common_word_inside_something_of_ones_own_is_fine(password: str) -> None:
    assert verdict(password) == "ok"


@given(st.text(max_size=300), st.emails())
def test_s1_any_text_gets_a_verdict(password: str, email: str) -> None:
    assert verdict(password, email=email) in {"ok", "short", "long", "common"}


@given(st.text(alphabet=st.characters(), min_size=15, max_size=20))
def test_s1_lone_surrogates_and_all_other_characters_can_be_judged(password: str) -> None:
    assert common_passwords.is_common(password, email="") in {True, False}
    assert verdict(password) != "long"


@pytest.mark.parametrize("password", ["a\0b" * 5, "\ud800" * 15, "x" * 4000, "e\u0301" * 20])
def test_s2_what_was_hashed_matches_and_nothing_near_it_does(password: str) -> None:
    stored = passwords.hash_of(password)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.matches(stored, password)
    assert not passwords.matches(stored, password[:-1])
    assert not passwords.matches(stored, f"{password} ")
    assert not passwords.is_outdated(stored)


def test_s3_nobodys_password_is_never_right_and_takes_as_long() -> None:
    stored = passwords.hash_of("an owl reads the paper")
    assert not passwords.matches(None, "nobody signs in with this")

    def fastest(known: str | None) -> float:
        return min(measured(known) for _ in range(5))

    def measured(known: str | None) -> float:
        begun = time.process_time()
        assert not passwords.matches(known, "something else entirely")
        return time.process_time() - begun

    assert 0.1 < fastest(None) / fastest(stored) < 10

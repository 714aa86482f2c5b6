"""Passwords that guessing programs try first, at the lengths we accept.

A list of every long common password would still miss "Password12345678". So what everybody uses
(words, keyboard rows, runs, repeats, years and the owner's own address) is taken out first; when
next to nothing is left, the password is a common one.
"""

from __future__ import annotations

import re

# Shorter remains than this add too little to a password made of common parts.
_FEWEST_OWN_CHARACTERS = 5
_SHORTEST_RUN = 3

_WHOLE = frozenset(
    {
        "correcthorsebatterystaple",
        "thisismypassword",
        "mypasswordispassword",
        "idontknowmypassword",
        "thequickbrownfoxjumpsoverthelazydog",
        "tobeornottobethatisthequestion",
        "maytheforcebewithyou",
        "loremipsumdolorsitamet",
        "incorrectpassword",
        "youshallnotpass",
    }
)
_WORDS = (
    "password passwort passw0rd p4ssw0rd passwd kennwort contrasena motdepasse welcome willkommen"
    " letmein iloveyou ichliebedich princess sunshine football baseball basketball superman batman"
    " monkey dragon master shadow michael jordan jennifer charlie ashley jessica daniel thomas"
    " trustno1 starwars whatever freedom computer internet secret default changeme admin"
    " administrator root user login guest test testing hello google facebook linkedin microsoft"
    " apple samsung pokemon liverpool chelsea arsenal barcelona summer winter spring autumn"
    " january february march april june july august september october november december monday"
    " tuesday wednesday thursday friday saturday sunday talkingphoto talking photo stripe my the"
)
_DISGUISES = str.maketrans("@$", "as")
_RUNS = (
    "01234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "yxcvbnm",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "qazwsxedcrfvtgbyhnujm",
)


def is_common(password: str, *, email: str) -> bool:
    """Whether a guessing program that knows the address would soon arrive at this password."""
    folded = _letters_and_digits(password)
    if folded in _WHOLE:
        return True
    own = _without_words(folded, (*_parts_of(email), *_WORDS.split()))
    own = re.sub(r"(?:19|20)\d\d", "", own)
    own = _without_runs(re.sub(r"(.{1,4}?)\1{2,}", "", own))
    return len(own) < _FEWEST_OWN_CHARACTERS


def _letters_and_digits(text: str) -> str:
    kept = [letter for letter in text.casefold().translate(_DISGUISES) if letter.isalnum()]
    # A password of signs alone is judged as it stands.
    return "".join(kept) or text


def _parts_of(email: str) -> tuple[str, ...]:
    local_part, _, domain = email.casefold().partition("@")
    parts = (email, local_part, domain, domain.partition(".")[0], *re.split(r"\W", local_part))
    folded = {_letters_and_digits(part) for part in parts if len(part) >= _SHORTEST_RUN}
    return tuple(sorted(folded, key=len, reverse=True))


def _without_words(text: str, words: tuple[str, ...]) -> str:
    for word in sorted(words, key=len, reverse=True):
        text = text.replace(word, "")
    return text


def _without_runs(text: str) -> str:
    """What is left when pieces of the alphabet, the digits and keyboard rows are taken out."""
    left, place = [], 0
    while place < len(text):
        length = _run_at(text, place)
        if length < _SHORTEST_RUN:
            left.append(text[place])
            length = 1
        place += length
    return "".join(left)


def _run_at(text: str, place: int) -> int:
    """How many characters from here on follow each other in some row, forwards or backwards."""
    longest = 0
    for row in (*_RUNS, *(run[::-1] for run in _RUNS)):
        length = longest
        while place + length < len(text) and text[place : place + length + 1] in row:
            length += 1
        longest = length
    return longest

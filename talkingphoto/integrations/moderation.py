"""What a photo may not be made to say: the port, and the word rules that stand behind it here.

The rules are few and narrow on purpose. A rule that hits an honest text costs a customer; what the
rules miss is met by the mark on every video and by reports.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Objection:
    """Why a text is refused: `code` never changes, `message` is for the customer."""

    code: str
    message: str


class TextModeration(Protocol):
    """The port: a hosted classifier may stand here too. No implementation logs the text."""

    def look(self, text: str) -> Objection | None:
        """What speaks against the text; None when nothing does."""


@dataclass(frozen=True)
class _Rule:
    objection: Objection
    # Each has to be found, in any order, within one sentence.
    words: tuple[re.Pattern[str], ...]


def _rule(code: str, message: str, *words: str) -> _Rule:
    patterns = tuple(re.compile(rf"(?<!\w)(?:{word})(?!\w)") for word in words)
    return _Rule(Objection(code, message), patterns)


_THREAT = "This reads as a threat to somebody. We do not make such videos."
_MINORS = "Sexual content with minors is refused and may be reported."
_HATE = "This text attacks people for what they are. We do not make such videos."
_OFFICIAL = "A video may not pretend to come from an authority, a bank or an election office."
_MONEY = "A video may not ask for passwords, codes or payments in somebody's name."

_I = r"(?:i|we|i'?m|i'?ll|we'?ll|we'?re)"
_WILL = r"(?:(?:will|am|are|gonna|going to|want to|have come to) )*"
_HARM = r"(?:kill|murder|stab|rape|behead|hunt down|burn down|blow up)"
_KIN = r"(?:family|kids?|children|wife|husband|mother|father|mom|mum|dad|daughter|son|house|home)"
_VICTIM = rf"(?:you|him|her|them|all of you|your {_KIN}|every (?:man|woman|one of (?:you|them)))"
_SHOT = r"shoot (?:you|him|her|them|up) (?:dead|in the head|in the face|(?:the|your) school)"
_CHILD = (
    r"child(?:ren)?|kids?|minors?|toddlers?|pre-?teens?|under-?aged?|school ?girls?|school ?boys?"
    r"|little (?:girls?|boys?)|(?:[1-9]|1[0-7])[- ]year[- ]olds?"
)
_SEXUAL = (
    r"sex(?! ed| education)|sexy|sexual(?! health)|porn(?:o|ography|ographic)?|nudes?|erotic"
    r"|naked(?! truth| eye)|orgasms?|masturbat(?:e|es|ed|ing)|blow ?jobs?|fuck"
)
_PEOPLES = (
    r"jews?|muslims?|christians?|hindus?|blacks?|whites?|asians?|arabs?|gays?|lesbians?|immigrants?"
    r"|refugees?|trans(?: people)?|gypsies|roma|disabled people|homosexuals?"
)
_AGAINST = (
    r"(?:should|must|deserve to|have to|ought to) (?:all )?(?:die|be (?:killed|exterminated|gassed"
    r"|eradicated|shot|hanged|deported))|(?:are|is) (?:all )?(?:vermin|subhumans?|cockroaches|rats"
    r"|parasites|animals|filth|a disease)|gas the|exterminate|heil hitler"
)
_AUTHORITY = (
    r"(?:this is|we are|we're|speaking for|(?:calling|call|calls|writing) (?:you )?from"
    r"|(?:i am|i'm) (?:\w+ ){0,3}?(?:from|with)) "
    r"(?:the |your )?(?:local |federal |state |national )?"
    r"(?:police|fbi|cia|irs|hmrc|interpol|europol|tax (?:office|authority)|immigration office"
    r"|social security administration|election (?:office|commission)|bank security"
    r"|fraud department|bank's fraud department)(?: department| office| speaking| calling)*"
    r"(?= ?(?:$|[,;:]|and|about|with|you|your|we))"
)
_DEMAND = (
    r"(?:send|give|tell|read|transfer|wire)(?: \w+){0,3}? (?:your|me|us)(?: \w+){0,2}? "
    r"(?:passwords?|pins?|pin code|one[- ]time codes?|security codes?|verification codes?)"
    r"|(?:send|give|transfer|wire|pay) (?:me|us)(?: \w+){0,4}? "
    r"(?:gift cards?|bitcoins?|bail money|ransom)"
)
_POLLS = r"(?:polls?|polling (?:places?|stations?)|election|voting)"
_CLOSED = r"(?:is|are|has been|have been|was|were) (?:closed|cancell?ed|moved|postponed)"

_RULES = (
    _rule("moderation.threat", _THREAT, rf"{_I} {_WILL}(?:{_HARM} {_VICTIM}|{_SHOT})"),
    _rule(
        "moderation.threat",
        _THREAT,
        r"(?:there is|there's|i have|we have|i've|we've|i|we) (?:placed |planted |hidden )?"
        r"(?:a |the )?bombs? (?:in|at|under|inside)",
    ),
    _rule("moderation.minors", _MINORS, _CHILD, _SEXUAL),
    _rule("moderation.hate", _HATE, _PEOPLES, _AGAINST),
    _rule("moderation.impersonation", _OFFICIAL, _AUTHORITY),
    _rule("moderation.impersonation", _OFFICIAL, _POLLS, _CLOSED),
    _rule("moderation.fraud", _MONEY, _DEMAND),
)
_SENTENCE = re.compile(r"[.!?\n]+")
_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u02bc": "'"})
_DISGUISES = str.maketrans("013457@$", "oieastas")
_SPACES = re.compile(r"\s+")


class WordRules:
    """The local default: refuses what a person would refuse at once, in English."""

    def look(self, text: str) -> Objection | None:
        """The first rule that a sentence of the text breaks; None when none is."""
        plain = _plain(text)
        # A line's end may end a sentence, or stand in the middle of one.
        whole = _SPACES.sub(" ", plain)
        for sentence in (*_SENTENCE.split(plain), *_SENTENCE.split(whole)):
            for read in (sentence, sentence.translate(_DISGUISES)):
                for rule in _RULES:
                    if all(word.search(read) for word in rule.words):
                        return rule.objection
        return None


def _plain(text: str) -> str:
    """Small letters without accents or look-alike forms, one space between words."""
    apart = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES)).casefold()
    letters = "".join(
        letter
        for letter in apart
        if not unicodedata.combining(letter) and unicodedata.category(letter) != "Cf"
    )
    lines = (_SPACES.sub(" ", line).strip() for line in letters.splitlines())
    return "\n".join(lines)

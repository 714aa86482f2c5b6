"""What a photo may not be made to say, and the honest texts that look a little like it."""

from __future__ import annotations

import pytest

from talkingphoto.integrations.moderation import WordRules

REFUSED = {
    "I will kill you.": "moderation.threat",
    "We\u2019re going to murder your family": "moderation.threat",
    "I'm gonna k1ll you": "moderation.threat",
    "I WILL  KILL\tYOU": "moderation.threat",
    "I will ki\u200bll you": "moderation.threat",
    "\uff29 \uff57ill kill you": "moderation.threat",
    "I'll shoot up your school": "moderation.threat",
    "There is a bomb in the station": "moderation.threat",
    "naked kids": "moderation.minors",
    "A sexy 14-year-old": "moderation.minors",
    "Jews should be killed": "moderation.hate",
    "All immigrants are vermin": "moderation.hate",
    "This is the police, and you owe us money": "moderation.impersonation",
    "Hello, this is Tom, calling from the IRS about your taxes": "moderation.impersonation",
    "The polls are closed on Tuesday": "moderation.impersonation",
    "Send me your gift cards": "moderation.fraud",
    "Please read me the PIN code": "moderation.fraud",
}
HONEST = [
    "Good morning. Welcome to our shop.",
    "Scunthorpe United play Essex, Sussex and Middlesex this week.",
    "We'll burn your calories and blow up your balloons!",
    "We shoot every wedding with love.",
    "The class assessed the cockpit of the cockatoo's analysis.",
    "This is the police car my dad drove.",
    "I am interested in how the police work.",
    "Children see with the naked eye. Sex education begins later.",
    "You can pay with bitcoin, and we sell gift cards.",
    "Refugees are people. Rats are animals.",
    "My password is safe with me.",
    "The election is on Sunday, and the polls open at eight.",
    "This is your captain speaking.",
    "Kill two birds with one stone.",
    "I want to kill the lights and see the stars.",
    "Guten Morgen! Wir sind die Kinder von der Schule.",
    "",
]


@pytest.mark.parametrize("text", REFUSED)
def test_what_may_not_be_said_is_refused_with_its_own_code(text: str) -> None:
    objection = WordRules().look(text)
    assert objection is not None
    assert objection.code == REFUSED[text]
    assert text not in objection.message


@pytest.mark.parametrize("text", HONEST)
def test_an_honest_text_is_not_refused(text: str) -> None:
    assert WordRules().look(text) is None


def test_a_rule_looks_within_one_sentence() -> None:
    assert WordRules().look("Kids love it. Sexy cars are for grown-ups.") is None


def test_a_sentence_over_several_lines_is_one_sentence() -> None:
    objection = WordRules().look("Hello.\nI will\nkill\n\nyou.")
    assert objection is not None
    assert objection.code == "moderation.threat"


def test_the_worst_of_600_characters_is_read_quickly() -> None:
    # A rule with nested repetition would hang here.
    for text in ("i am " * 120, "this is " * 75, "send " * 120, "i will have come to " * 30):
        assert WordRules().look(text) is None

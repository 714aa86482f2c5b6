"""Which voices there are, what each can read, and the text as speech."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from talkingphoto.integrations.video import port
from talkingphoto.integrations.video.engine import basic_voice, neural_voice, wording
from talkingphoto.integrations.video.engine.spoken import Phoneme, Speech, Voice

__all__ = [
    "LONGEST_SECONDS",
    "VOICES",
    "Phoneme",
    "Speech",
    "Voice",
    "estimated_seconds",
    "speakable",
    "voice",
]

# Twice what 600 characters of ordinary text take; only numbers, which are short to write and
# long to say, come near.
LONGEST_SECONDS = 90.0
_BASIC = "espeak:"
# Measured over the sentences of tests/engine: the neural voice says 15 to 19 characters a second,
# the basic ones 11 to 20, and a digit takes both 0.2 to 0.6 s.
_CHARACTERS_A_SECOND = 18.0
_BASIC_CHARACTERS_A_SECOND = 15.0
_DIGIT_SECONDS = 0.4
_PAUSE_SECONDS = 0.35
_LONGEST_WORD = 60


@dataclass(frozen=True)
class _Language:
    """A language's English name, its script as Unicode names it, and as people do."""

    name: str
    script: str = "LATIN"
    letters: str = "Latin"


_LANGUAGES = {
    "en": _Language("English"),
    "de": _Language("German"),
    "es": _Language("Spanish"),
    "fr": _Language("French"),
    "it": _Language("Italian"),
    "pt": _Language("Portuguese"),
    "nl": _Language("Dutch"),
    "pl": _Language("Polish"),
    "cs": _Language("Czech"),
    "sv": _Language("Swedish"),
    "tr": _Language("Turkish"),
    "el": _Language("Greek", "GREEK", "Greek"),
    "uk": _Language("Ukrainian", "CYRILLIC", "Cyrillic"),
    "ru": _Language("Russian", "CYRILLIC", "Cyrillic"),
    "hi": _Language("Hindi", "DEVANAGARI", "Devanagari"),
}
# Letters of no script: "µ" of "µg", the ordinals of "1º" and "2ª", the apostrophe of "Ukraïns'ka".
_ANY_SCRIPT = frozenset({"MICRO", "MASCULINE", "FEMININE", "MODIFIER"})

VOICES: tuple[port.VoiceInfo, ...] = (
    port.VoiceInfo("en-heart", "Heart", "English", basic=False),
    *(
        port.VoiceInfo(_BASIC + code, f"{language.name} (basic voice)", language.name, basic=True)
        for code, language in _LANGUAGES.items()
        if code != "en"
    ),
)
_BY_ID = {info.id: info for info in VOICES}


def speakable(text: str, *, voice_id: str) -> port.EngineFailure | None:
    """Why that voice cannot read the text; None when it can."""
    language = _language(voice_id)
    if wording.is_blank(text):
        return _refused("text_empty", "Write what the photo should say.")
    overlong = port.too_long(text)
    if overlong:
        return overlong
    readable = _readable(text, language)
    if not wording.has_words(readable):
        return _refused(
            "text_unspeakable",
            "There are no words in the text, and emoji and punctuation make no sound. "
            "Write what the photo should say.",
        )
    return _foreign(readable, language) or _endless(readable) or _lasting(text, voice_id=voice_id)


def estimated_seconds(text: str, *, voice_id: str) -> float:
    """About how long that voice takes to say the text: within two fifths for ordinary sentences."""
    readable = _readable(text, _language(voice_id))
    digits = sum(character.isdigit() for character in readable)
    rate = _BASIC_CHARACTERS_A_SECOND if _BY_ID[voice_id].basic else _CHARACTERS_A_SECOND
    ends = wording.sentence_ends(readable)
    return (len(readable) - digits) / rate + digits * _DIGIT_SECONDS + ends * _PAUSE_SECONDS


@lru_cache(maxsize=len(VOICES))
def voice(voice_id: str) -> Voice:
    """The voice of that id, warm after the first call; EngineFault `voice_unknown`."""
    language = _language(voice_id)
    if voice_id.startswith(_BASIC):
        return _Reader(voice_id, language, basic_voice.BasicVoice(voice_id.removeprefix(_BASIC)))
    return _Reader(voice_id, language, neural_voice.NeuralVoice())


@dataclass(frozen=True)
class _Reader:
    """A voice that refuses what it cannot read, and is given only what it can."""

    voice_id: str
    language: _Language
    source: Voice

    def say(self, text: str, *, seed: int) -> Speech:
        """The text as speech; EngineFault with what `speakable` says against it."""
        failure = speakable(text, voice_id=self.voice_id)
        if failure:
            raise port.EngineFault(failure)
        return self.source.say(_readable(text, self.language), seed=seed)


def _language(voice_id: str) -> _Language:
    if voice_id not in _BY_ID:
        raise port.EngineFault(
            _refused("voice_unknown", "This voice is no longer here. Choose another one.")
        )
    code = voice_id.removeprefix(_BASIC) if voice_id.startswith(_BASIC) else voice_id[:2]
    return _LANGUAGES[code]


def _readable(text: str, language: _Language) -> str:
    return wording.cleaned(text, marks=language.script == "DEVANAGARI")


def _refused(code: str, message: str) -> port.EngineFailure:
    return port.EngineFailure(code, "user_input", message)


def _foreign(text: str, language: _Language) -> port.EngineFailure | None:
    """A refusal when letters are not the language's own.

    Other alphabets take in Latin names, as their newspapers do, while most letters are theirs.
    """
    counted: Counter[str] = Counter()
    strange = ""
    for letter, script in wording.letters(text):
        if script in _ANY_SCRIPT:
            continue
        counted[script] += 1
        if script not in (language.script, "LATIN"):
            strange = strange or letter
    own, latin = counted[language.script], counted["LATIN"]
    if not strange and own >= latin:
        return None
    reads = f"This voice reads {language.name}, in {language.letters} letters"
    if strange:
        reads += f"; it cannot read “{wording.word_with(text, strange)}”"
    advice = "Choose the voice of the text's language, or write the text in this one's."
    return _refused("text_wrong_script", f"{reads}. {advice}")


def _endless(text: str) -> port.EngineFailure | None:
    """A refusal when a run of letters is no word: a voice would break off in it."""
    word = wording.longest_word(text)
    if len(word) <= _LONGEST_WORD:
        return None
    return _refused(
        "text_unspeakable",
        f"“{word[:20]}…” is too long to be read as a word. Put spaces between the words.",
    )


def _lasting(text: str, *, voice_id: str) -> port.EngineFailure | None:
    """A refusal when saying it would take longer than a video may."""
    seconds = estimated_seconds(text, voice_id=voice_id)
    if seconds <= LONGEST_SECONDS:
        return None
    return _refused(
        "text_too_long",
        f"Numbers take long to say: this text would last about {seconds:.0f} seconds, and a video "
        f"has room for {LONGEST_SECONDS:.0f}. Shorten it, or make two videos.",
    )

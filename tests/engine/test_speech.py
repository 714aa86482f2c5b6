"""A text becomes speech: what is heard, when each sound is heard, and what is refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from talkingphoto.integrations.video import port
from talkingphoto.integrations.video.engine import neural_voice, speech, spoken, visemes
from tests.engine import listening

ENGLISH = "en-heart"
# A sentence of each voice's language, with p, b and m in it.
SENTENCES = {
    ENGLISH: "Peter and Bob made a simple lamp. Did it work?",
    "espeak:de": "Mama und Papa backen ein Brot für 5 €.",
    "espeak:es": "Mamá y papá beben agua en Barcelona.",
    "espeak:fr": "Maman et papa ont bu un bon café.",
    "espeak:it": "Mamma e papà bevono un buon caffè.",
    "espeak:pt": "A mamãe e o papai bebem água boa.",
    "espeak:nl": "Mama en papa bakken een brood.",
    "espeak:pl": "Mama i papa bardzo lubią pączki.",
    "espeak:cs": "Máma a táta pečou dobrý chléb, příteli.",
    "espeak:sv": "Mamma och pappa bakar ett bröd på ön.",
    "espeak:tr": "Annem ve babam çok güzel ekmek yapıyor.",
    "espeak:el": "Η μαμά και ο μπαμπάς πίνουν νερό.",
    "espeak:uk": "Мама і тато були вдома, пили каву.",
    "espeak:ru": "Мама и папа были дома, пили воду.",
    "espeak:hi": "माँ और पिता घर पर बैठे हैं।",
}
REFUSED = {
    "nothing": ("", ENGLISH, "text_empty"),
    "spaces and lines": (" \n\t ", ENGLISH, "text_empty"),
    "marks nobody sees": ("\u200b\u202e\ufeff\x00", ENGLISH, "text_empty"),
    "emoji": ("😀🎉👍🏽🇩🇪❤️", ENGLISH, "text_unspeakable"),
    "punctuation": ("?! … — ***", ENGLISH, "text_unspeakable"),
    "one character too many": ("word " * 120 + "w", ENGLISH, "text_too_long"),
    "ten thousand characters": ("a" * 10_000, ENGLISH, "text_too_long"),
    "more numbers than a video can say": ("1234567890 " * 50, ENGLISH, "text_too_long"),
    "a word without an end": ("a" * 61, ENGLISH, "text_unspeakable"),
    "Cyrillic for English": ("Привет, мир", ENGLISH, "text_wrong_script"),
    "Chinese for English": ("你好世界", ENGLISH, "text_wrong_script"),
    "Japanese for English": ("こんにちは", ENGLISH, "text_wrong_script"),
    "Greek for English": ("Καλημέρα", ENGLISH, "text_wrong_script"),
    "Arabic for English": ("مرحبا", ENGLISH, "text_wrong_script"),
    "one Cyrillic word among English": ("Say привет to him", ENGLISH, "text_wrong_script"),
    "phonetic letters": ("həˈloʊ", ENGLISH, "text_wrong_script"),
    "English for Russian": ("Hello, my friend", "espeak:ru", "text_wrong_script"),
    "Greek for Russian": ("Καλημέρα", "espeak:ru", "text_wrong_script"),
    "Russian for German": ("Привет", "espeak:de", "text_wrong_script"),
    "English for Hindi": ("Hello", "espeak:hi", "text_wrong_script"),
}
SPOKEN = {
    "exactly as many characters as fit": ("word " * 119 + "words", ENGLISH),
    "spaces around what fits": (" " * 50 + "word " * 120 + " " * 50, ENGLISH),
    "an emoji among words": ("Hello 😀 there", ENGLISH),
    "accents": ("A naïve café in Łódź and Ağrı", ENGLISH),
    "only a number": ("42", ENGLISH),
    "letters of another form": ("\uff28\uff49 𝐛𝐨𝐥𝐝 ﬁne", ENGLISH),
    "a Latin name in Russian": ("Привет, это мой iPhone", "espeak:ru"),
    "a unit in Greek": ("Είναι πέντε µg νερό", "espeak:el"),
    "a joiner in Hindi": ("क्\u200dष नमस्ते", "espeak:hi"),
}
# Written one way and the other, and read the same.
SAME = {
    "It costs $19.99 on 3 May.": "It costs nineteen dollars and 99 cents on the third of May.",
    "I have €3.2bn.": "I have three point two billion euros.",
    "Only 5€ or 7 £!": "Only five euros or seven pounds!",
    "About 50% more": "About fifty percent more",
    "Hello 😀 there": "Hello there",
    "[Look](here)": "Look (here)",
    "Dr. Smith works here": "Doctor Smith works here",
    "a\u202eb\u00adc": "abc",
}


# Sentences with much s and sh in them, and the step at which they are looked at.
HISSING = {
    ENGLISH: "We see six small ships sailing past the sunny city, so she sings a simple song.",
    "espeak:de": "Das ist ein Test, ich esse gerne Suppe im Sommer auf der Insel.",
    "espeak:es": "Esa mesa es de mi hermosa casa, sabes.",
}
STEP_SECONDS = 0.005


def symbols(text: str) -> list[str]:
    said = speech.voice(ENGLISH).say(text, seed=0).phonemes
    return [p.symbol.strip("ˈˌ") for p in said if p.symbol != spoken.PAUSE]


def check(made: speech.Speech) -> None:
    """Phonemes follow one another from the first sample to the last; samples are sound."""
    assert made.phonemes[0].start == 0.0
    assert made.phonemes[-1].end == pytest.approx(made.seconds, abs=1e-9)
    assert all(phoneme.start <= phoneme.end for phoneme in made.phonemes)
    following = itertools.pairwise(made.phonemes)
    assert all(one.end == other.start for one, other in following)
    assert made.samples.dtype == np.float32 and np.isfinite(made.samples).all()
    assert 0.01 < np.abs(made.samples).max() <= 1.0


@pytest.mark.parametrize("voice_id", SENTENCES)
def test_phonemes_follow_one_another_to_the_end_of_the_speech(voice_id: str) -> None:
    made = speech.voice(voice_id).say(SENTENCES[voice_id], seed=1)
    check(made)
    assert 1.0 < made.seconds < 6.0


@pytest.mark.parametrize("voice_id", SENTENCES)
def test_every_sound_of_every_voice_has_a_mouth(voice_id: str) -> None:
    made = speech.voice(voice_id).say(SENTENCES[voice_id], seed=1)
    sounds = {p.symbol for p in made.phonemes if p.symbol != spoken.PAUSE}
    assert [symbol for symbol in sounds if not visemes.is_known(symbol)] == []
    assert any(set("pbm") & set(symbol) for symbol in sounds)


def test_all_voices_are_spoken_here_and_only_the_first_is_not_called_basic() -> None:
    assert [info.id for info in speech.VOICES] == list(dict.fromkeys(i.id for i in speech.VOICES))
    assert {info.id for info in speech.VOICES} == set(SENTENCES)
    assert [info.id for info in speech.VOICES if not info.basic] == [speech.VOICES[0].id]
    assert all("basic voice" in info.name for info in speech.VOICES if info.basic)


@pytest.mark.parametrize("voice_id", [ENGLISH, "espeak:de"])
def test_the_same_seed_says_it_the_same_way(voice_id: str) -> None:
    one, other = (speech.voice(voice_id).say("Hello Emma.", seed=7) for _ in range(2))
    assert np.array_equal(one.samples, other.samples)
    assert one.phonemes == other.phonemes


def test_another_seed_has_other_breath_and_the_same_times() -> None:
    one, other = (speech.voice(ENGLISH).say("Hello Emma.", seed=seed) for seed in (1, 2))
    assert [sound.symbol for sound in one.phonemes] == [sound.symbol for sound in other.phonemes]
    # What is cut off before the first sound goes by what is heard of it.
    at = [[sound.start for sound in said.phonemes] for said in (one, other)]
    assert np.allclose(np.diff(at[0][1:]), np.diff(at[1][1:]), atol=0.001)
    assert not np.array_equal(one.samples, other.samples)


def test_the_neural_voice_is_understood_by_a_recogniser() -> None:
    said = [
        "The quick brown fox jumps over the lazy dog.",
        "Thank you for watching and have a wonderful day.",
        "The weather will be sunny and warm for the rest of the week.",
    ]
    wrong = total = 0
    for sentence in said:
        heard = listening.recognised(speech.voice(ENGLISH).say(sentence, seed=3))
        wrong += listening.wrong_words(listening.words(sentence), heard)
        total += len(listening.words(sentence))
    assert wrong <= 0.15 * total


@pytest.mark.parametrize("voice_id", [ENGLISH, "espeak:de"])
def test_there_is_no_silence_before_and_after_the_speech(voice_id: str) -> None:
    made = speech.voice(voice_id).say("Hallo Emma.", seed=0)
    loud = np.flatnonzero(np.abs(made.samples) > np.abs(made.samples).max() * 0.05)
    assert loud[0] / made.sample_rate < 0.1
    assert (len(made.samples) - loud[-1]) / made.sample_rate < 0.1


@pytest.mark.parametrize("voice_id", HISSING)
def test_a_hiss_is_heard_when_its_phoneme_says_so(voice_id: str) -> None:
    made = speech.voice(voice_id).say(HISSING[voice_id], seed=0)
    heard = listening.hiss(made, step_seconds=STEP_SECONDS)
    times = np.arange(len(heard)) * STEP_SECONDS
    written = np.zeros(len(heard))
    for phoneme in made.phonemes:
        if phoneme.symbol.strip("ˈˌ")[0] in "szʃʤʧ":
            written[(times >= phoneme.start) & (times < phoneme.end)] = 1
    edge = 30
    fits = {
        shift * STEP_SECONDS: np.corrcoef(heard[edge:-edge], np.roll(written, shift)[edge:-edge])[
            0, 1
        ]
        for shift in range(-edge, edge + 1)
    }
    best = max(fits, key=lambda shift: float(fits[shift]))
    assert abs(best) <= 0.02
    assert fits[best] > 0.5


@pytest.mark.parametrize("voice_id", SENTENCES)
def test_how_long_a_text_takes_is_known_about_before_it_is_said(voice_id: str) -> None:
    text = SENTENCES[voice_id] + "\n" + SENTENCES[voice_id]
    made = speech.voice(voice_id).say(text, seed=0)
    assert speech.estimated_seconds(text, voice_id=voice_id) == pytest.approx(made.seconds, rel=0.4)


def test_numbers_are_known_to_take_longer_than_words() -> None:
    said = "Call 555 123 4567 on 3 May 2024."
    made = speech.voice(ENGLISH).say(said, seed=0)
    known = speech.estimated_seconds(said, voice_id=ENGLISH)
    assert known == pytest.approx(made.seconds, rel=0.4)
    assert known > 2 * speech.estimated_seconds(
        "Call us again on a nice day in May.", voice_id=ENGLISH
    )


def test_two_sentences_have_a_short_pause_between_them() -> None:
    made = speech.voice(ENGLISH).say("Come in. Sit down.", seed=0)
    pauses = [p.end - p.start for p in made.phonemes if p.symbol == spoken.PAUSE]
    assert [length for length in pauses if length > 0.2] == [pytest.approx(0.35, abs=0.1)]


@pytest.mark.parametrize("case", REFUSED)
def test_a_text_that_a_voice_cannot_read_is_refused_and_says_why(case: str) -> None:
    text, voice_id, code = REFUSED[case]
    failure = speech.speakable(text, voice_id=voice_id)
    assert failure is not None
    assert (failure.code, failure.kind) == (code, "user_input")
    assert failure.message.endswith(".") and "\u202e" not in failure.message
    with pytest.raises(port.EngineFault) as caught:
        speech.voice(voice_id).say(text, seed=0)
    assert caught.value.failure == failure


@pytest.mark.parametrize("case", SPOKEN)
def test_a_text_at_the_edge_of_what_can_be_read_is_spoken(case: str) -> None:
    text, voice_id = SPOKEN[case]
    assert speech.speakable(text, voice_id=voice_id) is None
    check(speech.voice(voice_id).say(text, seed=0))


def test_a_refusal_names_the_word_that_cannot_be_read() -> None:
    failure = speech.speakable("Say привет to him", voice_id=ENGLISH)
    assert failure is not None and "“привет”" in failure.message


@pytest.mark.parametrize("voice_id", ["", "en-emma", "espeak:ja", "espeak:en", "espeak:", "emma"])
def test_a_voice_that_is_not_offered_is_unknown(voice_id: str) -> None:
    for ask in (
        lambda: speech.voice(voice_id),
        lambda: speech.speakable("Hello", voice_id=voice_id),
    ):
        with pytest.raises(port.EngineFault) as caught:
            ask()
        assert caught.value.failure.code == "voice_unknown"


@pytest.mark.parametrize("text", SAME)
def test_what_is_written_in_signs_is_read_in_words(text: str) -> None:
    assert symbols(text) == symbols(SAME[text])


def test_digits_that_the_neural_voice_cannot_calculate_with_are_a_refusal_and_no_crash() -> None:
    with pytest.raises(port.EngineFault) as caught:
        neural_voice.NeuralVoice().say("<¹", seed=0)
    assert caught.value.failure.code == "text_unspeakable"
    assert symbols("Take ① or ٣.") == symbols("Take 1 or 3.")


def test_a_basic_voice_does_not_read_emoji_out() -> None:
    plain, decorated = (
        [p.symbol for p in speech.voice("espeak:de").say(text, seed=0).phonemes]
        for text in ("Hallo Welt", "Hallo 😀 Welt 🎉")
    )
    assert decorated == plain


def test_no_latin_letter_is_passed_over() -> None:
    letters = [chr(code) for code in range(0xC0, 0x220)]
    read = [
        letter
        for letter in letters
        if letter.isalpha() and speech.speakable(letter, voice_id=ENGLISH) is None
    ]
    assert len(read) > 150
    silent: list[str] = []
    for some in (read[i : i + 20] for i in range(0, len(read), 20)):
        said = speech.voice(ENGLISH).say(" ".join(some), seed=0).phonemes
        heard = itertools.groupby(said, key=lambda phoneme: phoneme.symbol == spoken.PAUSE)
        if sum(not pause for pause, _ in heard) < len(some):
            silent.extend(letter for letter in some if not symbols(letter))
    assert silent == []


# What people type, and what nobody should: every kind of character, numbers and signs above all.
ANY_TEXT = st.text(max_size=60) | st.text(
    st.sampled_from("0123456789.,-–/:$€£%°½² abcXYZ'’\"()[]{}&@#*+=~^_\n!?\\<>|éłßŋ😀\u0301\u202e"),
    max_size=40,
)


@settings(max_examples=120, deadline=None)
@given(ANY_TEXT, st.integers(0, 2**63))
@example("<¹", 0)
def test_any_text_is_spoken_or_refused_by_the_neural_voice(text: str, seed: int) -> None:
    try:
        made = speech.voice(ENGLISH).say(text, seed=seed)
    except port.EngineFault as fault:
        assert fault.failure.kind == "user_input"
    else:
        check(made)


@settings(max_examples=40, deadline=None)
@given(ANY_TEXT, st.sampled_from([info.id for info in speech.VOICES if info.basic]))
def test_any_text_is_spoken_or_refused_by_a_basic_voice(text: str, voice_id: str) -> None:
    try:
        made = speech.voice(voice_id).say(text, seed=0)
    except port.EngineFault as fault:
        assert fault.failure.kind == "user_input"
    else:
        check(made)

"""The path of a first purchase, step by step, with what each step should show and what it did."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from playwright.sync_api import Error

from tests.support.customer import DECLINES, Customer


@dataclass(frozen=True)
class Step:
    """What was seen, what should have been, and how long it took to come."""

    step: str
    value: int | str | bool
    expected: int | str | bool
    seconds: float

    @property
    def held(self) -> bool:
        """Whether it went as it should."""
        return self.value == self.expected


def walk(ada: Customer) -> Iterator[Step]:
    """Sign up, buy Starter, buy a pack, come back, and try the cards that fail."""
    ada.signs_up()
    yield step("credits_at_start", 3, lambda: ada.videos_left_become(3))
    ada.opens("/")
    ada.chooses("Starter")
    ada.pays()
    yield step("plan", "You are on Starter.", lambda: ada.heading_becomes("You are on Starter."))
    yield step("credits_after_starter", 33, lambda: ada.videos_left_become(33))
    ada.opens("/")
    ada.wants_pack(50)
    ada.pays()
    yield step("pack", "50 videos added.", lambda: ada.heading_becomes("50 videos added."))
    yield step("credits_after_pack", 83, lambda: ada.videos_left_become(83))
    ada.page.reload()
    yield step("credits_after_reload", 83, lambda: ada.videos_left_become(83))
    tab = ada.opens_another_tab("/account")
    yield step("signed_in_in_a_new_tab", True, lambda: tab.is_signed_in)
    tab.page.close()
    yield from _declines(ada)


def _declines(ada: Customer) -> Iterator[Step]:
    ada.opens("/")
    ada.wants_pack(10)
    for card, sentence in DECLINES.items():
        ada.pays(card)
        yield step(f"declined_{card}", sentence, lambda s=sentence: ada.refusal_becomes(s))  # type: ignore[misc]
    ada.page.get_by_role("link", name="Back without paying").click()
    ada.sees_a_whole_page()
    ada.opens("/account")
    yield step("credits_after_declined_cards", 83, lambda: ada.videos_left_become(83))


def step(name: str, expected: int | str | bool, look: Callable[[], int | str | bool]) -> Step:
    """What the look found, and how long that took; what the browser says when it fails."""
    began = time.monotonic()
    try:
        value = look()
    except (Error, AssertionError) as fault:
        value = str(fault).splitlines()[0]
    return Step(name, value, expected, round(time.monotonic() - began, 3))

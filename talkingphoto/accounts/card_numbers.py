"""Card numbers and security codes inside text, however they are spaced or written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

Content = Literal["number", "security_code", "track"]

SHORTEST, LONGEST = 13, 19

# Prefixes and lengths by first digit, from the networks' public issuer ranges.
_BRANDS = {
    "2": ((r"222[1-9]|22[3-9]|2[3-6]|27[01]|2720", (16,)), (r"220[0-4]", (16, 17, 18, 19))),
    "3": (
        (r"3[47]", (15,)),
        (r"30[0-5]|3095|36|3[89]", (14, 16, 19)),
        (r"352[89]|35[3-8]", (16, 17, 18, 19)),
    ),
    "4": ((r"4", (13, 16, 19)),),
    "5": ((r"5[1-5]", (16,)), (r"50|5[6-8]", (13, 14, 15, 16, 17, 18, 19))),
    "6": ((r"6[0-9]", (16, 17, 18, 19)), (r"6759|676770|63", (13, 14, 15))),
    "8": ((r"8[12]", (16, 17, 18, 19)),),
    "9": ((r"9792", (16,)),),
}
_GROUPS = re.compile(r"[0-9]+")
_TOKENS = re.compile(r"[A-Za-z0-9]+")
_PARTS = re.compile(r"[0-9]+|[A-Za-z]+")
_JOINT = re.compile(r"[\s\-./_·]{1,3}")
# A digest or an id has letters and digits in turn; words glued to a number have few turns.
_MOST_TURNS = 6
_ID = re.compile(
    r"(?<![A-Za-z0-9_])(?:"
    r"(?:acct|ch|cs|cus|di|dp|evt|fee|ii|il|in|ipi|mandate|pi|pm|po|price|prod|py|pyr|re|req|seti"
    r"|si|src|sub|txn|txr|we)_(?:live_|test_)?(?=[0-9]*[A-Za-z])[A-Za-z0-9]+"
    r"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(?![A-Za-z0-9])"
)
_PHONE = re.compile(r"\+[0-9](?:[ ()\-./]{0,2}[0-9]){6,14}(?![ \-]?[0-9])")
_TRACK = re.compile(r"(?:%B[0-9]{13,19}\^[^^]{2,26}\^|[0-9]{13,19}[=D])[0-9]{7}")
_CODE = re.compile(
    r"\b(?:(?:cvc|cvv|cvn|csc|cav)2?(?:[_ ]?code)?|(?:card[_ ]?)?security[_ ]?code)"
    r"[\"']?\s?(?:is|[:=#])?\s?[\"']?[0-9]{3,4}\b",
    re.IGNORECASE,
)


def kind_in(text: str) -> Content | None:
    """The gravest card data in the text; None when there is none."""
    plain = _plain(text)
    if not _GROUPS.search(plain):
        return None
    searched = _PHONE.sub(" tel ", _ID.sub(" id ", plain))
    if any(_is_track(match.group()) for match in _TRACK.finditer(searched)):
        return "track"
    if any(_holds_card(cluster) for cluster in _clusters(searched)):
        return "number"
    return "security_code" if _CODE.search(searched) else None


def passes_luhn(digits: str) -> bool:
    """True when the last digit is the check digit of the others."""
    total = sum(int(d) for d in digits[-1::-2])
    total += sum(sum(divmod(2 * int(d), 10)) for d in digits[-2::-2])
    return total % 10 == 0


def _plain(text: str) -> str:
    """Digits of every script as 0-9, dashes as -, without characters that show nothing."""
    if text.isascii():
        return text
    return "".join(_plain_character(c) for c in unicodedata.normalize("NFKC", text))


def _plain_character(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if category == "Cf":
        return ""
    return "-" if category == "Pd" else character


def _is_track(text: str) -> bool:
    digits = _GROUPS.search(text)
    return digits is not None and _is_card(digits.group())


@dataclass
class _Cluster:
    """Groups of digits and what stands between them."""

    groups: list[str]
    joints: list[str] = field(default_factory=list)


def _clusters(text: str) -> list[_Cluster]:
    """Digits that belong together, leaving out whatever looks like an id or a digest."""
    clusters: list[_Cluster] = []
    end = -1
    for token in _TOKENS.finditer(text):
        if len(_PARTS.findall(token.group())) > _MOST_TURNS:
            end = -1
            continue
        for match in _GROUPS.finditer(text, token.start(), token.end()):
            joint = text[end : match.start()] if 0 <= match.start() - end <= 3 and end > 0 else ""
            if _JOINT.fullmatch(joint):
                clusters[-1].groups.append(match.group())
                clusters[-1].joints.append(joint)
            else:
                clusters.append(_Cluster([match.group()]))
            end = match.end()
    return clusters


def _holds_card(cluster: _Cluster) -> bool:
    groups = cluster.groups
    for first in range(len(groups)):
        if groups[first][0] not in _BRANDS:
            continue
        digits = ""
        for last in range(first, min(first + LONGEST, len(groups))):
            digits += groups[last]
            if len(digits) > LONGEST:
                break
            sizes = [len(group) for group in groups[first : last + 1]]
            if _is_card(digits) and _is_written_so(sizes, cluster.joints[first:last]):
                return True
    return False


def _is_written_so(sizes: Sequence[int], joints: Sequence[str]) -> bool:
    """True for the ways people space a card number; dates and tables of amounts are spaced else."""
    if len(sizes) == 1 or sizes in ([4, 6, 4], [4, 6, 5]):
        return True
    if all(size % 4 == 0 for size in sizes[:-1]) and sizes[-1] in (1, 2, 3, 4, 8, 12):
        return True
    even = all(size == sizes[0] for size in sizes[:-1]) and sizes[-1] <= sizes[0]
    same = all(one == other for one, other in pairwise(joints))
    halves = len(sizes) == 2 and min(sizes) >= 4 and "." not in joints[0]
    return same and (even or halves)


def _is_card(digits: str) -> bool:
    if not SHORTEST <= len(digits) <= LONGEST:
        return False
    brands = _BRANDS.get(digits[0], ())
    known = any(len(digits) in lengths and re.match(prefix, digits) for prefix, lengths in brands)
    return known and passes_luhn(digits)

"""Countries by their two letters (ISO 3166-1), and the tax id that each of them gives a buyer."""

from __future__ import annotations

import re
from dataclasses import dataclass

CODES = frozenset(
    """
    AD AE AF AG AI AL AM AO AR AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BW
    BY BZ CA CD CF CG CH CI CK CL CM CN CO CR CV CW CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI
    FJ FK FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GT GW GY HK HN HR HT HU ID IE IL IM IN IQ
    IS IT JE JM JO JP KE KG KH KI KM KN KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF
    MG MK ML MM MN MO MQ MR MS MT MU MV MW MX MY MZ NA NC NE NG NI NL NO NP NR NU NZ OM PA PE PF PG
    PH PK PL PM PR PS PT PY QA RE RO RS RW SA SB SC SE SG SH SI SK SL SM SN SO SR SS ST SV SX SZ TC
    TD TG TH TJ TL TM TN TO TR TT TV TW TZ UA UG US UY UZ VA VC VE VG VN VU WF WS XK YE YT ZA ZM ZW
    """.split()
)


@dataclass(frozen=True)
class TaxIdForm:
    """How Stripe names a tax id, and what it looks like without spaces, dots and dashes."""

    type: str
    pattern: str


def _eu(pattern: str) -> TaxIdForm:
    return TaxIdForm("eu_vat", pattern)


_FORMS = {
    "AT": _eu(r"ATU\d{8}"),
    "BE": _eu(r"BE[01]\d{9}"),
    "BG": _eu(r"BG\d{9,10}"),
    "CY": _eu(r"CY\d{8}[A-Z]"),
    "CZ": _eu(r"CZ\d{8,10}"),
    "DE": _eu(r"DE\d{9}"),
    "DK": _eu(r"DK\d{8}"),
    "EE": _eu(r"EE\d{9}"),
    "ES": _eu(r"ES[A-Z0-9]\d{7}[A-Z0-9]"),
    "FI": _eu(r"FI\d{8}"),
    "FR": _eu(r"FR[A-Z0-9]{2}\d{9}"),
    "GR": _eu(r"EL\d{9}"),
    "HR": _eu(r"HR\d{11}"),
    "HU": _eu(r"HU\d{8}(\d{3})?"),
    "IE": _eu(r"IE\d[A-Z0-9+*]\d{5}[A-Z]{1,2}"),
    "IT": _eu(r"IT\d{11}"),
    "LT": _eu(r"LT(\d{9}|\d{12})"),
    "LU": _eu(r"LU\d{8}"),
    "LV": _eu(r"LV\d{11}"),
    "MT": _eu(r"MT\d{8}"),
    "NL": _eu(r"NL\d{9}B\d{2}"),
    "PL": _eu(r"PL\d{10}"),
    "PT": _eu(r"PT\d{9}"),
    "RO": _eu(r"RO\d{2,10}"),
    "SE": _eu(r"SE\d{12}"),
    "SI": _eu(r"SI\d{8}"),
    "SK": _eu(r"SK\d{10}"),
    "AU": TaxIdForm("au_abn", r"\d{11}"),
    "GB": TaxIdForm("gb_vat", r"(GB)?(\d{9}|\d{12}|GD\d{3}|HA\d{3})"),
    "IN": TaxIdForm("in_gst", r"\d{2}[A-Z]{5}\d{4}[A-Z][A-Z0-9]Z[A-Z0-9]"),
    "NO": TaxIdForm("no_vat", r"\d{9}MVA"),
    "NZ": TaxIdForm("nz_gst", r"\d{8,9}"),
    "US": TaxIdForm("us_ein", r"\d{9}"),
    "ZA": TaxIdForm("za_vat", r"4\d{9}"),
}
_BETWEEN = re.compile(r"[\s.\-/]")


def plain_tax_id(text: str) -> str:
    """The id in capitals, without what people put between its parts."""
    return _BETWEEN.sub("", text).upper()


def tax_id_type(country: str) -> str | None:
    """How Stripe names that country's tax ids; None where we do not know their form."""
    form = _FORMS.get(country)
    return form.type if form else None


def is_tax_id(country: str, text: str) -> bool:
    """Whether it looks like a tax id of that country; any text does where the form is unknown."""
    form = _FORMS.get(country)
    return form is None or re.fullmatch(form.pattern, plain_tax_id(text)) is not None

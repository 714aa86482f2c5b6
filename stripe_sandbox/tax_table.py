"""The sandbox's own tax rates: made for trying things out, and no advice to anybody.

General rates as the author knew them on the date below, one a place. There are no registrations,
thresholds, reduced rates or holidays, and what a state taxes is not asked: everything taxable is
taxed at the general rate wherever the table has one. Real sums come from Stripe Tax alone.
"""

from dataclasses import dataclass

AS_OF = "2025-10-01"
SELLER_COUNTRY = "US"
NONTAXABLE = "txcd_00000000"
GENERAL = "txcd_10000000"


@dataclass(frozen=True)
class Entry:
    """One rate: percent as text, its name on the invoice, Stripe's tax type, and for what part."""

    percentage: str
    name: str
    tax_type: str
    level: str = "country"


@dataclass(frozen=True)
class TaxCode:
    """A kind of product, in Stripe's numbering."""

    id: str
    name: str
    description: str


CODES = (
    TaxCode(NONTAXABLE, "Nontaxable", "Not taxed anywhere."),
    TaxCode(GENERAL, "General - Electronically Supplied Services", "Delivered over a network."),
    TaxCode("txcd_10103000", "Software as a service (SaaS) - personal use", "Hosted, for private."),
    TaxCode("txcd_10103001", "Software as a service (SaaS) - business use", "Hosted, for firms."),
    TaxCode("txcd_10401100", "Digital Video Streaming - subscription", "Watched, not kept."),
    TaxCode("txcd_20030000", "General - Services", "Work done for somebody."),
    TaxCode("txcd_92010001", "Shipping", "Carriage of what was sold."),
    TaxCode("txcd_99999999", "General - Tangible Goods", "Things that can be touched."),
)

_EU_VAT = {
    **{"AT": "20", "BE": "21", "BG": "20", "CY": "19", "CZ": "21", "DE": "19", "DK": "25"},
    **{"EE": "24", "ES": "21", "FI": "25.5", "FR": "20", "GR": "24", "HR": "25", "HU": "27"},
    **{"IE": "23", "IT": "22", "LT": "21", "LU": "17", "LV": "21", "MT": "18", "NL": "21"},
    **{"PL": "23", "PT": "23", "RO": "21", "SE": "25", "SI": "22", "SK": "23"},
}
EU = frozenset(_EU_VAT)
_OTHER_VAT = {
    **{"AE": "5", "CH": "8.1", "CL": "19", "GB": "20", "IS": "24", "KR": "10", "LI": "8.1"},
    **{"MX": "16", "NO": "25", "SA": "15", "TH": "7", "TR": "20", "ZA": "15"},
}
COUNTRIES = {
    **{land: Entry(rate, "VAT", "vat") for land, rate in {**_EU_VAT, **_OTHER_VAT}.items()},
    "AU": Entry("10", "GST", "gst"),
    "IN": Entry("18", "IGST", "igst"),
    "JP": Entry("10", "JCT", "jct"),
    "NZ": Entry("15", "GST", "gst"),
    "SG": Entry("9", "GST", "gst"),
}

# Where the country's own tax does not reach, by how the postal code begins.
OUTSIDE = {"DE": ("27498", "78266"), "ES": ("35", "38", "51", "52"), "IT": ("23041",)}

_GST = Entry("5", "GST", "gst")
_HST = {"NB": "15", "NL": "15", "NS": "14", "ON": "13", "PE": "15"}
PROVINCES: dict[str, tuple[Entry, ...]] = {
    **{place: (Entry(rate, "HST", "hst", "state"),) for place, rate in _HST.items()},
    **dict.fromkeys(("AB", "NT", "NU", "YT"), (_GST,)),
    "BC": (_GST, Entry("7", "PST", "pst", "state")),
    "MB": (_GST, Entry("7", "RST", "rst", "state")),
    "QC": (_GST, Entry("9.975", "QST", "qst", "state")),
    "SK": (_GST, Entry("6", "PST", "pst", "state")),
}
# The first letter of a Canadian postal code, where it names one province.
POSTAL_PROVINCES = {
    **{"A": "NL", "B": "NS", "C": "PE", "E": "NB", "G": "QC", "H": "QC", "J": "QC", "K": "ON"},
    **{"L": "ON", "M": "ON", "N": "ON", "P": "ON", "R": "MB", "S": "SK", "T": "AB", "V": "BC"},
    **{"X": "NT", "Y": "YT"},
}

# Percent by state; the five without a sales tax have none.
_STATES = (
    "AK 0 AL 4 AR 6.5 AZ 5.6 CA 7.25 CO 2.9 CT 6.35 DC 6 DE 0 FL 6 GA 4 HI 4 IA 6 ID 6 IL 6.25 "
    "IN 7 KS 6.5 KY 6 LA 5 MA 6.25 MD 6 ME 5.5 MI 6 MN 6.875 MO 4.225 MS 7 MT 0 NC 4.75 ND 5 "
    "NE 5.5 NH 0 NJ 6.625 NM 4.875 NV 6.85 NY 4 OH 5.75 OK 4.5 OR 0 PA 6 RI 7 SC 6 SD 4.2 TN 7 "
    "TX 6.25 UT 4.85 VA 5.3 VT 6 WA 6.5 WI 5 WV 6 WY 4"
).split()
STATES = {
    place: Entry(rate, "Sales Tax", "sales_tax", "state")
    for place, rate in zip(_STATES[::2], _STATES[1::2], strict=True)
}
# State and city together, by the first three digits of the ZIP code.
CITIES = {
    "100": Entry("8.875", "Sales Tax", "sales_tax", "multiple"),
    "606": Entry("10.25", "Sales Tax", "sales_tax", "multiple"),
    "941": Entry("8.625", "Sales Tax", "sales_tax", "multiple"),
    "981": Entry("10.35", "Sales Tax", "sales_tax", "multiple"),
}
# First and last three-digit beginning of the ZIP codes of a state.
_ZIP_AREAS = (
    "MA 010 027 RI 028 029 NH 030 038 ME 039 049 VT 050 059 CT 060 069 NJ 070 089 NY 100 149 "
    "PA 150 196 DE 197 199 DC 200 205 MD 206 219 VA 220 246 WV 247 268 NC 270 289 SC 290 299 "
    "GA 300 319 FL 320 349 AL 350 369 TN 370 385 MS 386 397 GA 398 399 KY 400 427 OH 430 459 "
    "IN 460 479 MI 480 499 IA 500 528 WI 530 549 MN 550 567 SD 570 577 ND 580 588 MT 590 599 "
    "IL 600 629 MO 630 658 KS 660 679 NE 680 693 LA 700 714 AR 716 729 OK 730 749 TX 750 799 "
    "CO 800 816 WY 820 831 ID 832 838 UT 840 847 AZ 850 865 NM 870 884 NV 889 898 CA 900 961 "
    "HI 967 968 OR 970 979 WA 980 994 AK 995 999"
).split()


def state_of_zip(code: str) -> str | None:
    """The state a ZIP code lies in, or None if it is none."""
    if not (len(code) >= 5 and code[:5].isascii() and code[:5].isdigit()):
        return None
    areas = zip(_ZIP_AREAS[::3], _ZIP_AREAS[1::3], _ZIP_AREAS[2::3], strict=True)
    return next((place for place, first, last in areas if first <= code[:3] <= last), None)

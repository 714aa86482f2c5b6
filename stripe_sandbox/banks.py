"""The test bank accounts: American account numbers and European IBANs, and their ready-made names.

An account number is kept no more than a card number is: last digits and a one-way print.
"""

import hashlib
from dataclasses import dataclass

ROUTING_NUMBER = "110000000"


@dataclass(frozen=True)
class Account:
    """A test account; ``token`` is the part of its ready-made name that is its own."""

    number: str
    token: str
    behaviour: str


_AMERICAN = (
    Account("000123456789", "success", "pays"),
    Account("000111111113", "accountClosed", "account_closed"),
    Account("000000004954", "riskLevelHighest", "blocked"),
    Account("000111111116", "noAccount", "no_account"),
    Account("000222222227", "insufficientFunds", "bank_insufficient_funds"),
    Account("000333333335", "debitNotAuthorized", "debit_not_authorized"),
    Account("000444444440", "invalidCurrency", "invalid_currency"),
    Account("000555555559", "dispute", "debit_disputed"),
    Account("000000000009", "processing", "settles_never"),
    Account("000777777771", "weeklyLimitExceeded", "over_source_limit"),
)
_SCENARIOS = (
    ("success", "pays"),
    ("successDelayed", "settles_late"),
    ("failed", "debit_fails"),
    ("failedDelayed", "fails_late"),
    ("disputed", "debit_disputed"),
    ("exceedsWeeklyVolumeLimit", "over_source_limit"),
    ("exceedsWeeklyTransactionLimit", "over_weekly_limit"),
    ("insufficientFunds", "bank_insufficient_funds"),
)
# Eight of a country, in the order of the scenarios.
_EUROPEAN = """
AT611904300234573201 AT321904300235473204 AT861904300235473202 AT051904300235473205
AT591904300235473203 AT981904300000343434 AT601904300000121212 AT981904300002222227
BE62510007547061 BE78510007547064 BE68539007547034 BE51510007547065
BE08510007547063 BE90510000343434 BE52510000121212 BE90510002222227
DE89370400440532013000 DE08370400440532013003 DE62370400440532013001 DE78370400440532013004
DE35370400440532013002 DE65370400440000343434 DE27370400440000121212 DE65370400440002222227
FR1420041010050500013M02606 FR3020041010050500013M02609 FR8420041010050500013M02607
FR7920041010050500013M02600 FR5720041010050500013M02608 FR9720041010050000000343434
FR5920041010050000000121212 FR9720041010050000002222227
IE29AIBK93115212345678 IE24AIBK93115212345671 IE02AIBK93115212345679 IE94AIBK93115212345672
IE51AIBK93115212345670 IE10AIBK93115200343434 IE69AIBK93115200121212 IE10AIBK93115202222227
""".split()
_IBANS = (
    *(
        Account(iban, f"{_SCENARIOS[place % 8][0]}_{iban[:2].lower()}", _SCENARIOS[place % 8][1])
        for place, iban in enumerate(_EUROPEAN)
    ),
    # What Stripe's CLI sends for a debit that is expected to fail.
    Account("IT60X0542811101000000123456", "failed_it", "debit_fails"),
)
_BY_NUMBER = {account.number: account for account in (*_AMERICAN, *_IBANS)}
_BY_TOKEN = {
    **{f"pm_usBankAccount_{account.token}": account for account in _AMERICAN},
    **{f"pm_sepaDebit_{account.token}": account for account in _IBANS},
}
# Named without a country, the Austrian ones.
_BY_TOKEN |= {
    f"pm_sepaDebit_{name}": _BY_TOKEN[f"pm_sepaDebit_{name}_at"] for name, _ in _SCENARIOS
}


def by_number(number: str) -> Account | None:
    """The test account with this account number or IBAN, or None."""
    return _BY_NUMBER.get(number)


def by_token(token: str) -> Account | None:
    """The test account a name such as ``pm_usBankAccount_success`` stands for, or None."""
    return _BY_TOKEN.get(token)


def is_iban(number: str) -> bool:
    """True for a number that begins with two letters, as only IBANs do."""
    return number[:2].isalpha()


def fingerprint(number: str) -> str:
    """Equal for the same account, and no way back to it."""
    return hashlib.sha256(f"sandbox account {number}".encode()).hexdigest()[:16]

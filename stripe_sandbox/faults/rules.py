"""Rules of failure: which calls they are for, what happens to them, how often.

Whether a rule meets a call is drawn from its seed and from the call's place among those the rule
is for, so that the same seed and the same calls lead to the same failures.
"""

import hashlib
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase

from stripe_sandbox import Json
from stripe_sandbox.api import errors, params
from stripe_sandbox.api.forms import FormValue

KINDS = ("rate_limit", "lock_timeout", "error", "timeout", "reset", "slow")
# These can come before anything was done, or after: then it is done, and its answer is kept.
_EITHER_SIDE = ("error", "timeout", "reset")
_LONGEST_MS = {"slow": 30_000, "timeout": 60_000}
_USUAL_MS = {"slow": 1000, "timeout": 60_000}
_OWN_FIELDS = {
    "retry_after": ("rate_limit",),
    "should_retry": ("rate_limit", "lock_timeout"),
    "ms": ("slow", "timeout"),
    "when": _EITHER_SIDE,
}


@dataclass(frozen=True)
class Rule:
    """One kind of failure for the calls whose method and path fit; None of ``times`` is always."""

    kind: str
    method: str = "*"
    path: str = "*"
    when: str = "before"
    times: int | None = None
    rate: int = 100
    seed: int = 1
    retry_after: int = 1
    should_retry: bool = True
    ms: int = 0

    def is_for(self, method: str, path: str) -> bool:
        """True if the call's method and path fit; ``*`` stands for anything, slashes too."""
        return fnmatchcase(method, self.method) and fnmatchcase(path, self.path)

    def meets(self, place: int) -> bool:
        """True if the call that has this place among those the rule is for is to fail."""
        text = f"{self.seed}:{place}".encode()
        drawn = int.from_bytes(hashlib.sha256(text).digest()[:8], "big")
        return drawn % 100 < self.rate


def _pattern(value: FormValue, name: str) -> str:
    text = params.text(300)(value, name)
    if not isinstance(text, str) or not text.startswith(("/", "*")):
        raise errors.invalid(f"{name} begins with / or *, as in /v1/customers*.", param=name)
    return text


FIELDS: params.Fields = {
    "kind": params.choice(*KINDS),
    "method": params.choice("GET", "POST", "DELETE", "*"),
    "path": _pattern,
    "when": params.choice("before", "after"),
    "times": params.integer(1, 1_000_000),
    "rate": params.percent,
    "seed": params.integer(0, 2**31 - 1),
    "retry_after": params.integer(0, 3600),
    "should_retry": params.boolean,
    "ms": params.integer(1, max(_LONGEST_MS.values())),
}


def made(values: Json) -> Rule:
    """The rule that was asked for; a field its kind does not have is refused."""
    kind = str(values["kind"])
    for name, kinds in _OWN_FIELDS.items():
        if name in values and kind not in kinds:
            raise errors.invalid(
                f"{name} belongs to {', '.join(kinds)}, not to {kind}.", param=name
            )
    longest = _LONGEST_MS.get(kind)
    if longest is not None and values.get("ms", 0) > longest:
        raise errors.invalid(f"A {kind} is at most {longest} ms.", param="ms")
    chosen = {name: value for name, value in values.items() if value is not None}
    return Rule(**{"ms": _USUAL_MS.get(kind, 0), **chosen})


def shown(rule: Rule) -> Json:
    """The rule by name, without the fields that its kind does not have."""
    body = asdict(rule)
    for name, kinds in _OWN_FIELDS.items():
        if rule.kind not in kinds:
            del body[name]
    return body

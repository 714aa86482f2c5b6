"""Sign in and sign up: native forms, so a password never enters Streamlit's state."""

from __future__ import annotations

import streamlit as st

from services import payment_service
from ui import kit, messages, panel, pricing, session

_TERMS = (
    'I accept the <a class="tp-link" href="/terms">terms</a> and have read the '
    '<a class="tp-link" href="/privacy">privacy notice</a>.'
)


def sign_in(visit: session.Visit) -> None:
    """The sign-in form is on the page, with what was wrong the last time beside its field."""
    if visit.user:
        _already(visit)
        return
    carried = _carried()
    fields = _email(carried) + _password(new=False)
    _door(
        heading="Welcome back",
        lead="Sign in to your account.",
        said="“Nice to see you again.”",
        form=_form(f"{visit.web_url}/auth/login", fields, "Sign in", carried),
        switch=("New here?", "Create an account", kit.query("/sign-up", **carried)),
        choice=_choice(carried["item"]),
    )


def sign_up(visit: session.Visit) -> None:
    """The sign-up form is on the page; a plan or pack chosen before is named and carried along."""
    if visit.user:
        _already(visit)
        return
    carried = _carried()
    choice = _choice(carried["item"])
    fields = _email(carried) + _password(new=True) + _terms()
    _door(
        heading="Create your account",
        lead="An account first, then the checkout." if choice else "3 videos free. No card needed.",
        said="“Nice to meet you.”",
        form=_form(f"{visit.web_url}/auth/register", fields, "Create account", carried),
        switch=("Have an account?", "Sign in", kit.query("/sign-in", **carried)),
        choice=choice,
    )


def ask_to_sign_in(what: str, *, back_to: str) -> None:
    """A page that belongs to somebody says so, and knows the way back."""
    kit.show(
        f'<div class="tp-result"><h1 class="tp-h1">{kit.esc(what)}</h1>'
        '<p class="tp-lead">Sign in first. You come back to this page.</p>'
        + kit.link_button("Sign in", kit.query("/sign-in", next=back_to), primary=True)
        + "</div>"
    )


def result(sign: str, heading: str, lead: str, rest: str, *, kind: str = "") -> None:
    """How something ended is the whole page: a sign, a heading, a sentence, what comes next."""
    role = "alert" if kind == "bad" else "status"
    kit.show(
        f'<div class="tp-result"><div class="tp-result__sign tp-result__sign--{kind}">'
        f'{sign}</div><div role="{role}"><h1 class="tp-h1">{kit.esc(heading)}</h1>'
        f'<p class="tp-lead" style="margin-top:10px">{kit.esc(lead)}</p></div>{rest}</div>'
    )


def _already(visit: session.Visit) -> None:
    assert visit.user is not None
    kit.show(
        '<div class="tp-result"><h1 class="tp-h1">You are signed in</h1>'
        f'<p class="tp-lead">As {kit.esc(visit.user.email)}.</p><div class="tp-actions">'
        + kit.link_button("Open account", "/account", primary=True)
        + kit.link_button("See plans", "/")
        + "</div></div>"
    )


def _carried() -> dict[str, str]:
    """What the visitor was doing before: the chosen item, and the page to come back to."""
    return {name: st.query_params.get(name, "") for name in ("item", "code", "trial", "next")}


def _door(
    *, heading: str, lead: str, said: str, form: str, switch: tuple[str, str, str], choice: str
) -> None:
    question, label, path = switch
    kit.show(
        f'<div class="tp-door"><div class="tp-door__in"><div><h1 class="tp-h1">{heading}</h1>'
        f'<p class="tp-lead" style="margin-top:8px">{lead}</p></div>'
        f"{choice}{_form_error()}{form}"
        f'<p>{question} <a class="tp-link" href="{kit.esc(path)}">{label}</a></p></div>'
        + kit.frame(said, alt="")
        + "</div>"
    )


def _choice(item: str) -> str:
    """The plan or pack chosen before, in words; nothing for an item we do not sell."""
    words = item and pricing.offer_words(payment_service.payment_service.pricing(None), item)
    if not words:
        return ""
    title, price = words
    return (
        f'<div class="tp-choice"><b>{kit.esc(title)}, {kit.esc(price)}</b>'
        '<span class="tp-muted tp-small">You pay on the page after this one.</span></div>'
    )


def _form(action: str, fields: str, label: str, carried: dict[str, str]) -> str:
    unseen = dict(carried)
    if item := carried["item"]:
        unseen["request_id"] = session.request_id(panel.intent(item, carried))
    return (
        f'<form class="tp-form" method="post" action="{kit.esc(action)}">'
        f"{kit.hidden(unseen)}{fields}"
        '<button type="submit" class="tp-btn tp-btn--primary tp-btn--block">'
        f"{label}</button></form>"
    )


def _refused() -> messages.Message | None:
    code = st.query_params.get("error")
    return messages.of(code) if code else None


def _form_error() -> str:
    refused = _refused()
    if refused is None or refused.field != "form":
        return ""
    return kit.notice(refused.text, kind="bad")


def _error(field: str) -> tuple[str, str]:
    """The attributes of a refused input and the sentence under it; both empty when all is well."""
    refused = _refused()
    if refused is None or refused.field != field:
        return "", ""
    sentence = (
        f'<span class="tp-error" id="{field}-error" role="alert">{kit.icon("error")}'
        f"<span>{kit.esc(refused.text)}</span></span>"
    )
    return f' aria-invalid="true" aria-describedby="{field}-error"', sentence


def _email(carried: dict[str, str]) -> str:
    attributes, sentence = _error("email")
    typed = session.read_email_cookie() if _refused() else ""
    sign_in = ""
    if st.query_params.get("error") == "auth.email_taken":
        path = kit.esc(kit.query("/sign-in", **carried))
        sign_in = f'<a class="tp-link tp-small" href="{path}">Sign in with this e-mail</a>'
    return (
        '<div class="tp-field"><label for="email">E-mail</label>'
        '<input id="email" name="email" type="email" autocomplete="username" maxlength="254" '
        f'value="{kit.esc(typed)}" required{attributes}>{sentence}{sign_in}</div>'
    )


def _password(*, new: bool) -> str:
    attributes, sentence = _error("password")
    kind, hint = ("current-password", "")
    if new:
        kind = "new-password"
        hint = (
            '<span class="tp-hint" id="password-hint">'
            "At least 15 characters. A sentence works well.</span>"
        )
        attributes = attributes or ' aria-describedby="password-hint"'
    return (
        '<div class="tp-field"><label for="password">Password</label>'
        f'<input id="password" name="password" type="password" autocomplete="{kind}" '
        f"required{attributes}>{sentence or hint}</div>"
    )


def _terms() -> str:
    attributes, sentence = _error("terms")
    return (
        '<div class="tp-check"><label for="terms">'
        f'<input id="terms" name="terms" type="checkbox" value="yes" required{attributes}>'
        f"<span>{_TERMS}</span></label>{sentence}</div>"
    )

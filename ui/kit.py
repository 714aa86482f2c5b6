"""Small pieces of HTML in our visual language; every value from outside passes through esc()."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

import streamlit as st

esc = html.escape
STATIC = Path(__file__).resolve().parent.parent / "static"
FAVICON = STATIC / "img" / "favicon.svg"
PORTRAIT = "app/static/img/portrait.jpg"
SAMPLE = "sample/sample.mp4"
SAMPLE_POSTER = "sample/poster.jpg"
MARK = '<span class="tp-mark" aria-hidden="true"></span>'
_HEIGHTS = (6, 10, 18, 26, 14, 22, 30, 18, 8, 12, 24, 32, 20, 12, 26, 16, 28, 22, 10, 6, 14, 24, 18)


def stylesheet() -> None:
    """The page wears our style sheet; st.html turns a path to CSS into one style element."""
    st.html(STATIC / "theme.css")


def show(*parts: str) -> None:
    """The parts are on the page as one block."""
    st.html("".join(parts))


def icon(name: str) -> str:
    """A symbol from the font Streamlit ships: decoration only, so words carry the meaning."""
    return f'<span class="tp-icon" aria-hidden="true">{esc(name)}</span>'


def badge(text: str, kind: str = "", symbol: str = "") -> str:
    """A state in one word."""
    sign = icon(symbol) if symbol else ""
    return f'<span class="tp-badge tp-badge--{kind}">{sign}{esc(text)}</span>'


def notice(title: str, text: str = "", *, kind: str = "info", action: str = "") -> str:
    """What happened, what it means, and at most one thing to do."""
    symbol = {"bad": "error", "warn": "warning", "good": "check_circle"}.get(kind, "info")
    role = "alert" if kind == "bad" else "status"
    body = f"<p>{esc(text)}</p>" if text else ""
    return (
        f'<div class="tp-notice tp-notice--{kind}" role="{role}">{icon(symbol)}'
        f'<div class="tp-notice__body"><strong>{esc(title)}</strong>{body}</div>{action}</div>'
    )


def heading(title: str, lead: str = "", *, back: str = "/account", to: str = "Account") -> str:
    """The heading of a page below another one, with the way back above it."""
    below = f'<p class="tp-lead tp-head__lead">{esc(lead)}</p>' if lead else ""
    return (
        f'<div class="tp-head"><a class="tp-back" href="{esc(back)}">{icon("arrow_back")}'
        f'{esc(to)}</a><h1 class="tp-h1">{esc(title)}</h1>{below}</div>'
    )


def meter(used: int, total: int, *, now: float | None, unit: str) -> str:
    """How much of it is used, with a mark where this day is in the time it is for."""
    share = min(100, used * 100 // total) if total else 0
    kind = " is-out" if share >= 100 else " is-low" if share >= 80 else ""
    today = ""
    if now is not None:
        today = f'<b style="left:{now * 100:.0f}%;--now:{now:.2f}"><span>today</span></b>'
    return (
        f'<div class="tp-meter{kind}{"" if now is None else " has-now"}" role="img" '
        f'aria-label="{used:,} of {total:,} {esc(unit)} used">'
        f'<i style="width:{share}%"></i>{today}</div>'
    )


def table(columns: Iterable[tuple[str, bool]], rows: Iterable[str]) -> str:
    """A table with a head; a column that is True holds numbers, which stand on the right."""
    head = "".join(
        f'<th scope="col"{" class=tp-right" if right else ""}>{esc(name)}</th>'
        for name, right in columns
    )
    body = "".join(rows)
    return f'<table class="tp-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def empty(text: str, action: str = "") -> str:
    """A list with nothing in it says when that changes."""
    return f'<div class="tp-empty">{esc(text)}{action}</div>'


def link_button(label: str, path: str, *, primary: bool = False) -> str:
    """A link that looks like the button it is."""
    kind = " tp-btn--primary" if primary else ""
    return f'<a class="tp-btn{kind}" href="{esc(path)}">{esc(label)}</a>'


def inner_link(label: str, path: str) -> str:
    """A quiet link to another page of ours."""
    return f'<a class="tp-link" href="{esc(path)}">{esc(label)}</a>'


def web_link(label: str, url: str | None, *, name: str) -> str:
    """A link to another site, or nothing unless its address is plain http."""
    if not url or urlsplit(url).scheme not in ("http", "https"):
        return ""
    return f'<a class="tp-link" href="{esc(url)}" aria-label="{esc(name)}">{esc(label)}</a>'


def out_button(label: str, url: str | None) -> str:
    """A link to another site that looks like the one thing to do, in this tab."""
    link = web_link(label, url, name=label)
    return link.replace('class="tp-link"', 'class="tp-btn tp-btn--primary"')


def post_button(
    label: str, action: str, fields: Mapping[str, str] | None = None, *, style: str = "", name: str
) -> str:
    """A native form with one button: it opens in this tab, and Streamlit never reruns for it."""
    spoken = f' aria-label="{esc(name)}"' if name != label else ""
    return (
        f'<form method="post" action="{esc(action)}">{hidden(fields or {})}'
        f'<button type="submit" class="tp-btn {style}"{spoken}>{esc(label)}</button></form>'
    )


def hidden(fields: Mapping[str, str]) -> str:
    """Values a form carries without showing them; empty ones stay out."""
    return "".join(
        f'<input type="hidden" name="{esc(name)}" value="{esc(value)}">'
        for name, value in fields.items()
        if value
    )


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """Labels on the left, values on the right."""
    pairs = "".join(f"<dt>{esc(label)}</dt><dd>{esc(value)}</dd>" for label, value in rows)
    return f'<dl class="tp-facts">{pairs}</dl>'


def ticks(points: Iterable[str]) -> str:
    """A list of things that are true, each with a tick."""
    return (
        "<ul>" + "".join(f"<li>{icon('check')}<span>{esc(p)}</span></li>" for p in points) + "</ul>"
    )


def wave(count: int, *, said: int) -> str:
    """The voice as bars; the part already said is lit and its last three bars breathe."""
    bars = "".join(
        f'<i class="{"is-said " if n < said else ""}{"is-now" if said - 3 <= n < said else ""}"'
        f' style="--h:{_HEIGHTS[n % len(_HEIGHTS)]}"></i>'
        for n in range(count)
    )
    return f'<span class="tp-wave" aria-hidden="true">{bars}</span>'


def frame(said: str, *, alt: str) -> str:
    """A portrait with its words: the picture of what we sell. Not a player, so it has no button."""
    return (
        f'<figure class="tp-frame"><img src="{PORTRAIT}" alt="{esc(alt)}" width="640" height="640">'
        f'<figcaption>{wave(32, said=17)}<span class="tp-frame__note">Example</span>'
        f'<p class="tp-frame__said">{esc(said)}</p></figcaption></figure>'
    )


def sample(said: str, *, alt: str) -> str:
    """A video made by the engine, to be played where it stands; a picture while there is none."""
    if not (STATIC / SAMPLE).is_file():
        return frame(said, alt=alt)
    return (
        '<figure class="tp-frame"><video controls preload="none" playsinline '
        f'poster="app/static/{SAMPLE_POSTER}" src="app/static/{SAMPLE}" aria-label="{esc(alt)}">'
        f"</video><figcaption>{wave(32, said=17)}"
        f'<span class="tp-frame__note">Made here, AI-generated</span>'
        f'<p class="tp-frame__said">{esc(said)}</p></figcaption></figure>'
    )


def query(path: str, **values: str) -> str:
    """The path with its values quoted; empty ones stay out."""
    pairs = "&".join(f"{name}={quote(value, safe='')}" for name, value in values.items() if value)
    return f"{path}?{pairs}" if pairs else path

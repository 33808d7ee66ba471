"""A text with tinted tokens. Only this module turns a user's text into HTML; all of it goes through `html.escape`."""

import re
from collections.abc import Sequence
from html import escape

import streamlit as st

from lstm_core.text import Encoding

_STYLE = (
    "white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.9;max-height:22rem;overflow-y:auto;"
    "font-family:var(--st-code-font, monospace);font-size:1rem;padding:.6rem .8rem;"
    "border:1px solid var(--st-border-color, #8884);border-radius:.5rem"
)


def tinted_text(
    text: str,
    spans: Sequence[tuple[int, int]],
    colours: Sequence[str],
    strengths: Sequence[float],
    hovers: Sequence[str],
    *,
    label: str,
    chosen: int | None = None,
) -> None:
    """Show `text` with a coloured background behind each token.

    Args:
        text: as the user gave it.
        spans: start and end of each token, in order; (0, 0) for padding, which is not shown.
        colours: "#rrggbb" of each token.
        strengths: opacity of each tint, 0…1.
        hovers: tooltip of each token.
        label: accessible name of the text.
        chosen: index of the token to frame.
    """
    parts, end = [], 0
    for index, (start, stop) in enumerate(spans):
        if stop == 0:
            continue
        parts.append(escape(_visible(text[end:start])))
        frame = "outline:2px solid currentColor;" if index == chosen else ""
        alpha = round(255 * min(max(strengths[index], 0.0), 1.0) * 0.85)
        parts.append(
            f'<span title="{escape(_visible(hovers[index]), quote=True)}" '
            f'style="background:{colours[index]}{alpha:02x};{frame}border-radius:.2rem;padding:.1rem 0">'
            f"{escape(_visible(text[start:stop]))}</span>"
        )
        end = stop
    rest = text[end : end + 400]
    if rest.strip():
        more = " …" if len(text) > end + 400 else ""
        parts.append(f'<span style="opacity:.45" title="not read">{escape(_visible(rest))}{more}</span>')
    name = escape(label, quote=True)
    st.html(f'<div role="region" aria-label="{name}" tabindex="0" style="{_STYLE}">{"".join(parts)}</div>')


def snippet(text: str, span: tuple[int, int], note: str, around: int = 90) -> None:
    """Show the token at a span, highlighted, with so many characters around it on either side and a note below."""
    start, stop = span
    before, after = text[max(start - around, 0) : start], text[stop : stop + around]
    before, after = ("… " if start > around else "") + before, after + (" …" if stop + around < len(text) else "")
    st.html(
        f'<div style="{_STYLE}">{escape(_visible(before))}<mark style="border-radius:.2rem;padding:.1rem .2rem">'
        f"<b>{escape(_visible(text[start:stop]))}</b></mark>{escape(_visible(after))}</div>"
        f'<div style="opacity:.7;font-size:.9rem;margin:.2rem 0 .6rem">{escape(note)}</div>'
    )


def number(encoded: Encoding) -> str:
    """How many tokens a text has, in words."""
    return f"{'' if encoded.counted else 'more than '}{encoded.total:,} tokens"


def plain(text: str) -> str:
    """A user's text for use within Markdown: on one line, with every character escaped that could begin markup."""
    line = " ".join(_visible(text).split())
    line = re.sub(r"([\\`*_{}\[\]()#+\-!|<>~$&]|[.:](?=\S))", r"\\\1", line)  # also addresses: www.…, https:…
    return re.sub(r"^(\d+)\.", r"\1\\.", line)  # the number of a list


def _visible(text: str) -> str:
    """Control characters replaced by their visible symbols, such as ␀ for a NUL byte."""
    return "".join(chr(0x2400 + ord(each)) if ord(each) < 32 and each not in "\n\t" else each for each in text)

"""One view as one HTML file: the microscope with all its numbers, heat maps, the text, its Python lines, a link back.

The file asks no server for anything. Its content security policy allows its own script alone, by hash, so that no text
in it can become code.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit

from lstm_core.exhibit.cell_trace import similarity_order
from lstm_core.exhibit.markup import visible
from lstm_core.exhibit.payload import View, pack
from lstm_core.exhibit.scripts import script, style
from lstm_core.exhibit.signals import state_letter


@dataclass(frozen=True)
class Handout:
    """What the file holds besides the microscope."""

    title: str
    sentences: Sequence[str] = ()  # a paragraph each: the answer, clamps, notes
    text: str = ""  # as it was typed
    python: str = ""  # the lines that repeat the view
    link: str = ""  # to the view in the app; left out unless it is an http or https address


def html_file(view: View, handout: Handout) -> bytes:
    """The file, in UTF-8; 400 timesteps of 128 units are 2 MB.

    Args:
        view: of the microscope.
        handout: the words around it; all of them are escaped.
    """
    code = script("file")
    allowed = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    policy = f"default-src 'none'; script-src 'sha256-{allowed}'; style-src 'unsafe-inline'; base-uri 'none'"
    state = view.trace.signals[state_letter(view.trace.kind)]  # (T, units)
    order = ",".join(map(str, similarity_order(state).tolist()))
    title = escape(handout.title)
    page = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style("file")}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{"".join(f"<p>{escape(visible(sentence))}</p>" for sentence in handout.sentences)}
<div id="microscope"></div>
<noscript><p>The microscope and the heat maps need JavaScript.</p></noscript>
<h2>All units over the text</h2>
<p>Each row is a unit, each column a timestep; similar units are neighbours. Click a place to see its numbers above.</p>
<div id="maps" data-order="{order}"></div>
{_section("The text", handout.text)}
{_section("The same in Python", handout.python)}
</main>
<footer>{_link(handout.link)}Made with LSTM Lab; this file holds all its numbers and works offline.</footer>
<script type="application/octet-stream" id="payload">{base64.b64encode(pack(view)).decode()}</script>
<script type="module">{code}</script>
</body>
</html>
"""
    return page.encode("utf-8", "replace")  # a lone surrogate becomes a question mark


def _section(title: str, text: str) -> str:
    shown = "\n".join(map(visible, text.splitlines()))
    return f'<h2>{title}</h2>\n<pre tabindex="0" dir="auto">{escape(shown)}</pre>' if text else ""


def _link(address: str) -> str:
    if urlsplit(address).scheme not in ("http", "https"):
        return ""
    return f'<a data-view rel="noopener" href="{escape(address, quote=True)}">Open this view in LSTM Lab</a>. '

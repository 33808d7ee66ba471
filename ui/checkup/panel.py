"""The check-up as a panel: what was read, each finding with its picture, and what could not be checked."""

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from lstm_core.inference import TextClassifier
from lstm_core.interpret import Checkup, Finding, OutputOf, checkup
from lstm_core.tracing import ModelTrace
from ui.checkup import charts
from ui.common import model_cache, plotting, tokens
from ui.common.shared_cache import CACHE

# Severity → its word, the icon with a shape of its own, and the colour: never the colour alone.
LOOKS = {
    "fine": ("Fine", ":material/check_circle:", "green"),
    "worth a look": ("Worth a look", ":material/visibility:", "orange"),
    "fault": ("Fault", ":material/dangerous:", "red"),
}
MOST_TEXTS = 48


def show(model: TextClassifier, text: str, examples: Sequence[str], key: str) -> None:
    """Draw the check-up of a classifier on the visitor's text and the page's examples.

    Args:
        model: what reads.
        text: the visitor's.
        examples: more texts.
        key: prefix of the widgets' keys.
    """
    texts = tuple(dict.fromkeys([text, *examples]))[:MOST_TEXTS]
    with st.spinner("Checking the network …"):
        found = CACHE.get(
            ("checkup", model_cache.identity(model.card.name), texts), lambda: checkup(model, list(texts))
        )
    panel(found, key)


def checkup_panel(trace: ModelTrace, output_of: OutputOf | None = None, key: str = "checkup") -> None:
    """Draw the check-up of a traced network; `output_of` as in `lstm_core.checkup`."""
    panel(checkup(trace, output_of=output_of), key)


def panel(found: Checkup, key: str) -> None:
    """Draw a check-up; the picture of a finding is drawn when it is open."""
    read = f"{found.sequences:,} sequence{'s' * (found.sequences != 1)} with {found.steps:,} timesteps were read."
    counts = Counter(finding.severity for finding in found.findings)
    faults = f"**{counts['fault']}** fault{'s' * (counts['fault'] != 1)}"
    st.markdown(f"{read} {faults}, **{counts['worth a look']}** worth a look, **{counts['fine']}** fine.")
    several = len({finding.layer for finding in found.findings}) > 1
    for number, finding in enumerate(found.findings):
        _finding(finding, f"{key}_{number}_{finding.severity}_{finding.name}", several)
    if found.skipped:
        with st.expander(f"Not checked ({len(found.skipped)})"):
            for each in found.skipped:
                st.markdown(f"**{each.name.capitalize()}** ({tokens.plain(each.layer)}): {tokens.plain(each.why)}")


def _finding(finding: Finding, key: str, with_layer: bool) -> None:
    word, icon, colour = LOOKS[finding.severity]
    where = f" · {tokens.plain(finding.layer)}" if with_layer else ""
    label = f":{colour}[**{word}**] · {finding.name.capitalize()}{where}"
    with st.expander(label, expanded=finding.rank > 0, icon=icon, key=key, on_change="rerun") as box:
        if not box.open:
            return
        st.markdown(tokens.plain(finding.sentence))
        if finding.advice:
            st.markdown(f"**What to try:** {tokens.plain(finding.advice)}")
        drawn = charts.picture(finding)
        if drawn is not None:
            plotting.show(drawn[0], f"{key}_figure", drawn[1])
        st.caption(f"Source: {finding.source}.")

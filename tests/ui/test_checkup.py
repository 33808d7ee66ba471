"""The check-up's figures and panel: valid figures, the severity in words, and pictures of open findings alone."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lstm_core.interpret import CHECKS, Checkup, Finding, checkup
from tests.interpret.diagnosis.networks import exploding, healthy, inputs, whole, with_bias
from ui.checkup import charts
from ui.checkup.panel import LOOKS


def found(broken: bool) -> Checkup:
    trace, output_of = whole(with_bias(healthy(), "f", -5) if broken else healthy(), inputs())
    return checkup(trace, output_of=output_of)


@pytest.fixture(scope="module")
def findings() -> list[Finding]:
    trace, output_of = whole(exploding("rnn"), inputs())
    return [*found(False).findings, *checkup(trace, output_of=output_of).findings]


def test_every_check_has_a_picture_that_plotly_accepts(
    findings: list[Finding], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.common.theme.is_dark", lambda: False)
    assert {finding.name for finding in findings} == set(CHECKS)
    for finding in findings:
        figure, alt = charts.picture(finding) or pytest.fail(f"{finding.name} has no picture")
        figure.checked()
        assert alt.endswith(".")
        data = [np.asarray(trace.get("z", trace["y"]), float) for trace in figure.traces]
        assert any(np.isfinite(values).any() for values in data)


def test_severities_differ_by_word_and_icon() -> None:
    words, icons, _ = zip(*LOOKS.values(), strict=True)
    assert len(set(words)) == len(set(icons)) == 3


def test_the_panel_opens_what_is_wrong_and_computes_no_picture_of_what_is_fine() -> None:
    def script() -> None:
        from tests.interpret.diagnosis.networks import healthy, inputs, whole, with_bias
        from ui.checkup import checkup_panel

        trace, output_of = whole(with_bias(healthy(), "f", -5), inputs())
        checkup_panel(trace, output_of)

    app = AppTest.from_function(script, default_timeout=60).run()
    assert not app.exception
    result = found(True)
    labels = [expander.label for expander in app.expander]
    assert labels[0] == ":red[**Fault**] · Forget bias"
    assert len(labels) == len(result.findings)
    wrong = [finding for finding in result.findings if finding.rank]
    assert [caption.value for caption in app.caption] == [f"Source: {finding.source}." for finding in wrong]
    assert "**What to try:**" in " ".join(text.value for text in app.markdown)

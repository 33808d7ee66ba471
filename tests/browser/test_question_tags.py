"""The stories of the question page in a real browser: paste, read, walk, take away, share."""

from __future__ import annotations

import csv
import io
from urllib.parse import quote

from playwright.sync_api import Page

import lstm_core
from tests.browser.conftest import downloaded, look
from tests.browser.expecting import expect
from tests.browser.looks import PHONE, is_settled
from ui.common.examples import Texts

QUESTIONS = Texts.load("questions.json").examples
HOSTILE = '<script>alert(1)</script> "><img src=x onerror="alert(2)"> 😀👩‍👩‍👧 كيف أطبع жщъ'
# Every chart is inside the window, and wide enough to be read; true once the charts have followed the window.
CHARTS_FIT = """() => [...document.querySelectorAll(".js-plotly-plot")].every((one) => {
    const { left, right, width } = one.getBoundingClientRect();
    return width > 250 && left >= 0 && right <= window.innerWidth;
})"""


def paste(page: Page, text: str) -> None:
    """What a person does: select all, paste, Ctrl+Enter."""
    box = page.get_by_role("textbox", name="Your question")
    box.fill(text)
    box.press("Control+Enter")


def verdict(page: Page, tag: str) -> None:
    expect(page.get_by_role("heading", name=f"{tag} ·")).to_be_visible()


def settled(page: Page) -> None:
    """No run under way, and the last panel is there."""
    expect(page.get_by_role("button", name="Take it away")).to_be_visible()
    is_settled(page)


def test_paste_tag_slider_download_and_shared_link(page: Page, stranger: Page, address: str) -> None:
    page.goto(f"{address}/question_tags")
    settled(page)
    paste(page, "How do I drop the empty rows of a csv file?\n\nimport pandas as pd\ndf = pd.read_csv('a.csv')")
    verdict(page, "Python")
    settled(page)

    page.get_by_role("button", name="Previous token").or_(page.get_by_role("button", name="◀")).click()
    text = page.get_by_role("textbox", name="Your question").input_value()
    tokens = lstm_core.load("stackoverflow").read(text).tokens
    expect(page.get_by_text(f"Timestep {len(tokens) - 1}", exact=False).first).to_be_visible()
    slider = page.get_by_role("slider")
    slider.focus()
    slider.press("Home")
    expect(page.get_by_text("Timestep 1", exact=True)).to_be_visible()
    slider.press("ArrowRight")
    expect(page.get_by_text("Timestep 2", exact=True)).to_be_visible()
    page.get_by_role("radio", name="Forget gate f").or_(page.get_by_role("button", name="Forget gate f")).click()
    expect(page.get_by_text("Forget gate: How much of the old cell state is kept", exact=False)).to_be_visible()

    page.get_by_role("button", name="Link to this view").click()
    code = page.get_by_test_id("stPopoverBody").locator("code")
    expect(code).to_contain_text("signal=f&t=2")  # the last thing a rerun of the fragment writes
    link = code.inner_text()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Take it away").click()
    trace = downloaded(page, page.get_by_role("button", name="Trace as CSV"))
    rows = list(csv.reader(io.StringIO(trace.decode("utf-8-sig"))))
    assert len(rows) == len(tokens) + 1
    assert rows[0][:6] == ["timestep", "token", "p(csharp)", "p(java)", "p(javascript)", "p(python)"]
    assert "f[0]" in rows[0]

    stranger.goto(link)
    settled(stranger)
    expect(stranger.get_by_role("textbox", name="Your question")).to_have_value(text)
    expect(stranger.get_by_text("Timestep 2", exact=True)).to_be_visible()
    expect(stranger.get_by_text("Forget gate: How much of the old cell state is kept", exact=False)).to_be_visible()


def test_a_chart_is_saved_the_slider_reruns_its_fragment_alone_and_both_networks_are_shown(
    page: Page, address: str
) -> None:
    page.goto(f"{address}/question_tags")
    settled(page)
    expect(page.locator(".js-plotly-plot")).to_have_count(4)
    chart = page.locator(".js-plotly-plot").nth(1)
    chart.hover()
    picture = downloaded(page, chart.get_by_role("button", name="Download plot as a PNG"))
    assert picture.startswith(b"\x89PNG")

    page.evaluate(
        """() => { const area = document.querySelector('textarea'); window.before = area; area.dataset.kept = 'yes';
        window.firstChart = document.querySelectorAll('.js-plotly-plot')[1]; }"""
    )
    page.get_by_role("slider").focus()
    page.get_by_role("slider").press("Home")
    expect(page.get_by_text("Timestep 1", exact=True)).to_be_visible()
    assert page.evaluate("document.querySelectorAll('.js-plotly-plot')[1] === window.firstChart")
    look(page, **PHONE)
    page.wait_for_function(CHARTS_FIT, polling=100)

    paste(page, QUESTIONS["Short"])
    verdict(page, "Python")
    page.get_by_role("button", name="Compare with the baseline").click()
    expect(page.get_by_text("Masked as in the training data: “Python” was replaced by “blank”.")).to_be_visible()
    baseline = "the baseline (the network of the article)"
    expect(page.get_by_test_id("stCaptionContainer").get_by_text(baseline, exact=True)).to_be_visible()


def test_no_text_gets_one_sentence_hostile_text_is_shown_and_a_megabyte_is_cut(page: Page, address: str) -> None:
    damaged = "&signal=nonsense&t=-7e99&hide=maybe"
    page.goto(f"{address}/question_tags?text=%ff%00{quote(HOSTILE)}{damaged}")
    settled(page)
    expect(page.get_by_role("alert")).to_have_count(0)
    region = page.get_by_role("region", name="The text, each token tinted").first
    expect(region).to_contain_text(f"\u2400{HOSTILE}")
    assert page.locator("img[src='x']").count() == 0
    paste(page, "   \n ")
    expect(page.get_by_role("alert")).to_have_text("There is no text to read: type or paste some words first.")
    paste(page, f"{HOSTILE} again")
    expect(region).to_contain_text(f"{HOSTILE} again")
    assert page.locator("img[src='x']").count() == 0

    box = page.get_by_role("textbox", name="Your question")
    # What a paste does to the box, without moving a megabyte through the test's own protocol.
    box.evaluate(
        """(area, line) => {
            const value = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value');
            value.set.call(area, line.repeat(24500));
            area.dispatchEvent(new Event('input', { bubbles: true }));
        }""",
        "public static void main(String[] args) { }\n",
    )
    box.press("Control+Enter")
    expect(page.get_by_text("the network read the first", exact=False)).to_be_visible()
    verdict(page, "Java")

"""Forecasting in a real browser: the verdict, the lagged copy, a leak that is caught, and a CSV of one's own."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page

import lstm_core
from lstm_core.inference.forecaster import Forecaster
from lstm_core.timeseries import series
from tests.browser.axe import is_readable
from tests.browser.expecting import expect
from tests.browser.looks import PHONE, choice, is_whole
from tests.timeseries.test_csv_series import table
from ui.forecasting import panels

LAST_WORDS = "Sources: Koenker & Bassett 1978"


def verdict(name: str, model: str) -> str:
    forecaster = lstm_core.load(model)
    assert isinstance(forecaster, Forecaster)
    found = series.load_series(name)
    return panels.verdict(forecaster.backtest(found), found.step).replace("**", "")


def upload(page: Page, name: str, data: bytes) -> None:
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "text/csv", "buffer": data})


@pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])
def test_the_story_of_the_lecture(page: Page, address: str) -> None:
    page.goto(f"{address}/forecasting")
    expect(page.get_by_role("heading", name=verdict("AMZN", "forecast_stocks"))).to_be_visible()
    expect(page.get_by_text("a lagged copy", exact=False)).to_be_visible()
    page.get_by_text("Move the forecast one step to the left", exact=True).click()
    expect(page.get_by_text("moved one step to the left", exact=False).first).to_be_visible()
    is_whole(page, LAST_WORDS, alerts=None)
    choice(page, "A sum of seasons").click()
    expect(page.get_by_role("heading", name=verdict("seasons", "forecast_seasons"))).to_be_visible()
    expect(page.get_by_text("no lagged copy", exact=False)).to_be_visible()
    choice(page, "Cell states").click()
    expect(page.get_by_text("follows the season best", exact=False).first).to_be_visible()
    choice(page, "Leakage").click()
    expect(page.get_by_text("No leak found", exact=False)).to_be_visible()
    choice(page, "Window one too late").click()
    expect(page.get_by_text("Leak found", exact=False)).to_be_visible()
    is_whole(page, LAST_WORDS, alerts=None)
    is_readable(page)


@pytest.mark.timeout(600)  # trains: minutes where the machine is busy
def test_an_own_csv_is_read_trained_on_and_judged(page: Page, address: str) -> None:
    page.goto(f"{address}/forecasting?series=own")
    expect(page.get_by_text("A CSV with a column of dates", exact=False)).to_be_visible()
    upload(page, "bad.csv", b"name,size\na,1\nb,2\n")
    expect(page.get_by_text("No column holds dates", exact=False)).to_be_visible()
    wave = series.seasons(200, seed=21)
    rows = [f"{date},{value:.2f}" for date, value in zip(wave.dates.astype("datetime64[D]"), wave.values, strict=True)]
    upload(page, "mine.csv", table(rows, "date,<img src=x onerror=alert(1)>").encode())
    expect(page.get_by_role("heading", name="Evaluation")).to_be_visible()
    assert page.locator("img[src=x]").count() == 0
    page.get_by_role("button", name="Train a network on it").click()
    expect(page.get_by_text(re.compile(r"attempt \d+: epoch \d+ of"))).to_be_visible(timeout=120_000)
    judged = re.compile("The LSTM (beats|does not beat|is worse than) the best simple forecast")
    expect(page.get_by_role("heading", name=judged)).to_be_visible(timeout=240_000)
    page.get_by_label("Name", exact=True).fill("seasons of mine")
    page.get_by_role("button", name="Save to the library").click()
    page.wait_for_url(re.compile("model="))
    expect(page.get_by_role("heading", name=judged)).to_be_visible()
    is_whole(page, LAST_WORDS, alerts=None)

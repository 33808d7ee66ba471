"""The forecasting page by AppTest: computed verdicts, views, links, a visitor's own CSV, and nonsense of all kinds."""

from __future__ import annotations

import io
import json
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import lstm_core
from lstm_core import timeseries
from lstm_core.inference.forecaster import Forecaster
from lstm_core.jobs import queue
from lstm_core.jobs.job import FAILED, FINISHED, RUNNING, STOPPED, Job
from lstm_core.jobs.queue import JobError
from lstm_core.library import bundle, store
from lstm_core.timeseries import series
from tests.pages.test_every_page import opened
from tests.timeseries.test_csv_series import BAD, PLAIN, table
from ui.common import model_cache
from ui.forecasting import panels
from ui.forecasting import upload as forecast_upload
from ui.forecasting.data import KINDS

WAVE = "date,value\n" + "".join(
    f"{str(date)[:10]},{value:.2f}\n"
    for date, value in zip(series.seasons(200).dates, series.seasons(200).values, strict=True)
)


def said(page: AppTest, words: str) -> bool:
    return any(words in text.value for text in page.markdown)


def verdict(name: str, model: str, horizon: int) -> str:
    forecaster = lstm_core.load(model)
    assert isinstance(forecaster, Forecaster)
    found = series.load_series(name)
    return panels.verdict(forecaster.backtest(found).up_to(horizon), found.step)


@pytest.mark.parametrize(
    ("kind", "name", "model", "words"),
    [
        ("shares", "AMZN", "forecast_stocks", "**does not beat** the best simple forecast"),
        ("seasons", "seasons", "forecast_seasons", "**beats** the best simple forecast, “as one season ago”"),
        ("sunspots", "sunspots", "forecast_sunspots", "**beats**"),
        ("random_walk", "random_walk", "forecast_stocks", "**does not beat**"),
    ],
)
def test_the_verdict_is_computed_and_plain(kind: str, name: str, model: str, words: str) -> None:
    page = opened("forecasting", series=kind, horizon="3")
    assert not page.exception
    assert words in verdict(name, model, 3)
    assert said(page, verdict(name, model, 3))


def test_a_gain_without_reading_is_called_that() -> None:
    page = opened("forecasting", company="GOOG")
    assert said(page, "**But a constant offset does as well.**")
    assert said(page, "the mean trend of such series")


def test_the_horizon_and_the_company_change_the_verdict() -> None:
    page = opened("forecasting")
    page.slider(key="fc_horizon_AMZN_4").set_value(1).run()
    assert said(page, verdict("AMZN", "forecast_stocks", 1))
    page.segmented_control(key="fc_company").set_value("AAPL").run()
    assert said(page, verdict("AAPL", "forecast_stocks", 4))
    assert page.query_params["company"] in ("AAPL", ["AAPL"])


def test_the_lagged_copy_is_called_one_on_prices_and_not_on_seasons() -> None:
    assert said(opened("forecasting", series="random_walk"), "a *lagged copy*")
    page = opened("forecasting", series="seasons")
    assert said(page, "**no lagged copy**")
    page.toggle(key="fc_back").set_value(True).run()
    assert not page.exception
    assert page.query_params["back"] in ("yes", ["yes"])


def test_the_memory_names_its_unit_and_what_it_is_worth_elsewhere() -> None:
    page = opened("forecasting", series="seasons", view="memory")
    assert said(page, "follows the season best")
    page.segmented_control(key="fc_signal").set_value("level").run()
    assert said(page, "follows the value itself best")
    page.toggle(key="fc_whole").set_value(True).run()
    assert not page.exception


@pytest.mark.parametrize("leak", ["scaler", "window", "smoothed"])
def test_a_leak_that_is_built_in_is_caught(leak: str) -> None:
    page = opened("forecasting", series="seasons", view="leakage")
    assert "No leak found" in page.success[0].value
    page.segmented_control(key="fc_leak").set_value(leak).run()
    assert not page.success
    assert "Leak found" in page.warning[0].value


@pytest.mark.parametrize("view", ["lagged", "memory", "leakage"])
@pytest.mark.parametrize("bad", ["", "nan", "-1e999", "99999999999999999999", "<b>", "\x00"])
def test_nonsense_in_the_link_gives_a_view_all_the_same(view: str, bad: str) -> None:
    names = ("series", "company", "horizon", "origin", "back", "signal", "whole", "leak")
    page = opened("forecasting", view=view, **dict.fromkeys(names, bad))
    assert not page.exception
    assert not page.error
    assert said(page, "equals this week”")


def test_a_missing_network_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(store, "SHIPPED", tmp_path)
    monkeypatch.setattr(model_cache, "_loaded", {})
    page = opened("forecasting", series="sunspots")
    assert not page.exception
    assert len(page.error) == 1
    assert r"forecast\_sunspots" in page.error[0].value


def test_every_kind_has_a_name() -> None:
    page = opened("forecasting")
    assert page.segmented_control(key="fc_kind").options == list(KINDS.values())


# --- A visitor's own series ---------------------------------------------------------------------


def upload(data: str | bytes) -> AppTest:
    page = opened("forecasting", series="own")
    assert not page.exception
    page.file_uploader(key="fc_file").upload("mine.csv", data.encode() if isinstance(data, str) else data, "text/csv")
    return page.run()


def with_training(model: bytes, facts: dict[str, Any]) -> bytes:
    """A bundle whose card has further facts on its training."""
    with zipfile.ZipFile(io.BytesIO(model)) as archive:
        files = {name: archive.read(name) for name in store.FILES}
    card = json.loads(files["card.json"])
    card["training"] |= facts
    return bundle.bundle_files(files | {"card.json": json.dumps(card).encode()})


class Paused(queue.JobQueue):
    """Jobs that are where a test says they are."""

    def submit(self, work: str, arguments: dict[str, Any], owner: str, title: str, address: str = "") -> Job:
        job = Job(f"job{len(self._jobs)}", owner, title, work, arguments, state=RUNNING, begun=time.time())
        self._jobs[job.identity] = job
        curves = {"level": [0.4, 0.3], "difference": [0.2]}
        self.receive(job, {"share": 0.7, "form": "difference", "epoch": 2, "epochs": 3, "curves": curves})
        return job

    def stop(self, job: Job) -> None:
        self._end(job, STOPPED)

    @property
    def only(self) -> Job:
        (job,) = self._jobs.values()
        return job


@pytest.fixture
def paused(monkeypatch: pytest.MonkeyPatch) -> Paused:
    found = Paused()
    monkeypatch.setattr(queue, "_shared", found)
    return found


class TestOwn:
    def test_the_simple_forecasts_come_at_once(self) -> None:
        page = upload(WAVE)
        assert not page.exception
        assert not page.error
        assert list(page.dataframe[0].value["Forecast"]) == ["naive: the last value", "seasonal naive", "drift"]
        assert page.number_input(key="fc_season").value == 7
        assert page.button(key="fc_train").label == "Train a network on it"

    def test_what_is_mended_is_said(self) -> None:
        page = upload(table([row for index, row in enumerate(PLAIN) if index not in (5, 6)]))
        assert "2 days are missing" in page.warning[0].value

    @pytest.mark.parametrize("name", [name for name in BAD if name not in ("too large", "an endless quote")])
    def test_a_bad_file_is_one_sentence(self, name: str) -> None:
        page = upload(BAD[name][0])
        assert not page.exception
        assert len(page.error) == 1

    @pytest.mark.parametrize("data", [WAVE, "no table"], ids=["a good file", "a refused file"])
    def test_a_file_is_read_once(self, data: str, monkeypatch: pytest.MonkeyPatch) -> None:
        read: list[str] = []
        for name in ("read_table", "series_from_table"):
            function = getattr(timeseries, name)
            monkeypatch.setattr(
                timeseries, name, lambda *given, name=name, function=function: read.append(name) or function(*given)
            )
        page = upload(data)
        said = [error.value for error in page.error]
        expected = ["read_table", "series_from_table"] if data == WAVE else ["read_table"]
        for _ in range(2):
            assert (read, bool(said)) == (expected, data != WAVE)
            page.run()
            assert [error.value for error in page.error] == said
        if data == WAVE:
            page.selectbox(key="fc_gaps").set_value("skip").run()
            assert read == [*expected, "series_from_table"]

    def test_a_wrong_column_is_one_sentence_and_can_be_mended(self) -> None:
        page = upload(WAVE)
        page.selectbox(key="fc_value").set_value(0).run()
        assert "same column" in page.error[0].value
        page.selectbox(key="fc_value").set_value(1).run()
        assert not page.error

    def test_training_shows_how_far_it_is_and_can_be_stopped(self, paused: Paused) -> None:
        page = upload(WAVE)
        page.button(key="fc_train").click().run()
        assert not page.exception
        assert "fc_train" not in [button.key for button in page.button]
        assert "epoch 2 of 3" in page.get("progress")[0].proto.text
        assert "0.200" in page.get("progress")[0].proto.text
        page.button(key="fc_stop").click().run()
        assert paused.only.state == STOPPED
        assert not page.error
        assert page.button(key="fc_train").label == "Train a network on it"

    def test_a_trained_network_is_judged_as_the_others_are(self, paused: Paused) -> None:
        page = upload(WAVE)
        page.button(key="fc_train").click().run()
        paused.only.result = {"model": bundle.bundle_folder(store.SHIPPED / "forecast_seasons")}
        paused._end(paused.only, FINISHED)
        page.run()
        assert not page.exception
        assert said(page, "“tomorrow equals today”")
        assert said(page, "The test set has")

    def test_a_trained_network_is_saved_with_its_series_and_opened_by_its_link(self, paused: Paused) -> None:
        page = upload(WAVE)
        page.button(key="fc_train").click().run()
        kept = {"series": timeseries.series_from_table(timeseries.read_table(WAVE.encode()), 0, 1).series.to_json()}
        paused.only.result = {"model": with_training(bundle.bundle_folder(store.SHIPPED / "forecast_seasons"), kept)}
        paused._end(paused.only, FINISHED)
        headline = next(text.value for text in page.run().markdown if text.value.startswith("#### The LSTM"))
        page.text_input(key=f"fc_{paused.only.identity}_name").set_value("Waves")
        page.button(key=f"fc_{paused.only.identity}_save").click().run()
        assert not page.exception
        identity = page.selectbox(key="fc_model").value
        assert identity in (page.query_params["model"], *page.query_params["model"])
        horizon = next(slider.value for slider in page.slider if slider.label.startswith("Horizon"))
        other = opened("forecasting", model=identity, horizon=str(horizon))
        assert not other.exception
        assert other.segmented_control(key="fc_kind").value == "own"
        assert "Waves" in other.selectbox(key="fc_model").options
        assert headline in [text.value for text in other.markdown]
        assert any(identity in code.value for code in other.code)

    def test_a_link_to_a_network_that_is_gone_says_so(self) -> None:
        page = opened("forecasting", model="0123456789abcdef01234567")
        assert not page.exception
        assert "deleted" in page.info[0].value

    def test_another_file_ends_the_training_of_the_last_one(self, paused: Paused) -> None:
        page = upload(WAVE)
        page.button(key="fc_train").click().run()
        page.file_uploader(key="fc_file").upload("b.csv", table(PLAIN).encode(), "text/csv")
        page.run()
        assert paused.only.state == STOPPED
        assert page.button(key="fc_train").label == "Train a network on it"

    def test_a_training_that_fails_is_one_sentence(self, paused: Paused) -> None:
        page = upload(WAVE)
        page.button(key="fc_train").click().run()
        paused._end(paused.only, FAILED, "The worker was ended from outside.")
        page.run()
        assert [error.value for error in page.error] == ["The worker was ended from outside."]
        assert page.button(key="fc_train").label == "Train a network on it"

    def test_too_many_trainings_are_one_sentence(self, monkeypatch: pytest.MonkeyPatch, paused: Paused) -> None:
        def full(*rest: object) -> Job:
            raise JobError("40 runs are waiting already; come back in a few minutes.")

        monkeypatch.setattr(paused, "submit", full)
        page = upload(WAVE)
        page.button(key="fc_train").click().run()
        assert not page.exception
        assert "40 runs are waiting" in page.error[0].value

    def test_the_example_can_be_read(self) -> None:
        page = upload(forecast_upload.example_csv())
        assert not page.error
        assert not page.warning

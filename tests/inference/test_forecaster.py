"""Forecasters: windows and units, the network against Keras, training, files, and planted leaks that are caught."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import lstm_core
from lstm_core import __main__
from lstm_core.errors import ModelError
from lstm_core.evaluation import leakage
from lstm_core.evaluation.evaluate import evaluate
from lstm_core.inference.forecaster import Forecaster, Settings
from lstm_core.interpret import forecast_probe
from lstm_core.library import store
from lstm_core.library.store import ModelCard
from lstm_core.nn.network import Network
from lstm_core.timeseries import backtest, series
from lstm_core.timeseries.backtest import Parts, SeriesError
from lstm_core.timeseries.scaling import FORMS, Scaling
from lstm_core.timeseries.series import Series
from lstm_core.training import forecaster as forecast_training
from lstm_core.training.forecaster import ForecastTask
from lstm_core.training.progress import Progress
from lstm_core.training.recipes import LEVELS, ForecastRecipe
from lstm_core.training.trainer import Trainer
from tests.witness import with_keras

VALUES = np.array([2.0, 4.0, 3.0, 7.0, 5.0, 9.0, 8.0, 6.0])
CARD = ModelCard("tiny", "Tiny", "forecaster", "seasons", "Random weights.")
RECIPE = ForecastRecipe(
    name="tiny", title="Tiny", dataset="seasons", summary="Six units.", window=14, horizon=3, units=6, epochs=2
)


@pytest.fixture(scope="module")
def wave() -> Series:
    """Three hundred values of a season and noise."""
    return series.seasons(300, seed=1)


def forecaster(wave: Series, form: str, seed: int = 0) -> Forecaster:
    """Untrained, with weights of some size."""
    network = forecast_training.network(RECIPE)
    random = np.random.default_rng(seed)
    network.set_weights([random.normal(0, 0.5, weight.shape) for weight in network.get_weights()])
    scaling = Scaling.fit(wave.values, form, 0, wave.parts.training)  # type: ignore[arg-type]
    settings = Settings(14, 3, LEVELS, form, {wave.name: scaling})  # type: ignore[arg-type]
    return with_keras(Forecaster(CARD, settings, Network(network)), network)


class TestScaling:
    def test_by_hand(self) -> None:
        level = Scaling.fit(VALUES, "level", 0, 4)
        assert (level.centre, level.spread) == (4.0, pytest.approx(np.sqrt(14 / 4)))
        change = Scaling.fit(VALUES, "difference", 0, 4)  # changes 2, -1, 4
        assert (change.centre, change.spread) == (0.0, pytest.approx(np.std([2, -1, 4])))
        windows = change.inputs(VALUES, np.array([3]), 2)
        np.testing.assert_allclose(windows[0, :, 0] * change.spread, [-1, 4], rtol=1e-6)
        windows = level.inputs(VALUES, np.array([3, 4]), 3)
        np.testing.assert_allclose(windows[..., 0] * level.spread + 4, [[4, 3, 7], [3, 7, 5]], rtol=1e-6)

    @pytest.mark.parametrize("form", list(FORMS))
    def test_targets_come_back_in_the_units_of_the_series(self, form: str) -> None:
        scaling = Scaling.fit(VALUES, form, 0, 6)  # type: ignore[arg-type]
        origins = np.array([2, 4])
        targets = scaling.targets(VALUES, origins, 2)
        back = scaling.back(targets[..., None], VALUES, origins)[..., 0]
        np.testing.assert_allclose(back, [[7, 5], [9, 8]], rtol=1e-6)

    def test_crossing_quantiles_are_put_in_order(self) -> None:
        scaling = Scaling("level", 0.0, 1.0, (0, 4))
        np.testing.assert_array_equal(scaling.back(np.array([[[3.0, 1.0, 2.0]]]), VALUES, np.array([0])), [[[1, 2, 3]]])

    @pytest.mark.parametrize("form", list(FORMS))
    def test_what_never_changes_is_refused(self, form: str) -> None:
        with pytest.raises(SeriesError, match="never changes"):
            Scaling.fit(np.full(20, 5.0), form, 0, 12)  # type: ignore[arg-type]

    def test_logarithms_need_values_above_zero(self) -> None:
        with pytest.raises(SeriesError, match="above 0"):
            Scaling.fit(VALUES - 4, "log_difference", 0, 6)


class TestForecaster:
    @pytest.mark.parametrize("form", list(FORMS))
    def test_it_answers_as_keras_does(self, form: str, wave: Series) -> None:
        model = forecaster(wave, form)
        scaling = model.scaling(wave)
        origins = np.arange(model.settings.before - 1, len(wave))  # more than are read at once
        windows = scaling.inputs(wave.values, origins, 14)
        keras_says = np.asarray(model.keras().predict(windows, verbose=0)).reshape(len(origins), 3, 3)
        wanted = scaling.back(keras_says, wave.values, origins)
        np.testing.assert_allclose(model.forecast(wave.values, origins, scaling), wanted, rtol=1e-4)
        assert (np.diff(model.forecast(wave.values, origins, scaling), axis=-1) >= 0).all()

    def test_the_memory_is_the_state_at_the_end_of_the_window(self, wave: Series) -> None:
        import keras

        model = forecaster(wave, "level")
        scaling, origins = model.scaling(wave), np.array([60, 200])
        lstm = model.keras().get_layer("lstm")
        with_state = keras.layers.LSTM(6, return_state=True)
        windows = scaling.inputs(wave.values, origins, 14)
        with_state.build(windows.shape)
        with_state.set_weights(lstm.get_weights())
        wanted = np.asarray(with_state(windows)[2])
        np.testing.assert_allclose(model.memory(wave.values, origins, scaling), wanted, atol=1e-5)

    def test_too_early_an_origin_is_refused(self, wave: Series) -> None:
        model = forecaster(wave, "difference")
        with pytest.raises(SeriesError, match="needs 15 values"):
            model.forecast(wave.values, np.array([13]), model.scaling(wave))

    def test_saved_and_loaded_it_says_the_same(self, wave: Series, tmp_path: Path) -> None:
        model = forecaster(wave, "difference")
        store.save(model.keras(), model.settings, CARD, tmp_path / "tiny")
        again = lstm_core.load(tmp_path / "tiny")
        assert isinstance(again, Forecaster)
        assert again.settings == model.settings
        one, other = (each.backtest(wave) for each in (model, again))
        np.testing.assert_array_equal(one.quantiles, other.quantiles)

    @pytest.mark.parametrize(
        "change",
        [
            {"levels": [0.9, 0.5]},
            {"levels": [0.1, 0.9]},
            {"horizon": 0},
            {"horizon": 4},
            {"window": "x"},
            {"form": "other"},
            {"scalings": []},
            {"scalings": {"seasons": {"form": "level", "centre": 0, "spread": 0, "fitted_on": [0, 1]}}},
        ],
    )
    def test_damaged_settings_are_one_sentence(self, change: dict, wave: Series, tmp_path: Path) -> None:
        model = forecaster(wave, "level")
        store.save(model.keras(), model.settings, CARD, tmp_path / "tiny")
        path = tmp_path / "tiny" / store.VOCABULARY
        path.write_text(json.dumps(json.loads(path.read_text()) | change))
        with pytest.raises(ModelError, match="tiny") as caught:
            lstm_core.load(tmp_path / "tiny")
        assert "\n" not in str(caught.value)


class TestTraining:
    def test_the_loss_is_that_of_the_core(self) -> None:
        rng = np.random.default_rng(0)
        truth, answers = rng.normal(size=(5, 3)).astype(np.float32), rng.normal(size=(5, 9)).astype(np.float32)
        wanted = backtest.pinball(truth, answers.reshape(5, 3, 3), LEVELS).mean()
        assert float(forecast_training.pinball_loss(truth, answers)) == pytest.approx(wanted, rel=1e-5)

    def test_it_learns_and_keeps_the_better_form(self, wave: Series) -> None:
        seen: list[Progress] = []
        recipe = replace(RECIPE, epochs=12, learning_rate=2e-2, units=8)
        model, settings, card = ForecastTask(recipe, [wave]).train(Trainer(seen.append))
        losses = card.training["validation_pinball"]
        assert settings.form == min(losses, key=losses.get)
        whole = [(each.stage, each.epoch) for each in seen if each.whole_epoch]
        assert whole == [(form, epoch) for form in recipe.forms for epoch in range(1, 13)]
        test = with_keras(Forecaster(card, settings, Network(model)), model).backtest(wave, "validation")
        assert test.skill() > 0.1
        kept = backtest.pinball(test.actual, test.quantiles, LEVELS).mean() / test.scale
        assert kept == pytest.approx(losses[settings.form], abs=2e-3)

    def test_no_value_of_the_test_part_gets_into_training(self, wave: Series) -> None:
        values = wave.values.copy()
        values[wave.parts.validation :] = -1e9
        other = replace(wave, values=values)
        weights = []
        for each in (wave, other):
            model, settings, _ = ForecastTask(replace(RECIPE, forms=("level",)), [each]).train(Trainer())
            weights.append((model.get_weights(), settings))
        assert weights[0][1] == weights[1][1]
        for one, same in zip(weights[0][0], weights[1][0], strict=True):
            np.testing.assert_array_equal(one, same)

    def test_examples_stay_inside_the_training_part(self, wave: Series) -> None:
        known = forecast_training.Known(wave.name, wave.values.copy(), wave.parts)
        settings = forecast_training.settings_for([known], 14, 3, "level")
        known.values[wave.parts.training :] = np.nan
        x, y = known.examples(settings, "training")
        assert np.isfinite(x).all()
        assert np.isfinite(y).all()
        assert x.shape == (wave.parts.training - 13 - 3, 14, 1)

    def test_too_short_a_series_is_refused(self) -> None:
        with pytest.raises(SeriesError, match="too short"):
            ForecastTask(RECIPE, [series.seasons(20)]).train(Trainer())


class TestLeaks:
    def test_an_honest_forecaster_passes(self, wave: Series) -> None:
        for form in FORMS:
            audit = leakage.audit_forecaster(forecaster(wave, form), wave)
            assert audit.clean
            assert audit.tried > 60

    @pytest.mark.parametrize(
        ("kind", "broken"), [("scaler", {0, 1}), ("window", {1}), ("smoothed", {1}), ("none", set())]
    )
    @pytest.mark.parametrize("form", ["level", "difference"])
    def test_planted_leaks_are_caught(self, kind: str, broken: set[int], form: str, wave: Series) -> None:
        model = forecaster(wave, form)
        pipeline = leakage.planted(kind, model, wave)
        origins = wave.parts.test_origins(3)
        audit = leakage.audit(wave.values, wave.parts, origins, pipeline.fit, pipeline.forecast)
        assert {index for index, check in enumerate(audit.checks) if not check.held} == broken
        assert audit.clean == (not broken)

    def test_a_scaler_that_was_saved_with_a_leak_is_caught(self, wave: Series) -> None:
        model = forecaster(wave, "level")
        leaky = Scaling.fit(wave.values, "level", 0, len(wave))
        for scaling in (leaky, replace(leaky, fitted_on=(0, wave.parts.training))):  # the second one lies about it
            settings = replace(model.settings, scalings={wave.name: scaling})
            assert not leakage.audit_forecaster(replace(model, settings=settings), wave).clean

    def test_a_forecast_that_ignores_everything_is_no_proof(self, wave: Series) -> None:
        def ignore(values: np.ndarray, origins: np.ndarray) -> np.ndarray:
            return np.zeros((len(origins), 3))

        fit = leakage.planted("none", forecaster(wave, "level"), wave).fit
        assert not leakage.audit(wave.values, wave.parts, wave.parts.test_origins(3), fit, ignore).clean

    def test_an_unknown_leak_is_named(self, wave: Series) -> None:
        with pytest.raises(ValueError, match="no leak called 'x'"):
            leakage.planted("x", forecaster(wave, "level"), wave)


class TestMemory:
    def test_the_follower_is_found_and_measured_elsewhere(self, wave: Series) -> None:
        origins = np.arange(20, 300)
        angle = 2 * np.pi * origins / 7
        rng = np.random.default_rng(0)
        states = rng.normal(size=(len(origins), 4))
        states[:, 2] = 3 * np.cos(angle + 1) + 5 + 0.1 * rng.normal(size=len(origins))
        found = forecast_probe.best_follower(
            states, forecast_probe.series_signal("season", wave, origins), wave, origins
        )
        assert found.unit == 2
        assert found.chosen > 0.99
        assert found.measured > 0.99

    def test_luck_in_the_training_part_does_not_count(self, wave: Series) -> None:
        origins = np.arange(20, 300)
        states = np.random.default_rng(3).normal(size=(len(origins), 40))
        found = forecast_probe.best_follower(
            states, forecast_probe.series_signal("level", wave, origins), wave, origins
        )
        assert found.measured < found.chosen

    @pytest.mark.parametrize("name", list(forecast_probe.SERIES_SIGNALS))
    def test_signals_know_nothing_of_what_comes(self, name: str, wave: Series) -> None:
        origins = np.arange(20, 100)
        values = wave.values.copy()
        values[100:] = 1e9
        other = replace(wave, values=values)
        one, same = (forecast_probe.series_signal(name, each, origins) for each in (wave, other))
        np.testing.assert_array_equal(one, same)


SHIPPED = [card.name for card in lstm_core.list_models() if card.task == "forecaster"]


class TestShipped:
    def test_three_of_them(self) -> None:
        assert SHIPPED == ["forecast_seasons", "forecast_stocks", "forecast_sunspots"]

    @pytest.mark.parametrize("name", SHIPPED)
    def test_it_reaches_the_figures_in_its_card(self, name: str) -> None:
        model = lstm_core.load(name)
        found = evaluate(model)
        assert {"model", "examples", "mase", "naive_mase"} <= set(found)
        for key in ("mase", "naive_mase", "seasonal_naive_mase", "drift_mase", "skill", "coverage"):
            assert found[key] == pytest.approx(model.card.measured[key], rel=1e-3)
        assert found["examples"] == model.card.measured["examples"]

    @pytest.mark.parametrize("name", SHIPPED)
    def test_it_has_no_leak(self, name: str) -> None:
        model = lstm_core.load(name)
        assert isinstance(model, Forecaster)
        for each in model.settings.scalings:
            assert leakage.audit_forecaster(model, series.load_series(each)).clean

    @pytest.mark.parametrize("name", ["forecast_seasons", "forecast_sunspots"])
    def test_where_there_is_a_rhythm_it_beats_all_simple_forecasts(self, name: str) -> None:
        measured = next(card for card in lstm_core.list_models() if card.name == name).measured
        assert measured["mase"] < 0.5 * min(measured[f"{each}_mase"] for each in backtest.BASELINES)
        assert measured["skill_interval"][0] > 0

    def test_the_command_line_prints_them(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert __main__.main(["evaluate", "forecast_seasons", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["mase"] < found["naive_mase"]
        assert __main__.main(["list"]) == 0
        assert "MASE 0." in capsys.readouterr().out


def test_parts_are_those_of_the_series(wave: Series) -> None:
    assert wave.parts == Parts(180, 240, 300)

"""A trained forecaster: quantile forecasts from any origin, backtests, and its cell state along a series.

The network reads a window of scaled values and outputs quantiles of the next steps, in NumPy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from lstm_core.arrays import Array
from lstm_core.inference.protocol import Model
from lstm_core.library import store
from lstm_core.library.card import ModelCard, misfit
from lstm_core.nn.network import Network
from lstm_core.nn.trace import LayerTrace
from lstm_core.timeseries import backtest as walk_forward
from lstm_core.timeseries import series
from lstm_core.timeseries.backtest import Backtest, SeriesError
from lstm_core.timeseries.scaling import FORMS, Form, Scaling
from lstm_core.timeseries.series import Series

MOST_STEPS = 10_000  # that are read or forecast
ROWS = 256  # windows that are read at once


@dataclass(frozen=True)
class Settings:
    """A forecaster's settings; saved where a text model has its vocabulary."""

    window: int  # how many values are read
    horizon: int  # how many steps ahead are forecast
    levels: tuple[float, ...]  # of the quantiles, ascending, including 0.5
    form: Form  # how values are transformed before they are read
    scalings: Mapping[str, Scaling]  # series → the scaling fitted on its training part

    @property
    def before(self) -> int:
        """How many values, up to and including the origin, are used."""
        return self.window + (0 if self.form == "level" else 1)

    def to_json(self) -> dict[str, Any]:
        """What `from_json` needs."""
        scalings = {name: scaling.to_json() for name, scaling in self.scalings.items()}
        return vars(self) | {"levels": list(self.levels), "scalings": scalings}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Raises KeyError, TypeError or ValueError if the data isn't what `to_json` wrote."""
        levels = tuple(float(level) for level in data["levels"])
        window, horizon = int(data["window"]), int(data["horizon"])
        if list(levels) != sorted(levels) or 0.5 not in levels or not (levels[0] > 0 and levels[-1] < 1):
            raise ValueError("the levels of the quantiles must rise between 0 and 1, with 0.5 among them")
        if not (1 <= window <= MOST_STEPS and 1 <= horizon <= MOST_STEPS):
            raise ValueError(f"window and horizon must be from 1 to {MOST_STEPS:,}")
        scalings = {str(name): Scaling.from_json(each) for name, each in data["scalings"].items()}
        if any(scaling.form != data["form"] for scaling in scalings.values()):
            raise ValueError("a scaling has another form than the network")
        if data["form"] not in FORMS:
            raise ValueError(f"there is no form {data['form']!r}")
        return cls(window, horizon, levels, data["form"], scalings)


@dataclass(frozen=True, eq=False)
class Forecaster(Model):
    """A loaded forecaster; it never changes, so it is safe to share."""

    card: ModelCard
    settings: Settings  # windows, horizon, quantiles and scalings
    network: Network
    folder: Path | None = None

    def scaling(self, series: Series) -> Scaling:
        """The scaling of a series: the one from training, or one fitted on the series' training part now.

        Raises:
            SeriesError: if the training part can't be scaled.
        """
        kept = self.settings.scalings.get(series.name)
        return kept or Scaling.fit(series.values, self.settings.form, 0, series.parts.training)

    def forecast(self, values: Array, origins: Array, scaling: Scaling) -> Array:
        """Quantiles of the next steps from each origin, from values[: origin + 1] alone.

        Args:
            values: (n,) the series; values after an origin are not used.
            origins: (k,), each at least `settings.before` - 1.
            scaling: from `scaling`.

        Returns:
            (k, horizon, levels) in the units of the series, ascending along levels.

        Raises:
            SeriesError: if an origin has too few values before it.
        """
        shape = (len(origins), self.settings.horizon, len(self.settings.levels))
        answers = [output[-1] for output, _ in self._read(values, origins, scaling)]
        return scaling.back(np.concatenate(answers).reshape(shape), values, origins)

    def memory(self, values: Array, origins: Array, scaling: Scaling) -> Array:
        """The cell state at the end of each origin's window, (k, units); arguments as in `forecast`."""
        traces = (trace for _, trace in self._read(values, origins, scaling))
        return np.concatenate([trace.signals.get("c", trace.h)[-1] for trace in traces])

    def origins(self, series: Series) -> Array:
        """All origins with a whole window before them, up to the last value."""
        return np.arange(self.settings.before - 1, len(series))

    def backtest(self, series: Series, part: str = "test") -> Backtest:
        """Forecasts from every origin of the "test" or "validation" part, with the true values.

        Raises:
            SeriesError: if the series is too short, or can't be scaled.
        """
        parts, horizon = series.parts, self.settings.horizon
        origins = parts.test_origins(horizon) if part == "test" else parts.validation_origins(horizon)
        origins = origins[origins >= self.settings.before - 1]
        quantiles = self.forecast(series.values, origins, self.scaling(series)) if len(origins) else None
        scale = walk_forward.naive_scale(series.values, parts)
        levels = self.settings.levels
        return walk_forward.backtest_forecasts(series.values, origins, horizon, series.season, scale, quantiles, levels)

    def _read(self, values: Array, origins: Array, scaling: Scaling) -> list[tuple[Array, LayerTrace]]:
        """For each chunk of k origins the output (window, k, answers) and the trace, signals (window, k, units)."""
        if len(origins) and origins.min() < self.settings.before - 1:
            raise SeriesError(f"A forecast needs {self.settings.before} values before it; this origin has fewer.")
        found = []
        for first in range(0, len(origins), ROWS):
            windows = scaling.inputs(values, origins[first : first + ROWS], self.settings.window)  # (k, window, 1)
            read = self.network.run(windows.transpose(1, 0, 2))
            trace = read.traces[-1]
            assert isinstance(trace, LayerTrace)  # `load_forecaster` accepts no other network
            found.append((read.output, trace))
        return found


def load_forecaster(folder: Path, card: ModelCard) -> Forecaster:
    """A forecaster from its folder; raises ModelError as `inference.load` does."""
    settings = store.read_vocabulary(folder, Settings.from_json)
    network = Network(store.read_network(folder))
    numbers = settings.horizon * len(settings.levels)
    one_value = [network.saved.shape(name)[1:] for name in network.inputs] == [(1,)]
    one_layer = len(network.recurrent_names) == 1 and network.causal and not network.returns_sequences
    if not (one_value and one_layer) or network.width != numbers:
        should = f"read one value a step with one recurrent layer and answer with {numbers} numbers"
        raise misfit(card, f"the network should {should}")
    return Forecaster(card, settings, network, folder)


def forecasting_figures(model: Forecaster) -> dict[str, Any]:
    """A forecaster's errors in a backtest of the test part, and those of the baselines.

    Errors are in units of each series' own one-step naive error in its training part (MASE), so that several series
    can be averaged. Raises DatasetError if the series isn't available, and SeriesError if it is too short.
    """
    name = model.card.dataset
    many = list(series.stocks().values()) if name == "stocks" else [series.load_series(name)]
    tests = [model.backtest(each) for each in many]
    errors = {
        name: np.concatenate([test.errors(name) / test.scale for test in tests], axis=1) for name in tests[0].forecasts
    }  # (origins, series · horizon)
    low, high = walk_forward.skill_interval(errors["lstm"], errors["naive"], model.settings.horizon)
    mase = {name: float(each.mean()) for name, each in errors.items()}
    return {
        "model": model.card.name,
        "examples": sum(len(test.origins) for test in tests),
        "mase": mase["lstm"],
        **{f"{name}_mase": mase[name] for name in walk_forward.BASELINES},
        "skill": walk_forward.skill_score(errors["lstm"], errors["naive"]),
        "skill_interval": [low, high],
        "coverage": float(np.mean([test.coverage() for test in tests])),
        "wanted_coverage": model.settings.levels[-1] - model.settings.levels[0],
        "mase_by_step": np.mean([test.mase_by_step("lstm") for test in tests], axis=0).round(4).tolist(),
        "naive_mase_by_step": np.mean([test.mase_by_step("naive") for test in tests], axis=0).round(4).tolist(),
        "series": {each.name: round(test.mase("lstm"), 4) for each, test in zip(many, tests, strict=True)},
    }

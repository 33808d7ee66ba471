"""Series to forecast: six share prices, read from Plotly's package without importing it, and three from a formula."""

import csv
import gzip
import importlib.metadata
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

import numpy as np

from lstm_core.arrays import Array
from lstm_core.datasets.download import why
from lstm_core.errors import DatasetError
from lstm_core.timeseries.backtest import Parts, SeriesError

COMPANIES = {
    "GOOG": "Alphabet (GOOG)",
    "AAPL": "Apple (AAPL)",
    "AMZN": "Amazon (AMZN)",
    "FB": "Facebook (FB)",
    "NFLX": "Netflix (NFLX)",
    "MSFT": "Microsoft (MSFT)",
}
STOCKS_FILE = "plotly/package_data/datasets/stocks.csv.gz"
DAY = np.timedelta64(1, "D")
MOST_KEPT = 10_000  # values of a user's series


@dataclass(frozen=True, eq=False)
class Series:
    """Evenly spaced values in the order of time."""

    name: str  # in links
    title: str  # as displayed
    dates: Array  # (n,) datetime64[s]
    values: Array  # (n,) float64, finite; not writeable
    season: int  # its seasonal period in steps; 1 for none
    step: str  # the name of a step, such as "day" or "week"
    about: str  # its source, in a sentence

    def __post_init__(self) -> None:
        self.values.flags.writeable = False
        self.dates.flags.writeable = False

    def __len__(self) -> int:
        return len(self.values)

    @property
    def parts(self) -> Parts:
        """Training, validation and test part."""
        return Parts.of(len(self))

    def to_json(self) -> dict[str, Any]:
        """What `from_json` needs."""
        dates, values = self.dates.astype("datetime64[s]").astype(int).tolist(), self.values.tolist()
        return {"title": self.title, "dates": dates, "values": values, "season": self.season, "step": self.step}

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """A user's series that was kept with a network.

        Raises:
            SeriesError: if it isn't what `to_json` wrote.
        """
        try:
            dates = np.array(data["dates"], np.int64).astype("datetime64[s]")
            values, season = np.array(data["values"], np.float64), int(data["season"])
            good = dates.ndim == 1 and dates.shape == values.shape and 4 <= len(values) <= MOST_KEPT
            if not (good and np.isfinite(values).all() and (np.diff(dates) > np.timedelta64(0, "s")).all()):
                raise ValueError("the values are not a series")
            if not (1 <= season <= len(values) // 4 and re.fullmatch("[a-z ]{1,20}", data["step"])):
                raise ValueError("the season or the step doesn't fit")
            title = str(data["title"])
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise SeriesError(
                f"The series of this network can't be read ({error}); train the network again."
            ) from error
        return cls("own", title, dates, values, season, data["step"], "The series that the network was saved with.")


@cache
def load_series(name: str) -> Series:
    """The series of that name; raises DatasetError if there is none, or the share prices can't be read."""
    if name in COMPANIES:
        return stocks()[name]
    if name not in GENERATED:
        raise DatasetError(f"There is no series '{name}'; there are {', '.join([*COMPANIES, *GENERATED])}.")
    return GENERATED[name]()


@cache
def stocks() -> dict[str, Series]:
    """The table of `plotly.data.stocks()`: 105 weeks of six companies by symbol, each 1 at the start.

    Raises:
        DatasetError: if Plotly isn't installed, or its table has changed.
    """
    try:
        path = importlib.metadata.distribution("plotly").locate_file(STOCKS_FILE)
        rows = list(csv.DictReader(io.StringIO(gzip.decompress(path.read_bytes()).decode())))  # type: ignore[attr-defined]
        dates = np.array([row["date"] for row in rows], "datetime64[s]")
        columns = {name: np.array([float(row[name]) for row in rows]) for name in COMPANIES}
        if len(rows) < 2 or not all(np.isfinite(each).all() for each in columns.values()):
            raise ValueError("a value is missing")
    except importlib.metadata.PackageNotFoundError as error:
        raise DatasetError("The share prices come with Plotly, which isn't installed: pip install plotly.") from error
    except (OSError, EOFError, KeyError, TypeError, ValueError) as error:
        raise DatasetError(f"The share prices in Plotly can't be read ({why(error)}); install Plotly again.") from error
    about = "Weekly share prices from January 2018 to December 2019, divided by the first; they come with Plotly."
    return {name: Series(name, COMPANIES[name], dates, columns[name], 4, "week", about) for name in COMPANIES}


def seasons(length: int = 1400, seed: int = 7) -> Series:
    """A noisy sum of seasons, a value a day.

    y_t = 100 + 8 sin(2πt/7) + 4 cos(4πt/7) + 10 sin(2πt/30.44) + e_t with e_t normal, standard deviation 3.
    """
    t = np.arange(length)
    week = 8 * np.sin(2 * np.pi * t / 7) + 4 * np.cos(4 * np.pi * t / 7)
    month = 10 * np.sin(2 * np.pi * t / 30.44)
    values = 100 + week + month + np.random.default_rng(seed).normal(0, 3, length)
    dates = np.datetime64("2021-01-01", "s") + t * DAY
    about = "Generated: a weekly and a monthly season with incommensurate periods, and noise."
    return Series("seasons", "A noisy sum of seasons", dates, values, 7, "day", about)


def sunspots(length: int = 1280, seed: int = 11) -> Series:
    """Cycles like those of sunspots, four values a year: of unequal length and height, rising faster than they fall.

    A cycle of length P and height A has the shape x³ / (exp(x²) - 0.71) with x = t / b (Hathaway, Wilson & Reichmann
    1994) and b = P/4.6, so that it peaks after about a quarter of P. P is normal with mean 44 steps and standard
    deviation 4, A log-normal around 110. Noise has a standard deviation of 2 + 6 % of the level; no value is below 0.
    """
    rng = np.random.default_rng(seed)
    smooth, start = np.zeros(length), 0
    while start < length:
        period = int(np.clip(round(rng.normal(44, 4)), 30, 60))
        x = np.arange(2 * period) / (period / 4.6)
        shape = x**3 / (np.exp(np.minimum(x**2, 700)) - 0.71)
        shape *= 110 * np.exp(rng.normal(0, 0.3)) / shape.max()
        stop = min(start + 2 * period, length)
        smooth[start:stop] += shape[: stop - start]
        start += period
    values = np.maximum(smooth + rng.normal(0, 1, length) * (2 + 0.06 * smooth), 0)
    dates = (np.datetime64("1700-01", "M") + 3 * np.arange(length)).astype("datetime64[s]")
    about = "Generated: cycles of about eleven years with random length and height, like those of sunspots."
    return Series("sunspots", "A sunspot-like cycle", dates, values, 44, "quarter", about)


def random_walk(length: int = 105, seed: int = 3) -> Series:
    """A random walk: log y_t = log y_{t-1} + e_t, starting from y = 1, with e_t normal, standard deviation 4 %."""
    steps = np.random.default_rng(seed).normal(0, 0.04, length - 1)
    values = np.exp(np.concatenate([[0.0], np.cumsum(steps)]))
    dates = np.datetime64("2018-01-01", "s") + 7 * DAY * np.arange(length)
    about = "Generated: random changes, which can't be forecast."
    return Series("random_walk", "A random walk, no company", dates, values, 4, "week", about)


GENERATED: dict[str, Callable[[], Series]] = {"seasons": seasons, "sunspots": sunspots, "random_walk": random_walk}

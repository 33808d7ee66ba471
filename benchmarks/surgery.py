"""The time of readings with clamps and of both ablation maps, relative to a plain reading of 400 tokens.

Run it from the root: `python -m benchmarks.surgery`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import lstm_core
from benchmarks import texts, timing
from lstm_core import Clamp
from lstm_core.inference.classifier import TextClassifier
from lstm_core.interpret import ablation

TOKENS = 400
READ = "read"
OPERATIONS = {
    "one clamp": (Clamp("f", 0.0),),
    "three clamps": (
        Clamp("f", 1.0, units=range(64)),
        Clamp("i", 0.0, timesteps=range(5, 100)),
        Clamp("h", 0.5, units=[3]),
    ),
}
UNITS, EACH_TOKEN = "ablation map by unit", "ablation map by token"


def measure(model: TextClassifier, repeats: int) -> list[timing.Comparison]:
    """Compare every operation with the plain reading of the same text."""
    text = texts.of_tokens(TOKENS, model.encoder.tokenizer)
    actions = {
        READ: lambda: model.read(text),
        "one clamp": lambda: model.read(text, clamps=OPERATIONS["one clamp"]),
        "three clamps": lambda: model.read(text, clamps=OPERATIONS["three clamps"]),
        UNITS: lambda: ablation.ablate(model, text, "units"),
        EACH_TOKEN: lambda: ablation.ablate(model, text, "tokens", "i"),
    }
    measures = {name: timing.timed(action) for name, action in actions.items()}
    times = timing.interleaved(measures, repeats, {UNITS: 5, EACH_TOKEN: 5})
    return [timing.compare(times, name, READ) for name in actions if name != READ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit status."""
    parser = timing.parser(__doc__, repeats=20)
    parser.add_argument("--model", default="imdb", help="a classifier's name or folder (default %(default)s)")
    options = parser.parse_args(arguments)
    try:
        model = lstm_core.load(options.model)
    except lstm_core.LabError as error:
        print(error, file=sys.stderr)
        return 2
    if not isinstance(model, TextClassifier):
        print(f"'{options.model}' is no classifier; choose one that is.", file=sys.stderr)
        return 2
    timing.show("surgery", measure(model, options.repeats), as_json=options.json, model=model.card.name, tokens=TOKENS)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How often gates keep what a long question said: the family's networks on the test questions by their length.

The figures stand in `assets/family.json`, where the home page reads them. Run it from the root, with the data set
`stackoverflow` on this machine: `python -m benchmarks.long_questions --write`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

import numpy as np

import lstm_core
from lstm_core.datasets import registry
from lstm_core.inference import TextClassifier
from lstm_core.nn import LayerTrace
from lstm_core.paths import ASSETS

KINDS = ("rnn", "gru", "lstm")
KEEPING = {"gru": "z", "lstm": "f"}  # the gate that keeps the old state
LONG, READ = 100, 300  # tokens, and how many long questions are read with their gates


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and, if asked to, write; returns the exit status."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--write", action="store_true", help="write the figures into assets/family.json")
    chosen = options.parse_args(arguments)
    test = registry.load_labelled("stackoverflow").test
    models = {kind: lstm_core.load(f"family_{kind}") for kind in KINDS}
    lengths = np.array([len(models["lstm"].encoder.encode(text).ids) for text in test.texts])
    right = {kind: model.predict(test.texts).argmax(axis=1) == test.labels for kind, model in models.items()}
    long = lengths >= LONG
    figures = {
        "command": "python -m benchmarks.long_questions --write",
        "tokens": LONG,
        "questions": int(long.sum()),
        "of": len(long),
        "accuracy": {kind: round(float(right[kind][long].mean()), 4) for kind in KINDS},
        "accuracy_of_shorter": {kind: round(float(right[kind][~long].mean()), 4) for kind in KINDS},
        "kept": {
            kind: kept(models[kind], [test.texts[place] for place in np.flatnonzero(long)[:READ]], gate)
            for kind, gate in KEEPING.items()
        },
    }
    print(json.dumps(figures, indent=1))
    if chosen.write:
        path = ASSETS / "family.json"
        data = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps(data | {"long_questions": figures}, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return 0


def kept(model: TextClassifier, texts: Sequence[str], gate: str) -> dict[str, float]:
    """The mean of the gate that keeps the state, and the longest memory of a unit.

    Returns:
        `gate`; and `tokens`, after which the unit that keeps most has 1/e of a value left, by the gate's mean log.
    """
    traces = [model.read(text).layers[0] for text in texts]
    values = np.concatenate([trace.signals[gate] for trace in traces if isinstance(trace, LayerTrace)])  # (T, units)
    rates = -np.log(np.maximum(values, 1e-7)).mean(axis=0)
    return {"gate": round(float(values.mean()), 3), "tokens": round(float(1 / rates.min()), 1)}


if __name__ == "__main__":
    sys.exit(main())

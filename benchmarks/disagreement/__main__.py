"""What a linear SVM knows that our network doesn't: the test texts that it alone answers correctly, and by what.

    python -m benchmarks.disagreement [--json] [--update-card]

The SVM is the one of `benchmarks.baselines` on words and characters. A feature's share in an answer is its tf-idf times
the difference of its weights for two classes, the true one and the network's. The features that are listed have the
largest sums over the texts that the SVM alone answers correctly; of features within one another only the first is.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks import baselines
from benchmarks.disagreement.features import contributions, names, strongest
from lstm_core.datasets import registry
from lstm_core.inference import registry as model_registry
from lstm_core.library import store

DATASET = NETWORK = "stackoverflow"


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare both on the test split, and print the counts and the features."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.disagreement", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object for a program to read")
    parser.add_argument("--update-card", action="store_true", help="write the figures into the network's card")
    options = parser.parse_args(arguments)
    figures = measure()
    if options.update_card:
        folder = model_registry.find_model(NETWORK)
        card = store.ModelCard.read(folder)
        store.save_card(dataclasses.replace(card, training={**card.training, "disagreement": figures}), folder)
    if options.json:
        print(json.dumps(figures))
        return
    print(", ".join(f"{name.replace('_', ' ')}: {figures[name]:,}" for name in ("both", "peer_alone", "network_alone")))
    for each in figures["features"]:
        print(f"{each['text']!r:20}supports {each['supports']}, opposes {each['opposes']}, in {each['texts']} texts")


def measure() -> dict[str, Any]:
    """How many test texts both, the SVM alone and the network alone answer correctly, and the SVM's strongest features.

    Raises:
        DatasetError: if the data set isn't there and can't be had.
    """
    data, characters = registry.load_labelled(DATASET), baselines.CHARACTERS[DATASET]
    strength = baselines.svm(DATASET, characters)["strength"]
    union, found, unseen = baselines.vectorized(
        baselines.TOKENS[DATASET], characters, data.train.texts, data.test.texts
    )
    machine = baselines.trained(found, data.train.labels, strength)
    model = model_registry.load(NETWORK)
    ours = model.predict(data.test.texts, mask_names=False).argmax(axis=1)
    theirs = machine.decision_function(unseen).argmax(axis=1)
    truth = np.asarray(data.test.labels)
    alone = np.flatnonzero((theirs == truth) & (ours != truth))
    sums = contributions(
        (unseen[row] for row in alone),
        (names(union, data.test.texts[row]) for row in alone),
        list(zip(truth[alone].tolist(), ours[alone].tolist(), strict=True)),
        machine.coef_,
    )
    return {
        "peer": baselines.SVM_CHARACTERS,
        "both": int(((theirs == truth) & (ours == truth)).sum()),
        "peer_alone": len(alone),
        "network_alone": int(((theirs != truth) & (ours == truth)).sum()),
        "features": strongest(sums, data.labels),
    }


if __name__ == "__main__":
    main()

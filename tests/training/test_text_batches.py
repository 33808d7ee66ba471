"""Padding of batches; the rest of `training/text_batches.py` is tested with the classifiers."""

from __future__ import annotations

import numpy as np

from lstm_core.text.encoder import PAD
from lstm_core.training.text_batches import LENGTH_STEP, pad


def test_padding_goes_up_to_a_step_and_no_further_than_the_longest_text() -> None:
    rows = [np.array([3, 4]), np.array([5])]
    assert pad(rows, up_to=0).tolist() == [[3, 4], [5, PAD]]
    assert pad(rows, up_to=400).shape == (2, LENGTH_STEP)
    assert pad(rows, up_to=24).shape == (2, 24)
    assert pad([np.arange(65)], up_to=400).shape == (1, 2 * LENGTH_STEP)

"""An LSTM of one unit whose weights were set by hand: it counts open brackets.

Small enough to check on paper, and instant: no training, no Keras, just `cells.lstm_step`. The
gates are driven far into saturation, so that they are 0 or 1 to seven digits.
"""

from __future__ import annotations

import numpy as np

from lstm_core import cells
from lstm_core.cells import Array

SURE = 16.0  # sigmoid(16) is 0.9999999
OPENING, CLOSING = "([{", ")]}"


def count_brackets(text: str) -> dict[str, Array]:
    """Read a text sign by sign with an LSTM whose cell state is the number of open brackets.

    The two inputs are "opens" and "closes" (0 or 1). The input gate opens for brackets only, the
    candidate is +1 or -1, the forget gate stays open for good: c_t = c_{t-1} + i·g.

    Args:
        text: any string; every sign is one timestep.

    Returns:
        The signals `i f g o c h`, each of shape (T,).
    """
    x = np.array([[sign in OPENING, sign in CLOSING] for sign in text], float).reshape(len(text), 2)  # (T, 2)
    kernel = np.array([[2 * SURE, 0.0, SURE, 0.0], [2 * SURE, 0.0, -SURE, 0.0]])  # (2, i f g o)
    bias = np.array([-SURE, SURE, 0.0, SURE])
    recurrent = np.zeros((1, 4))
    h = c = np.zeros(1)
    steps = []
    for wx in x @ kernel + bias:
        step = cells.lstm_step(wx, h, c, recurrent)
        h, c = step.h, step.c
        steps.append(step)
    return {name: np.array([getattr(step, name)[0] for step in steps]) for name in "ifgoch"}

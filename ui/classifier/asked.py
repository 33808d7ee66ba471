"""What a lecturer can ask a class about a reading: which answer wins, and which token turns it."""

import numpy as np

from lstm_core.inference import Reading
from ui.common import theme
from ui.guide import guess
from ui.guide.guess import Offer

TURNS = 4  # tokens to choose from


def offer(reading: Reading, key: str, covered: str) -> None:
    """Offer both questions.

    Args:
        reading: of the page.
        key: prefix of the page's keys.
        covered: key of the element that shows the answer.
    """
    names = tuple(theme.class_name(label) for label in reading.labels)
    winner = int(reading.probabilities[-1].argmax())
    won = f"{names[winner]}, with a probability of {reading.confidence:.1%}."
    guess.offer(f"{key}_winner", Offer("Which answer will win?", names, lambda: (winner, won), "winner", (covered,)))
    places, turn = turning_tokens(reading)
    if len(places) < 2:
        return
    shares, largest = reading.probabilities[:, winner], places[turn]  # (T,)
    before = shares[largest - 1] if largest else 1 / len(names)
    turned = f"With it the probability of {names[winner]} goes from {before:.0%} to {shares[largest]:.0%}."
    tokens = tuple(f"{reading.tokens[place]} (token {place + 1})" for place in places)
    question = "Which token changes the probability of the final answer most?"
    guess.offer(f"{key}_turn", Offer(question, tokens, lambda: (turn, turned), "turning_token", (covered,)))


def turning_tokens(reading: Reading) -> tuple[list[int], int]:
    """The timesteps, in order, that change the final answer's probability most, and which of them changes it most.

    Before the first token all answers are equally probable.
    """
    shares = reading.probabilities[:, reading.probabilities[-1].argmax()]  # (T,)
    changes = np.abs(np.diff(shares, prepend=1 / reading.probabilities.shape[1]))
    places = sorted(int(place) for place in np.argsort(-changes, kind="stable")[:TURNS])
    return places, int(np.argmax(changes[places]))

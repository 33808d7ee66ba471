"""Beam search: the most probable continuations of a prompt, as a list or as a tree.

At every step each beam is extended by its most probable characters, and the best of all are kept. A
probability is the product of the characters' conditional probabilities, so it is exact; but beam
search may miss a continuation whose first characters are improbable.
"""

from dataclasses import dataclass

import numpy as np

from lstm_core.inference.char_lm import Step, TextGenerator
from lstm_core.nn.activations import softmax

LONGEST, WIDEST = 200, 50


@dataclass(frozen=True)
class Branch:
    """A node of the tree: a prefix of at least one of the continuations."""

    text: str  # the characters after the prompt; "" for the root
    probability: float  # of exactly this text after the prompt, 0…1; 1 for the root
    parent: int  # the index of its parent in the tuple; -1 for the root
    whole: bool  # whether it is one of the continuations


@dataclass(frozen=True)
class _Beam:
    text: str
    logs: tuple[float, ...]  # ln probability after each character
    step: Step
    log: float = 0.0  # the last of them


def beam_search(model: TextGenerator, prompt: str, length: int, width: int) -> list[tuple[str, float]]:
    """The most probable continuations, best first: (text, probability).

    Args:
        model: the character model.
        prompt: as in `TextGenerator.stream`.
        length: characters of each continuation, 1 to `LONGEST`.
        width: the number of beams, 1 to `WIDEST`.

    Raises:
        TextError: if no character of the prompt is in the alphabet.
        ValueError: if a number is out of range.
    """
    return [(beam.text, float(np.exp(beam.log))) for beam in _search(model, prompt, length, width)]


def continuation_tree(model: TextGenerator, prompt: str, length: int, width: int) -> tuple[Branch, ...]:
    """The same continuations as a tree of their prefixes: the root first, every node after its parent.

    Arguments and errors are those of `beam_search`.
    """
    nodes = [Branch("", 1.0, -1, False)]
    indices = {"": 0}
    for beam in _search(model, prompt, length, width):
        for end, log in enumerate(beam.logs, 1):
            text = beam.text[:end]
            if text not in indices:
                indices[text] = len(nodes)
                nodes.append(Branch(text, float(np.exp(log)), indices[text[:-1]], end == len(beam.logs)))
    return tuple(nodes)


def _search(model: TextGenerator, prompt: str, length: int, width: int) -> list[_Beam]:
    if not (1 <= length <= LONGEST and 1 <= width <= WIDEST):
        raise ValueError(f"The length is 1 to {LONGEST} and the width 1 to {WIDEST}; received {length} and {width}.")
    beams = [_Beam("", (), model.read(prompt))]
    for position in range(length):
        extended: list[tuple[float, _Beam, int]] = []
        for beam in beams:
            logs = np.log(np.maximum(softmax(beam.step.logits), 1e-30))
            best = np.argsort(-logs, kind="stable")[:width]
            extended.extend((beam.log + float(logs[identity]), beam, int(identity)) for identity in best)
        extended.sort(key=lambda item: -item[0])
        last, beams = position + 1 == length, []
        for log, beam, identity in extended[:width]:
            step = beam.step if last else model.reader.step(identity, beam.step.state)
            beams.append(_Beam(beam.text + model.alphabet.characters[identity], (*beam.logs, log), step, log))
    return beams

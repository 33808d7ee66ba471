"""What could come next: the most probable continuations of a prompt, as a tree.

Beam search: at every step each branch grows by its most probable characters, and the best of all
stay. A branch's probability is the product of what the network gives its characters, one after the
other, so it is exact; what beam search may miss is a branch that begins improbably.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstm_core.inference.char_lm import Step, TextGenerator
from lstm_core.nn.activations import softmax

LONGEST, WIDEST = 200, 50


@dataclass(frozen=True)
class Branch:
    """A node of the tree: a beginning that at least one of the kept continuations shares.

    Attributes:
        text: everything written from the prompt up to here; "" for the root.
        probability: of exactly this text after the prompt, 0…1; 1 for the root.
        parent: the place of its parent in the tuple; -1 for the root.
        whole: whether it is one of the continuations themselves.
    """

    text: str
    probability: float
    parent: int
    whole: bool


@dataclass(frozen=True)
class _Beam:
    text: str
    logs: tuple[float, ...]  # ln probability after each character
    step: Step

    @property
    def log(self) -> float:
        """The logarithm of its probability."""
        return self.logs[-1] if self.logs else 0.0


def beam_search(model: TextGenerator, prompt: str, length: int, width: int) -> list[tuple[str, float]]:
    """The most probable continuations, best first: (text, probability).

    Args:
        model: what writes.
        prompt: as in `TextGenerator.stream`.
        length: characters of each continuation, 1 to `LONGEST`.
        width: how many are kept at every step, 1 to `WIDEST`.

    Raises:
        TextError: if nothing of the prompt is left in the alphabet.
        ValueError: if a number is out of range.
    """
    return [(beam.text, float(np.exp(beam.log))) for beam in _search(model, prompt, length, width)]


def continuation_tree(model: TextGenerator, prompt: str, length: int, width: int) -> tuple[Branch, ...]:
    """The same continuations with what they share: the root first, every node after its parent.

    Args and raises: as `beam_search`.
    """
    nodes = [Branch("", 1.0, -1, False)]
    places = {"": 0}
    for beam in _search(model, prompt, length, width):
        for end, log in enumerate(beam.logs, 1):
            text = beam.text[:end]
            if text not in places:
                places[text] = len(nodes)
                nodes.append(Branch(text, float(np.exp(log)), places[text[:-1]], end == len(beam.logs)))
    return tuple(nodes)


def _search(model: TextGenerator, prompt: str, length: int, width: int) -> list[_Beam]:
    if not (1 <= length <= LONGEST and 1 <= width <= WIDEST):
        raise ValueError(f"Branches are 1 to {LONGEST} long and 1 to {WIDEST} wide; received {length} and {width}.")
    beams = [_Beam("", (), model.read(prompt))]
    for position in range(length):
        grown: list[tuple[float, _Beam, int]] = []
        for beam in beams:
            logs = np.log(np.maximum(softmax(beam.step.logits), 1e-30))
            best = np.argsort(-logs, kind="stable")[:width]
            grown.extend((beam.log + float(logs[identity]), beam, int(identity)) for identity in best)
        grown.sort(key=lambda item: -item[0])
        last = position + 1 == length
        beams = [
            _Beam(
                beam.text + model.alphabet.characters[identity],
                (*beam.logs, log),
                beam.step if last else model.reader.step(identity, beam.step.state),
            )
            for log, beam, identity in grown[:width]
        ]
    return beams

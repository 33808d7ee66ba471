"""Change the state that an encoder passes to its decoder, and measure how the answer changes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lstm_core.arrays import Array
from lstm_core.datasets import number_words
from lstm_core.inference.seq2seq import Rewriter, longest_for

PAIRS, SCALED = 200, 40  # of numbers; numbers
State = tuple[Array, Array]  # h and c, (units,) each
LENGTHS = range(number_words.ALL_TRAINED + 1, number_words.LONGEST_TRAINED + 1)  # of the numbers


def swap_state(own: State, other: State, which: str) -> State:
    """A state with "h", or "c", replaced by that of another one.

    Args:
        own: h and c.
        other: h and c of another number.
        which: "h" or "c".
    """
    return (other[0] if which == "h" else own[0]), (other[1] if which == "c" else own[1])


def scale_state(state: State, factor: float) -> State:
    """h and c times a factor."""
    return state[0] * np.float32(factor), state[1] * np.float32(factor)


def erase_units(state: State, units: int) -> State:
    """h and c with 0 for the `units` units with the largest absolute cell state."""
    kept = np.ones_like(state[1])
    kept[np.argsort(-np.abs(state[1]), kind="stable")[:units]] = 0
    return state[0] * kept, state[1] * kept


@dataclass(frozen=True)
class PatchingResult:
    """Answers from h of one number and c of another one of different length: shares of all pairs, 0…1.

    `words_*`: the answer has as many words as the answer of the number that h, or c, is from; `letter_*`: it begins
    with the same letter.
    """

    pairs: int
    words_h: float
    words_c: float
    letter_h: float
    letter_c: float


def patch_states(model: Rewriter) -> PatchingResult:
    """Decode from h of one number and c of another, for `PAIRS` random pairs of numbers that were not trained on."""
    rng = np.random.default_rng(1)
    pools = {length: number_words.numbers("validation", length, 40, rng) for length in LENGTHS}
    chosen = [rng.choice(list(LENGTHS), 2, replace=False) for _ in range(PAIRS)]
    firsts, seconds = ([str(rng.choice(pools[int(pair[side])])) for pair in chosen] for side in (0, 1))
    h = np.stack([model.state(number)[0] for number in firsts])  # (pairs, units)
    c = np.stack([model.state(number)[1] for number in seconds])
    answers = model.write_many(h, c, longest_for("0" * number_words.LONGEST_TRAINED))

    def share(numbers: Sequence[str], words: bool) -> float:
        truths = map(number_words.spelled_backwards, numbers)
        both = zip(answers, truths, strict=True)
        if words:
            return float(np.mean([len(answer.split()) == len(truth.split()) for answer, truth in both]))
        return float(np.mean([answer[:1] == truth[:1] for answer, truth in both]))

    return PatchingResult(PAIRS, share(firsts, True), share(seconds, True), share(firsts, False), share(seconds, False))


def words_when_scaled(model: Rewriter, factors: Sequence[float]) -> list[float]:
    """The mean number of words written for `SCALED` numbers of four digits, their states scaled by each factor."""
    numbers = number_words.numbers("validation", 4, SCALED, np.random.default_rng(1))
    h, c = (np.stack(part) for part in zip(*map(model.state, numbers), strict=True))
    longest = longest_for("0" * 8)
    return [
        float(np.mean([len(answer.split()) for answer in model.write_many(*scale_state((h, c), factor), longest)]))
        for factor in factors
    ]

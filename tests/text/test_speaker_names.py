"""Speakers of plays who get other names."""

import numpy as np
import pytest

from lstm_core.text.speaker_names import SpeakerNames

PLAY = """ROMEO:
Is the duke here?

First Citizen:
Ask Juliet, Romeo's wife. Romeos there are many.

JULIET:
The first citizen saw him, not MERCUTIO: he
is no speaker here.

DUKE ESCALUS:
Rebellious subjects!
"""


def test_names_are_the_words_of_headings_that_the_text_never_has_in_lowercase() -> None:
    assert SpeakerNames.of(PLAY).names == ("ESCALUS", "JULIET", "ROMEO")
    assert SpeakerNames.of("  ROSS. I'll see it done.\n").names == ()


@pytest.mark.parametrize("seed", range(5))
def test_a_name_becomes_the_same_other_one_everywhere_it_stands_alone(seed: int) -> None:
    names = SpeakerNames.of(PLAY)
    found = names.renamed(PLAY, 1.0, np.random.default_rng(seed))
    romeo, juliet, escalus = (found.splitlines()[number][:-1].split()[-1] for number in (0, 6, 10))
    expected = PLAY
    for old, new in (("ROMEO:", romeo + ":"), ("Romeo'", romeo.title() + "'"), ("JULIET", juliet)):
        expected = expected.replace(old, new)
    expected = expected.replace("Juliet", juliet.title()).replace("ESCALUS", escalus)
    assert found == expected
    beginnings, ends = ({name[: (len(name) + 1) // 2] for name in names.names}, {n[len(n) // 2 :] for n in names.names})
    assert {romeo, juliet, escalus} <= {first + last for first in beginnings for last in ends}


def test_a_share_of_the_names_stays() -> None:
    names = SpeakerNames(tuple(f"N{chr(65 + first)}{chr(65 + last)}" for first in range(20) for last in range(20)))
    text = " ".join(names.names)
    random = np.random.default_rng(0)
    assert names.renamed(text, 0.0, random) == text
    kept = np.mean([a == b for a, b in zip(text.split(), names.renamed(text, 0.3, random).split(), strict=True)])
    assert 0.65 < kept < 0.8  # a new name may be the old one
    assert names.renamed(text, 0.3, random) != names.renamed(text, 0.3, random)


def test_a_text_without_speakers_stays() -> None:
    assert SpeakerNames(()).renamed("ROMEO", 1.0, np.random.default_rng(0)) == "ROMEO"

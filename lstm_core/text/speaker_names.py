"""Names of the speakers of plays, replaced by others, so that a network can't memorize them.

The names of a new play aren't in the training text; only the text before can predict them, since most speakers have
spoken a few lines ago. A network learns to use it when the names change from epoch to epoch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

# A line of its own behind an empty one, "MENENIUS:", as in the Shakespeare text.
_HEADING = re.compile(r"(?:^|\n\n)([^\n:]{1,40}):\n")
_WORD = re.compile(r"[A-Za-z]{3,}")


@dataclass(frozen=True)
class SpeakerNames:
    """The proper names among the speakers of a text, in capitals; "First Citizen" and "DUKE" aren't names.

    Attributes:
        names: sorted, each of at least three letters.
    """

    names: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> SpeakerNames:
        """Those words of the headings that the text never has in lowercase."""
        common = {word for word in _WORD.findall(text) if word.islower()}
        spoken = {word for heading in _HEADING.findall(text) for word in _WORD.findall(heading)}
        return cls(tuple(sorted({word.upper() for word in spoken if word.lower() not in common})))

    def renamed(self, text: str, share: float, random: np.random.Generator) -> str:
        """The text with some names replaced, each by the same other one everywhere.

        Args:
            text: in which they are written as "ROMEO" or "Romeo".
            share: of the names that are replaced, 0…1.
            random: chooses the names, and what each becomes: the beginning of one name and the end of another.
        """
        new: dict[str, str] = {}
        for name in self.names:
            if random.random() < share:
                first, last = (self.names[random.integers(len(self.names))] for _ in range(2))
                other = first[: (len(first) + 1) // 2] + last[len(last) // 2 :]
                new |= {name: other, name.title(): other.title()}
        if not new:
            return text
        return re.sub(r"\b(?:" + "|".join(new) + r")\b", lambda match: new[match[0]], text)

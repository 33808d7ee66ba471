"""From a text to the characters a generator knows, and back.

An alphabet comes from the training text. What people type is mapped onto it as far as that can be
done without a guess: capitals to small letters where the alphabet has none, curly quotes and
accents to plain ones; what is left over is dropped, and `lost` says what that was.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Any

import numpy as np

# What typography puts in the place of signs that a typewriter has.
_PLAIN = {
    "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
    "–": "-", "—": "-", "−": "-", "…": "...", "\t": " ", "\r": "", "\u00a0": " ",
}  # fmt: skip


@dataclass(frozen=True)
class Alphabet:
    """The characters of a model, in the order of their ids from 0."""

    characters: tuple[str, ...]
    ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(set(self.characters)) != len(self.characters) or any(len(sign) != 1 for sign in self.characters):
            raise ValueError("an alphabet holds single characters, each once")
        object.__setattr__(self, "ids", {sign: index for index, sign in enumerate(self.characters)})

    def __len__(self) -> int:
        return len(self.characters)

    @classmethod
    def of(cls, text: str) -> Alphabet:
        """Every character of a text, sorted."""
        return cls(tuple(sorted(set(text))))

    def encode(self, text: str) -> np.ndarray:
        """(n,) int32 ids; characters that can't be mapped are dropped."""
        return np.array([identity for sign in text for identity in self._mapped(sign)], np.int32)

    def decode(self, ids: np.ndarray) -> str:
        """The text of these ids."""
        return "".join(self.characters[identity] for identity in ids)

    def folded(self, text: str) -> str:
        """A text in small letters, if the alphabet has no capitals; so were the articles' plays read."""
        return text if any(sign.isupper() for sign in self.characters) else text.lower()

    def lost(self, text: str) -> tuple[str, ...]:
        """The different characters of a text that `encode` drops, in the order in which they appear."""
        return tuple(dict.fromkeys(sign for sign in text if not self._mapped(sign) and sign != "\r"))

    def _mapped(self, sign: str) -> list[int]:
        if sign in self.ids:
            return [self.ids[sign]]
        for plain in (sign.lower(), _PLAIN.get(sign, ""), _without_accents(sign), _without_accents(sign).lower()):
            if plain and all(part in self.ids for part in plain):
                return [self.ids[part] for part in plain]
        return []

    def to_json(self) -> dict[str, Any]:
        """What `from_json` needs."""
        return {"alphabet": "".join(self.characters)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Alphabet:
        """Raises KeyError, TypeError or ValueError if the data isn't what `to_json` wrote."""
        if not isinstance(data["alphabet"], str) or not data["alphabet"]:
            raise TypeError("the alphabet is not a text")
        return cls(tuple(data["alphabet"]))


def _without_accents(sign: str) -> str:
    return "".join(part for part in unicodedata.normalize("NFKD", sign) if not unicodedata.combining(part))

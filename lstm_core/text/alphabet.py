"""The characters of a character model: from a text to ids, and back.

An alphabet comes from the training text. Other characters are mapped onto it where that is unambiguous: capitals to
lower case if it has none, typographic quotes and accented letters to plain ones. `lost` returns those that are dropped.
"""

import unicodedata
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

# Typographic characters and their plain equivalents.
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
        if len(set(self.characters)) != len(self.characters) or any(len(each) != 1 for each in self.characters):
            raise ValueError("an alphabet holds single characters, each once")
        object.__setattr__(self, "ids", {character: index for index, character in enumerate(self.characters)})

    def __len__(self) -> int:
        return len(self.characters)

    @classmethod
    def of(cls, text: str) -> Self:
        """Every character of a text, sorted."""
        return cls(tuple(sorted(set(text))))

    def encode(self, text: str) -> np.ndarray:
        """(n,) int32 ids; characters that can't be mapped are dropped."""
        return np.array([identity for character in text for identity in self._mapped(character)], np.int32)

    def decode(self, ids: np.ndarray) -> str:
        """The text of these ids."""
        return "".join(self.characters[identity] for identity in ids)

    def folded(self, text: str) -> str:
        """A text in lower case, if the alphabet has no capitals."""
        return text if any(character.isupper() for character in self.characters) else text.lower()

    def lost(self, text: str) -> tuple[str, ...]:
        """The different characters of a text that `encode` drops, in order of appearance."""
        return tuple(dict.fromkeys(each for each in text if not self._mapped(each) and each != "\r"))

    def _mapped(self, character: str) -> list[int]:
        if character in self.ids:
            return [self.ids[character]]
        base = "".join(part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part))
        for plain in (character.lower(), _PLAIN.get(character, ""), base, base.lower()):
            if plain and all(part in self.ids for part in plain):
                return [self.ids[part] for part in plain]
        return []

    def to_json(self) -> dict[str, Any]:
        """What `from_json` needs."""
        return {"alphabet": "".join(self.characters)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Raises KeyError, TypeError or ValueError if the data isn't what `to_json` wrote."""
        if not isinstance(data["alphabet"], str) or not data["alphabet"]:
            raise TypeError("the alphabet is not a text")
        return cls(tuple(data["alphabet"]))

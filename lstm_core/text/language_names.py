"""Names of programming languages, in which real questions differ from the Stack Overflow data set.

In the data set, the name of a question's own language is replaced by the word "blank" (`javax` is `blankx`), but names
of the other three languages are not. A network trained on that learns that "python" means *not* python; but pasted
questions name their language. There are two solutions, and the card of each shipped model says which one it uses:

- `restore_names`, in training: in some questions "blank" is replaced by the original name, so that the network reads
  both kinds. Ours does this; its test figures are measured on the unchanged data.
- `mask_names`, in prediction: the names in a text become "blank", as in the data. The baseline (the network of the
  article) needs this; it loses the name.
"""

import re

BLANK = "blank"

# Label → the name that the data set replaced in questions of that label.
NAMES = {"csharp": "c#", "java": "java", "javascript": "javascript", "python": "python"}

# A name counts at the start of a word, so that `javax.swing` and `python3` count and "ajava" doesn't.
_NAME = re.compile(r"(?<![a-z])(?:javascript|java(?=x?(?![a-z]))|c\#|csharp|python)", re.IGNORECASE)
_BLANK = re.compile(r"(?<![a-z])blank(?=x?(?![a-z]))", re.IGNORECASE)


def mask_names(text: str) -> str:
    """The text with the names of the four languages replaced by "blank", as in the data."""
    return _NAME.sub(BLANK, text)


def restore_names(text: str, label: str) -> str:
    """A question of the data set with "blank" replaced by the name of its own language; `label` is one of `NAMES`."""
    return _BLANK.sub(NAMES[label], text)

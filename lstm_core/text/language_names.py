"""The one place that knows how a real question differs from the Stack Overflow data set.

In the data, the language that a question is about was replaced by the word "blank", wherever it
stood (`javax` became `blankx`), while the other three languages' names were left standing. A
network trained on that learns that "python" means *not* python. People who paste a question name
their language. There are two honest ways out, and each shipped model says which it takes:

- `restore_names`, while training: in some of the questions "blank" is turned back into the name
  that was there. The network then reads both the data's questions and real ones. Ours does this;
  its test figures are measured on the data as it is, with no name put back.
- `mask_names`, while reading: the names in a paste become "blank", as in the data. The article's
  network, which never saw a name restored, needs this. It throws the name away.
"""

from __future__ import annotations

import re

BLANK = "blank"

# Label → the word that the data set blanked out in questions of that label.
NAMES = {"csharp": "c#", "java": "java", "javascript": "javascript", "python": "python"}

# A name counts at the start of a word, so that `javax.swing` and `python3` count and "ajava" doesn't.
_NAME = re.compile(r"(?<![a-z])(?:javascript|java(?=x?(?![a-z]))|c\#|csharp|python)", re.IGNORECASE)
_BLANK = re.compile(r"(?<![a-z])blank(?=x?(?![a-z]))", re.IGNORECASE)


def mask_names(text: str) -> str:
    """The text with the names of the four languages replaced by "blank", as in the data."""
    return _NAME.sub(BLANK, text)


def restore_names(text: str, label: str) -> str:
    """A training question with "blank" turned back into its own language's name.

    Args:
        text: a question of the data set.
        label: one of `NAMES`.
    """
    return _BLANK.sub(NAMES[label], text)

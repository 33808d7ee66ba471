"""Texts of a given number of tokens, for every benchmark that reads."""

from __future__ import annotations

from lstm_core.text.encoder import TOKENIZERS

_QUESTION = """How do I count the words of a file without reading all of it at once?
def count_words(path):
    total = 0
    with open(path, encoding='utf-8') as handle:
        for line in handle:
            total += len(line.split())
    return total
It works, but it takes twice as long as the tool that I used before. Is a generator faster here?
"""


def of_tokens(count: int, tokenizer: str = "code") -> str:
    """A programming question that the tokenizer cuts into exactly `count` tokens."""
    text = _QUESTION * (1 + count // 40)  # the question has more than 40 tokens by any tokenizer
    tokens = list(TOKENIZERS[tokenizer](text))
    return text[: tokens[count - 1].end]

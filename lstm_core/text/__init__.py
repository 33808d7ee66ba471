"""From text to ids and back: tokenizers with the place of each token, vocabularies, alphabets, word orders."""

from lstm_core.text.encoder import BLANK, PAD, UNKNOWN, Encoding
from lstm_core.text.permutations import (
    MOST_ORDERS,
    Order,
    count_orders,
    format_order,
    orders_to_try,
    parse_order,
    rank_of_order,
    shuffle_order,
    words_in_order,
)
from lstm_core.text.plain_text import read_plain_text
from lstm_core.text.vocabulary_file import VocabularyFile, read_vocabulary

__all__ = [
    "BLANK",
    "MOST_ORDERS",
    "PAD",
    "UNKNOWN",
    "Encoding",
    "Order",
    "VocabularyFile",
    "count_orders",
    "format_order",
    "orders_to_try",
    "parse_order",
    "rank_of_order",
    "read_plain_text",
    "read_vocabulary",
    "shuffle_order",
    "words_in_order",
]

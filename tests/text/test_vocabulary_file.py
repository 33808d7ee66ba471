"""Vocabularies as people save them."""

import json

import pytest

from lstm_core.errors import TextError
from lstm_core.text.vocabulary_file import LARGEST, read_vocabulary

TOKENIZER = json.dumps(
    {"class_name": "Tokenizer", "config": {"num_words": 5, "word_index": json.dumps({"<OOV>": 1, "the": 2, "film": 3})}}
)


@pytest.mark.parametrize(
    ("data", "text", "ids", "tokens"),
    [
        ('["", "[UNK]", "the", "film"]', "The old film!", [2, 1, 3], ("the", "old", "film")),
        ('{"the": 1, "film": 2}', "The old film", [1, 2], ("the", "film")),
        ('{"0": "<pad>", "1": "film", "2": "!"}', "A film!", [1, 2], ("film", "!")),
        (json.dumps(TOKENIZER), "the new film.", [2, 1, 3], ("the", "new", "film")),
        (TOKENIZER, "film", [3], ("film",)),
        ("<pad>\nthe\nfilm\n", "the film", [1, 2], ("the", "film")),
        ("film\t7\nthe\t9", "the film", [9, 7], ("the", "film")),
        ("[PAD]\n[UNK]\nfilm", "film noir", [2, 1], ("film", "noir")),
        ('{"config": 4, "word_index": 5, "tokens": 6}', "Tokens config", [6, 4], ("tokens", "config")),
        ('{"tokens": ["a", "b"]}', "ba", [1, 0], ("b", "a")),
        ('{"alphabet": "ab "}', "a b", [0, 2, 1], ("a", " ", "b")),
        ('["dont", "Go"]', "dont don't Go go", [0, 0, 1], ("dont", "don't", "Go")),
        ('["\N{ROCKET}", "a"]', "a\N{ROCKET}z", [1, 0], ("a", "\N{ROCKET}")),
    ],
)
def test_each_form_gives_the_ids_of_a_text(data: str, text: str, ids: list[int], tokens: tuple[str, ...]) -> None:
    found, shown = read_vocabulary(data.encode()).encode(text)
    assert found.tolist() == ids
    assert shown == tokens


def test_ids_can_be_shifted() -> None:
    ids, _ = read_vocabulary(b'{"film": 1}').encode("film film", shift=3)
    assert ids.tolist() == [4, 4]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"   \n", "empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "no text file"),
        (b'{"a": {"b": 1}}', "another form"),
        (b'{"a": -1}', "another form"),
        (b'{"a": true}', "another form"),
        (b"[1, 2]", "another form"),
        (b"a" * (LARGEST + 1), "8 MB is the most"),
    ],
)
def test_what_is_no_vocabulary_is_refused_in_one_sentence(data: bytes, why: str) -> None:
    with pytest.raises(TextError, match=why):
        read_vocabulary(data)


def test_a_text_without_a_known_token_is_refused() -> None:
    with pytest.raises(TextError, match="None of the text's tokens"):
        read_vocabulary(b'["the"]').encode("\N{ROCKET}")

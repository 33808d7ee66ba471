"""Tokens and where they stand, vocabularies, encoders: by example, and over any text that there can be."""

from __future__ import annotations

import copy
import itertools
import json
import pickle
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_core.errors import TextError
from lstm_core.text.encoder import (
    BLANK,
    INDENT,
    MOST_CHARACTERS,
    PAD,
    PAD_TEXT,
    TOKENIZERS,
    UNKNOWN,
    Bigrams,
    Encoder,
    Vocabulary,
    code_tokens,
)

QUESTION = "How do I sort a list? I have a list of numbers."
# Any sign there is, lone surrogates too, and often those that a tokenizer treats in its own way.
ANYTHING = st.text(
    st.one_of(st.characters(codec=None), st.sampled_from('aI1_ \t\r\n.&;#"=+-/*<>c\0İß\ud800👩🏽א')), max_size=60
)
FRAGMENTS = ["&lt;", "&amp", "&#39;", "&#x41;", "&copies;", "&nvlt;", "&#0;", '""', "C#", "c++", "\r\n", "\n\t", "  "]
MIXED = st.lists(st.one_of(ANYTHING, st.sampled_from(FRAGMENTS)), max_size=8).map("".join)

thoroughly = settings(deadline=None, max_examples=150, derandomize=True, database=None)


def code(text: str) -> list[str]:
    return [token.text for token in code_tokens(text)]


def places(text: str, tokenizer: str = "code") -> list[str]:
    return [text[token.start : token.end] for token in TOKENIZERS[tokenizer](text)]


# --- tokens ---------------------------------------------------------------------------------


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@given(text=MIXED)
@thoroughly
def test_any_text_has_tokens_in_order_that_do_not_overlap(tokenizer: str, text: str) -> None:
    end = 0
    for token in TOKENIZERS[tokenizer](text):
        assert token.text
        assert end <= token.start <= token.end <= len(text)
        end = token.end


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@given(text=st.text(st.characters(exclude_characters='İ&\r\n\t".'), max_size=60))
@thoroughly
def test_a_token_is_what_stands_there_in_lower_case(tokenizer: str, text: str) -> None:
    for token in TOKENIZERS[tokenizer](text):
        assert token.start < token.end
        stands = text.lower()[token.start : token.end]
        if tokenizer == "blanks" and token.text == BLANK:  # a blank may be of any length
            assert set(stands) == {"_"}
        elif not token.text[0].isdigit():  # long numbers are known by their length
            assert token.text == stands


@given(text=MIXED)
@thoroughly
def test_nothing_but_white_space_and_full_stops_is_left_out(text: str) -> None:
    inside = text.replace('"', "").replace("&", "")  # no wrapping quotes, no entities: every sign stands for itself
    covered = set()
    for token in code_tokens(inside):
        covered.update(range(token.start, token.end))
    left_out = {sign for place, sign in enumerate(inside) if place not in covered}
    assert all(sign.isspace() or sign in ".İ" for sign in left_out)


def test_whitespace_tokens_keep_their_punctuation() -> None:
    text = " A List,\tof\nthings "
    assert [token.text for token in TOKENIZERS["whitespace"](text)] == ["a", "list,", "of", "things"]
    assert places(text, "whitespace") == ["A", "List,", "of", "things"]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Why C# and c++?", ["why", "c#", "and", "c++", "?"]),
        ("basic# x", ["basic", "#", "x"]),
        ("my_list2 = foo.bar", ["my_list2", "=", "foo", ".", "bar"]),
        ("a != b && c => d", ["a", "!=", "b", "&&", "c", "=>", "d"]),
        ("7 42 512 2024 1234567", ["7", "42", "000", "0000", "00000"]),
        ("naïve Straße", ["naïve", "straße"]),
        ("مرحبا שלום 你好", ["مرحبا", "שלום", "你好"]),
        ("a\0b", ["a", "\0", "b"]),
        ("ok 👍", ["ok", "👍"]),
        ("a\ud800b", ["a", "\ud800", "b"]),
    ],
)
def test_code_tokens_by_example(text: str, tokens: list[str]) -> None:
    assert code(text) == tokens


@pytest.mark.parametrize(
    ("escaped", "plain"),
    [
        ("if a &lt; b &amp;&amp; c &GT; d", "if a < b && c > d"),
        ("say &quot;x&#39;y&#x27;", "say \"x'y'"),
        ("&Auml;rger &#65;bc", "ärger abc"),
        ("a&nbsp;b", "a b"),
        ("&newthing; &lt &;", "&newthing; &lt &;"),
    ],
)
def test_html_entities_are_undone(escaped: str, plain: str) -> None:
    assert code(escaped) == code(plain)


def test_an_entity_keeps_the_place_where_it_stood() -> None:
    assert places("a &lt; b") == ["a", "&lt;", "b"]


def test_an_entity_of_thousands_of_digits_is_only_text() -> None:
    assert code(f"&#{'9' * 5000};") == ["&", "#", "00000", ";"]


def test_doubled_quotes_are_one_quote_and_wrapping_ones_are_none() -> None:
    assert code('"print(""hi"") fails"') == code('print("hi") fails')
    assert places('"print(""hi"") fails"')[2] == '""'


def test_line_breaks_are_the_full_stops_that_the_data_has_for_them() -> None:
    pasted = "It fails:\n\nfor x in y:\n    print(x)\r\n\tdone()\nWhy?"
    in_the_data = '"it fails:..for x in y:.    print(x).    done().why?"'
    assert code(pasted) == code(in_the_data)
    assert INDENT in code(pasted)
    assert code("a\nb") != code("a b")


def test_a_dotted_capital_i_does_not_shift_what_follows() -> None:
    assert places("İİ abc")[-1] == "abc"


# --- vocabularies ---------------------------------------------------------------------------


def test_a_vocabulary_is_ordered_by_frequency_then_alphabet() -> None:
    found = Vocabulary.build([["b", "a", "c"], ["b", "c", "d"]], size=100)
    assert found.tokens == ("b", "c", "a", "d")
    assert len(found) == 6
    assert found.encode(["b", "d", "never seen"]) == [2, 5, UNKNOWN]


def test_a_vocabulary_counts_padding_and_unknown_in_its_size() -> None:
    assert Vocabulary.build([["b", "a", "b"]], size=3).tokens == ("b",)
    assert len(Vocabulary.build([["b", "a", "b"]], size=3)) == 3


def test_rare_tokens_can_be_left_out() -> None:
    assert Vocabulary.build([["b", "a", "b"]], size=9, min_count=2).tokens == ("b",)


def test_pairs_are_the_ids_of_neighbours() -> None:
    pairs = Bigrams.build([[2, 3, 2, 3], [2, 3], [3, 2]], size=10, min_count=2)
    assert pairs.pairs == ((2, 3), (3, 2))  # (2, 3) stands in two texts, and so does (3, 2): ties by id
    assert pairs.encode([2, 3, 9]) == [UNKNOWN, 2, UNKNOWN]
    assert pairs.encode([]) == []
    assert len(Bigrams.build([[2, 3], [4, 5]], size=3, min_count=1)) == 3


# --- encoders -------------------------------------------------------------------------------


def encoder(length: int = 6, tokenizer: str = "code", **options: Any) -> Encoder:
    return Encoder(tokenizer, Vocabulary(("a", "list", "sort")), length, **options)


def test_a_text_becomes_ids() -> None:
    found = encoder().encode("Sort a thing")
    assert found.tokens == ("sort", "a", "thing")
    assert found.ids.tolist() == [4, 2, UNKNOWN]
    assert found.ids.dtype == np.int32
    assert found.spans == ((0, 4), (5, 6), (7, 12))
    assert (found.unknown, found.cut, found.total, found.masked) == (1, 0, 3, ())


def test_a_long_text_is_cut_at_its_end() -> None:
    found = encoder(length=2).encode("sort a list of things")
    assert found.tokens == ("sort", "a")
    assert (found.total, found.cut) == (5, 3)


@pytest.mark.parametrize(("padding", "ids"), [("back", [4, 2, PAD, PAD]), ("front", [PAD, PAD, 4, 2])])
def test_padding_fills_a_text_up(padding: str, ids: list[int]) -> None:
    found = encoder(length=4, padding=padding).encode("sort a")
    assert found.ids.tolist() == ids
    assert [token == PAD_TEXT for token in found.tokens] == [number == PAD for number in ids]
    assert found.spans[ids.index(PAD)] == (0, 0)
    assert (found.cut, found.unknown, found.total) == (0, 0, 2)


def test_a_token_that_looks_like_a_pad_is_not_one() -> None:
    found = encoder(length=4, tokenizer="whitespace", padding="back").encode(f"sort {PAD_TEXT}")
    assert found.ids.tolist() == [4, UNKNOWN, PAD, PAD]
    assert found.cut == 0


def test_what_was_cut_survives_copying() -> None:
    found = encoder(length=4, padding="back").encode("sort a")
    assert pickle.loads(pickle.dumps(found)).cut == copy.deepcopy(found).cut == 0


def test_names_are_masked_if_the_model_or_the_caller_says_so() -> None:
    asking = "Python and Java, Python 3"
    assert encoder().encode(asking).masked == ()
    found = encoder(mask_names=True).encode(asking)
    assert found.masked == ("Python", "Java")
    assert found.tokens == ("blank", "and", "blank", ",", "blank", "3")
    assert encoder(mask_names=True).encode(asking, mask_names=False).masked == ()
    assert encoder().encode(asking, mask_names=True).tokens == found.tokens


def test_pairs_go_beside_the_tokens() -> None:
    reader = encoder(pairs=Bigrams(((2, 3),)))
    found = reader.encode("a list")
    assert [part.tolist() for part in found.inputs] == [[2, 3], [UNKNOWN, 2]]
    assert len(encoder().encode("a list").inputs) == 1


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@pytest.mark.parametrize("text", ["", " ", "\n\n", " \t\r\n\u2003", "\n" * 1000], ids=repr)
def test_a_text_without_words_is_refused_in_one_sentence(text: str, tokenizer: str) -> None:
    with pytest.raises(TextError, match="type or paste some words first") as caught:
        encoder(tokenizer=tokenizer).encode(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@given(text=MIXED, mask=st.booleans())
@thoroughly
def test_any_text_is_encoded_or_refused(tokenizer: str, text: str, mask: bool) -> None:
    reader = encoder(tokenizer=tokenizer, mask_names=mask, pairs=Bigrams(((2, 3),)))
    try:
        found = reader.encode(text)
    except TextError:
        return
    assert len(found.tokens) == len(found.spans) == len(found.ids) == len(found.pair_ids) <= reader.length
    assert found.cut == found.total - len(found.ids)


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@pytest.mark.parametrize("piece", ["Sort a list, ", "&lt;", "\n x"], ids=repr)
def test_a_megabyte_is_read_in_seconds_and_cut(tokenizer: str, piece: str) -> None:
    text = piece * (2**20 // len(piece))
    began = time.process_time()
    found = encoder(length=400, tokenizer=tokenizer).encode(text)
    assert time.process_time() - began < 8  # a second where nothing else runs
    assert len(found.tokens) <= 400
    assert found.cut == found.total - len(found.tokens)


def test_a_long_text_is_counted_in_part_and_never_taken_for_an_empty_one() -> None:
    reader = encoder(length=400)
    assert reader.encode("list " * 10_000).counted
    found = reader.encode("list " * 200_000)
    assert not found.counted
    assert (found.total, len(found.tokens)) == (MOST_CHARACTERS // len("list "), 400)
    assert encoder(length=9_000).encode("list " * 36_000).counted
    found = reader.encode(" " * MOST_CHARACTERS + "list")
    assert (found.counted, found.total, found.spans) == (True, 1, ((MOST_CHARACTERS, MOST_CHARACTERS + 4),))


# --- in a file ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reader",
    [
        encoder(),
        encoder(tokenizer="whitespace", padding="back", mask_names=True),
        encoder(cut_words=True),
        Encoder("code", Vocabulary(('"', "\0", "é", "👍", "‹pad›")), 9, "front", pairs=Bigrams(((1, 2), (3, 1)))),
    ],
)
def test_an_encoder_comes_back_from_json(reader: Encoder) -> None:
    stored = json.loads(json.dumps(reader.to_json()))
    assert Encoder.from_json(stored) == reader
    assert Encoder.from_json(stored).vocabulary.ids == reader.vocabulary.ids


@pytest.mark.parametrize("missing", ["tokenizer", "length", "padding", "mask_names", "tokens"])
def test_a_file_that_lacks_something_is_refused(missing: str) -> None:
    stored = encoder().to_json()
    del stored[missing]
    with pytest.raises(KeyError, match=missing):
        Encoder.from_json(stored)


@pytest.mark.parametrize(
    "wrong",
    [
        {"tokenizer": "latin"},
        {"tokenizer": ["code"]},
        {"padding": "left"},
        {"padding": {}},
        {"length": 0},
        {"length": -3},
        {"length": "6"},
        {"length": 2.5},
        {"length": float("inf")},
        {"length": None},
        {"mask_names": "no"},
        {"cut_words": 1},
        {"tokens": "abc"},
        {"tokens": ["a", 7]},
        {"tokens": None},
        {"pairs": [[1, 2, 3]]},
        {"pairs": [[[1], [2]]]},
        {"pairs": 7},
    ],
    ids=repr,
)
def test_a_damaged_file_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        Encoder.from_json(encoder().to_json() | wrong)


# --- words cut into pieces ------------------------------------------------------------------


def cutting(*words: str, **settings: Any) -> Encoder:
    return Encoder("code", Vocabulary(words), 20, cut_words=True, **settings)


def test_an_unknown_word_is_cut_into_known_ones() -> None:
    text = "x = MyArrayList(names)"
    found = cutting("array", "##list", "list", "names", "my").encode(text)
    assert found.tokens == ("x", "=", "my", "##array", "##list", "(", "names", ")")
    assert [text[start:end] for start, end in found.spans] == ["x", "=", "My", "Array", "List", "(", "names", ")"]
    assert found.ids.tolist() == [UNKNOWN, UNKNOWN, 6, UNKNOWN, 3, UNKNOWN, 5, UNKNOWN]
    assert (found.total, found.cut) == (8, 0)


def test_the_fewest_pieces_win_and_known_words_stay_whole() -> None:
    reader = cutting("get", "name", "getname", "user")
    assert reader.encode("getname getnameuser").tokens == ("getname", "getname", "##user")


@pytest.mark.parametrize("word", ["zzz", "ab", "a" * 61, "12", "+", "&eacute;list"])
def test_what_cannot_be_cut_stays_whole(word: str) -> None:
    assert len(cutting("list", "aaa").encode(word).tokens) == 1


def test_a_text_is_cut_off_in_the_middle_of_a_word() -> None:
    found = replace(cutting("list", "view"), length=3).encode("a b listview c")
    assert (found.tokens, found.total, found.cut) == (("a", "b", "list"), 5, 2)


def test_a_masked_name_is_not_cut() -> None:
    found = cutting("python", "list", "blank", mask_names=True).encode("a Pythonlist")
    assert found.tokens == ("a", "blanklist")  # it is no longer what stands in the text
    assert found.masked == ("Pythonlist",)


@given(text=MIXED)
@thoroughly
def test_pieces_cover_what_tokens_cover(text: str) -> None:
    reader = cutting("list", "the", "array", "str", "ing")
    for token in reader.tokens_of(text):
        found = reader.pieces_of(token)
        assert (found[0].start, found[-1].end) == (token.start, token.end)
        assert all(one.end == other.start for one, other in itertools.pairwise(found))
        assert "".join(piece.text.removeprefix("##") for piece in found[1:]) == token.text[len(found[0].text) :]


# --- prose ----------------------------------------------------------------------------------


def test_prose_keeps_stops_and_splits_negations() -> None:
    text = "I can't say it's BAD!!<br /><br />7/10 :-) It doesn’t"
    found = list(TOKENIZERS["words"](text))
    words = ["i", "ca", "n't", "say", "it", "bad", "!!", "7/10", ":-)", "it", "does", "n't"]
    assert [token.text for token in found] == words
    assert text[found[2].start : found[2].end] == "n't"
    assert text[found[-1].start : found[-1].end] == "n’t"


def test_keras_tokens_have_no_punctuation() -> None:
    found = [token.text for token in TOKENIZERS["keras"]("It's GOOD, really_good!<br />")]
    assert found == ["it's", "good", "really", "good", "br"]


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_emoji_alone_are_unknown_characters(tokenizer: str) -> None:
    encoder = Encoder(tokenizer, Vocabulary(("good",)), length=4)
    for text, tokens in (("🚀 🚀", ["🚀", "🚀"]), ("👩🏽‍💻", ["👩🏽‍💻"]), ("❤️", ["❤️"])):
        found = encoder.encode(text)
        assert set(found.ids) == {UNKNOWN}
        assert "".join(text[slice(*span)] for span in found.spans) == "".join(tokens)
    assert encoder.encode("🚀" * 9).total in (1, 9)
    for nothing in ("", " ", "\n"):
        with pytest.raises(TextError, match="no text to read"):
            encoder.encode(nothing)

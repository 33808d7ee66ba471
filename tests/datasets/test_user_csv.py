"""Tables that people bring along: what is read from them, and one sentence for each that can't be learnt from."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_core.datasets import user_csv
from lstm_core.datasets.csv_table import Cells
from lstm_core.errors import TextError


def table(rows: int = 12, head: str = "text,label", separator: str = ",") -> str:
    lines = [separator.join((f'"a {word}, number {n}"', word)) for n in range(rows) for word in ("cat", "dog")]
    return "\n".join([head, *lines]) + "\n"


def test_texts_and_labels_are_read() -> None:
    found = user_csv.read_labelled_csv(table().encode())
    assert (found.labels, len(found.split), found.left_out) == (("cat", "dog"), 24, 0)
    assert found.split.texts[:2] == ("a cat, number 0", "a dog, number 0")
    np.testing.assert_array_equal(found.split.labels[:4], [0, 1, 0, 1])


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_other_separators_and_encodings(separator: str, encoding: str) -> None:
    text = table(head=separator.join(("Text", "Label")), separator=separator).replace("cat", "kätzchen")
    found = user_csv.read_labelled_csv(text.replace("\n", "\r\n").encode(encoding))
    assert found.labels == ("dog", "kätzchen")
    assert (found.text_column, found.label_column) == ("Text", "Label")


def test_columns_are_guessed_by_what_stands_in_them_or_chosen() -> None:
    rows = "".join(f"{n},{kind},some longer words {n},{n % 3}\n" for n in range(18) for kind in ("x", "y"))
    data = f"id,kind,words,third\n{rows}".encode()
    assert (user_csv.read_labelled_csv(data).text_column, user_csv.read_labelled_csv(data).label_column) == (
        "words",
        "kind",
    )
    assert user_csv.read_labelled_csv(data, "words", "third").labels == ("0", "1", "2")


def test_rows_without_text_or_label_are_left_out() -> None:
    found = user_csv.read_labelled_csv((table() + "\n,cat\nalone,\n").encode())
    assert (len(found.split), found.left_out) == (24, 2)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The file is empty"),
        (b" \n \n", "The file is empty"),
        (b"x" * 5_000_001, "5 MB at most"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "not a text file"),
        (b"one column\na\nb\n", "single column"),
        (b"text,label\na,b,c\n", "Row 2 has 3 cells"),
        (b'text,label\n"a"b,c\n', "can't be read as CSV"),
        (table(rows=3).encode(), "'cat' has 3 examples; each label needs 10"),
        (table().replace("dog", "cat").encode(), "fewer than 2 labels"),
        (("text,label\n" + "".join(f"a,{n}\n" for n in range(500))).encode(), "500 different labels; 20 is the most"),
        (b"text,label\n" + b"a" * 20_001 + b",x\n", "20,001 characters"),
        (table().replace("dog", "d" * 61).encode(), "too long to be a label"),
        ((",".join(map(str, range(101))) + "\n").encode(), "101 columns"),
    ],
)
def test_a_bad_table_is_one_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(TextError, match=sentence) as caught:
        user_csv.read_labelled_csv(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "label", "why"),
    [("nowhere", "", "no column 'nowhere'; it has text, label"), ("text", "text", "different")],
)
def test_columns_that_are_not_there_or_the_same(text: str, label: str, why: str) -> None:
    with pytest.raises(TextError, match=why):
        user_csv.read_labelled_csv(table().encode(), text, label)


def test_no_more_lines_are_read_than_rows_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_csv, "MOST_ROWS", 24)
    between = table().replace("\n", "\n\n").encode()
    assert len(user_csv.read_labelled_csv(between).split) == 24
    with pytest.raises(TextError, match="75 lines, most of them empty"):
        user_csv.read_labelled_csv(between + b"\n" * 30 + b'"never read')


def test_a_sample_of_the_rows_decides_which_columns_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    column = Cells.column
    monkeypatch.setattr(
        Cells, "column", lambda *given, **named: seen.append(len(found := column(*given, **named))) or found
    )
    rows = "".join(f"{n},{kind},some longer words {n}\n" for n in range(9000) for kind in ("x", "y"))
    found = user_csv.read_labelled_csv(f"id,kind,words\n{rows}".encode())
    assert (found.text_column, found.label_column, len(found.split)) == ("words", "kind", 18_000)
    assert [length for length in seen if length > 2 * user_csv.SAMPLE] == [18_000, 18_000]  # the two that are read


def test_a_table_of_too_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_csv, "MOST_ROWS", 23)
    with pytest.raises(TextError, match="more than 23 rows"):
        user_csv.read_labelled_csv(table().encode())

"""The n-gram by hand on three characters, and what the peers' table and the cards say of it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import baselines
from benchmarks.ngrams import WittenBell, kneser_ney
from lstm_core.datasets import registry
from lstm_core.library import store
from lstm_core.library.store import ModelCard

# Counted in "aab", with an alphabet of a, b and c: p(a) = (2 + 2/3) / 5, p(b) = (1 + 2/3) / 5, p(c) = (2/3) / 5.
ALONE = {"a": 8 / 15, "b": 1 / 3, "c": 2 / 15}
# Behind an a stood one a and one b: p(x | a) = (count + 2 p(x)) / 4.
AFTER_A = {"a": 31 / 60, "b": 5 / 12, "c": 1 / 15}


def test_one_character_of_context_by_hand() -> None:
    model = WittenBell("aab", order=2, alphabet=3)
    for sign in "abc":
        assert model.probability(sign, "") == pytest.approx(ALONE[sign])
        assert model.probability(sign, "cba") == pytest.approx(AFTER_A[sign])
        assert model.probability(sign, "ab") == pytest.approx(ALONE[sign])  # nothing ever stood behind a b
        assert model.probability(sign, "c") == pytest.approx(ALONE[sign])


def test_two_characters_of_context_by_hand() -> None:
    model = WittenBell("aab", order=3, alphabet=3)  # behind "aa" stood one b
    assert model.probability("b", "aa") == pytest.approx((1 + 5 / 12) / 2)
    assert model.probability("a", "aa") == pytest.approx(31 / 60 / 2)
    assert model.probability("a", "ba") == pytest.approx(AFTER_A["a"])


@pytest.mark.parametrize("before", ["", "a", "ab", "zzz", "the ", "he t"])
def test_shares_sum_to_one(before: str) -> None:
    text = "the theatre of the absurd"
    model = WittenBell(text, order=4, alphabet=len(set(text)))
    assert sum(model.probability(sign, before) for sign in set(text)) == pytest.approx(1)


def test_surprise_looks_back_behind_the_beginning() -> None:
    model = WittenBell("aab", order=2, alphabet=3)
    assert list(model.surprisal("ac", before="ba")) == pytest.approx([-math.log(31 / 60), -math.log(1 / 15)])
    assert list(model.surprisal("ac")) == pytest.approx([-math.log(8 / 15), -math.log(1 / 15)])


TEXT = "To be or not to be, that is the question. " * 10


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A models folder with two measured cards of Macbeth, one without figures, and another text's."""
    for name, dataset, measured in (
        ("good", "macbeth", {"nats_per_character": 0.5}),
        ("bad", "macbeth", {"nats_per_character": 2.5}),
        ("new", "macbeth", {}),
        ("other", "shakespeare", {"nats_per_character": 1.0}),
        ("words", "macbeth", {}),
    ):
        (tmp_path / name).mkdir()
        task = "word model" if name == "words" else "generator"
        card = ModelCard(name, name, task, dataset, "", measured=measured, training={"seconds": 7, "seed": 1})
        store.save_card(card, tmp_path / name)
    monkeypatch.setattr(store, "SHIPPED", tmp_path)
    monkeypatch.setattr(registry, "load_text", lambda name: TEXT)
    return tmp_path


def test_the_table_has_our_cards_and_the_peer(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    baselines.main(["macbeth", "--json"])
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["model"] for row in rows] == ["bad", "good", "Witten–Bell 5-gram", "Kneser–Ney 7-gram"]
    small = TEXT.lower()
    model = WittenBell(small[:378], baselines.WITTEN_BELL_ORDER, len(set(small)))
    surprisal = list(model.surprisal(small[378:], small[:378]))
    assert rows[-2]["nats_per_character"] == pytest.approx(sum(surprisal) / 42)
    ids, order = [sorted(set(small)).index(each) for each in small], baselines.KNESER_NEY_ORDER
    surprisal = kneser_ney([ids[:378]], [ids[378 - order + 1 :]], order, len(set(small)))
    assert rows[-1]["nats_per_character"] == pytest.approx(surprisal[-42:].mean())
    baselines.main(["macbeth"])
    assert "0.5000" in capsys.readouterr().out
    assert "baseline" not in ModelCard.read(shelf / "good").training


def test_the_cards_are_updated_on_request(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = ModelCard.read(shelf / "good")
    baselines.main(["macbeth", "--update-cards", "--json"])
    peers = json.loads(capsys.readouterr().out)["rows"][-2:]
    peers.sort(key=lambda row: row["nats_per_character"])
    best, other = ({"name": row["model"], "nats_per_character": row["nats_per_character"]} for row in peers)
    for name in ("good", "bad", "new"):
        assert ModelCard.read(shelf / name).training["baseline"] == best
    told = {**before.training, "baseline": best, "other_baselines": [other]}
    assert ModelCard.read(shelf / "good") == replace(before, training=told)
    assert "baseline" not in ModelCard.read(shelf / "other").training
    assert "baseline" not in ModelCard.read(shelf / "words").training  # another task, measured by other peers


def test_a_data_set_without_a_peer_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        baselines.main(["stocks"])
    assert "choose from stackoverflow, imdb, macbeth" in capsys.readouterr().err

"""The user's own models: private to who saved them, named freely, within a quota, and never half there."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import lstm_core
from lstm_core import database
from lstm_core.errors import LabError, ModelError
from lstm_core.inference import registry
from lstm_core.library import bundle, store, user_models
from lstm_core.paths import own_folder


@pytest.fixture
def home(tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty library of one's own, beside one shipped model called "tiny"."""
    monkeypatch.setattr(store, "SHIPPED", tmp_path / "shipped")
    shutil.copytree(tiny_folder, tmp_path / "shipped" / "tiny")
    monkeypatch.setenv("LSTM_LAB_MODELS", str(tmp_path / "own"))
    return tmp_path / "own"


@pytest.fixture(scope="module")
def data(tiny_folder: Path) -> bytes:
    return bundle.bundle_folder(tiny_folder)


def titles(owner: str | None, linked: tuple[str, ...] = ()) -> list[str]:
    return [card.title for card in user_models.models_of(owner, linked)]


def test_a_saved_model_is_its_owners_alone_and_loads_by_its_identity(home: Path, data: bytes) -> None:
    mine = user_models.save_model("a", "Élan **vital** 🚀", data)
    assert titles("a") == ["Élan **vital** 🚀"]
    assert titles("b") == []
    assert titles("b", (mine,)) == titles(None) == titles("a")  # by its link, and for the server
    (card,) = user_models.models_of("a")
    assert card.name == mine
    model = lstm_core.load(mine)
    assert (model.card.name, model.card.title) == (mine, card.title)
    assert model.predict(["how do i sort"]).shape == (1, 3)
    assert lstm_core.load(home / f"{mine}.zip").card.title == card.title
    assert [each.name for each in lstm_core.list_models()] == ["tiny"]
    with pytest.raises(ModelError) as caught:
        lstm_core.load("another")
    assert mine not in str(caught.value)


def test_two_visitors_may_use_one_name_and_one_visitor_only_once(home: Path, data: bytes) -> None:
    first, second = user_models.save_model("a", "mine", data), user_models.save_model("b", "mine", data)
    assert first != second
    with pytest.raises(ModelError, match="already"):
        user_models.save_model("a", " mine ", data)
    assert user_models.save_model("a", "mine", data, overwrite=True) == first
    assert titles("a") == ["mine"]


def test_of_two_savers_of_one_name_one_wins_and_the_other_is_told(home: Path, data: bytes) -> None:
    saved: list[str] = []
    told: list[str] = []
    together = threading.Barrier(4)

    def save() -> None:
        together.wait(30)
        try:
            saved.append(user_models.save_model("a", "mine", data))
        except ModelError as error:
            told.append(str(error))

    threads = [threading.Thread(target=save) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (len(saved), len(told)) == (1, 3)
    assert all("already" in each for each in told)
    assert lstm_core.load(saved[0]).card.title == "mine"


def test_whoever_reads_while_a_model_is_replaced_sees_the_old_or_the_new(
    home: Path, tiny_folder: Path, data: bytes, tmp_path: Path, randomised: Callable[..., object]
) -> None:
    import keras

    other = shutil.copytree(tiny_folder, tmp_path / "other")
    network = keras.saving.load_model(other / store.WEIGHTS, compile=False)
    randomised(network, 7)
    network.save(other / store.WEIGHTS)
    versions = data, bundle.bundle_folder(other)
    text = ["how do i sort a list"]
    answers = [registry.load_bundle(each).predict(text) for each in versions]
    assert not np.allclose(*answers)
    mine = user_models.save_model("a", "mine", data)
    over = threading.Event()

    def write() -> None:
        for number in range(30):
            user_models.save_model("a", "mine", versions[(number + 1) % 2], overwrite=True)
        over.set()

    writer = threading.Thread(target=write)
    writer.start()
    reads = 0
    while not over.is_set() or not reads:
        found = lstm_core.load(mine).predict(text)
        assert any(np.array_equal(found, each) for each in answers)
        reads += 1
    writer.join(60)


def test_models_are_renamed_and_deleted_by_their_owner_alone(home: Path, data: bytes) -> None:
    mine, second = user_models.save_model("a", "mine", data), user_models.save_model("a", "second", data)
    changes: tuple[Callable[[], None], ...] = (
        lambda: user_models.rename_model("b", mine, "theirs"),
        lambda: user_models.delete_model("b", mine),
    )
    for change in changes:
        with pytest.raises(ModelError, match="isn't yours"):
            change()
    with pytest.raises(ModelError, match="already"):
        user_models.rename_model("a", mine, "second")
    user_models.rename_model("a", mine, "first")
    assert titles("a") == ["first", "second"]
    assert lstm_core.load(mine).card.title == "first"
    user_models.delete_model("a", second)
    assert titles("a") == ["first"]
    assert [path.name for path in home.glob("*.zip")] == [f"{mine}.zip"]
    with pytest.raises(ModelError, match="isn't yours"):
        user_models.delete_model("a", second)


@pytest.mark.parametrize(
    ("name", "why"),
    [("", "type one"), (" \n ", "type one"), ("a\0b", "type one"), ("\ud800", "type one"), ("a" * 41, "41 characters")],
)
def test_names_that_cannot_be(home: Path, data: bytes, name: str, why: str) -> None:
    with pytest.raises(ModelError, match=why):
        user_models.save_model("a", name, data)
    assert titles("a") == []


def test_a_quota_of_models_of_bytes_and_of_all(home: Path, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_models, "MOST_MODELS", 2)
    for name in ("one", "two"):
        user_models.save_model("a", name, data)
    with pytest.raises(ModelError, match="2 models"):
        user_models.save_model("a", "three", data)
    user_models.save_model("a", "two", data, overwrite=True)
    user_models.save_model("b", "one", data)
    monkeypatch.setattr(user_models, "MOST_BYTES_OF_ALL", 3 * len(data))
    with pytest.raises(ModelError, match="all visitors"):
        user_models.save_model("c", "one", data)
    monkeypatch.setattr(user_models, "MOST_BYTES", len(data) // 2)
    with pytest.raises(ModelError, match="delete one"):
        user_models.save_model("d", "one", data)
    assert titles("c") == titles("d") == []
    assert len(list(home.glob("*.zip"))) == 3


@pytest.mark.parametrize(("number", "why"), [(errno.ENOSPC, "is full"), (errno.EACCES, "set LSTM_LAB_MODELS")])
@pytest.mark.parametrize("step", ["write", "move"])
def test_a_disk_that_does_not_take_it(
    home: Path, data: bytes, monkeypatch: pytest.MonkeyPatch, number: int, why: str, step: str
) -> None:
    mine = user_models.save_model("a", "mine", data)
    before = (home / f"{mine}.zip").read_bytes()

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(*((Path, "write_bytes") if step == "write" else (os, "replace")), fail)
    for name in ("mine", "other"):
        with pytest.raises(ModelError, match=why):
            user_models.save_model("a", name, data, overwrite=True)
    monkeypatch.undo()
    monkeypatch.setenv("LSTM_LAB_MODELS", str(home))
    assert (home / f"{mine}.zip").read_bytes() == before
    assert titles("a") == ["mine"]
    assert not list(home.glob(".new-*"))


def test_a_database_that_is_damaged_says_so_and_the_shipped_models_stay(
    home: Path, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_refused", 0.0)
    monkeypatch.setattr(database, "REFUSED", 0.0)
    home.mkdir()
    (home / "lstm_lab.db").write_bytes(b"no database " * 1000)
    assert titles("a") == []
    with pytest.raises(database.DatabaseError, match="not a database"):
        user_models.save_model("a", "mine", data)
    assert [card.name for card in lstm_core.list_models()] == ["tiny"]
    assert list(home.glob("*.zip")) == []
    monkeypatch.setattr(database, "REFUSED", 60.0)
    for expected in ("not a database", "can't be reached"):  # the second visitor doesn't wait for another attempt
        with pytest.raises(database.DatabaseError, match=expected):
            user_models.save_model("a", "mine", data)


@pytest.mark.parametrize(
    ("address", "why"), [("postgresql+psycopg://host/lab", "psycopg"), ("nonsense://", "nonsense")]
)
def test_a_database_that_needs_a_package_says_which(
    home: Path, data: bytes, address: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_refused", 0.0)
    monkeypatch.setattr(database, "REFUSED", 0.0)
    monkeypatch.setenv("LSTM_LAB_DATABASE", address)
    monkeypatch.setitem(sys.modules, "psycopg", None)  # not installed
    with pytest.raises(database.DatabaseError, match=why):
        user_models.save_model("a", "mine", data)


def test_folders_belong_to_the_server_and_are_listed_for_everybody(home: Path, tiny_folder: Path) -> None:
    shutil.copytree(tiny_folder, home / "lesson")
    assert [card.name for card in lstm_core.list_models()] == ["tiny", "lesson"]
    assert lstm_core.load("lesson").card.name == "lesson"
    assert user_models.is_taken("lesson")
    with pytest.raises(ModelError, match="isn't yours"):
        user_models.delete_model("a", "lesson")
    shutil.copytree(home / "lesson", store.SHIPPED / "lesson")  # a new version of the program ships it
    assert [card.name for card in lstm_core.list_models()] == ["lesson", "tiny"]
    assert registry.find_model("lesson") == store.SHIPPED / "lesson"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        *((name, "A name has") for name in ("", "..", "../x", "a/b", "a b", "Ä", "A", ".hidden", "-x", "a\n")),
        ("a" * 41, "41 characters"),
        ("nul", "reserved"),
        ("com1", "reserved"),
        ("tiny", "comes with LSTM Lab"),
    ],
)
def test_names_that_a_folder_cannot_have(home: Path, name: str, why: str) -> None:
    with pytest.raises(LabError, match=why):
        user_models.is_taken(name)


def test_a_name_climbs_out_of_no_folder(home: Path, tmp_path: Path, tiny_folder: Path) -> None:
    shutil.copytree(tiny_folder, tmp_path / "elsewhere")
    home.mkdir()
    (home / "linked").symlink_to(tmp_path / "elsewhere")
    for name in ("..", ".", "", "../elsewhere", "a/../../elsewhere", "\0"):
        assert user_models.model_path(name) is None


def test_without_a_setting_they_lie_in_the_users_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LSTM_LAB_MODELS")
    assert own_folder().parts[-2:] == ("lstm-lab", "models")
    assert own_folder().is_absolute()


def test_the_card_of_a_damaged_bundle_is_left_out(home: Path, data: bytes) -> None:
    mine = user_models.save_model("a", "mine", data)
    second = user_models.save_model("a", "second", data)
    (home / f"{mine}.zip").write_bytes(b"PK damaged")
    assert titles("a") == ["second"]
    with pytest.raises(ModelError, match="damaged"):
        lstm_core.load(mine)
    assert replace(lstm_core.load(second).card, name="") == replace(user_models.models_of("a")[0], name="")

"""Models in an object store that several web processes share; a test forgets what it knows to be another process."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import lstm_core
from lstm_core import storage
from lstm_core.errors import ModelError
from lstm_core.library import bundle, store, user_models
from lstm_core.storage import StoreError
from tests.s3 import Store


@pytest.fixture(autouse=True)
def home(tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch, s3: Store) -> None:
    monkeypatch.setattr(store, "SHIPPED", tmp_path / "shipped")
    shutil.copytree(tiny_folder, tmp_path / "shipped" / "tiny")
    monkeypatch.setenv("LSTM_LAB_MODELS", str(tmp_path / "own"))


def at_another_replica(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Forget what this process knows; only its database is the same."""
    monkeypatch.setenv("LSTM_LAB_DATABASE", f"sqlite:///{folder / 'own' / 'lstm_lab.db'}")
    monkeypatch.setenv("LSTM_LAB_MODELS", str(folder / "another"))
    storage._copies.clear()
    user_models._card.cache_clear()


def test_every_replica_has_every_model(tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = bundle.bundle_folder(tiny_folder)
    mine, second = user_models.save_model("a", "mine", data), user_models.save_model("a", "second", data)
    assert not list((tmp_path / "own").glob("*.zip"))
    answer = lstm_core.load(mine).predict(["how do i sort"])
    at_another_replica(monkeypatch, tmp_path)
    assert [card.title for card in user_models.models_of("a")] == ["second", "mine"]
    assert user_models.models_of("b") == []
    assert [card.name for card in user_models.models_of("b", [mine])] == [mine]
    assert (lstm_core.load(mine).predict(["how do i sort"]) == answer).all()
    user_models.rename_model("a", mine, "first")
    user_models.delete_model("a", second)
    at_another_replica(monkeypatch, tmp_path)
    assert [card.title for card in user_models.models_of("a")] == ["first"]
    assert lstm_core.load(mine).card.title == "first"
    with pytest.raises(ModelError, match="no model"):
        lstm_core.load(second)


def test_a_store_that_is_down_saves_nothing_and_says_so(
    tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bundle.bundle_folder(tiny_folder)
    mine = user_models.save_model("a", "mine", data)
    assert [card.name for card in user_models.models_of("a")] == [mine]
    monkeypatch.setattr(storage, "_refused", float("inf"))
    with pytest.raises(StoreError, match="can't be reached"):
        user_models.save_model("a", "another", data)
    assert [card.name for card in user_models.models_of("a")] == [mine]
    monkeypatch.setattr(storage, "_refused", 0.0)
    assert [card.title for card in user_models.models_of("a")] == ["mine"]
    assert user_models.save_model("a", "another", data)

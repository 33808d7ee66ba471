"""The user's own models: kept beside the shipped ones, checked by name, never written over without being asked."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

import lstm_core
from lstm_core.errors import ModelError
from lstm_core.inference import registry
from lstm_core.library import bundle, store, user_models


@pytest.fixture
def home(tmp_path: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty library of one's own, beside one shipped model called "tiny"."""
    monkeypatch.setattr(store, "SHIPPED", tmp_path / "shipped")
    shutil.copytree(tiny_folder, tmp_path / "shipped" / "tiny")
    monkeypatch.setenv("LSTM_LAB_MODELS", str(tmp_path / "own"))
    return tmp_path / "own"


@pytest.fixture(scope="module")
def files(tiny_folder: Path) -> dict[str, bytes]:
    return bundle.unpack_bundle(bundle.bundle_folder(tiny_folder))


def test_an_own_model_is_found_and_loaded_by_its_name(home: Path, files: dict[str, bytes]) -> None:
    assert user_models.list_user_models() == []
    assert user_models.save_as("mine", files) == home / "mine"
    assert [card.name for card in user_models.list_user_models()] == ["mine"]
    assert [card.name for card in lstm_core.list_models()] == ["tiny", "mine"]
    assert registry.find_model("mine") == home / "mine"
    assert lstm_core.load("mine").predict(["how do i sort"]).shape == (1, 3)
    assert sorted(path.name for path in home.iterdir()) == ["mine"]  # nothing is left beside it


def test_nothing_is_written_over_unless_asked(home: Path, files: dict[str, bytes]) -> None:
    user_models.save_as("mine", files)
    assert user_models.is_taken("mine")
    with pytest.raises(ModelError, match="There is a model 'mine' of yours already"):
        user_models.save_as("mine", files)
    (home / "mine" / "note").write_text("old")
    user_models.save_as("mine", files, replace=True)
    assert not (home / "mine" / "note").exists()


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
def test_names_that_cannot_be(home: Path, files: dict[str, bytes], name: str, why: str) -> None:
    with pytest.raises(ModelError, match=why):
        user_models.save_as(name, files)
    assert not home.exists()


@pytest.mark.parametrize(("number", "why"), [(errno.ENOSPC, "is full"), (errno.EACCES, "set LSTM_LAB_MODELS")])
def test_a_disk_that_does_not_take_it(
    home: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, number: int, why: str
) -> None:
    user_models.save_as("mine", files)
    before = (home / "mine" / "card.json").read_bytes()

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(ModelError, match=why):
        user_models.save_as("mine", files, replace=True)
    assert (home / "mine" / "card.json").read_bytes() == before
    assert [path.name for path in home.iterdir()] == ["mine"]


def test_a_move_that_fails_puts_the_old_model_back(
    home: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    user_models.save_as("mine", files)
    move = os.replace

    def fail(source: Path, target: Path) -> None:
        if source.name == "fresh":
            raise OSError(errno.EIO, "broken")
        move(source, target)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(ModelError, match="can't be saved"):
        user_models.save_as("mine", files, replace=True)
    assert (home / "mine" / "card.json").is_file()


def test_own_models_can_be_deleted_and_nothing_else(home: Path, files: dict[str, bytes], tmp_path: Path) -> None:
    user_models.save_as("mine", files)
    user_models.delete_user_model("mine")
    assert user_models.list_user_models() == []
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (home / "linked").symlink_to(elsewhere)
    for name in ("mine", "linked"):
        with pytest.raises(ModelError, match=f"no model '{name}' of yours"):
            user_models.delete_user_model(name)
    with pytest.raises(ModelError, match="comes with"):
        user_models.delete_user_model("tiny")
    assert elsewhere.is_dir()


def test_a_shipped_model_hides_an_own_one_of_its_name(home: Path, files: dict[str, bytes]) -> None:
    user_models.save_as("later", files)
    shutil.copytree(home / "later", store.SHIPPED / "later")  # a new version of the program ships it
    assert [card.name for card in lstm_core.list_models()] == ["later", "tiny"]
    assert registry.find_model("later") == store.SHIPPED / "later"


def test_without_a_setting_it_lies_in_the_users_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LSTM_LAB_MODELS")
    assert user_models.own_folder().parts[-2:] == ("lstm-lab", "models")
    assert user_models.own_folder().is_absolute()

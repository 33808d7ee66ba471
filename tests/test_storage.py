"""Files in the store: a folder, or a real S3 server."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lstm_core import storage
from lstm_core.storage import StoreError
from tests.ports import free_port
from tests.s3 import Store


@pytest.fixture(params=["default", "folder", "file://", "s3"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(storage, "_refused", 0.0)
    monkeypatch.setenv("LSTM_LAB_MODELS", str(tmp_path / "own"))
    if request.param == "s3":
        request.getfixturevalue("s3")
    elif request.param != "default":
        monkeypatch.setenv("LSTM_LAB_STORE", f"{request.param.removeprefix('folder')}{tmp_path / 'store'}")
    return str(request.param)


def test_files_are_written_replaced_and_removed(anywhere: str) -> None:
    assert storage.read("runs/one/part", 100) is None
    for data in (b"first", b"second"):
        storage.write("runs/one/part", data)
        assert storage.read("runs/one/part", len(data)) == data
    storage.write("runs/one/other", b"x")
    storage.write("a.zip", b"model")
    with pytest.raises(StoreError, match="more than 3 bytes"):
        storage.read("a.zip", 3)
    storage.remove("runs/one")
    assert [storage.read(f"runs/one/{name}", 100) for name in ("part", "other")] == [None, None]
    storage.remove("runs/one")  # once more does no harm
    storage.remove("a.zip")
    assert storage.read("a.zip", 100) is None
    assert storage.is_shared() == (anywhere != "default")


def test_a_file_here_is_as_new_as_the_stores(anywhere: str) -> None:
    assert storage.local_path("b.zip", 100) is None
    storage.write("b.zip", b"first")
    first = storage.local_path("b.zip", 100)
    assert first is not None
    assert (first.name, first.read_bytes()) == ("b.zip", b"first")
    assert storage.local_path("b.zip", 100, fresh=True) == first
    storage.write("b.zip", b"second")
    second = storage.local_path("b.zip", 100, fresh=True)
    assert second is not None
    assert second.read_bytes() == b"second"
    assert storage.local_path("b.zip", 100) == second


def test_copies_are_bounded(s3: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "MOST_COPIES", 10)
    paths = []
    for name in ("c.zip", "d.zip", "e.zip"):
        storage.write(name, b"four")
        paths.append(storage.local_path(name, 100))
    assert [path is not None and path.exists() for path in paths] == [False, True, True]
    again = storage.local_path("c.zip", 100)
    assert again is not None
    assert again.read_bytes() == b"four"


def test_a_store_that_is_down_is_one_sentence_and_nobody_waits_twice(
    s3: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.write("f.zip", b"here")
    kept = storage.local_path("f.zip", 100)
    monkeypatch.setattr(storage, "CHECK_EVERY", 0.0)
    monkeypatch.setattr(storage, "_refused", 0.0)
    monkeypatch.setattr(storage, "REFUSED", 600.0)
    options = storage.OPTIONS["s3"] | {"endpoint_url": f"http://127.0.0.1:{free_port()}"}
    monkeypatch.setitem(storage.OPTIONS, "s3", options)
    with pytest.raises(StoreError, match="can't be used"):
        storage.write("g.zip", b"x")
    began = time.monotonic()
    for act in (lambda: storage.write("g.zip", b"x"), lambda: storage.read("f.zip", 100), lambda: storage.remove("f")):
        with pytest.raises(StoreError, match="can't be reached"):
            act()
    with pytest.raises(StoreError, match="can't be reached"):
        storage.local_path("g.zip", 100)
    assert storage.local_path("f.zip", 100) == kept  # whoever has it open goes on with it
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    ("address", "why"),
    [("s3://no-such-bucket/files", "bucket"), ("gcs://lab", "gcsfs"), ("nonsense://lab", "nonsense")],
)
def test_an_address_that_cannot_be_says_why(s3: Store, monkeypatch: pytest.MonkeyPatch, address: str, why: str) -> None:
    monkeypatch.setenv("LSTM_LAB_STORE", address)
    monkeypatch.setattr(storage, "_refused", 0.0)
    monkeypatch.setattr(storage, "REFUSED", 0.0)
    with pytest.raises(StoreError, match=why):
        storage.write("a.zip", b"x")

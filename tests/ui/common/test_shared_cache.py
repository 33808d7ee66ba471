"""The cache that all sessions share: computed once, bounded in bytes, and nothing in it can be changed."""

import gc
import threading
import weakref
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager

import app
from ui.common.shared_cache import SharedCache, freeze


@dataclass(frozen=True)
class Record:
    values: np.ndarray
    parts: dict[str, list[np.ndarray]]


def test_a_value_is_computed_once_for_everybody() -> None:
    cache, counted, begin, found = SharedCache(10**6), [], threading.Barrier(6), []

    def compute() -> np.ndarray:
        counted.append(1)
        threading.Event().wait(0.02)
        return np.ones(3)

    def visit() -> None:
        begin.wait(30)
        found.append(cache.get("key", compute))

    threads = [threading.Thread(target=visit) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(counted) == 1
    assert all(each is found[0] for each in found)


def test_nothing_in_it_can_be_changed() -> None:
    record = SharedCache(10**6).get("key", lambda: Record(np.ones(3), {"a": [np.zeros(2)]}))
    for array in (record.values, record.parts["a"][0]):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5


def test_the_values_used_last_are_kept_up_to_the_bound() -> None:
    cache, counted = SharedCache(10_000), []

    def get(key: str) -> None:
        cache.get(key, lambda: counted.append(key) or np.zeros(1000, np.uint8))

    for key in "abcdefgh":
        get(key)
    get("a")  # used again, so "b" is the oldest
    get("i")
    get("j")
    assert cache.bytes <= 10_000
    counted.clear()
    get("a")
    get("b")
    assert counted == ["b"]


def test_a_value_that_is_too_large_is_given_but_not_kept() -> None:
    cache = SharedCache(10_000)
    assert len(cache.get("key", lambda: np.zeros(5000, np.uint8))) == 5000
    assert cache.bytes == 0


def test_an_error_is_not_kept() -> None:
    cache = SharedCache(10_000)
    with pytest.raises(ZeroDivisionError):
        cache.get("key", lambda: 1 // 0)
    assert cache.get("key", lambda: 7) == 7


def test_when_a_visitor_leaves_in_the_middle_the_next_one_computes() -> None:
    cache, started, found = SharedCache(10_000), threading.Event(), []

    def abandoned() -> int:
        started.set()
        threading.Event().wait(0.05)
        raise SystemExit

    def leave() -> None:
        with pytest.raises(SystemExit):
            cache.get("key", abandoned)

    first = threading.Thread(target=leave)
    first.start()
    assert started.wait(30)
    found.append(cache.get("key", lambda: 7))
    first.join(30)
    assert found == [7]


def test_a_buffer_that_arrays_share_counts_once() -> None:
    whole = np.zeros(10_000, np.uint8)
    assert freeze({"a": whole[:5_000], "b": whole[5_000:]}) < 15_000


def test_what_nobody_uses_is_forgotten_and_the_rest_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("ui.common.shared_cache.time.monotonic", lambda: now[0])
    cache, computed = SharedCache(10**6), []

    def get(key: str) -> np.ndarray:
        return cache.get(key, lambda: computed.append(key) or np.ones(10))

    for now[0], key in enumerate(("old", "used", "new", "used")):
        get(key)
    cache.forget(1.0)
    assert cache.bytes == freeze(np.ones(10))
    for key in ("used", "old"):
        get(key)
    assert computed == ["old", "used", "new", "old"]
    cache.forget(0.0)
    assert cache.bytes == 0


def test_tidying_up_collects_what_is_left_in_circles() -> None:
    session, gone = Session("circle"), threading.Event()
    session.itself = session  # type: ignore[attr-defined]
    weakref.finalize(session, gone.set)
    gc.disable()
    try:
        del session
        assert not gone.is_set()
        app.tidy()
        assert gone.is_set()
    finally:
        gc.enable()


@dataclass
class Session:
    id: str


def test_sessions_without_a_browser_are_dropped_before_somebody_comes() -> None:
    storage = MemorySessionStorage(ttl_seconds=0)
    manager = WebsocketSessionManager(storage, None, None, None)  # type: ignore[arg-type]
    session = Session("gone")
    storage.save(SimpleNamespace(session=session))  # type: ignore[arg-type]
    left = weakref.ref(session)
    del session
    assert left() is not None
    app.forget_sessions(manager)
    gc.collect()
    assert left() is None

"""Places at the gate: how many at once, in which order, and what becomes of a place when its holder fails or leaves."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from ui.common import gate
from ui.common.gate import Gate

NAVIGATION = Path(__file__).resolve().parents[3] / "pages" / "navigation.py"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs say so after a moment, so that tests need not wait for seconds."""
    monkeypatch.setattr(gate, "PATIENCE", 0.01)
    monkeypatch.setattr(gate, "UPDATE", 0.01)


@contextmanager
def holder(of: Gate) -> Iterator[None]:
    """Another thread that holds a place."""
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with of.place():
            inside.set()
            leave.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert inside.wait(30)
    try:
        yield
    finally:
        leave.set()
        thread.join(30)


def test_no_more_runs_at_once_than_places() -> None:
    limited, most, now, lock = Gate(2), [0], [0], threading.Lock()
    begin = threading.Barrier(8)

    def run() -> None:
        begin.wait(30)
        with limited.place():
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            threading.Event().wait(0.005)
            with lock:
                now[0] -= 1

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most[0] <= 2
    assert now[0] == 0


def test_places_are_given_away_in_the_order_of_arrival() -> None:
    limited, order, threads = Gate(1), [], []
    with holder(limited):
        for number in range(5):
            waits = threading.Event()

            def run(number: int = number, waits: threading.Event = waits) -> None:
                with limited.place(tell=lambda ahead: waits.set()):
                    order.append(number)

            threads.append(threading.Thread(target=run))
            threads[-1].start()
            assert waits.wait(30)
    for thread in threads:
        thread.join(30)
    assert order == [0, 1, 2, 3, 4]


def test_a_run_within_a_run_needs_no_second_place() -> None:
    limited = Gate(1)
    with limited.place(), limited.place():
        pass
    with limited.place(), pytest.raises(ZeroDivisionError), limited.place():
        _ = 1 / 0
    assert_free(limited)


def test_one_visitor_with_many_tabs_takes_one_place() -> None:
    limited, order, waits = Gate(2), [], [threading.Event() for _ in range(3)]

    def run(visitor: str, number: int) -> None:
        with limited.place(visitor, lambda ahead: waits[number].set()):
            order.append(visitor)

    with limited.place("many"):
        tabs = [threading.Thread(target=run, args=("many", number)) for number in range(3)]
        for number, tab in enumerate(tabs):
            tab.start()
            assert waits[number].wait(30)
        other = threading.Thread(target=run, args=("other", 0))
        other.start()
        other.join(30)  # the second place was free for somebody else
        assert order == ["other"]
    for tab in tabs:
        tab.join(30)
    assert order == ["other", "many", "many", "many"]


def test_who_never_pauses_rests_while_others_are_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "REST", 1e9)
    monkeypatch.setattr(gate, "MOST_REST", 2)
    limited, order, waits = Gate(2), [], threading.Event()

    def again() -> None:
        with limited.place("busy", lambda ahead: waits.set()):
            order.append("busy")

    with limited.place("other"), ThreadPoolExecutor(2) as threads:
        threads.submit(take, limited, "busy").result(30)
        second = threads.submit(again)
        assert waits.wait(30)  # though a place is free
        threads.submit(take, limited, "new").result(30)
        order.append("new")
        second.result(30)
    assert order == ["new", "busy"]


def test_who_is_alone_never_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "REST", 1e9)
    monkeypatch.setattr(gate, "MOST_REST", 1e9)
    limited = Gate(1)
    for _ in range(3):
        take(limited, "alone")


def take(limited: Gate, visitor: str) -> None:
    """Compute nothing, in a place."""
    with limited.place(visitor):
        pass


def test_a_place_is_free_again_after_an_error() -> None:
    limited = Gate(1)
    with pytest.raises(ZeroDivisionError), limited.place():
        _ = 1 / 0
    assert_free(limited)


def test_who_leaves_the_queue_does_not_hold_up_the_others() -> None:
    limited = Gate(1)

    def leave(ahead: int) -> None:
        raise KeyboardInterrupt

    with holder(limited), pytest.raises(KeyboardInterrupt), limited.place(tell=leave):
        pytest.fail("the place is taken")
    assert_free(limited)


def test_a_long_wait_says_how_many_are_ahead() -> None:
    limited, said = Gate(1), []

    class EnoughError(Exception):
        pass

    def tell(ahead: int) -> None:
        said.append(ahead)
        raise EnoughError

    with holder(limited), pytest.raises(EnoughError), limited.place(tell=tell):
        pytest.fail("the place is taken")
    assert said == [0]


def test_the_page_says_that_it_waits_and_no_longer_once_it_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    limited, said, real = Gate(1), [], st.delta_generator.DeltaGenerator.info
    monkeypatch.setattr(gate, "GATE", limited)
    waits = threading.Event()

    def info(self: st.delta_generator.DeltaGenerator, body: str, **options: Any) -> Any:
        said.append(body)
        waits.set()
        return real(self, body, **options)

    monkeypatch.setattr(st.delta_generator.DeltaGenerator, "info", info)
    leave = threading.Event()

    def hold() -> None:
        with limited.place():
            inside.set()
            waits.wait(30)
        leave.set()

    inside = threading.Event()
    threading.Thread(target=hold).start()
    assert inside.wait(30)
    page = AppTest.from_file(str(NAVIGATION), default_timeout=120).run()
    assert leave.wait(30)
    assert said[0] == "Many people are here. Your turn comes soon: you are next."
    assert not page.exception
    assert not page.info
    assert page.title


def assert_free(limited: Gate) -> None:
    """Another thread gets a place at once."""
    got = threading.Event()

    def run() -> None:
        with limited.place():
            got.set()

    threading.Thread(target=run).start()
    assert got.wait(30)

"""The page "Operators": only with the key, of which few can be tried; and the numbers of all replicas."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import prometheus_client
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from lstm_core.classroom import Attempts
from lstm_core.errors import LabError
from ui.common import visitor
from ui.operations import metrics
from ui.operators import key, replicas

PAGES = Path(__file__).resolve().parents[2] / "pages"
KEY = "a long key, known to one"


@pytest.fixture(autouse=True)
def attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key, "WRONG", Attempts(3, 60.0))


@pytest.fixture
def numbers() -> Iterator[str]:
    """Where this process serves its numbers."""
    server, thread = prometheus_client.start_http_server(0, "127.0.0.1")
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def opened() -> AppTest:
    page = AppTest.from_file(str(PAGES / "navigation.py"), default_timeout=60)
    page._page_hash = calc_hash("operators")
    return page.run()


def enter(page: AppTest, typed: str) -> AppTest:
    return page.text_input[0].set_value(typed).run()


def test_without_a_key_there_is_no_such_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LSTM_LAB_OPERATOR_KEY", raising=False)
    assert opened().title[0].value != "Operators"


def test_the_key_opens_it_for_this_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTM_LAB_OPERATOR_KEY", KEY)
    page = opened()
    assert page.title[0].value == "Operators"
    assert not page.metric
    assert enter(page, f"{KEY} ").error
    assert not page.metric
    enter(page, KEY)
    assert not page.exception
    assert {each.label for each in page.metric} == {"Visitors", "Waiting for their turn", "Replicas", "Not up"}
    assert page.run().dataframe[0].value["replica"].tolist() == ["this process"]
    assert not page.text_input
    assert not opened().metric  # another session has to show it, too
    monkeypatch.setenv("LSTM_LAB_OPERATOR_KEY", "a new one")
    assert not page.run().metric


def test_few_wrong_keys_can_be_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTM_LAB_OPERATOR_KEY", KEY)
    monkeypatch.setattr(visitor, "address", lambda: "10.0.0.1")
    page = opened()
    for typed in ("a", "b", "c"):
        assert enter(page, typed).error[0].value == "This is not the key."
    assert "ten minutes" in enter(page, KEY).error[0].value
    assert not page.metric


def test_a_row_holds_what_a_replica_serves(numbers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        silent = f"127.0.0.1:{closed.getsockname()[1]}"
        monkeypatch.setenv("LSTM_LAB_REPLICAS", f"{numbers}, {silent}")
        metrics.start()
        with metrics.page("somebody"), metrics.page("somebody"), metrics.page("another"):
            first, second = replicas.numbers()
    assert (first["replica"], first["visitors"], first["open pages"]) == (numbers, 2, 3)
    assert first["memory (MiB)"] > 20
    assert second == {"replica": silent, "state": "no answer"}
    monkeypatch.setenv("LSTM_LAB_REPLICAS", "web-1")
    with pytest.raises(LabError, match="web-1:9464"):
        replicas.numbers()


def test_ninety_five_percent_and_a_failing_part() -> None:
    registry = prometheus_client.CollectorRegistry()
    wait = prometheus_client.Histogram("lstm_lab_gate_wait_seconds", "", buckets=metrics.SECONDS, registry=registry)
    for _ in range(95):
        wait.observe(0.02)
    for _ in range(5):
        wait.observe(20)
    part = prometheus_client.Gauge("lstm_lab_part_up", "", ["part"], registry=registry)
    part.labels("database").set(0)
    part.labels("models").set(1)
    found = replicas.row("web-1", prometheus_client.generate_latest(registry).decode())
    assert found["95% waited at most (s)"] == 0.03
    assert found["95% ran at most (s)"] is None
    assert found["state"] == "fails: database"

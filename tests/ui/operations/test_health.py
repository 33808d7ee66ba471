"""The look at the parts: bounded in time, shared by all who ask, and without a word of what it found."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from pathlib import Path

import pytest

from lstm_core import LabError
from ui.common import errors
from ui.operations import drain, health, metrics


def fails() -> None:
    raise OSError("postgresql://lab:secret@host can't be reached")


def answer(base: str, path: str) -> tuple[int, dict]:
    """Status and words of a route."""
    (endpoint,) = (each.endpoint for each in health.routes(base) if each.path == path)
    found = asyncio.run(endpoint(None))
    return found.status_code, json.loads(found.body)


def test_a_part_that_hangs_costs_its_patience_and_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PATIENCE", 0.05)
    monkeypatch.setattr(health, "FRESH", 0.0)
    asked, released = [], threading.Event()

    def hangs() -> None:
        asked.append(1)
        released.wait(20)

    async def never() -> None:
        await asyncio.sleep(20)

    async def look() -> list[dict]:
        seen = health.Health({"hangs": hangs, "never": never, "fails": fails, "works": lambda: None})
        began = time.monotonic()
        found = [await seen.look(), await seen.look()]
        assert time.monotonic() - began < 5
        released.set()
        return found

    for found in asyncio.run(look()):
        assert {name: part["up"] for name, part in found.items()} == {
            "hangs": False, "never": False, "fails": False, "works": True
        }  # fmt: skip
    assert len(asked) == 1
    assert metrics.PART.labels("works")._value.get() == 1
    assert metrics.PART.labels("fails")._value.get() == 0


def test_one_look_serves_all_who_ask_within_a_second() -> None:
    asked = []

    async def look() -> None:
        seen = health.Health({"part": lambda: asked.append(1)})
        await asyncio.gather(*(seen.look() for _ in range(20)))

    asyncio.run(look())
    assert len(asked) == 1


@pytest.mark.parametrize("base", ["", "lab"])
def test_the_routes_say_which_part_fails_and_nothing_else(
    base: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LSTM_LAB_MODELS", str(tmp_path / "models"))
    monkeypatch.delenv("LSTM_LAB_DATABASE", raising=False)
    prefix = f"/{base}" if base else ""
    status, told = answer(base, f"{prefix}/health")
    assert status == 200
    assert {name: part["up"] for name, part in told["parts"].items()} == {
        "models": True, "database": True, "store": True
    }  # fmt: skip
    assert answer(base, f"{prefix}/ready") == (200, {"ready": True})
    monkeypatch.setattr(health, "_database", fails)
    monkeypatch.setenv("LSTM_LAB_SCHEDULER", "tcp://127.0.0.1:1")
    status, told = answer(base, f"{prefix}/health")
    assert (status, told["status"]) == (503, "failing")
    assert [name for name, part in told["parts"].items() if not part["up"]] == ["database", "scheduler"]
    assert "secret" not in json.dumps(told)
    assert answer(base, f"{prefix}/ready")[0] == 200  # most pages need neither
    monkeypatch.setattr(drain, "ending", lambda: True)
    assert answer(base, f"{prefix}/ready")[0] == 503
    assert answer(base, f"{prefix}/health")[1]["status"] == "ending"


def test_an_open_port_is_no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PATIENCE", 0.3)
    monkeypatch.delenv("LSTM_LAB_DASK_CERTS", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("LSTM_LAB_SCHEDULER", f"tcp://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(OSError, match="no answer"):
            health._scheduler()


def test_every_kind_of_refusal_is_told_from_the_beginning_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = {each.labels["what"] for family in metrics.REFUSED.collect() for each in family.samples}
    assert kinds == set(metrics.KINDS)
    monkeypatch.setattr(errors.st, "session_state", {})

    def fails() -> None:
        raise LabError("This is no model.")

    before = metrics.REFUSED.labels("upload")._value.get()
    for _ in range(2):  # runs of a page with the same file
        with pytest.raises(LabError, match="no model"):
            errors.once("file", "an identity", fails)
    assert metrics.REFUSED.labels("upload")._value.get() == before + 1

"""The soak's judgement and what its visitors understand of the protocol. No server is started here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.soak import __main__ as soak

GOOD = {"growth": 1.2, "lost runs": 0, "processes left": 0, "pages that failed": 0}


@pytest.mark.parametrize(
    ("seen", "status"),
    [({}, 0), ({"growth": 1.21}, 1), ({"lost runs": 1}, 1), ({"processes left": 1}, 1), ({"pages that failed": 1}, 1)],
)
def test_the_exit_status_says_whether_it_holds(
    seen: dict[str, float], status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def server(*command: str) -> Iterator[Any]:
        yield SimpleNamespace(url="", process=None)

    async def soaked(*arguments: Any) -> dict[str, Any]:
        return GOOD | seen

    monkeypatch.setattr(soak, "server", server)
    monkeypatch.setattr(soak, "soak", soaked)
    monkeypatch.setattr(soak.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(soak.os, "environ", {})
    assert soak.main(["--minutes", "2"]) == status
    assert "growth" in capsys.readouterr().out


def test_runs_that_end_are_not_lost() -> None:
    tally = soak.Tally(started={"ended", "never written"})
    tally.runs = {"ended": ("finished", "", 1), "of somebody else": ("running", "", 0), "stopped": ("stopped", "", 0)}
    assert sorted(soak.unfinished(tally)) == ["never written", "of somebody else"]


def test_the_database_is_read_as_the_app_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lstm_core.jobs.job import Job
    from lstm_core.jobs.records import Records

    database = tmp_path / "runs.db"
    monkeypatch.setenv("LSTM_LAB_DATABASE", f"sqlite:///{database}")
    records, tally = Records(), soak.Tally()
    records.keep(Job("one", "somebody", "Count", "lstm_core.x:y", {}, state="failed", message="Why.", restarts=2))
    records.flush()
    soak.note_runs(database, tally)
    assert tally.runs == {"one": ("failed", "Why.", 2)}


def test_a_guest_sees_buttons_errors_uploaders_and_the_run_of_the_address() -> None:
    guest = soak.Guest(None, "training_studio", "", soak.Tally())  # type: ignore[arg-type]
    message = ForwardMsg()
    message.new_session.initialize.session_id = "session"
    guest.note(message)
    for label, disabled in (("Train", False), ("Stop", True)):
        message = ForwardMsg()
        message.delta.new_element.button.id = f"id of {label}"
        message.delta.new_element.button.label = label
        message.delta.new_element.button.disabled = disabled
        guest.note(message)
    for kind, body in ((Alert.ERROR, "Wrong."), (Alert.WARNING, "Careful.")):
        message = ForwardMsg()
        message.delta.new_element.alert.format = kind
        message.delta.new_element.alert.body = body
        guest.note(message)
    message = ForwardMsg()
    message.delta.new_element.file_uploader.id = "up"
    message.delta.new_element.file_uploader.label = "Your file"
    guest.note(message)
    message = ForwardMsg()
    message.page_info_changed.query_string = "lesson=x&job=abc"
    guest.note(message)
    assert (guest.session, guest.job, guest.errors) == ("session", "abc", ["Wrong."])
    assert (guest.buttons, guest.uploaders) == ({"Train": "id of Train"}, {"Your file": "up"})
    assert asyncio.run(guest.press("Stop")) is False


def test_half_an_hour_unless_told_otherwise() -> None:
    assert soak.parser().parse_args([]).minutes == 30
    assert soak.parser().parse_args(["--minutes", "2"]).minutes == 2

"""The script of the bar: every message names it, the app serves it, browsers keep it."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.routing import Match, Route
from streamlit import config

from ui.classroom import route

ASSETS = Path(__file__).resolve().parents[3] / "assets" / "classroom"


@pytest.mark.parametrize("base", ["", "lab/one"])
def test_the_script_is_served_once(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "get_option", lambda name: base)
    address = route.script()
    assert re.fullmatch(rf"{'/' * bool(base)}{base}/live/bar-[0-9a-f]{{8}}\.js", address)
    scope = {"type": "http", "method": "GET", "path": address, "headers": []}
    (found,) = [each for each in route.routes(base) if each.matches(scope)[0] is Match.FULL]
    assert isinstance(found, Route)
    answer = asyncio.run(found.endpoint(Request(scope)))
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    text = bytes(answer.body).decode()
    assert text == "".join((ASSETS / name).read_text("utf-8") for name in ("class.js", "bar.js"))
    assert "export default function" in text

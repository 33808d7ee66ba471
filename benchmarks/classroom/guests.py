"""The visitors of a class: they speak Streamlit's protocol and the websocket of a class, as browsers do."""

from __future__ import annotations

import asyncio
import json
import random
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from streamlit.components.v2.bidi_component.main import _make_trigger_id
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection

from benchmarks.crowd import Visitor
from ui.common.server import COOKIE, owner_of

PAGE, SCRUBBED = "question_tags", "cell_microscope"
VOTING = 3.0  # seconds within which everybody votes


def cookie(number: int) -> dict[str, str]:
    """The header of a visitor."""
    return {"Cookie": f"{COOKIE}={number:032x}"}


def visitor_name(number: int) -> str:
    """What stands for a visitor in the database."""
    return owner_of({COOKIE: f"{number:032x}"}) or ""


class Guest(Visitor):
    """Somebody in a class: a page, and the websocket on which it hears of the class."""

    def __init__(self, socket: ClientConnection, live: ClientConnection, code: str) -> None:
        super().__init__(socket, PAGE, f"class={code}")
        self.live, self.code = live, code
        self.bar, self.text = "", ""  # the bar's id; what stands in the text area
        self.news: dict[str, Any] = {}
        self.wake = asyncio.Event()

    def note(self, message: ForwardMsg) -> bool:
        """Remember what a message says, as a browser does; True if the script has finished."""
        kind = message.WhichOneof("type")
        if kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "bidi_component":
            component = message.delta.new_element.bidi_component
            if component.component_name == "lstm_lab_class":
                self.bar = component.id
        elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "text_area":
            area = message.delta.new_element.text_area
            self.text = area.value if area.set_value or not self.text else self.text
        return super().note(message)

    async def hear(self) -> None:
        """Keep the newest of what the class says, until the task is cancelled."""
        async for message in self.live:
            news = json.loads(message)
            if "step" in news:
                self.news = {**self.news, **news}
                self.heard(time.perf_counter())
                self.wake.set()

    def heard(self, now: float) -> None:
        """There is news."""


@dataclass
class Seen:
    """What all followers saw: the seconds until each of them had it, by the lecturer's text."""

    began: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    scrubbed: dict[int, float] = field(default_factory=dict)  # token → when it was sent
    scrubs: list[float] = field(default_factory=list)


class Follower(Guest):
    """A student's browser, which does as `assets/classroom/class.js`."""

    seen: Seen

    def heard(self, now: float) -> None:
        """A place of the microscope is shown at once, without Python."""
        settings = dict(parse_qsl(self.news.get("view", "").partition("?")[2]))
        if self.news.get("view", "").startswith(SCRUBBED) and (sent := self.seen.scrubbed.get(int(settings["t"]))):
            self.seen.scrubs.append(now - sent)

    async def follow(self) -> None:
        """Open every view of the lecturer, until the task is cancelled."""
        opened = 0
        while True:
            await self.wake.wait()
            self.wake.clear()
            step, view = self.news["step"], self.news.get("view", "")
            if step == opened or not view.startswith(PAGE):
                continue
            opened = step
            message = BackMsg()
            wanted = json.dumps([{"event": "view", "value": {"step": step, "view": view}}])
            states = message.rerun_script.widget_states.widgets
            states.add(id=_make_trigger_id(self.bar, "events"), json_trigger_value=wanted)
            await self.run(message)
            if self.text in self.seen.began:
                self.seen.seconds.setdefault(self.text, []).append(time.perf_counter() - self.seen.began[self.text])

    async def vote(self, rng: random.Random, asked: dict[str, Any]) -> None:
        """Vote within the given time, and change the vote once."""
        await asyncio.sleep(rng.uniform(0, VOTING))
        for answer in (rng.randrange(3), rng.randrange(3)):
            message = {"vote": answer, "question": asked["number"], "round": asked["round"]}
            await self.live.send(json.dumps(message))


class Lecturer(Guest):
    """A lecturer's browser: it sends its address whenever that changes."""

    sent = ""

    async def step(self, text: str) -> None:
        """Read another text, and show it."""
        await self.send(text)
        await self.show()

    async def show(self) -> None:
        """Send the address if it has changed."""
        settings = [(name, value) for name, value in parse_qsl(self.query) if name != "class"]
        view = f"{PAGE}?{urlencode(settings)}"
        if view != self.sent:
            self.sent = view
            await self.live.send(json.dumps({"view": view}))

    async def message(self) -> ForwardMsg:
        """The next message of the server; the address is sent as soon as it changes."""
        message = await super().message()
        if message.WhichOneof("type") == "page_info_changed":
            self.query = message.page_info_changed.query_string
            await self.show()
        return message

"""Visitors of the topology: they speak Streamlit's protocol and the websocket of a class through the proxy."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from benchmarks.crowd import browser
from benchmarks.soak.guest import Guest, Tally
from ui.common.server import COOKIE, owner_of

BROKEN = (OSError, TimeoutError, WebSocketException)  # what a browser answers by connecting again


def cookie(number: int) -> str:
    """What the browser of a visitor sends."""
    return f"{COOKIE}={number:032x}"


def owner(number: int) -> str:
    """What stands for a visitor in the database."""
    return owner_of({COOKIE: f"{number:032x}"}) or ""


class Student(Guest):
    """A visitor who reads what the page says, and types numbers."""

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self.words: list[str] = []
        self.numbers: dict[str, str] = {}  # identity of each field for a number, by its label

    async def run(self, message: BackMsg) -> float:
        """Run the page, and remember what it says."""
        self.words = []
        return await super().run(message)

    def note(self, message: ForwardMsg) -> bool:
        """Remember texts and fields."""
        if message.WhichOneof("type") == "delta":
            element = message.delta.new_element
            if element.WhichOneof("type") == "markdown":
                self.words.append(element.markdown.body)
            elif element.WhichOneof("type") == "alert":
                self.words.append(element.alert.body)
            elif element.WhichOneof("type") == "selectbox":
                self.words.extend(element.selectbox.options)
            elif element.WhichOneof("type") == "number_input":
                self.numbers[element.number_input.label] = element.number_input.id
        return super().note(message)

    async def type(self, label: str, value: float) -> None:
        """Type a number."""
        message = BackMsg()
        message.rerun_script.widget_states.widgets.add(id=self.numbers[label], double_value=value)
        await self.run(message)


@asynccontextmanager
async def at(url: str, number: int, page: str, query: str = "") -> AsyncIterator[Student]:
    """A page that a visitor has opened; while the server is away, they try again, as a browser does."""
    async with asyncio.timeout(60):
        while True:
            try:
                socket = await browser(url, number)
                student = Student(socket, page, url, Tally())
                student.query, student.cookie = query, cookie(number)
                await student.open()
                break
            except BROKEN:
                await asyncio.sleep(0.2)
    try:
        yield student
    finally:
        await socket.close()


async def vote(url: str, code: str, number: int, question: tuple[int, int], choice: int) -> None:
    """Vote until the class says that the vote counts: `question` is its number and its round."""
    address = f"{url.replace('http', 'ws', 1)}/live/{code}"
    message = json.dumps({"vote": choice, "question": question[0], "round": question[1]})
    async with asyncio.timeout(60):
        while True:
            with suppress(*BROKEN):
                async with (
                    asyncio.timeout(10),
                    connect(address, additional_headers={"Cookie": cookie(number)}) as socket,
                ):
                    await socket.send(message)
                    async for each in socket:
                        asked = json.loads(each).get("asked") or {}
                        if (asked.get("number"), asked.get("round"), asked.get("mine")) == (*question, choice):
                            return
                        if "trouble" in json.loads(each):
                            break
            await asyncio.sleep(0.2)

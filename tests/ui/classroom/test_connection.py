"""The websocket of a class and the watcher behind it, without a server: what is told to whom, and what is taken."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.websockets import WebSocket

from lstm_core import classroom, database
from lstm_core.lesson_plans import Question
from tests import sqlite
from ui.classroom import connection, hub, turns
from ui.classroom.hub import Hub, Listener
from ui.common.server import COOKIE, owner_of

TEACHER, STUDENT, OTHER = (f"{number:032x}" for number in (1, 2, 3))
QUESTION = Question("choice", "Which **gate** forgets?", ("f", "i"), "f")
PATIENCE = 10.0  # seconds


def owner(number: str) -> str:
    return owner_of({COOKIE: number}) or ""


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(database, "_refused", 0.0)
    monkeypatch.setattr(connection, "HUB", Hub())
    monkeypatch.setattr(connection, "WRONG_CODES", classroom.Attempts(2, 60.0))
    monkeypatch.setattr(hub, "COUNT_EVERY", 0.05)
    with sqlite.temporary_database(tmp_path, monkeypatch):
        yield


@pytest.fixture
def code() -> str:
    return classroom.start(owner(TEACHER))[0]


class Browser:
    """The other end of the websocket."""

    def __init__(self, code: str, number: str, **headers: str) -> None:
        cookie = f"{COOKIE}={number}" if number else ""
        given = {"host": "lab.example", "cookie": cookie, **{name.replace("_", "-"): headers[name] for name in headers}}
        self.scope = {
            "type": "websocket", "path": f"/live/{code}", "path_params": {"code": code}, "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in given.items()], "client": ("1.2.3.4", 1),
            "scheme": "ws", "subprotocols": [],
        }  # fmt: skip
        self.sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.news: dict[str, Any] = {}

    async def send(self, **message: Any) -> None:
        await self.sent.put({"type": "websocket.receive", "text": json.dumps(message)})

    async def until(self, holds: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """What is known when something holds for the first time: what was told before counts, but for replies."""
        for reply in ("said", "counted"):
            self.news.pop(reply, None)
        if holds(self.news):
            return self.news
        async with asyncio.timeout(PATIENCE):
            while True:
                message = await self.received.get()
                told = json.loads(message["text"]) if "text" in message else message
                self.news |= told
                if holds(self.news):
                    return self.news


@asynccontextmanager
async def joined(code: str, number: str, **headers: str) -> AsyncIterator[Browser]:
    browser = Browser(code, number, **headers)
    await browser.sent.put({"type": "websocket.connect"})
    socket = WebSocket(browser.scope, browser.sent.get, browser.received.put)
    task = asyncio.create_task(connection.serve(socket))
    try:
        yield browser
    finally:
        await browser.sent.put({"type": "websocket.disconnect", "code": 1001})
        async with asyncio.timeout(PATIENCE):
            await task


def run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(story())  # type: ignore[arg-type]


def test_a_step_of_the_lecturer_reaches_who_follows_and_both_know_how_many_do(code: str) -> None:
    async def story() -> None:
        async with joined(code, TEACHER) as teacher, joined(code, STUDENT) as student, joined(code, STUDENT) as tab:
            assert (await teacher.until(lambda news: news.get("here") == 1))["lecturer"]  # two tabs are one visitor
            await teacher.send(view="question_tags?text=a+b&signal=f")
            told = await student.until(lambda news: news.get("view"))
            assert (told["view"], told["step"], told["lecturer"]) == ("question_tags?text=a+b&signal=f", 1, False)
            await student.until(lambda news: news.get("following") == 1)
            for each in (student, tab):
                await each.send(following=False)
            await teacher.until(lambda news: news.get("following") == 0)
            await student.send(view="home")  # a student shows nothing
            assert "Only the lecturer" in (await student.until(lambda news: news.get("said")))["said"]
            await student.send(do="close")
            assert "Only the lecturer" in (await student.until(lambda news: news.get("said")))["said"]

    run(story)


def test_votes_are_told_to_the_lecturer_and_shown_to_the_class_when_the_lecturer_says_so(code: str) -> None:
    def votes(news: dict[str, Any]) -> Any:
        return news.get("asked") and news["asked"].get("votes")

    async def story() -> None:
        async with joined(code, TEACHER) as teacher, joined(code, STUDENT) as student, joined(code, OTHER) as other:
            classroom.ask(code, owner(TEACHER), QUESTION)  # in another process: nobody says so here
            asked = (await student.until(lambda news: news.get("asked")))["asked"]
            assert asked["prompt"] == "Which gate forgets?"
            assert not {"votes", "answer", "measured", "texts"} & set(asked)
            for answer in (0, 1):
                await student.send(vote=answer, question=1, round=1)
                await student.until(lambda news: news.get("counted"))
            await other.send(vote=0, question=1, round=1)
            await teacher.until(lambda news: votes(news) == [[1, 1]])
            for message in ({"vote": 7}, {"vote": True}, {"vote": "f"}, {"vote": [1]}, {"vote": 0, "question": "1"}):
                await other.send(**({"question": 1, "round": 1} | message))
                assert "not one of the answers" in (await other.until(lambda news: news.get("said")))["said"]
            await other.send(vote=0, question=1, round=2)
            assert "closed" in (await other.until(lambda news: news.get("said")))["said"]
            await teacher.send(do="show")
            told = await student.until(votes)
            assert told["asked"]["mine"] == 1
            assert "answer" not in told["asked"]
            await teacher.send(do="reveal")
            told = await student.until(lambda news: news["asked"].get("revealed"))
            assert told["asked"]["answer"] == 0
            await student.send(vote=0, question=1, round=1)
            assert "closed" in (await student.until(lambda news: news.get("said")))["said"]

    run(story)


def test_who_comes_back_finds_the_own_vote_and_the_view(code: str) -> None:
    async def story() -> None:
        classroom.ask(code, owner(TEACHER), QUESTION)
        classroom.write_view(code, owner(TEACHER), "word_order")
        async with joined(code, STUDENT) as student:
            await student.send(vote=1, question=1, round=1)
            await student.until(lambda news: news.get("counted"))
        async with joined(code, STUDENT) as student:
            told = await student.until(lambda news: news.get("asked") and "view" in news)
            assert (told["asked"]["mine"], told["view"]) == (1, "word_order")

    run(story)


def test_wrong_codes_are_refused_and_counted_by_address(code: str) -> None:
    async def story() -> None:
        for expected in ("no class with this code", "no class with this code", "Too many wrong codes"):
            async with joined("NOSUCH", STUDENT) as guest:
                assert expected in (await guest.until(lambda news: news.get("over")))["over"]
        async with joined(code, STUDENT) as guest:
            assert "Too many wrong codes" in (await guest.until(lambda news: news.get("over")))["over"]

    run(story)


def test_another_site_cant_open_it_and_without_a_cookie_nobody_votes(code: str) -> None:
    async def story() -> None:
        classroom.ask(code, owner(TEACHER), QUESTION)
        async with joined(code, TEACHER, origin="https://elsewhere.example") as forged:
            closed = await forged.until(lambda news: news.get("type"))
            assert closed["type"] == "websocket.close"
        async with joined(code, "", origin="https://lab.example") as stranger:
            await stranger.until(lambda news: news.get("asked"))
            await stranger.send(vote=0, question=1, round=1)
            assert "cookie" in (await stranger.until(lambda news: news.get("said")))["said"]

    run(story)


@pytest.mark.parametrize("text", ["not JSON", "x" * 70_000])
def test_nonsense_ends_the_connection(code: str, text: str) -> None:
    async def story() -> None:
        async with joined(code, STUDENT) as student:
            await student.until(lambda news: "here" in news)
            await student.sent.put({"type": "websocket.receive", "text": text})
            while connection.HUB.rooms[code].listeners:  # it is thrown out
                await asyncio.sleep(0.01)

    run(story)


def test_the_end_of_a_class_and_a_database_that_is_down_are_told(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with joined(code, STUDENT) as student:
            await student.until(lambda news: "here" in news)

            def down(codes: object) -> None:
                raise database.DatabaseError("The database can't be used.")

            with monkeypatch.context() as broken:
                broken.setattr(classroom, "news", down)
                await student.until(lambda news: news.get("trouble"))
            student.news.clear()
            await student.until(lambda news: "here" in news)  # it is back
            classroom.end(code, owner(TEACHER))
            assert "ended" in (await student.until(lambda news: news.get("over")))["over"]

    run(story)


def test_two_web_processes_share_a_class_by_one_query_each(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    news = classroom.news
    monkeypatch.setattr(classroom, "news", lambda codes: (asked.append(1), news(codes))[1])

    async def story() -> None:
        processes = Hub(), Hub()
        listeners = [[Listener(f"{number} {place}", False) for number in range(20)] for place in range(2)]
        for place, (process, those) in enumerate(zip(processes, listeners, strict=True)):
            monkeypatch.setattr(hub, "PROCESS", f"process {place}")
            for each in those:
                await process.enter(code, each)
        asked.clear()
        await asyncio.to_thread(classroom.write_view, code, owner(TEACHER), "gradient_lab")
        async with asyncio.timeout(PATIENCE):
            while any(process.rooms[code].state.view != "gradient_lab" for process in processes):  # type: ignore[union-attr]
                await asyncio.sleep(0.01)
        assert len(asked) <= 8  # however many listen
        for process, those in zip(processes, listeners, strict=True):
            for each in those:
                process.leave(code, each)
        async with asyncio.timeout(PATIENCE):
            while any(process.rooms for process in processes):  # each forgets a class that nobody is in
                await asyncio.sleep(0.01)

    run(story)


def test_followers_open_a_view_in_turns_and_a_locked_phone_holds_nobody_up(
    code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "LONGEST", 0.2)
    connection.HUB.turns = turns.Turns(1)
    places = [f"{number:032x}" for number in range(10, 13)]

    async def story() -> None:
        classroom.write_view(code, owner(TEACHER), "word_order")
        async with AsyncExitStack() as stack:
            guests = [await stack.enter_async_context(joined(code, place)) for place in places]
            await guests[0].until(lambda news: news.get("view"))
            assert all("view" not in guest.news for guest in guests[1:])
            connection.HUB.opened(code, owner(places[0]))
            await guests[1].until(lambda news: news.get("view"))  # and doesn't open it: its turn ends by itself
            await guests[2].until(lambda news: news.get("view"))
            listeners = connection.HUB.rooms[code].listeners
            assert {each.visitor for each in listeners if each.prompt} >= {owner(places[0])}
            async with asyncio.timeout(PATIENCE):
                while next(each for each in listeners if each.visitor == owner(places[1])).prompt:
                    await asyncio.sleep(0.01)

    run(story)


def test_the_microscopes_place_needs_no_turn() -> None:
    place = "cell_microscope?model=imdb&t=3&unit=1&signal=c"
    assert turns.only_moves(place, "cell_microscope?t=4&unit=2&signal=f&model=imdb")
    assert not turns.only_moves(place, "cell_microscope?model=brackets&t=3&unit=1&signal=c")
    assert not turns.only_moves("question_tags?t=3", "question_tags?t=4")  # there a slider of Python moves


def test_markdown_is_shown_as_text() -> None:
    assert connection.plain("**Bold** and *slanted* `f` in snake_case, 2 * 3 \\* 4") == (
        "Bold and slanted f in snake_case, 2 * 3 * 4"
    )

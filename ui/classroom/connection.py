"""One browser in a class: what it is told, and what it may say. A lecturer is known by the visitor's cookie alone."""

from __future__ import annotations

import asyncio
import json
import re
import time
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from lstm_core import classroom
from lstm_core.classroom import Asked, Attempts, ClassState
from lstm_core.errors import LabError
from ui.classroom.hub import HUB, Listener, Room
from ui.classroom.turns import only_moves
from ui.common.server import owner_of
from ui.operations import metrics

BEAT = 10.0  # seconds after which an idle connection gets a message, so that the browser notices a lost network
LONGEST = 60_000  # characters of a message
MOST_MESSAGES = 120  # of a browser within ten seconds
MOST_BROWSERS = 2_000  # in a class, on this process
# Wrong codes from one network address, which a whole class may share: nobody guesses one of 244 million codes so.
WRONG_CODES = Attempts(60, 600.0)
TOO_MANY = "Too many wrong codes have come from this network; try again in ten minutes."
NO_COOKIE = "Your browser keeps no cookie of this site, so your vote can't be counted. Allow cookies, then reload."


async def serve(socket: WebSocket) -> None:
    """Tell a browser of its class until it leaves, and take what it says."""
    if not _same_site(socket):
        metrics.refused("class")
        await socket.close(4403)
        return
    await socket.accept()
    code, address = classroom.plain_code(socket.path_params["code"]), socket.client.host if socket.client else ""
    visitor = owner_of(socket.cookies)
    with suppress(WebSocketDisconnect, RuntimeError):  # RuntimeError: it has left while something was sent
        try:
            if not WRONG_CODES.left(address):
                raise classroom.ClassError(TOO_MANY)
            listener = Listener(
                visitor or f"without a cookie {id(socket)}",
                visitor is not None and await HUB.ask(classroom.is_lecturer, code, visitor),
                following=socket.query_params.get("following") != "no",
            )
            room = await HUB.enter(code, listener)
        except LabError as error:
            metrics.refused("class")
            over = isinstance(error, classroom.ClassError)
            await socket.send_json({"over" if over else "trouble": str(error)})
            await socket.close(4404 if over else 4503)
            return
        if room is None:
            metrics.refused("class")
            WRONG_CODES.note(address)
            await socket.send_json({"over": classroom.NOWHERE})
            await socket.close(4404)
            return
        try:
            await Connection(socket, code, room, listener, visitor).run()
        finally:
            HUB.leave(code, listener)


def _same_site(socket: WebSocket) -> bool:
    """Whether a browser says that a page of this server has opened the connection, or it is no browser."""
    origin = socket.headers.get("origin")
    hosts = {socket.headers.get("host"), *socket.headers.get("x-forwarded-host", "").split(",")}
    return origin is None or urlsplit(origin).netloc in hosts


class Connection:
    """A browser that has joined."""

    def __init__(self, socket: WebSocket, code: str, room: Room, listener: Listener, visitor: str | None) -> None:
        """`visitor` is None for a browser without a cookie, which may watch and not vote."""
        self.socket, self.code, self.room, self.listener, self.visitor = socket, code, room, listener, visitor
        self._step, self._shown = -1, ""  # the view that it has been told
        self._mine: tuple[int, int, Any] = (0, 0, None)  # question, round and what was answered
        self._turn: asyncio.Task[None] | None = None  # waits until the page may open another view

    async def run(self) -> None:
        """Speak and listen until one of both ends."""
        tasks = [asyncio.create_task(each) for each in (self._tell(), self._hear())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            tasks += [self._turn] if self._turn else []
            for task in tasks:
                task.cancel()
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(outcome, Exception) and not isinstance(outcome, WebSocketDisconnect | RuntimeError):
                    raise outcome

    async def send(self, message: dict[str, Any]) -> None:
        """Send a message."""
        if self.socket.client_state is WebSocketState.CONNECTED:
            await self.socket.send_text(json.dumps(message))

    async def _tell(self) -> None:
        """Send what the class is like, whenever it has changed."""
        listener, room = self.listener, self.room
        while True:
            listener.changed.clear()
            if room.trouble:
                await self.send({"trouble": room.trouble})
            elif room.state is None:
                await self.send({"over": "The class has ended."})
                return
            else:
                await self._learn_own_vote(room.state)
                await self._tell_news(room.state)
            try:
                await asyncio.wait_for(listener.changed.wait(), BEAT)
            except TimeoutError:
                await self.send({"beat": 1})

    async def _tell_news(self, state: ClassState) -> None:
        """Send the news, and a view that the browser doesn't have yet: at once, or as soon as it is its turn."""
        listener = self.listener
        waits = bool(state.view) and listener.following and listener.prompt and not listener.lecturer
        if state.step != self._step and waits and not only_moves(self._shown, state.view):
            if self._turn is None or self._turn.done():
                self._turn = asyncio.create_task(self._show_in_turn())
            await self.send(self._news(state))
        else:
            await self.send(self._news(state, with_view=state.step != self._step))

    async def _show_in_turn(self) -> None:
        self.listener.give_back = await HUB.turns.take(lambda: setattr(self.listener, "prompt", False))
        if (state := self.room.state) is not None:
            await self.send(self._news(state, with_view=True))

    async def _learn_own_vote(self, state: ClassState) -> None:
        asked = state.asked
        if asked and self.visitor and self._mine[:2] != (asked.number, asked.round):
            answer = None
            with suppress(LabError):
                answer = await HUB.ask(classroom.vote_of, self.code, self.visitor, asked.number, asked.round)
            self._mine = asked.number, asked.round, answer

    def _news(self, state: ClassState, with_view: bool = False) -> dict[str, Any]:
        lecturer = self.listener.lecturer
        news: dict[str, Any] = {
            "lecturer": lecturer, "lecturers": state.lecturers, "here": state.here, "following": state.following,
            "left": round(state.ends - time.time()),
        }  # fmt: skip
        if with_view:
            self._step, self._shown = state.step, state.view
            news["view"] = state.view
        news["step"] = self._step
        news["asked"] = state.asked and question_news(state.asked, lecturer, self._mine[2])
        return news

    async def _hear(self) -> None:
        """Take what the browser says."""
        since, count = time.monotonic(), 0
        while True:
            try:
                text = await self.socket.receive_text()
            except KeyError:  # it has sent bytes
                return
            if time.monotonic() - since > 10.0:
                since, count = time.monotonic(), 0
            count += 1
            if len(text) > LONGEST or count > MOST_MESSAGES:
                metrics.refused("class")
                return
            try:
                message = json.loads(text)
            except ValueError:
                return
            if isinstance(message, dict):
                try:
                    await self._take(message)
                except LabError as error:
                    metrics.refused("class")
                    await self.send({"said": str(error)})

    async def _take(self, message: dict[str, Any]) -> None:
        if isinstance(following := message.get("following"), bool):
            self.listener.following = following
        elif "vote" in message:
            await self._vote(message)
        elif isinstance(view := message.get("view"), str) and self.visitor:
            await HUB.ask(classroom.write_view, self.code, self.visitor, view)
            HUB.nudge()
        elif (do := ACTIONS.get(str(message.get("do")))) and self.visitor:
            await HUB.ask(do, self.code, self.visitor)
            HUB.nudge()

    async def _vote(self, message: dict[str, Any]) -> None:
        if self.visitor is None:
            raise classroom.ClassError(NO_COOKIE)
        number, round, answer = (message.get(name) for name in ("question", "round", "vote"))
        if not isinstance(number, int) or not isinstance(round, int) or not isinstance(answer, int | str):
            raise classroom.ClassError("This is not one of the answers.")
        await HUB.ask(classroom.vote, self.code, self.visitor, number, round, answer)
        self._mine = number, round, answer
        await self.send({"counted": [number, round, answer]})
        HUB.nudge()


ACTIONS = {
    "close": classroom.close,
    "show": classroom.show_votes,
    "hide": lambda code, visitor: classroom.show_votes(code, visitor, False),
    "reveal": classroom.reveal,
    "again": classroom.vote_again,
    "dismiss": classroom.dismiss,
}


def question_news(asked: Asked, lecturer: bool, mine: int | str | None) -> dict[str, Any]:
    """What a browser is told of a question: a student sees votes and answer when the lecturer shows them."""
    told: dict[str, Any] = {
        name: getattr(asked, name)
        for name in ("number", "kind", "choices", "spot", "round", "open", "shown", "revealed", "voters")
    }
    told |= {"prompt": plain(asked.prompt), "mine": mine}
    if lecturer or asked.shown:
        told |= {"votes": asked.votes, "texts": asked.texts}
    if asked.revealed:
        told |= {"answer": asked.answer, "measured": plain(asked.measured)}
    return told


def plain(markdown: str) -> str:
    """Markdown without its marks, to be shown as text."""
    marks = r"\\([^\w\s])|\*\*|(?<!\w)[*_`](?=\S)|(?<=\S)[*_`](?!\w)"
    return re.sub(marks, lambda mark: mark[1] or "", markdown)

"""The visitors of the soak: what they understand of Streamlit's protocol, and what each kind of them does."""

from __future__ import annotations

import asyncio
import random
import urllib.request
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import psutil
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection

from benchmarks.browser import ROOT
from benchmarks.crowd import PAGES, PATIENCE, Visitor, new_text
from lstm_core.library.bundle import bundle_folder


@dataclass
class Tally:
    """What was seen."""

    visitors: int = 0  # who came
    lost_visitors: int = 0  # whose answer didn't come in `PATIENCE`, or whose connection broke
    answers: int = 0  # pages drawn whole
    closed: int = 0  # tabs closed while the page was being drawn
    uploads: int = 0
    refusals: int = 0  # of bad uploads, and of trainings beyond the limits
    accepted_bad: int = 0
    refused_good: int = 0
    internal: int = 0  # pages that failed
    kills: int = 0  # of training workers
    started: set[str] = field(default_factory=set)  # identities of the runs that visitors were shown
    runs: dict[str, tuple[str, str, int]] = field(default_factory=dict)  # state, message and restarts of every run
    below: dict[int, psutil.Process] = field(default_factory=dict)  # all processes that the server has had
    workers: set[int] = field(default_factory=set)  # those that train


class Guest(Visitor):
    """A visitor who uploads and presses buttons."""

    def __init__(self, socket: ClientConnection, page: str, url: str, tally: Tally) -> None:
        super().__init__(socket, page)
        self.url, self.tally, self.query = url, tally, ""
        self.session, self.job, self.beat = "", "", ""
        self.cookie = ""  # of the visitor, where a proxy chooses by it who gets the file
        self.buttons: dict[str, str] = {}  # identity of each button that can be pressed, by its label
        self.uploaders: dict[str, str] = {}
        self.errors: list[str] = []

    async def run(self, message: BackMsg) -> float:
        """Run the page, count the answer, and remember which errors it shows."""
        self.errors, self.buttons = [], {}
        message.rerun_script.query_string = self.query
        seconds = await super().run(message)
        self.tally.answers += 1
        self.tally.internal += any("internal error" in error for error in self.errors)
        return seconds

    def note(self, message: ForwardMsg) -> bool:
        """Remember buttons, uploaders, errors, the run of the address and the part of the page that repeats."""
        kind = message.WhichOneof("type")
        if kind == "new_session" and message.new_session.initialize.session_id:
            self.session = message.new_session.initialize.session_id
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
            self.job = parse_qs(self.query).get("job", [""])[0]
        elif kind == "auto_rerun":
            self.beat = message.auto_rerun.fragment_id
        elif kind == "delta":
            element = message.delta.new_element
            if element.WhichOneof("type") == "button" and not element.button.disabled:
                self.buttons[element.button.label] = element.button.id
            elif element.WhichOneof("type") == "file_uploader":
                self.uploaders[element.file_uploader.label] = element.file_uploader.id
            elif element.WhichOneof("type") == "alert" and element.alert.format == Alert.ERROR:
                self.errors.append(element.alert.body)
        return super().note(message)

    async def press(self, label: str) -> bool:
        """Press a button; False if the page has none of that label."""
        if label not in self.buttons:
            return False
        message = BackMsg()
        message.rerun_script.widget_states.widgets.add(id=self.buttons[label], trigger_value=True)
        await self.run(message)
        return True

    async def look_again(self) -> None:
        """Draw again the part of the page that repeats while a run is under way."""
        message = BackMsg()
        message.rerun_script.fragment_id = self.beat
        await self.run(message)

    async def upload(self, label: str, name: str, data: bytes) -> None:
        """Put a file into an uploader, as the browser does: ask for an address, send the file there, run the page."""
        request = BackMsg()
        request.file_urls_request.request_id = name
        request.file_urls_request.file_names.append(name)
        request.file_urls_request.session_id = self.session
        await self.socket.send(request.SerializeToString())
        async with asyncio.timeout(PATIENCE):
            while (message := await self.message()).WhichOneof("type") != "file_urls_response":
                self.note(message)
        urls = message.file_urls_response.file_urls[0]
        await asyncio.to_thread(_put, self.url, urls.upload_url, name, data, self.cookie)
        run = BackMsg()
        widget = run.rerun_script.widget_states.widgets.add(id=self.uploaders[label])
        widget.file_uploader_state_value.uploaded_file_info.add(
            name=name, size=len(data), file_id=urls.file_id, file_urls=urls
        )
        await self.run(run)
        self.tally.uploads += 1


def _put(url: str, path: str, name: str, data: bytes, cookie: str) -> None:
    """Send a file with the token that Streamlit gives to its own pages."""
    with urllib.request.urlopen(f"{url}/_stcore/health", timeout=PATIENCE) as answer:
        token = answer.headers["Set-Cookie"].split("_streamlit_xsrf=")[1].split(";")[0]
    head = f'--soak-border\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    headers = {
        "Content-Type": "multipart/form-data; boundary=soak-border",
        "X-Xsrftoken": token,
        "Cookie": f"_streamlit_xsrf={token}; {cookie}",
    }
    body = head + data + b"\r\n--soak-border--\r\n"
    request = urllib.request.Request(f"{url}{path}", body, headers, method="PUT")
    urllib.request.urlopen(request, timeout=PATIENCE).close()


async def read(guest: Guest, chance: random.Random) -> None:
    """Read texts on the page of a classifier, and move the slider of the timesteps."""
    await guest.send(new_text(chance))
    if guest.slider:
        await guest.slide(chance.randrange(200))
    await asyncio.sleep(chance.expovariate(1 / 4))


async def upload_model(guest: Guest, chance: random.Random) -> None:
    """Upload a model that can be used, or one that can't."""
    good = bundle_folder(ROOT / "models" / "stackoverflow_article")
    middle = len(good) // 2
    bad = (b"PK nonsense", good[:middle], good[:middle] + bytes(99) + good[middle + 99 :], chance.randbytes(100_000))
    await _judged(guest, "A model (.zip)", "model.zip", good, chance.choice(bad), chance)


async def upload_table(guest: Guest, chance: random.Random) -> None:
    """Upload a table of 5 MB that can be forecast, or one that can't."""
    first = chance.randrange(10**6)
    days = "".join(
        f"{1950 + day // 336}-{day // 28 % 12 + 1:02}-{day % 28 + 1:02},{first + day % 97}\n" for day in range(20_000)
    )
    wide = ",".join(["1/2/20"] * 200) + "\n"
    bad = (b"", chance.randbytes(10**6), wide.encode() * 3500, days[:500].encode(), b'date,value\n"' + b"x" * 10**6)
    await _judged(guest, "Your file", "table.csv", f"date,value\n{days}".encode(), chance.choice(bad), chance)


async def _judged(guest: Guest, label: str, name: str, good: bytes, bad: bytes, chance: random.Random) -> None:
    """Upload the good file or the bad one, and count whether the page refuses it."""
    usable = chance.random() < 0.5
    await guest.upload(label, name, good if usable else bad)
    refused = bool(guest.errors)
    guest.tally.refusals += refused and not usable
    guest.tally.refused_good += refused and usable
    guest.tally.accepted_bad += not refused and not usable
    await asyncio.sleep(chance.expovariate(1 / 6))


async def train(guest: Guest, chance: random.Random) -> None:
    """Start a training and watch it for a while; stop it, or let it be."""
    before = guest.job
    if not await guest.press("Train"):
        await guest.run(BackMsg())
        return
    if guest.job != before:
        guest.tally.started.add(guest.job)
    guest.tally.refusals += bool(guest.errors)
    for _ in range(chance.randint(3, 15)):
        await asyncio.sleep(1.5)
        await (guest.look_again() if guest.beat else guest.run(BackMsg()))
    if chance.random() < 0.5:
        await guest.press("Stop")
    await guest.run(BackMsg())


Role = tuple[tuple[str, ...], str, Callable[[Guest, random.Random], Awaitable[None]]]  # pages, query, what they do
ROLES: tuple[Role, ...] = (
    (("question_tags", "movie_reviews"), "", read),
    (("question_tags", "movie_reviews"), "", read),
    (("training_studio",), "", upload_model),
    (("forecasting",), "series=own", upload_table),
    (("training_studio",), "lesson=negation_15s", train),
    (PAGES, "", lambda guest, chance: asyncio.sleep(0)),  # who leaves before the page is drawn
)

"""Data sets: fetching from a server on this machine, small archives built here, and the splits.

Nothing here needs the network or the real data: the registry's entries are replaced by small ones.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from lstm_core.datasets import download, registry, splits
from lstm_core.datasets.registry import DATASETS
from lstm_core.datasets.splits import Split
from lstm_core.errors import DatasetError, TextError

PLAY = b"Thunder.\r\nWhen shall we three\rmeet again?\n"


# --- a small world --------------------------------------------------------------------------


@dataclass
class Answer:
    """What the server says to one path; `stated` is a Content-Length that may be a lie."""

    body: bytes = b""
    status: int = 200
    stated: int | None = None
    headers: dict[str, str] = field(default_factory=dict)


class Server(ThreadingHTTPServer):
    """Serves `answers` by path on 127.0.0.1 and counts the requests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, Answer] = {}
        self.requests: list[str] = []
        self.agents: list[str] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        self.server.agents.append(self.headers["User-Agent"])
        answer = self.server.answers.get(self.path, Answer(status=404))
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.stated != -1:
            self.send_header("Content-Length", str(len(answer.body) if answer.stated is None else answer.stated))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder; the cache folder lies beside it."""
    monkeypatch.setenv("LSTM_LAB_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(registry, "cache_folder", lambda: tmp_path / "derived")
    return tmp_path / "data"


@pytest.fixture
def play(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """Macbeth is PLAY, and the server has it."""
    server.answers["/macbeth.txt"] = Answer(PLAY)
    small = replace(DATASETS["macbeth"], url=server.url("/macbeth.txt"), sha256=hashlib.sha256(PLAY).hexdigest())
    monkeypatch.setitem(DATASETS, "macbeth", small)
    return server


@pytest.fixture
def questions(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """Stack Overflow has three questions a folder, and the server has them."""
    server.answers["/so.tar.gz"] = Answer(packed(question_files()))
    small = replace(DATASETS["stackoverflow"], url=server.url("/so.tar.gz"), per_folder=3)
    monkeypatch.setitem(DATASETS, "stackoverflow", small)
    return server


def packed(files: dict[str, bytes], *others: tarfile.TarInfo) -> bytes:
    """A .tar.gz of `files`, and of members without contents."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for member in others:
            archive.addfile(member)
    return out.getvalue()


def question_files() -> dict[str, bytes]:
    """Three a folder, numbered so that sorting by name and by number differ."""
    return {"README.md": b"about"} | {
        f"{part}/{label}/{number}.txt": f"{part} {label} {number}".encode() + b" \xff"
        for part in ("train", "test")
        for label in ("python", "java", "javascript", "csharp")
        for number in (10, 2, 0)
    }


def review_files() -> dict[str, bytes]:
    files = {}
    for part in ("train", "test"):
        for folder, rating in (("pos", 9), ("neg", 2)):
            for number in range(4):
                files[f"aclImdb/{part}/{folder}/{number}_{rating}.txt"] = f"{part} {folder} {number}".encode()
            lines = [f"http://www.imdb.com/title/tt{part == 'test':d}{rating}{n // 2}/usercomments" for n in range(4)]
            files[f"aclImdb/{part}/urls_{folder}.txt"] = ("\n".join(lines) + "\n").encode()
    files["aclImdb/train/unsup/0_0.txt"] = b"without a label"
    return files


def put(folder: Path, name: str, data: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / DATASETS[name].file_name
    path.write_bytes(data)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def fails(call: Callable[[], object], *words: str) -> str:
    """The call raises DatasetError, whose text is one plain sentence with these words in it."""
    with pytest.raises(DatasetError) as caught:
        call()
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    for word in words:
        assert word in text
    return text


# --- the registry and its folders -----------------------------------------------------------


def test_the_registry_names_the_five_data_sets() -> None:
    assert list(DATASETS) == ["stackoverflow", "imdb", "macbeth", "julius_caesar", "shakespeare"]
    for name, spec in DATASETS.items():
        assert spec.name == name
        assert spec.url.startswith("https://")
        assert spec.title
        assert spec.source.endswith(".")
        assert len(spec.sha256) == 64 or (spec.per_folder and len(spec.folders) == len(spec.labels))


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    for call in (registry.is_present, registry.download_dataset, registry.load_text, registry.load_labelled):
        fails(lambda call=call: call("hamlet"), "hamlet", "julius_caesar")


def test_the_data_folder_is_chosen_by_the_environment_or_lies_in_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTM_LAB_DATA", "/somewhere")
    assert registry.data_folder() == Path("/somewhere")
    monkeypatch.setenv("LSTM_LAB_DATA", "")
    assert registry.data_folder().name == "data"
    assert "lstm-lab" in str(registry.data_folder())


def test_importing_brings_in_nothing_heavy() -> None:
    code = (
        "import sys, lstm_core.datasets.registry;"
        "print(sorted({'streamlit', 'plotly', 'tensorflow', 'keras', 'pandas'} & sys.modules.keys()))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


# --- fetching: it works ---------------------------------------------------------------------


def test_a_text_is_fetched_with_progress_to_the_total(play: Server, folder: Path) -> None:
    assert not registry.is_present("macbeth")
    heard: list[tuple[int, int | None]] = []
    path = registry.download_dataset("macbeth", lambda done, total: heard.append((done, total)))
    assert path == folder / "macbeth.txt"
    assert path.read_bytes() == PLAY
    assert names(folder) == ["macbeth.txt"]
    assert registry.is_present("macbeth")
    assert heard[0] == (0, len(PLAY))
    assert heard[-1] == (len(PLAY), len(PLAY))
    assert heard == sorted(heard)
    assert play.agents == ["lstm-lab/1 (python urllib)"]
    assert registry.load_text("macbeth") == "Thunder.\nWhen shall we three\nmeet again?\n"


def test_without_a_stated_length_the_total_is_unknown(play: Server) -> None:
    play.answers["/macbeth.txt"].stated = -1
    heard: list[tuple[int, int | None]] = []
    registry.download_dataset("macbeth", lambda done, total: heard.append((done, total)))
    assert heard[-1] == (len(PLAY), None)


def test_an_archive_is_fetched_in_several_chunks(
    questions: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "CHUNK", 512)
    size = len(questions.answers["/so.tar.gz"].body)
    heard: list[tuple[int, int | None]] = []
    registry.download_dataset("stackoverflow", lambda done, total: heard.append((done, total)))
    assert len(heard) > 2
    assert heard[-1] == (size, size)
    assert names(folder) == ["stack_overflow_16k.tar.gz"]
    assert len(registry.load_labelled("stackoverflow").train) == 12


def test_what_is_there_is_not_fetched(play: Server, folder: Path) -> None:
    path = put(folder, "macbeth", PLAY)
    assert registry.download_dataset("macbeth") == path
    assert play.requests == []


def test_again_replaces_what_is_there(play: Server, folder: Path) -> None:
    path = put(folder, "macbeth", b"damaged")
    fails(lambda: registry.load_text("macbeth"), "Macbeth is damaged", str(path), "delete", "download it again")
    fails(lambda: registry.download_dataset("macbeth"), "Macbeth is damaged")
    assert play.requests == []
    registry.download_dataset("macbeth", again=True)
    assert path.read_bytes() == PLAY


def test_redirects_are_followed_within_this_machine(play: Server) -> None:
    play.answers["/moved"] = Answer(status=302, headers={"Location": "/macbeth.txt"})
    DATASETS["macbeth"] = replace(DATASETS["macbeth"], url=play.url("/moved"))
    registry.download_dataset("macbeth")
    assert play.requests == ["/moved", "/macbeth.txt"]


def test_many_at_once_leave_one_whole_file(play: Server, folder: Path) -> None:
    together = threading.Barrier(6)
    troubles: list[BaseException] = []

    def meet(done: int, total: int | None) -> None:
        if done == 0:  # every one of them has its temporary file open
            together.wait(10)

    def fetch() -> None:
        try:
            registry.download_dataset("macbeth", meet, again=True)
        except BaseException as error:
            troubles.append(error)

    threads = [threading.Thread(target=fetch) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert troubles == []
    assert names(folder) == ["macbeth.txt"]
    assert (folder / "macbeth.txt").read_bytes() == PLAY


# --- fetching: it fails, and nothing is left behind -----------------------------------------


@pytest.fixture(params=["absent", "present"])
def before(request: pytest.FixtureRequest, play: Server, folder: Path) -> Iterator[None]:
    """Whatever fails, the folder is as it was: without the file, or with the old one."""
    old = {"macbeth.txt": b"old"} if request.param == "present" else {}
    if old:
        put(folder, "macbeth", b"old")
    yield
    assert {name: (folder / name).read_bytes() for name in names(folder)} == old


def fetch_again() -> Path:
    return registry.download_dataset("macbeth", again=True)


@pytest.mark.usefixtures("before")
class TestFailedFetch:
    def test_cut_connection(self, play: Server) -> None:
        play.answers["/macbeth.txt"].stated = len(PLAY) + 1000
        fails(fetch_again, "Macbeth", f"cut after {len(PLAY)} of 1,0{len(PLAY)} bytes", "try again")

    def test_not_found(self, play: Server) -> None:
        del play.answers["/macbeth.txt"]
        fails(fetch_again, "Macbeth", "404", play.url("/macbeth.txt"), "macbeth.txt yourself")

    def test_no_server(self, play: Server) -> None:
        with Server() as gone:
            url = gone.url("/")
        DATASETS["macbeth"] = replace(DATASETS["macbeth"], url=url)
        fails(fetch_again, "Macbeth", "refused", "connection")

    def test_not_http_at_all(self, play: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Handler, "do_GET", lambda self: self.wfile.write(b"\x16\x03 nonsense\n\n"))
        fails(fetch_again, "Macbeth", "try again")

    def test_silence(self, play: Server, monkeypatch: pytest.MonkeyPatch) -> None:
        silent = threading.Event()
        monkeypatch.setattr(download, "TIMEOUT", 0.2)
        monkeypatch.setattr(Handler, "do_GET", lambda self: silent.wait(5))
        fails(fetch_again, "Macbeth", "timed out")
        silent.set()

    def test_wrong_contents(self, play: Server) -> None:
        play.answers["/macbeth.txt"].body = b"<html>Please log in to the hotel's network</html>"
        fails(fetch_again, "Macbeth came damaged from 127.0.0.1", "sha256", "try again")

    @pytest.mark.parametrize("stated", [None, -1])
    def test_far_too_long(self, play: Server, monkeypatch: pytest.MonkeyPatch, stated: int | None) -> None:
        play.answers["/macbeth.txt"].stated = stated
        monkeypatch.setattr(download, "LARGEST_DOWNLOAD", 10)
        fails(fetch_again, "Macbeth", "larger than")

    @pytest.mark.parametrize("where", ["open", "write"])
    def test_full_disk(self, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
        original = Path.open

        def full(*_: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        def opened(path: Path, mode: str = "r", *rest: object) -> object:
            if mode != "xb":
                return original(path, mode, *rest)
            if where == "open":
                full()
            file = original(path, mode, buffering=0)
            return type("Full", (), {"__enter__": lambda s: s, "__exit__": lambda *_: file.close(), "write": full})()

        monkeypatch.setattr(Path, "open", opened)
        fails(fetch_again, "Macbeth", "full", "free some space")

    def test_stopped_by_the_listener(self, play: Server) -> None:
        def stop(done: int, total: int | None) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            registry.download_dataset("macbeth", stop, again=True)

    @pytest.mark.parametrize(
        "url",
        [
            "http://example.org/macbeth.txt",
            "file:///etc/hostname",
            "ftp://127.0.0.1/x",
            "http://127.0.0.1.example.org/",
        ],
    )
    def test_addresses_that_are_not_https(self, play: Server, url: str) -> None:
        DATASETS["macbeth"] = replace(DATASETS["macbeth"], url=url)
        fails(fetch_again, "Macbeth", "https")

    @pytest.mark.parametrize("url", ["http://example.org/macbeth.txt", "file:///etc/hostname", "ftp://example.org/x"])
    def test_redirects_to_what_is_not_https(self, play: Server, url: str) -> None:
        play.answers["/macbeth.txt"] = Answer(status=302, headers={"Location": url})
        fails(fetch_again, "Macbeth")
        assert play.requests == ["/macbeth.txt"]


def test_a_foreign_https_server_may_not_lead_into_this_machine() -> None:
    with pytest.raises(OSError, match="https"):
        download._check_address("http://localhost:8501/", came_from="https://example.org/")
    download._check_address("https://example.org/b", came_from="https://example.org/a")


def test_a_folder_that_cannot_be_made(play: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("LSTM_LAB_DATA", str(tmp_path / "file" / "data"))
    assert not registry.is_present("macbeth")
    fails(fetch_again, "Macbeth", "can't be saved", "LSTM_LAB_DATA")
    assert play.requests == []
    assert names(tmp_path) == ["file"]


def test_a_damaged_archive_is_not_kept(questions: Server, folder: Path) -> None:
    whole = questions.answers["/so.tar.gz"].body
    flipped = bytearray(whole)
    flipped[-6] ^= 1  # in gzip's checksum, after the last byte that tar reads
    missing = packed(dict(list(question_files().items())[:-1]))
    for body in (whole[:-20], bytes(flipped), b"not an archive", gzip.compress(b"no tar"), b"", missing):
        questions.answers["/so.tar.gz"].body = body
        fails(lambda: registry.download_dataset("stackoverflow"), "Stack Overflow questions came damaged", "try again")
        assert names(folder) == []


# --- reading --------------------------------------------------------------------------------


def test_what_is_absent_is_said_with_the_command_that_fetches_it(folder: Path) -> None:
    for load in (lambda: registry.load_labelled("imdb"), lambda: registry.load_text("shakespeare")):
        fails(load, "isn't here yet", "python -m lstm_core download", str(folder))


def test_the_wrong_kind_of_data_set() -> None:
    fails(lambda: registry.load_text("imdb"), "load_labelled")
    fails(lambda: registry.load_labelled("macbeth"), "load_text")


def test_questions_are_sorted_by_label_and_number(questions: Server) -> None:
    registry.download_dataset("stackoverflow")
    data = registry.load_labelled("stackoverflow")
    assert data.labels == ("csharp", "java", "javascript", "python")
    assert data.train.texts[:4] == (
        "train csharp 0 \ufffd",
        "train csharp 2 \ufffd",
        "train csharp 10 \ufffd",
        "train java 0 \ufffd",
    )
    assert data.test.texts[-1] == "test python 10 \ufffd"
    assert data.train.labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert data.train.labels.dtype == np.int64
    assert not data.train.labels.flags.writeable
    assert data.train.groups == ()
    assert data.train.take([3, 0]).labels.tolist() == [1, 0]


def test_reviews_have_films_and_ratings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DATASETS, "imdb", replace(DATASETS["imdb"], per_folder=4))
    put(folder, "imdb", packed(review_files()))
    for _ in range(2):  # from the archive, then from what was derived
        data = registry.load_labelled("imdb")
        assert data.labels == ("negative", "positive")
        assert data.train.texts[3:5] == ("train neg 3", "train pos 0")
        assert data.train.labels.tolist() == [0] * 4 + [1] * 4
        assert data.train.ratings.tolist() == [2] * 4 + [9] * 4
        assert data.train.groups == ("tt020", "tt020", "tt021", "tt021", "tt090", "tt090", "tt091", "tt091")
        assert data.test.groups[0] == "tt120"
        assert names(folder.parent / "derived") == ["imdb.json.gz"]


def with_unlabelled(monkeypatch: pytest.MonkeyPatch, *texts: bytes) -> dict[str, bytes]:
    """The reviews, and a data set of as many texts without a label; the files of these texts."""
    monkeypatch.setitem(DATASETS, "imdb", replace(DATASETS["imdb"], per_folder=4, unlabelled=len(texts)))
    return {f"aclImdb/train/unsup/{number}_0.txt": text for number, text in enumerate(texts)}


@pytest.mark.parametrize("beside", [False, True])
def test_texts_without_a_label_are_new_and_in_order(
    folder: Path, monkeypatch: pytest.MonkeyPatch, beside: bool
) -> None:
    numbered = [f"review {number}".encode() for number in range(11)]
    files = with_unlabelled(monkeypatch, *numbered, b"test neg 3", b"train pos 0", b"review 2")
    labelled = {name: text for name, text in review_files().items() if "unsup" not in name}
    put(folder, "imdb", packed(labelled if beside else labelled | files))
    if beside:
        (folder / DATASETS["imdb"].unlabelled_file).write_bytes(packed(files))
    assert registry.load_unlabelled("imdb") == tuple(text.decode() for text in numbered)


def test_absent_or_damaged_texts_without_a_label_are_one_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails(lambda: registry.load_unlabelled("imdb"), "isn't here yet")
    fails(lambda: registry.load_unlabelled("stackoverflow"), "no texts without a label")
    with_unlabelled(monkeypatch, b"one", b"two")
    path = put(folder, "imdb", packed(review_files()))
    fails(lambda: registry.load_unlabelled("imdb"), str(path), "1 texts", "instead of 2")
    other = folder / DATASETS["imdb"].unlabelled_file
    other.write_bytes(b"no archive")
    fails(lambda: registry.load_unlabelled("imdb"), str(other), "can't be read")


@pytest.mark.parametrize("lines", [None, b"http://www.imdb.com/title/tt1/usercomments\n"])
def test_reviews_without_their_films_are_damaged(
    folder: Path, monkeypatch: pytest.MonkeyPatch, lines: bytes | None
) -> None:
    monkeypatch.setitem(DATASETS, "imdb", replace(DATASETS["imdb"], per_folder=4))
    files = review_files()
    del files["aclImdb/test/urls_neg.txt"]
    path = put(folder, "imdb", packed(files | ({"aclImdb/test/urls_neg.txt": lines} if lines else {})))
    fails(lambda: registry.load_labelled("imdb"), "IMDB", "urls_neg.txt", f"delete {path}")


def strange(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


@pytest.mark.parametrize(
    "member",
    [
        strange("../evil.txt"),
        strange("train/../../evil.txt"),
        strange("/etc/evil.txt"),
        strange("C:\\evil.txt"),
        strange("train\\..\\..\\evil.txt"),
        strange("train/java/7.txt", tarfile.SYMTYPE, "/etc/passwd"),
        strange("evil-link", tarfile.LNKTYPE, "README.md"),
        strange("evil-device", tarfile.CHRTYPE),
        strange("evil-pipe", tarfile.FIFOTYPE),
    ],
    ids=lambda member: f"{member.name}-{member.type.decode()}",
)
def test_hostile_members_are_named(questions: Server, folder: Path, member: tarfile.TarInfo) -> None:
    hostile = packed(question_files(), member)
    questions.answers["/so.tar.gz"].body = hostile
    fails(lambda: registry.download_dataset("stackoverflow"), repr(member.name), "nothing was kept")
    assert names(folder) == []
    path = put(folder, "stackoverflow", hostile)
    fails(lambda: registry.load_labelled("stackoverflow"), repr(member.name), f"delete {path}")
    assert names(folder.parent) == ["data"]  # nothing derived, nothing unpacked


@pytest.mark.parametrize(
    ("limit", "value", "words"),
    [
        ("MOST_MEMBERS", 20, "more than 20 members"),
        ("LARGEST_MEMBER", 20, "is larger than"),
        ("LARGEST_TOTAL", 5_000, "unpacks to more than"),
    ],
)
def test_bombs(
    questions: Server, folder: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, words: str
) -> None:
    monkeypatch.setattr(download, limit, value)
    monkeypatch.setattr(download, "CHUNK", 512)
    put(folder, "stackoverflow", packed(question_files()))
    fails(lambda: registry.load_labelled("stackoverflow"), "Stack Overflow questions", words)


def test_a_broken_archive_says_which_file_to_delete(questions: Server, folder: Path) -> None:
    whole = packed(question_files())
    for body in (whole[: len(whole) // 2], b"", b"\x1f\x8b nonsense", whole[:200] + b"\0" * 50 + whole[250:]):
        path = put(folder, "stackoverflow", body)
        fails(lambda: registry.load_labelled("stackoverflow"), "Stack Overflow questions", f"delete {path}")


# --- what was derived -----------------------------------------------------------------------


def count_reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The archives that are read from now on."""
    reads: list[Path] = []
    original = download.members

    def members(path: Path, pattern: object) -> object:
        reads.append(path)
        return original(path, pattern)

    monkeypatch.setattr(download, "members", members)
    return reads


def test_an_archive_is_read_once(questions: Server, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = count_reads(monkeypatch)
    put(folder, "stackoverflow", packed(question_files()))
    first, second = registry.load_labelled("stackoverflow"), registry.load_labelled("stackoverflow")
    assert len(reads) == 1
    assert first.train.texts == second.train.texts
    assert first.test.labels.tolist() == second.test.labels.tolist()
    assert names(folder.parent / "derived") == ["stackoverflow.json.gz"]


def test_another_archive_is_read_anew(questions: Server, folder: Path) -> None:
    put(folder, "stackoverflow", packed(question_files()))
    registry.load_labelled("stackoverflow")
    put(folder, "stackoverflow", packed(question_files() | {"train/csharp/0.txt": b"quite another question"}))
    assert registry.load_labelled("stackoverflow").train.texts[0] == "quite another question"


DAMAGES: list[Callable[[bytes], bytes]] = [
    lambda whole: b"",
    lambda whole: b"nonsense",
    lambda whole: whole[:-30],
    lambda whole: whole[:100] + bytes([whole[100] ^ 255]) + whole[101:],
    lambda whole: gzip.compress(b"[1, 2]"),
    lambda whole: gzip.compress(b"{}"),
    lambda whole: gzip.compress(gzip.decompress(whole).replace(b'"texts"', b'"words"')),
    lambda whole: gzip.compress(gzip.decompress(whole)[:-9]),
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_cache_is_made_again(
    questions: Server, folder: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[bytes], bytes]
) -> None:
    put(folder, "stackoverflow", packed(question_files()))
    right = registry.load_labelled("stackoverflow")
    derived = folder.parent / "derived" / "stackoverflow.json.gz"
    derived.write_bytes(damage(derived.read_bytes()))
    reads = count_reads(monkeypatch)
    assert registry.load_labelled("stackoverflow").train.texts == right.train.texts
    assert registry.load_labelled("stackoverflow").train.texts == right.train.texts
    assert len(reads) == 1


def test_without_a_cache_folder_it_goes_on(questions: Server, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, "stackoverflow", packed(question_files()))
    (folder.parent / "file").write_text("not a folder")
    monkeypatch.setattr(registry, "cache_folder", lambda: folder.parent / "file" / "derived")
    assert len(registry.load_labelled("stackoverflow").train) == 12
    assert names(folder.parent) == ["data", "file"]


def test_a_full_disk_leaves_no_half_written_cache(
    questions: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, "stackoverflow", packed(question_files()))
    original = Path.write_bytes

    def half(path: Path, data: bytes) -> int:
        original(path, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    assert len(registry.load_labelled("stackoverflow").train) == 12
    assert names(folder.parent / "derived") == []


# --- splitting ------------------------------------------------------------------------------


def many(count: int = 1000) -> Split:
    """Three labels of different frequency, five texts a film, sorted by label as files are."""
    labels = np.sort(np.arange(count) % 10 // 4)
    films = tuple(f"tt{row // 5}" for row in range(count))
    return Split(tuple(f"text {row}" for row in range(count)), labels, films, labels + 1)


@pytest.mark.parametrize("groups", [(), many().groups])
def test_parts_are_disjoint_whole_and_repeatable(groups: tuple[str, ...]) -> None:
    split = replace(many(), groups=groups)
    rest, held = splits.validation_split(split, 0.2, 7)
    assert len(held) == 200
    assert sorted(rest.texts + held.texts) == sorted(split.texts)
    assert (rest.texts, held.texts) == tuple(half.texts for half in splits.validation_split(split, 0.2, 7))
    assert held.texts != splits.validation_split(split, 0.2, 8)[1].texts
    for half in (rest, held):
        rows = [int(text.split()[1]) for text in half.texts]
        assert rows != sorted(rows)
        assert half.labels.tolist() == split.labels[rows].tolist()
        assert half.ratings.tolist() == split.ratings[rows].tolist()
        assert list(half.groups) == [split.groups[row] for row in rows if groups]


def test_without_groups_a_split_keeps_the_share_of_each_label() -> None:
    rest, held = splits.validation_split(replace(many(), groups=()), 0.25, 1)
    assert np.bincount(held.labels).tolist() == [100, 100, 50]
    assert np.bincount(rest.labels).tolist() == [300, 300, 150]


@pytest.mark.parametrize("fraction", [0.001, 0.1, 0.5, 0.9])
def test_a_group_is_in_one_part_only(fraction: float) -> None:
    rest, held = splits.validation_split(many(), fraction, 3)
    assert not set(rest.groups) & set(held.groups)
    assert abs(len(held) - 1000 * fraction) <= 5


def test_splits_that_cannot_be() -> None:
    split = replace(many(20), groups=())
    for fraction in (0.0, 1.0, -0.5, 1.5):
        with pytest.raises(ValueError, match="between 0 and 1"):
            splits.validation_split(split, fraction, 1)
    with pytest.raises(ValueError, match="too few"):
        splits.validation_split(split, 0.01, 1)
    with pytest.raises(ValueError, match="too few"):
        splits.validation_split(replace(split, groups=("one film",) * 20), 0.5, 1)
    with pytest.raises(ValueError, match="as many groups"):
        replace(split, groups=("tt1",))
    with pytest.raises(ValueError, match="as many labels"):
        Split(("a", "b"), np.array([1]))


@pytest.mark.parametrize("length", [100, 1000, 12_345, 115_519])
def test_the_end_of_a_text_is_held_out(length: int) -> None:
    text = "".join(chr(0x4E00 + n % 20_000) for n in range(length))
    train, validation, test = splits.hold_out(text)
    assert train + validation + test == text
    assert test == text[int(0.9 * length) :]
    assert len(train) == length * 85 // 100
    assert len(test) == length - length * 9 // 10


def test_hold_out_is_deaf_to_rounding_noise() -> None:
    for tenths in range(1, 9):
        assert [len(part) for part in splits.hold_out("x" * 100, tenths / 10, 0.1)] == [
            90 - 10 * tenths,
            10,
            10 * tenths,
        ]


def test_hold_out_refuses_what_is_too_short_or_too_much() -> None:
    for text in ("", "a", "to"):
        with pytest.raises(TextError, match=f"{len(text)} characters"):
            splits.hold_out(text)
    with pytest.raises(ValueError, match="nothing to train on"):
        splits.hold_out("to be or not to be", 0.5, 0.5)
    assert splits.hold_out("0123456789", validation=0) == ("012345678", "", "9")

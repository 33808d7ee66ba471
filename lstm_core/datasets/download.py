"""Takes in files from outside, trusting neither the network nor an archive's author.

`fetch` brings bytes over https, `replacing` puts a file in place whole or not at all, `members`
streams the files of a tar archive. What the files mean, and sentences for people, are in `datasets/registry.py`.
"""

from __future__ import annotations

import gzip
import http.client
import io
import os
import re
import tarfile
import urllib.error
import urllib.request
import uuid
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

Progress = Callable[[int, int | None], None]

TIMEOUT = 30.0  # seconds without a byte
CHUNK = 2**18
MIB = 2**20
# Limits against a hostile or broken file. The whole original IMDB archive stays well inside:
# 84 MB packed, about 100,000 members, the largest 41 MB, about 300 MB in all.
LARGEST_DOWNLOAD = 256 * MIB
MOST_MEMBERS = 200_000
LARGEST_MEMBER = 64 * MIB
LARGEST_TOTAL = 1024 * MIB
# The one exception to "https only": a server on this very machine, as the tests start one.
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# What a broken archive makes gzip and tarfile raise; any other OSError is the disk's.
BROKEN = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError, RecursionError)


class FetchError(Exception):
    """The network didn't deliver; the text is a reason in a few words, to be put into a sentence."""


class DamageError(Exception):
    """A file doesn't hold what it should; the text is a reason in a few words."""


def why(error: BaseException) -> str:
    """An error in a few words on one line."""
    inner = getattr(error, "reason", None) or error
    return " ".join(str(getattr(inner, "strerror", None) or inner).split()) or type(error).__name__


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A temporary name beside `target`, moved onto it if the block ends well and removed if not."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")  # two processes, two names
    try:
        yield temporary
        os.replace(temporary, target)
    finally:
        with suppress(OSError):  # gone already, or the folder is read-only
            temporary.unlink()


def fetch(url: str, out: BinaryIO, progress: Progress | None = None) -> None:
    """Write the body at `url` to `out`; `progress(done, total)` hears of bytes, total None if unstated.

    Raises FetchError for all trouble on the way, DamageError when there is too much to take in,
    and OSError from `out` alone.
    """
    done = 0
    with closing(_body(url)) as body:  # closes the connection too, whatever stops the loop
        for chunk, total in body:
            if max(done + len(chunk), total or 0) > LARGEST_DOWNLOAD:
                raise DamageError(f"it is larger than {LARGEST_DOWNLOAD // MIB} MiB")
            out.write(chunk)
            done += len(chunk)
            if progress is not None:
                progress(done, total)


def _body(url: str) -> Generator[tuple[bytes, int | None], None, None]:
    """Yield (chunk, bytes in all or None), the first chunk empty."""
    done = 0
    try:
        _check_address(url)
        request = urllib.request.Request(url, headers={"User-Agent": "lstm-lab/1 (python urllib)"})
        with urllib.request.build_opener(_CarefulRedirects).open(request, timeout=TIMEOUT) as response:
            stated = response.headers.get("Content-Length") or ""
            total = int(stated) if stated.isdecimal() else None
            yield b"", total
            while chunk := response.read(CHUNK):
                done += len(chunk)
                yield chunk, total
    except urllib.error.HTTPError as error:
        error.close()
        raise FetchError(f"the server answered {error.code}") from error
    except (OSError, http.client.HTTPException) as error:
        raise FetchError(why(error)) from error
    if total is not None and done < total:  # http.client says nothing of it
        raise FetchError(f"the connection was cut after {done:,} of {total:,} bytes")


def _is_loopback(url: str) -> bool:
    return urlsplit(url).scheme == "http" and urlsplit(url).hostname in LOOPBACK


def _check_address(url: str, came_from: str | None = None) -> None:
    """URLError unless `url` is https; plain http only within this machine, never led to from outside."""
    if urlsplit(url).scheme != "https" and not (_is_loopback(url) and _is_loopback(came_from or url)):
        raise urllib.error.URLError(f"{url} is not an https address, so it isn't trusted")


class _CarefulRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to https only."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        """As urllib's own, once the new address has been checked."""
        try:
            _check_address(newurl, came_from=req.full_url)
        except urllib.error.URLError:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def members(path: Path, pattern: re.Pattern[str]) -> Iterator[tuple[re.Match[str], bytes]]:
    """Stream the files of a .tar.gz whose whole name matches; every member is checked, wanted or not.

    Raises DamageError when the archive is broken, too large or climbs out of its folder, OSError
    when it can't be read.
    """
    try:
        with gzip.open(path) as unpacked:
            bounded = _Bounded(unpacked)
            with tarfile.open(fileobj=bounded, mode="r|", bufsize=CHUNK) as archive:
                for count, member in enumerate(archive, start=1):
                    _check_member(member, count)
                    match = pattern.fullmatch(member.name.removeprefix("./"))
                    file = archive.extractfile(member) if match else None
                    if match and file is not None:
                        yield match, file.read()
            while bounded.read(CHUNK):  # to the very end, where gzip keeps its checksum
                continue
    except BROKEN as error:
        raise DamageError(why(error)) from error


def _check_member(member: tarfile.TarInfo, count: int) -> None:
    """DamageError, naming the member, unless it is a plain file or folder inside the archive's own tree."""
    if count > MOST_MEMBERS:
        raise DamageError(f"it has more than {MOST_MEMBERS:,} members")
    shown = repr(member.name[:80])
    steps = member.name.replace("\\", "/").split("/")
    if steps[0] == "" or ".." in steps or re.match(r"[A-Za-z]:", steps[0]):
        raise DamageError(f"its member {shown} climbs out of the folder")
    if member.issparse() or not (member.isreg() or member.isdir()):
        raise DamageError(f"its member {shown} is a link or a device, not a plain file")
    if not 0 <= member.size <= LARGEST_MEMBER:
        raise DamageError(f"its member {shown} is larger than {LARGEST_MEMBER // MIB} MiB")


class _Bounded(io.RawIOBase):
    """A stream that refuses to give more than LARGEST_TOTAL bytes, tar headers included."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.left = LARGEST_TOTAL

    def read(self, size: int = -1) -> bytes:
        """At most CHUNK bytes; DamageError beyond the limit."""
        data: bytes = self.stream.read(min(size, CHUNK) if size >= 0 else CHUNK)
        self.left -= len(data)
        if self.left < 0:
            raise DamageError(f"it unpacks to more than {LARGEST_TOTAL // MIB} MiB")
        return data

"""Safe downloads: neither the network nor the archive is trusted, and a file is replaced as a whole or not at all."""

import errno
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
# Limits against a malicious or damaged file. For comparison, the original IMDB archive: 84 MB compressed, about
# 100,000 members, the largest 41 MB, about 300 MB in all.
LARGEST_DOWNLOAD = 256 * MIB
MOST_MEMBERS = 200_000
LARGEST_MEMBER = 64 * MIB
LARGEST_TOTAL = 1024 * MIB
# The only exception to https: a server on this machine, as in the tests.
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# What gzip and tarfile raise for a damaged archive; any other OSError comes from the disk.
BROKEN = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError, RecursionError)


class FetchError(Exception):
    """A failed download; the text is the reason in a few words, as part of a sentence."""


class DamageError(Exception):
    """A file with unexpected contents; the text is the reason in a few words."""


def why(error: BaseException) -> str:
    """An error in a few words on one line."""
    inner = getattr(error, "reason", None) or error
    return " ".join(str(getattr(inner, "strerror", None) or inner).split()) or type(error).__name__


def cannot_save(what: str, folder: Path, variable: str, error: OSError) -> str:
    """Why something can't be saved, in one sentence.

    Args:
        what: as displayed.
        folder: where it should be saved.
        variable: the environment variable that sets the folder.
        error: the reason.
    """
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return f"{what} can't be saved because the disk with {folder} is full; free some space and try again."
    return f"{what} can't be saved in {folder} ({why(error)}); set {variable} to a writable folder and try again."


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A temporary path beside `target`, moved to it at the end of the block, or removed after an exception."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")  # unique to this process
    try:
        yield temporary
        os.replace(temporary, target)
    finally:
        with suppress(OSError):  # gone already, or the folder is read-only
            temporary.unlink()


def fetch(url: str, out: BinaryIO, progress: Progress | None = None) -> None:
    """Download a file.

    Args:
        url: an https address.
        out: where the bytes are written.
        progress: called with the bytes received and in total, None if unknown.

    Raises:
        FetchError: if the connection fails.
        DamageError: if the file is too large.
        OSError: from `out`.
    """
    done = 0
    with closing(_body(url)) as body:  # closes the connection, too
        for chunk, total in body:
            if max(done + len(chunk), total or 0) > LARGEST_DOWNLOAD:
                raise DamageError(f"it is larger than {LARGEST_DOWNLOAD // MIB} MiB")
            out.write(chunk)
            done += len(chunk)
            if progress is not None:
                progress(done, total)


def _body(url: str) -> Generator[tuple[bytes, int | None], None, None]:
    """Yield (chunk, bytes in total or None), the first chunk empty."""
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
    if total is not None and done < total:  # http.client doesn't raise for it
        raise FetchError(f"the connection was cut after {done:,} of {total:,} bytes")


def _is_loopback(url: str) -> bool:
    return urlsplit(url).scheme == "http" and urlsplit(url).hostname in LOOPBACK


def _check_address(url: str, came_from: str | None = None) -> None:
    """URLError unless `url` is https, or http on this machine without a redirect from outside."""
    if urlsplit(url).scheme != "https" and not (_is_loopback(url) and _is_loopback(came_from or url)):
        raise urllib.error.URLError(f"{url} is not an https address, so it isn't trusted")


class _CarefulRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to https only."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        """As in urllib, once the new address is checked."""
        try:
            _check_address(newurl, came_from=req.full_url)
        except urllib.error.URLError:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def members(path: Path, pattern: re.Pattern[str]) -> Iterator[tuple[re.Match[str], bytes]]:
    """Stream the files of a .tar.gz whose names match the pattern; every member is checked.

    Raises:
        DamageError: if the archive is damaged, too large or has paths outside its folder.
        OSError: if it can't be read.
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
            while bounded.read(CHUNK):  # to the end, where gzip stores its checksum
                continue
    except BROKEN as error:
        raise DamageError(why(error)) from error


def _check_member(member: tarfile.TarInfo, count: int) -> None:
    """DamageError, naming the member, unless it is a plain file or folder inside the archive."""
    if count > MOST_MEMBERS:
        raise DamageError(f"it has more than {MOST_MEMBERS:,} members")
    shown = repr(member.name[:80])
    steps = member.name.replace("\\", "/").split("/")
    if steps[0] == "" or ".." in steps or re.match(r"[A-Za-z]:", steps[0]):
        raise DamageError(f"its member {shown} lies outside the archive's folder")
    if member.issparse() or not (member.isreg() or member.isdir()):
        raise DamageError(f"its member {shown} is a link or a device, not a plain file")
    if not 0 <= member.size <= LARGEST_MEMBER:
        raise DamageError(f"its member {shown} is larger than {LARGEST_MEMBER // MIB} MiB")


class _Bounded(io.RawIOBase):
    """A stream of at most LARGEST_TOTAL bytes, including tar headers."""

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

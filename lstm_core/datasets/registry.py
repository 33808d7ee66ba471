"""The data sets by name: generated ones, and those that are downloaded, checked and streamed, never unpacked."""

import gzip
import hashlib
import json
import os
import re
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from lstm_core.datasets import download, toy
from lstm_core.datasets.download import DamageError, FetchError, Progress, replacing
from lstm_core.datasets.splits import LabelledTexts, Split
from lstm_core.errors import DatasetError
from lstm_core.paths import read_tables, user_folder

# What an archive holds: (split, folder) → number → (text, rating, 0 where there is none).
Found = dict[tuple[str, str], dict[int, tuple[str, int]]]
DERIVED_FORMAT = 2  # incremented when the format of `_write_cache` changes


@dataclass(frozen=True)
class Dataset:
    """The source of a data set, and how its contents are checked.

    Attributes:
        title, source: its displayed name, and a sentence on origin and licence.
        sha256: of a plain text; empty for an archive, which is checked by its contents.
        root: the folder of `train/` and `test/` in an archive.
        folders, labels: the folder of each label in the archive and its name, in the same order.
        per_folder: the number of texts in each of these folders.
        has_groups: texts are named ID_RATING.txt, and `urls_FOLDER.txt` names their movies.
        unlabelled: the number of texts without a label in `train/unsup/` of the archive; 0 for none.
        unlabelled_file: an archive beside it that has this folder instead.
    """

    name: str
    title: str
    url: str
    file_name: str
    source: str
    sha256: str = ""
    root: str = ""
    folders: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    per_folder: int = 0
    has_groups: bool = False
    unlabelled: int = 0
    unlabelled_file: str = ""


DATASETS: dict[str, Dataset] = {name: Dataset(name, **about) for name, about in read_tables("datasets.toml").items()}


def find_dataset(name: str) -> Dataset:
    """The data set of that name; DatasetError if there is none."""
    if name not in DATASETS:
        raise DatasetError(f"There is no data set called {name!r}; there are {', '.join(DATASETS)}.")
    return DATASETS[name]


def data_folder() -> Path:
    """The folder of archives and texts: LSTM_LAB_DATA, or a folder in the user's cache; it may be read-only."""
    chosen = os.environ.get("LSTM_LAB_DATA", "")
    if chosen:
        return Path(chosen).expanduser()
    return user_folder("cache") / "data"


def cache_folder() -> Path:
    """The folder of cached archive contents, always in the user's cache."""
    return user_folder("cache") / "derived"


def is_present(name: str) -> bool:
    """Whether the file of the data set is in the data folder; its contents aren't checked."""
    return os.path.isfile(data_folder() / find_dataset(name).file_name)


def download_dataset(name: str, progress: Progress | None = None, *, again: bool = False) -> Path:
    """Download a data set into the data folder, unless it is there, and check it.

    Nothing in the folder changes until the new file is complete and checked.

    Args:
        name: of the data set.
        progress: called with the bytes received and in total (None if unknown); an exception stops the download.
        again: download it even if it is there.

    Returns:
        The path of the file.

    Raises:
        DatasetError: without network, space or permission, or if the contents are not as expected.
    """
    spec = find_dataset(name)
    target = data_folder() / spec.file_name
    if is_present(name) and not again:
        _checked(spec)
        return target
    try:
        with replacing(target) as temporary:
            with temporary.open("xb") as out:
                download.fetch(spec.url, out, progress)
            contents = _read(spec, temporary)
    except FetchError as error:
        advice = f"check the connection and try again, or put the file at {target} yourself"
        raise DatasetError(f"{spec.title} can't be downloaded from {spec.url} ({error}); {advice}.") from error
    except DamageError as error:
        problem = f"{spec.title} came damaged from {urlsplit(spec.url).hostname} ({error})"
        raise DatasetError(f"{problem}; nothing was kept, so try again later.") from error
    except OSError as error:
        raise DatasetError(download.cannot_save(spec.title, target.parent, "LSTM_LAB_DATA", error)) from error
    if isinstance(contents, LabelledTexts):
        with suppress(OSError):
            _write_cache(spec, _key(target), contents)
    return target


def load_text(name: str) -> str:
    r"""A plain text with newlines `\n`; DatasetError if it is absent, damaged or not a plain text."""
    if name in toy.TEXTS:
        return toy.TEXTS[name]()
    spec = find_dataset(name)
    if not spec.sha256:
        raise DatasetError(f"{spec.title} are many labelled texts and not one text; read them with load_labelled.")
    return str(_checked(spec))


def load_labelled(name: str) -> LabelledTexts:
    """The splits of an archive, sorted by label and number; DatasetError if it is absent, damaged or not labelled."""
    if name in toy.LABELLED:
        return toy.LABELLED[name]()
    spec = find_dataset(name)
    contents = None if spec.sha256 else _checked(spec)
    if not isinstance(contents, LabelledTexts):
        raise DatasetError(f"{spec.title} is one text without labels; read it with load_text.")
    return contents


def load_unlabelled(name: str) -> tuple[str, ...]:
    """The texts without a label, by number, each once and none that has a label in one of the splits.

    Raises:
        DatasetError: if they or the splits are absent or damaged, or the data set has none.
    """
    spec = find_dataset(name)
    if not spec.unlabelled:
        raise DatasetError(f"{spec.title} has no texts without a label.")
    data = load_labelled(name)
    beside = data_folder() / spec.unlabelled_file
    path = beside if beside.is_file() else data_folder() / spec.file_name
    below = re.compile(re.escape(spec.root) + r"train/unsup/(\d{1,9})_\d{1,2}\.txt", re.ASCII)
    try:
        found = {int(match[1]): raw.decode("utf-8", errors="replace") for match, raw in download.members(path, below)}
    except (DamageError, OSError) as error:
        raise DatasetError(f"{path} can't be read ({download.why(error)}); download {spec.title} again.") from error
    if len(found) != spec.unlabelled:
        raise DatasetError(f"{path} has {len(found):,} texts without a label instead of {spec.unlabelled:,}.")
    labelled = {*data.train.texts, *data.test.texts}
    return tuple(dict.fromkeys(text for _, text in sorted(found.items()) if text not in labelled))


def _checked(spec: Dataset) -> str | LabelledTexts:
    """The checked contents of a file in the data folder; DatasetError if it is absent, unreadable or damaged."""
    path = data_folder() / spec.file_name
    if not os.path.isfile(path):
        advice = f"`python -m lstm_core download {spec.name}`"
        raise DatasetError(f"{spec.title} isn't here yet; get it with {advice} or put it at {path} yourself.")
    try:
        key = _key(path)  # before reading: if the file is replaced meanwhile, the key is stale, not wrong
        known = None if spec.sha256 else _read_cache(spec, key)
        contents = known or _read(spec, path)
    except DamageError as error:
        raise DatasetError(f"{spec.title} is damaged ({error}); delete {path} and download it again.") from error
    except OSError as error:
        raise DatasetError(
            f"{spec.title} can't be read ({download.why(error)}); check the permissions of {path}."
        ) from error
    if known is None and isinstance(contents, LabelledTexts):
        with suppress(OSError):  # without a cache it is only slower
            _write_cache(spec, key, contents)
    return contents


def _read(spec: Dataset, path: Path) -> str | LabelledTexts:
    """The contents of a file; DamageError if they are not as expected."""
    if not spec.sha256:
        return _read_archive(spec, path)
    raw = path.read_bytes()
    if hashlib.sha256(raw).hexdigest() != spec.sha256:
        raise DamageError(f"its {len(raw):,} bytes don't have the sha256 sum {spec.sha256[:8]}…")
    return raw.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")


def _read_archive(spec: Dataset, path: Path) -> LabelledTexts:
    """The files of an archive by split; DamageError if their number is not as expected."""
    folders = "|".join(spec.folders)
    below = rf"(train|test)/(?:({folders})/(\d{{1,9}})(?:_(\d{{1,2}}))?|urls_({folders}))\.txt"
    found: Found = {}
    movies: dict[tuple[str, str], list[str]] = {}
    for match, raw in download.members(path, re.compile(re.escape(spec.root) + below, re.ASCII)):
        part, folder, number, rating, listed = match.groups()
        text = raw.decode("utf-8", errors="replace")
        if listed is None:
            found.setdefault((part, folder), {})[int(number)] = (text, int(rating or 0))
        else:
            movies[part, listed] = [_movie(line) for line in text.rstrip("\n").split("\n")]
    train, test = (_split(spec, part, found, movies) for part in ("train", "test"))
    return LabelledTexts(train, test, spec.labels)


def _split(spec: Dataset, part: str, found: Found, movies: dict[tuple[str, str], list[str]]) -> Split:
    texts: list[str] = []
    labels: list[int] = []
    reviewed: list[str] = []
    ratings: list[int] = []
    for label, folder in enumerate(spec.folders):
        rows = sorted(found.get((part, folder), {}).items())
        if len(rows) != spec.per_folder:
            raise DamageError(f"{part}/{folder} holds {len(rows):,} texts instead of {spec.per_folder:,}")
        texts += [text for _, (text, _) in rows]
        labels += [label] * len(rows)
        if spec.has_groups:
            listed = movies.get((part, folder), [])
            if rows and rows[-1][0] >= len(listed):
                raise DamageError(
                    f"{part}/urls_{folder}.txt has {len(listed):,} lines and none for review {rows[-1][0]}"
                )
            reviewed += [listed[number] for number, _ in rows]
            ratings += [rating for _, (_, rating) in rows]
    return Split(tuple(texts), np.array(labels, np.int64), tuple(reviewed), np.array(ratings, np.int64))


def _movie(address: str) -> str:
    """The movie's id in an address such as http://www.imdb.com/title/tt0453418/usercomments."""
    found = re.search(r"/title/(tt\d+)", address)
    return found[1] if found else address.strip()


def _key(path: Path) -> list[int]:
    """What identifies the version of a file without reading it."""
    stat = path.stat()
    return [DERIVED_FORMAT, stat.st_size, stat.st_mtime_ns]


def _write_cache(spec: Dataset, key: list[int], contents: LabelledTexts) -> None:
    """Write the splits to the cache folder; OSError if it isn't writable."""
    splits = {"train": contents.train, "test": contents.test}
    stored = {"key": key} | {name: vars(split) for name, split in splits.items()}
    with replacing(cache_folder() / f"{spec.name}.json.gz") as temporary:
        packed = gzip.compress(json.dumps(stored, default=np.ndarray.tolist).encode(), compresslevel=1)
        temporary.write_bytes(packed)


def _read_cache(spec: Dataset, key: list[int]) -> LabelledTexts | None:
    """The splits from the cache folder; None if they are absent, damaged or of another file."""
    try:
        stored = json.loads(gzip.decompress((cache_folder() / f"{spec.name}.json.gz").read_bytes()))
        if stored["key"] != key:
            return None
        return LabelledTexts(Split(**stored["train"]), Split(**stored["test"]), spec.labels)
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError):
        return None

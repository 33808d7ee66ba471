"""The data sets: where they come from, fetching, checking and reading them.

Archives are read as a stream, never unpacked to disk; what is read is kept in the user's cache
folder as one file. How bytes come in safely is in `datasets/download.py`, how texts are parted in `datasets/splits.py`;
tokens and vocabularies are in `text/encoder.py`.
"""

from __future__ import annotations

import errno
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
import platformdirs

from lstm_core.datasets import download as intake
from lstm_core.datasets.download import DamageError, FetchError, Progress, replacing
from lstm_core.datasets.splits import LabelledTexts, Split, hold_out, shuffle_split, split_by_group, validation_split
from lstm_core.errors import DatasetError

__all__ = [
    "DATASETS",
    "Dataset",
    "LabelledTexts",
    "Split",
    "cache_folder",
    "data_folder",
    "download_dataset",
    "find_dataset",
    "hold_out",
    "is_present",
    "load_imdb",
    "load_labelled",
    "load_stackoverflow",
    "load_text",
    "shuffle_split",
    "split_by_group",
    "validation_split",
]

# What an archive holds: (split, folder) → number → (text, rating, 0 where there is none).
Found = dict[tuple[str, str], dict[int, tuple[str, int]]]
DERIVED_FORMAT = 1  # raise it when what `_remember` writes changes


@dataclass(frozen=True)
class Dataset:
    """Where one data set is and how to tell that it is whole.

    Attributes:
        title, source: for people: its name, and a sentence on origin and licence.
        sha256: of a plain text; empty for an archive, which is checked by its contents.
        root: what stands before `train/` and `test/` in an archive.
        folders, labels: the folder of each label in the archive and its name, both in order.
        per_folder: how many texts each of those folders holds.
        has_films: texts are named ID_RATING.txt and `urls_FOLDER.txt` names their films.
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
    has_films: bool = False


_TENSORFLOW = "https://storage.googleapis.com/download.tensorflow.org/data/"
_PLAYS = "https://raw.githubusercontent.com/rouseguy/DeepLearning-NLP/ca24bc0d24856526b1d1eaa7c3bde7c811eaca21/data/"
_LANGUAGES = ("csharp", "java", "javascript", "python")
DATASETS: dict[str, Dataset] = {
    each.name: each
    for each in (
        Dataset(
            name="stackoverflow",
            title="Stack Overflow questions",
            url=_TENSORFLOW + "stack_overflow_16k.tar.gz",
            file_name="stack_overflow_16k.tar.gz",
            source="16,000 questions from stackoverflow.com (CC BY-SA), extracted for a tutorial on tensorflow.org.",
            folders=_LANGUAGES,
            labels=_LANGUAGES,
            per_folder=2_000,
        ),
        Dataset(
            name="imdb",
            title="IMDB film reviews",
            url="https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
            file_name="aclImdb_v1.tar.gz",
            source="Large Movie Review Dataset v1.0 (Maas et al., ACL 2011, to be cited): reviews from imdb.com.",
            root="aclImdb/",
            folders=("neg", "pos"),
            labels=("negative", "positive"),
            per_folder=12_500,
            has_films=True,
        ),
        Dataset(
            name="macbeth",
            title="Macbeth",
            url=_PLAYS + "macbeth.txt",
            file_name="macbeth.txt",
            source="The tragedy by William Shakespeare, in the public domain.",
            sha256="dae2e67199ffb9e4a54d897bc7b8120ec06b79056fbfb3ee9cc054b21844af56",
        ),
        Dataset(
            name="julius_caesar",
            title="Julius Caesar",
            url=_PLAYS + "julius_caesar.txt",
            file_name="julius_caesar.txt",
            source="The tragedy by William Shakespeare, in the public domain.",
            sha256="a1bb3d714f47800b37f6487c3786f6dea736cf163bb72fa68c658bfb3ceda28c",
        ),
        Dataset(
            name="shakespeare",
            title="Shakespeare's plays",
            url=_TENSORFLOW + "shakespeare.txt",
            file_name="shakespeare.txt",
            source="40,000 lines of Shakespeare (public domain), chosen by Andrej Karpathy for char-rnn.",
            sha256="86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        ),
    )
}


# --- where things lie -----------------------------------------------------------------------


def find_dataset(name: str) -> Dataset:
    """The registry's entry; DatasetError, naming those there are, when there is none."""
    if name not in DATASETS:
        raise DatasetError(f"There is no data set called {name!r}; there are {', '.join(DATASETS)}.")
    return DATASETS[name]


def data_folder() -> Path:
    """Where archives and texts are kept: LSTM_LAB_DATA, or a folder in the user's cache. May be read-only."""
    chosen = os.environ.get("LSTM_LAB_DATA", "")
    if chosen:
        return Path(chosen).expanduser()
    return platformdirs.user_cache_path("lstm-lab", appauthor=False) / "data"


def cache_folder() -> Path:
    """Where what is derived from an archive is kept; always the user's own."""
    return platformdirs.user_cache_path("lstm-lab", appauthor=False) / "derived"


def is_present(name: str) -> bool:
    """Whether the data set's file lies in the data folder; its contents aren't looked at."""
    return os.path.isfile(data_folder() / find_dataset(name).file_name)


# --- fetching -------------------------------------------------------------------------------


def download_dataset(name: str, progress: Progress | None = None, *, again: bool = False) -> Path:
    """Fetch a data set into the data folder, check it, and return its path.

    A file that is there is checked and not fetched, unless `again`. `progress(done, total)` hears
    of bytes, total None when the server doesn't say; what it raises stops the download. Until the
    new file is whole and checked, nothing in the folder changes.

    Raises DatasetError: no network, no space, no permission, or not the contents expected.
    """
    spec = find_dataset(name)
    target = data_folder() / spec.file_name
    if is_present(name) and not again:
        _checked(spec)
        return target
    try:
        with replacing(target) as temporary:
            with temporary.open("xb") as out:
                intake.fetch(spec.url, out, progress)
            contents = _read(spec, temporary)
    except FetchError as error:
        mend = f"check the connection and try again, or put the file at {target} yourself"
        raise DatasetError(f"{spec.title} can't be downloaded from {spec.url} ({error}); {mend}.") from error
    except DamageError as error:
        problem = f"{spec.title} came damaged from {urlsplit(spec.url).hostname} ({error})"
        raise DatasetError(f"{problem}; nothing was kept, so try again later.") from error
    except OSError as error:
        raise DatasetError(_cannot_save(spec, target.parent, error)) from error
    if isinstance(contents, LabelledTexts):
        with suppress(OSError):
            _remember(spec, _key(target), contents)
    return target


def _cannot_save(spec: Dataset, folder: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return f"{spec.title} can't be saved because the disk with {folder} is full; free some space and try again."
    mend = "set LSTM_LAB_DATA to a folder that can be written to and try again"
    return f"{spec.title} can't be saved in {folder} ({intake.why(error)}); {mend}."


# --- reading --------------------------------------------------------------------------------


def load_text(name: str) -> str:
    r"""A plain text, every newline a `\n`; DatasetError when it is absent, damaged or not one text."""
    spec = find_dataset(name)
    if not spec.sha256:
        raise DatasetError(f"{spec.title} are many labelled texts and not one text; read them with load_labelled.")
    return str(_checked(spec))


def load_stackoverflow() -> LabelledTexts:
    """8,000 + 8,000 questions; labels csharp, java, javascript, python. See `load_labelled`."""
    return load_labelled("stackoverflow")


def load_imdb() -> LabelledTexts:
    """25,000 + 25,000 reviews with `films` and `ratings`; labels negative, positive. See `load_labelled`."""
    return load_labelled("imdb")


def load_labelled(name: str) -> LabelledTexts:
    """The two splits of an archive, sorted by label, then by number: shuffle before you train.

    Bytes that are not UTF-8 become U+FFFD. Raises DatasetError when the archive is absent or
    damaged, or the data set is not labelled.
    """
    spec = find_dataset(name)
    contents = None if spec.sha256 else _checked(spec)
    if not isinstance(contents, LabelledTexts):
        raise DatasetError(f"{spec.title} is one text without labels; read it with load_text.")
    return contents


def _checked(spec: Dataset) -> str | LabelledTexts:
    """The contents of a file that should be in the data folder; all trouble becomes DatasetError."""
    path = data_folder() / spec.file_name
    if not os.path.isfile(path):
        advice = f"`python -m lstm_core download {spec.name}`"
        raise DatasetError(f"{spec.title} isn't here yet; get it with {advice} or put it at {path} yourself.")
    try:
        key = _key(path)  # before reading: if the file is exchanged meanwhile, the key is stale, not wrong
        known = None if spec.sha256 else _recall(spec, key)
        contents = known or _read(spec, path)
    except DamageError as error:
        raise DatasetError(f"{spec.title} is damaged ({error}); delete {path} and download it again.") from error
    except OSError as error:
        raise DatasetError(
            f"{spec.title} can't be read ({intake.why(error)}); see to the permissions of {path}."
        ) from error
    if known is None and isinstance(contents, LabelledTexts):
        with suppress(OSError):  # without a cache folder it is slower, no more
            _remember(spec, key, contents)
    return contents


def _read(spec: Dataset, path: Path) -> str | LabelledTexts:
    """A file's checked contents; DamageError when they are not what they should be."""
    if not spec.sha256:
        return _read_archive(spec, path)
    raw = path.read_bytes()
    if hashlib.sha256(raw).hexdigest() != spec.sha256:
        raise DamageError(f"its {len(raw):,} bytes don't have the sha256 sum {spec.sha256[:8]}…")
    return raw.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")


def _read_archive(spec: Dataset, path: Path) -> LabelledTexts:
    """Sort an archive's files into splits and check their number."""
    folders = "|".join(spec.folders)
    below = rf"(train|test)/(?:({folders})/(\d{{1,9}})(?:_(\d{{1,2}}))?|urls_({folders}))\.txt"
    found: Found = {}
    films: dict[tuple[str, str], list[str]] = {}
    for match, raw in intake.members(path, re.compile(re.escape(spec.root) + below, re.ASCII)):
        part, folder, number, rating, listed = match.groups()
        text = raw.decode("utf-8", errors="replace")
        if listed is None:
            found.setdefault((part, folder), {})[int(number)] = (text, int(rating or 0))
        else:
            films[part, listed] = [_film(line) for line in text.rstrip("\n").split("\n")]
    train, test = (_split(spec, part, found, films) for part in ("train", "test"))
    return LabelledTexts(train, test, spec.labels)


def _split(spec: Dataset, part: str, found: Found, films: dict[tuple[str, str], list[str]]) -> Split:
    """One split, sorted by label, then by number."""
    texts: list[str] = []
    labels: list[int] = []
    reviewed: list[str] = []
    ratings: list[int] = []
    for label, folder in enumerate(spec.folders):
        rows = sorted(found.get((part, folder), {}).items())
        if len(rows) != spec.per_folder:
            raise DamageError(f"{part}/{folder} holds {len(rows):,} texts where {spec.per_folder:,} should be")
        texts += [text for _, (text, _) in rows]
        labels += [label] * len(rows)
        if spec.has_films:
            listed = films.get((part, folder), [])
            if rows and rows[-1][0] >= len(listed):
                raise DamageError(
                    f"{part}/urls_{folder}.txt has {len(listed):,} lines and none for review {rows[-1][0]}"
                )
            reviewed += [listed[number] for number, _ in rows]
            ratings += [rating for _, (_, rating) in rows]
    return Split(tuple(texts), np.array(labels, np.int64), tuple(reviewed), np.array(ratings, np.int64))


def _film(address: str) -> str:
    """The film's number in an address such as http://www.imdb.com/title/tt0453418/usercomments."""
    found = re.search(r"/title/(tt\d+)", address)
    return found[1] if found else address.strip()


# --- what was derived -----------------------------------------------------------------------


def _key(path: Path) -> list[int]:
    """What tells one archive from another without reading it."""
    stat = path.stat()
    return [DERIVED_FORMAT, stat.st_size, stat.st_mtime_ns]


def _remember(spec: Dataset, key: list[int], contents: LabelledTexts) -> None:
    """Write the splits to the cache folder; OSError when that can't be done."""
    splits = {"train": contents.train, "test": contents.test}
    stored = {"key": key} | {name: vars(split) for name, split in splits.items()}
    with replacing(cache_folder() / f"{spec.name}.json.gz") as temporary:
        packed = gzip.compress(json.dumps(stored, default=np.ndarray.tolist).encode(), compresslevel=1)
        temporary.write_bytes(packed)


def _recall(spec: Dataset, key: list[int]) -> LabelledTexts | None:
    """The splits from the cache folder; None when they are absent, of another archive, or damaged."""
    try:
        stored = json.loads(gzip.decompress((cache_folder() / f"{spec.name}.json.gz").read_bytes()))
        if stored["key"] != key:
            return None
        return LabelledTexts(Split(**stored["train"]), Split(**stored["test"]), spec.labels)
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError):
        return None

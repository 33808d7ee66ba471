"""The data sets: downloaded, generated or uploaded, and their splits."""

from lstm_core.datasets.number_words import LONGEST_TRAINED, MOST_DIGITS
from lstm_core.datasets.registry import DATASETS, download_dataset, find_dataset, is_present, load_labelled
from lstm_core.datasets.sentences import LONGEST
from lstm_core.datasets.sentiment_trees import (
    LABELS,
    MOST_CHARACTERS,
    STRENGTH,
    TRAINED_DEPTH,
    Piece,
    bracketings,
    meaning,
    parse_tree,
)
from lstm_core.datasets.splits import Split
from lstm_core.datasets.user_csv import LabelledTable, read_labelled_csv

__all__ = [
    "DATASETS",
    "LABELS",
    "LONGEST",
    "LONGEST_TRAINED",
    "MOST_CHARACTERS",
    "MOST_DIGITS",
    "STRENGTH",
    "TRAINED_DEPTH",
    "LabelledTable",
    "Piece",
    "Split",
    "bracketings",
    "download_dataset",
    "find_dataset",
    "is_present",
    "load_labelled",
    "meaning",
    "parse_tree",
    "read_labelled_csv",
]

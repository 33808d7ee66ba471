"""What trained models do: classify, write, forecast, fill in, translate and read trees, all in NumPy.

`registry` maps each task to the class that loads its models; `protocol` is what all of them offer.
"""

from lstm_core.inference.beam_search import Branch, continuation_tree
from lstm_core.inference.char_lm import GeneratedCharacter, TextGenerator, sampling_distribution
from lstm_core.inference.char_trace import CharacterTrace
from lstm_core.inference.classifier import Reading, TextClassifier
from lstm_core.inference.cloze import BlankFiller, Filled
from lstm_core.inference.forecaster import Forecaster
from lstm_core.inference.registry import TASKS, find_model, load, load_bundle
from lstm_core.inference.seq2seq import (
    END,
    Rewriter,
    Rewriting,
    Written,
    correct_characters,
    count_correct_words,
    longest_for,
)
from lstm_core.inference.tree_rnn import MIDDLE, TreeReader, TreeReading
from lstm_core.inference.upload_check import check_network_upload, check_upload
from lstm_core.inference.word_lm import WordModel, WordScore

__all__ = [
    "END",
    "MIDDLE",
    "TASKS",
    "BlankFiller",
    "Branch",
    "CharacterTrace",
    "Filled",
    "Forecaster",
    "GeneratedCharacter",
    "Reading",
    "Rewriter",
    "Rewriting",
    "TextClassifier",
    "TextGenerator",
    "TreeReader",
    "TreeReading",
    "WordModel",
    "WordScore",
    "Written",
    "check_network_upload",
    "check_upload",
    "continuation_tree",
    "correct_characters",
    "count_correct_words",
    "find_model",
    "load",
    "load_bundle",
    "longest_for",
    "sampling_distribution",
]

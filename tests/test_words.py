"""Page texts use the field's terms: phrases that were replaced by a standard term don't come back.

Only phrases that are wrong wherever they stand are listed; texts that a reader may type or read as an example, such as
reviews, are data and not searched.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REPLACED = {
    r"\bsigns? to read": "characters to read",
    r"\bthe unit says|\bunits? shows? that": "the unit outputs",
    r"\bloud(est)? units?|\bunits? (is|are) loud": "units with the largest |h|",
    r"\bheld at\b|\bgates? held\b": "clamped to",
    r"\bhalf open\b": "f ≈ 0.5",
    r"\bas they begin\b": "at initialization",
    r"\bone pass back\b": "one backward pass",
    r"\bswitch(es)? rather than (a )?dose": "saturate rather than scale",
    r"\d% right\b|\bshare right\b": "accuracy",
    r"\b(the|an) article['’]s network": "the baseline",
    r"\banswers part\b": "the answers diverge",
    r"\b(for|against) (Positive|Negative)\b": "supports, opposes",
    r"\bdrawn words\b": "sampled softmax",
    r"\bsmall letters\b": "lowercase",
    r"\b(characters|tokens|samples|sequences|words) a second\b": "per second",
    r"\bwhat is drawn from\b": "sampling distribution",
    r"\bknobs?\b": "hyperparameters",
    r"\bwhat answers\b": "pooling: maximum over time",
    r"\bturns what follows\b": "negates what follows",
    r"\bbring a model\b|\bkeep it\b": "upload a model, save the model",
    r"\bat most\b.*\bbatches\b|\bbatches at most\b": "maximum batches",
    r"\bworth nothing\b": "no measurable benefit",
    r"\btest part\b": "test set",
    r"\btimes as late\b": "takes 1.2× as long to start as",
    r"\bsureness\b|\bhow sure\b": "confidence",
    r"\bfilm reviews?\b": "movie reviews",
    r"\d %": "95%, without a space",
}
PAGE_KEYS = {"title", "summary", "notes", "lesson", "name", "caption", "help", "text_label"}  # of assets and cards


def strings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The string constants of a file that a page may show: neither docstrings nor format specifications."""
    skipped = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(node.value)
        elif isinstance(node, ast.FormattedValue) and node.format_spec:
            skipped.update(ast.walk(node.format_spec))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in skipped:
            yield node.lineno, node.value


def displayed(data: Any) -> Iterator[str]:
    """The texts of an asset or a card that a page shows in our own words."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key in PAGE_KEYS and isinstance(value, str | list):
                yield from [value] if isinstance(value, str) else value
            else:
                yield from displayed(value)
    elif isinstance(data, list):
        for value in data:
            yield from displayed(value)


def wrong(text: str) -> Iterator[str]:
    for pattern, standard in REPLACED.items():
        if found := re.search(pattern, text, re.IGNORECASE):
            yield f"{found.group()!r}: {standard}"


def test_the_patterns_find_what_they_should() -> None:
    assert list(wrong("Signs to read"))
    assert list(wrong("test 63.5% right"))
    assert list(wrong("63.5 %"))
    assert not list(wrong("test accuracy 63.5%"))


def test_pages_use_standard_terms() -> None:
    paths = [*ROOT.glob("pages/*.py"), *ROOT.glob("ui/**/*.py")]
    assert paths
    found = [
        f"{path.relative_to(ROOT)}:{line}: {each}"
        for path in paths
        for line, text in strings(ast.parse(path.read_text("utf-8")))
        for each in wrong(text)
    ]
    assert not found, "\n".join(found)


def test_assets_and_cards_use_standard_terms() -> None:
    paths = [*ROOT.glob("assets/*.json"), *ROOT.glob("models/*/card.json")]
    assert paths
    found = [
        f"{path.relative_to(ROOT)}: {each}: {text[:60]}"
        for path in paths
        for text in displayed(json.loads(path.read_text("utf-8")))
        for each in wrong(text)
    ]
    assert not found, "\n".join(found)


def test_components_and_explanations_use_standard_terms() -> None:
    texts = [*ROOT.glob("assets/**/*.js")]
    assert texts
    texts += [ROOT / "assets" / f"{name}.toml" for name in ("explanations", "presets", "theme", "tour")]
    found = [f"{path.relative_to(ROOT)}: {each}" for path in texts for each in wrong(path.read_text("utf-8"))]
    assert not found, "\n".join(found)

"""The result as one HTML file without scripts or links, to be printed or kept."""

import re
from html import escape

from ui.check_yourself.experiments import Result
from ui.check_yourself.questions import QUESTIONS, Answered, Question, score

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>LSTM Lab: check yourself</title>
<style>
  :root { color-scheme: light dark; }
  body { font: 16px/1.5 sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
  li { margin-bottom: 1.2rem; break-inside: avoid; }
  p { margin: .2rem 0; }
</style>
<h1>LSTM Lab: check yourself</h1>
"""


def html(given: Answered) -> str:
    """The page: the score, then each question with the guess and the computed answer."""
    rows = [_row(question, given.get(question.name)) for question in QUESTIONS]
    correct = f"{score(given)} of {len(given)} correct; {len(given)} of {len(QUESTIONS)} answered"
    return f"{_PAGE}<p><strong>{correct}.</strong></p>\n<ol>\n{''.join(rows)}</ol>\n</html>\n"


def _row(question: Question, outcome: tuple[int, Result] | None) -> str:
    if outcome is None:
        return f"<li><p>{_text(question.question)}</p><p>Not answered.</p></li>\n"
    guess, result = outcome
    verdict = "✓ correct" if guess == result.choice else "✗ not this time"
    return (
        f"<li><p>{_text(question.question)}</p><p>Guess: {_text(question.choices[guess])} ({verdict})</p>"
        f"<p><strong>{_text(question.choices[result.choice])}.</strong> {_text(result.measured)}</p>"
        f"<p>{_text(question.why)}</p></li>\n"
    )


def _text(markdown: str) -> str:
    """A text of this page as HTML: of Markdown it has code alone."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(markdown, quote=False))

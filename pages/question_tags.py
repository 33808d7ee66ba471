"""Paste a programming question; see its tag, how the answer formed, and the cell state behind it."""

from ui.classifier import page
from ui.common import examples

page.show(
    page.PageConfig(
        key="tags",
        title="Question tags",
        intro="Paste a programming question. A long short-term memory network (LSTM) reads it token by token and "
        "classifies it as **C#, Java, JavaScript or Python**.",
        model="stackoverflow",
        peers={"stackoverflow_article": "the baseline (the network of the article)"},
        label="Your question",
        placeholder="How do I …",
        texts=examples.Texts.load("questions.json"),
        names=True,
        stop="question_tags",
        notes="In the training data the name of a question's own language was replaced by “blank”. A network trained "
        "on that alone learns that “python” means *not* Python, so our network was trained on some questions with the "
        "name restored.",
    )
)

"""Paste a programming question; see its tag, how the answer formed, and the memory behind it."""

from ui.classifier import page
from ui.common import examples

page.show(
    page.PageConfig(
        key="tags",
        title="Question tags",
        intro="Paste a programming question. A network with a long short-term memory (LSTM) reads it token by token "
        "and says whether it is about **C#, Java, JavaScript or Python**.",
        ours="stackoverflow",
        foils={"stackoverflow_article": "the article's network"},
        label="Your question",
        placeholder="How do I …",
        texts=examples.Texts.load("questions.json"),
        names=True,
        lessons="In the training data the name of a question's own language was replaced by “blank”. A network that is "
        "trained on that alone learns that “python” means *not* Python, so ours saw some questions with the name put "
        "back.",
    )
)

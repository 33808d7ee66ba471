"""Paste a movie review; see whether it is praise, how the verdict formed, and the memory behind it."""

from ui.classifier import page
from ui.common import examples

page.show(
    page.PageConfig(
        key="reviews",
        title="Movie reviews",
        intro="Paste a movie review. A network with a long short-term memory (LSTM) reads it word by word and says "
        "whether the writer **liked the film**.",
        ours="imdb",
        foils={"imdb_article": "the article's network", "imdb_bag": "a bag of words"},
        label="Your review",
        placeholder="I went in expecting …",
        texts=examples.Texts.load("reviews.json"),
        lessons="**What the films taught.** The reviews that a network is chosen by must be of other films than those "
        "it is trained on. Cut at random, reviews of the same film stand on both sides, and a first network looked "
        "clearly better than it was: it had learnt the names of good films. Ours is chosen by a part that is cut "
        "by film.",
    )
)

"""What else is said besides the keywords: everyday English words and phrases."""

from pathlib import Path

OTHER_WORDS = tuple(Path(__file__).with_name("words.txt").read_text(encoding="utf-8").split())

PHRASES = (
    "what are we having for dinner",
    "I think it is going to rain",
    "could you hand me the newspaper",
    "the train leaves in twenty minutes",
    "she has never been to the coast",
    "that was a very good film",
    "where did I put my glasses",
    "let me think about it for a moment",
    "we should paint the kitchen this summer",
    "there is a letter for you on the table",
    "he told me the same story again",
    "it takes about an hour by bicycle",
)

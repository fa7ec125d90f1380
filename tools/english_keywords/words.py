"""Words to speak, with their pronunciations in the symbols of Kokoro: I, W, A, O, Q stand for diphthongs."""

from collections.abc import Iterator

import numpy as np

COMMANDS = {
    "yes": "jˈɛs jˈæs jˈɛːs",
    "no": "nˈO nˈQ nˈoʊ",
    "up": "ˈʌp",
    "down": "dˈWn dˈaʊn",
    "left": "lˈɛft",
    "right": "ɹˈIt ɹˈIʔ ɹˈaɪt",
    "on": "ˈɔn ˈɑn ˈɒn",
    "off": "ˈɔf ˈɒf ˈɑf",
    "stop": "stˈɑp stˈɒp",
    "go": "ɡˈO ɡˈQ ɡˈoʊ",
}
"""What the model is to spot."""
OTHERS = {
    "bed": "bˈɛd", "bird": "bˈɜɹd", "cat": "kˈæt", "dog": "dˈɔɡ dˈɑɡ", "happy": "hˈæpi", "house": "hˈWs",
    "marvin": "mˈɑɹvɪn", "sheila": "ʃˈilə", "tree": "tɹˈi", "wow": "wˈW", "zero": "zˈɪɹO zˈiɹO", "one": "wˈʌn",
    "two": "tˈu", "three": "θɹˈi", "four": "fˈɔɹ", "five": "fˈIv", "six": "sˈɪks", "seven": "sˈɛvən", "eight": "ˈAt",
    "nine": "nˈIn", "backward": "bˈækwəɹd", "forward": "fˈɔɹwəɹd", "follow": "fˈɑlO", "learn": "lˈɜɹn",
    "visual": "vˈɪʒuəl", "row": "ɹˈO", "knows": "nˈOz", "god": "ɡˈɑd", "dawn": "dˈɔn", "gone": "ɡˈɔn", "light": "lˈIt",
    "writes": "ɹˈIts", "loft": "lˈɔft", "laugh": "lˈæf", "step": "stˈɛp", "top": "tˈɑp", "cup": "kˈʌp", "yet": "jˈɛt",
    "guess": "ɡˈɛs", "town": "tˈWn", "now": "nˈW", "show": "ʃˈO", "low": "lˈO", "cough": "kˈɔf", "upper": "ˈʌpəɹ",
    "hello": "həlˈO", "computer": "kəmpjˈuɾəɹ", "music": "mjˈuzɪk", "water": "wˈɔɾəɹ", "please": "plˈiz",
    "again": "əɡˈɛn", "people": "pˈipəl", "morning": "mˈɔɹnɪŋ", "window": "wˈɪndO", "yellow": "jˈɛlO", "open": "ˈOpən",
    "start": "stˈɑɹt",
}  # fmt: skip
"""What it is to take for other speech: words that it may meet, and words that sound like commands."""
COMMAND_SHARE = 0.68


def random_words(count: int, rng: np.random.Generator) -> Iterator[tuple[str, str]]:
    """Words and one pronunciation of each; commands take turns."""
    for number in range(count):
        command = rng.random() < COMMAND_SHARE
        word = list(COMMANDS)[number % len(COMMANDS)] if command else str(rng.choice(list(OTHERS)))
        yield word, str(rng.choice((COMMANDS | OTHERS)[word].split()))

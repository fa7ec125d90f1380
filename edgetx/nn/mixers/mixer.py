"""What a mixer is made from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class MixerInput:
    """The tokens that a mixer of a block sees, and what all mixers of an encoder have in common."""

    tokens: int
    width: int
    heads: int = 1
    bias: bool = True  # of the projections to queries, keys and values
    causal: bool = False  # a token sees itself and earlier ones only
    head_size: int = 0  # features of each head; 0: the heads share the width

    @property
    def head_width(self) -> int:
        """Features of each head."""
        return self.head_size or self.width // self.heads

    def blocks(self, length: int) -> int:
        """Number of blocks of `length` tokens.

        Raises:
            ValueError: If the tokens do not fill them.
        """
        if length < 1 or self.tokens % length:
            raise ValueError(f"blocks of {length} do not divide {self.tokens} tokens")
        return self.tokens // length

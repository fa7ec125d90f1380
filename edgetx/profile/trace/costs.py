"""Costs that depend on addresses and operands, or on what happened before."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Costs:
    """Costs of events; mirrors `etx_costs`.

    Attributes:
        divide_small: Cycles of a division beyond the shortest when the quotient is zero.
        divide_base: Otherwise.
        divide_bits: Bits of the quotient per further cycle.
        divide_most: At most.
        switch_cycles: An access that would have overlapped one to the same memory.
        bank_bit: Accesses issued together collide when this address bit agrees; 0: never.
        conflict_cycles: What a collision costs.
        unaligned_cycles: Per additional transfer of an access that is not aligned.
        unaligned_transfers: How many of these count at most.
        store_entries: Entries of the store buffer; 0: never full.
        store_word_cycles: Time a word takes to leave it.
        store_part_cycles: Time a byte or half-word takes; each of two banks writes one at a time.
        store_unaligned_cycles: Time a word takes that is not aligned.
        mispredict_cycles: A conditional branch that went the other way than before; 0: branches are not predicted.
        mispredict_early_cycles: The same when its flags were set well before.
    """

    divide_small: int = 1
    divide_base: int = 3
    divide_bits: int = 4
    divide_most: int = 10
    switch_cycles: int = 0
    bank_bit: int = 0
    conflict_cycles: int = 1
    unaligned_cycles: int = 1
    unaligned_transfers: int = 2
    store_entries: int = 0
    store_word_cycles: int = 1
    store_part_cycles: int = 1
    store_unaligned_cycles: int = 1
    mispredict_cycles: int = 0
    mispredict_early_cycles: int = 0

/* Costs that depend on operands and addresses. */
#ifndef ETX_TIMING_H
#define ETX_TIMING_H

#include "slice.h"

#pragma GCC visibility push(hidden)

/* How long a division takes beyond its shortest time: nothing if an operand is zero, `small` if the quotient is,
 * else `base` plus one cycle per `bits` bits of the quotient, at most `most`. */
typedef struct {
    uint32_t small, base, bits, most;
} etx_divider;

/* Mirrors `Costs` in events.py. */
typedef struct {
    etx_divider divider;
    uint32_t switch_cycles;       /* an access overlapped with one to another memory */
    uint32_t bank_bit;            /* accesses issued together collide when this address bit agrees; 0: never */
    uint32_t conflict_cycles;
    uint32_t unaligned_cycles;    /* per additional transfer of an access that is not aligned */
    uint32_t unaligned_transfers; /* that many of them count at most */
    uint32_t store_entries, store_word_cycles, store_part_cycles, store_unaligned_cycles; /* store buffer; 0: none */
    uint32_t mispredict_cycles;   /* 0: branches are not predicted */
    uint32_t mispredict_early_cycles; /* with flags set well before */
} etx_costs;

enum { ETX_FETCH, ETX_LOAD, ETX_STORE, ETX_DIVIDE };
enum { ETX_CHAINED = 1, ETX_PAIRED = 2, ETX_APART = 4 };
enum { ETX_STALL_FETCH, ETX_STALL_DATA, ETX_STALL_SWITCH, ETX_STALL_CONFLICT, ETX_STALL_DIVIDE,
       ETX_STALL_BRANCH, ETX_STALL_KINDS };

/* Something within a block whose cost is known only when it happens, `offset` cycles behind its entry.
 * FETCH: address `a`, of which `b` cycles are hidden. LOAD and STORE: value `a` (none if it is -1) plus `b` is the
 * address of `count` accesses of `width` bytes, which went to `region` the last time. DIVIDE: values `a` and `b`, signed
 * if `width` is set. `where` is the address of the instruction, `group` that of its group. */
typedef struct {
    uint32_t kind, flags;
    int32_t offset;
    uint32_t width, count;
    int32_t a, b;
    uint32_t where;
    int32_t region, group;
} etx_event;

/* Accesses of a block at constant distances from one value: `low` is that of the lowest, `size` the bytes from there to
 * the highest one's end. They are free while all lie in one memory without wait states and all are aligned. `times` is how
 * often they went to `region` without being counted in its traffic. */
typedef struct {
    int32_t a, region;
    uint32_t low, size, align, read, written;
    uint64_t times;
} etx_group;

enum { ETX_MAX_STORE_ENTRIES = 8 };

typedef struct {
    uint32_t last_bank, last_address, stores;
    uint64_t bank_free[2], released[ETX_MAX_STORE_ENTRIES]; /* of the memory's two banks and the store buffer's entries */
} etx_history;

/* The event's region at an address; NULL if no memory is there. */
etx_region *etx_region_of(etx_memory *memory, etx_event *event, uint32_t address);

uint32_t etx_divide_cycles(const etx_divider *divider, uint32_t a, uint32_t b, int is_signed);

/* Add the stall of one event, by kind; returns it too. */
uint32_t etx_stall(const etx_costs *costs, etx_memory *memory, etx_history *history, etx_event *event,
                   const uint32_t *values, uint64_t time, uint64_t stalls[ETX_STALL_KINDS]);

#pragma GCC visibility pop

#endif

/* What an edge cost the last times: while the flash starts in the same state, a block takes the same time. Nothing but
 * speed depends on it. */
#ifndef ETX_MEMO_H
#define ETX_MEMO_H

#include "timing.h"

#pragma GCC visibility push(hidden)

#define ETX_MEMO_LINES 4 /* edges behind an enabled cache of more lines have no memos */
#define ETX_MEMO_WAYS 2

/* All that fetches, and loads beside the caches, depend on. Times count from 1 at the edge's earliest event; 0 is before. */
typedef struct {
    uint32_t fetch_line, next_line, next_ready, busy, lines[ETX_MEMO_LINES];
} etx_flash_state;

typedef struct {
    uint32_t generation, free; /* settings of the memories, 0 if empty; which groups are free */
    etx_flash_state before, after;
    uint32_t fetch_stall, data_stall, misses;
    int32_t moves_ready, moves_busy; /* whether the times change */
} etx_memo;

/* The memos of an edge; `region` is what all its fetches are from, -1 if it can have no memos. */
typedef struct {
    int32_t region, earliest;
    uint32_t next; /* to be replaced */
    etx_memo memos[ETX_MEMO_WAYS];
} etx_edge_memos;

/* What the end of a recording needs of its start. */
typedef struct {
    etx_memo memo;
    uint64_t ready, busy, misses, fetch_stall, data_stall;
} etx_recording;

/* Decide whether an edge with these events can have memos. */
void etx_start_memos(etx_edge_memos *memos, etx_memory *memory, etx_event *events, int32_t count);

/* Whether the groups that are not free go beside the caches to the memory that the fetches are from. */
int etx_memos_apply(const etx_edge_memos *memos, const etx_memory *memory, const etx_group *groups, int32_t count,
                    const uint32_t *values, uint32_t free);

/* The memo of an edge that starts now; NULL, with a recording begun, without one. */
const etx_memo *etx_recall(const etx_edge_memos *memos, const etx_memory *memory, uint32_t generation, uint32_t free,
                           uint64_t now, const uint64_t *stalls, etx_recording *recording);
/* Bring the memory to where the edge leaves it; returns the stall. */
uint32_t etx_replay(const etx_edge_memos *memos, const etx_memo *memo, etx_memory *memory, uint64_t now, uint64_t *stalls);
void etx_memorize(etx_edge_memos *memos, const etx_memory *memory, uint64_t now, const uint64_t *stalls,
                  etx_recording *recording);

#pragma GCC visibility pop

#endif

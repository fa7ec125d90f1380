/* Types shared with native.py, which mirrors the public ones field by field. */
#ifndef ETX_ENGINE_H
#define ETX_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#include "accesses.h"
#include "memo.h"

#define ETX_NONE (-1)
#define ETX_FORGOTTEN 1u /* no instruction has an odd address */
#define ETX_MAX_DEPTH 512
#define ETX_MASKS 3
#define ETX_MAX_WATCHED 1024
#define ETX_PREDICTORS 1024

enum { ETX_CALLS = 1, ETX_RETURNS = 2, ETX_MOVES_STACK = 4, ETX_PREDICTS = 8, ETX_EARLY_FLAGS = 16 };
enum { ETX_RUNNING, ETX_REQUESTED, ETX_DEADLINE, ETX_LIMIT, ETX_UNRESOLVED, ETX_WATCHED,
       ETX_UNMASKED, ETX_DEVICE };

/* Decides what the edge from a node to the block at `pc` costs, adds it and returns its index; -1 stops. */
typedef int32_t (*etx_resolve)(int32_t node, uint32_t pc, uint32_t size);

/* Entry points of the emulator library, so that nothing has to be linked. */
typedef struct {
    void *uc;
    int (*add_hook)(void *uc, size_t *hook, int type, void *callback, void *data, uint64_t begin, uint64_t end);
    int (*stop)(void *uc);
    etx_read_register read_register;
    int32_t block_hook;
    int32_t stack_register;
    int32_t code_hook;
    int32_t flags_register;
    int32_t mask_registers[ETX_MASKS];
} etx_emulator;

typedef struct {
    uint32_t pc, end, instructions, function, flags;
    int32_t first; /* edge */
} etx_node;

/* `size` is that of the block as the emulator has translated it, of which only a first part may belong to the edge. An edge
 * whose block starts with an IT instruction may hold for one outcome of its condition only. */
typedef struct {
    uint32_t pc, size, cycles;
    int32_t condition, outcome; /* outcome: 0 either, else 1 + whether the condition holds */
    int32_t to, next;
    int32_t event, event_count, data, data_count, group, group_count, step, step_count; /* into the engine's arrays */
    int32_t chains, grouped; /* whether an access overlaps the one before; whether all data events have groups */
    int32_t last_group;      /* of the last event */
    uint64_t settled, count, stalls[ETX_STALL_KINDS];
} etx_edge;

/* A function as called along one path. */
typedef struct {
    int32_t parent, child, sibling;
    uint32_t function, site;
    uint64_t cycles, instructions, calls;
} etx_context;

typedef struct {
    int32_t context;
    uint32_t return_pc;
} etx_frame;

/* What a block has changed, to be undone if it does not end before the deadline. */
typedef struct {
    etx_memory memory;
    etx_history history;
    etx_edge edge;
    uint8_t predictor;
    uint32_t *lines[ETX_MAX_CACHES];
} etx_saved;

typedef struct {
    uint64_t cycles, instructions, deadline, instruction_limit;
    int32_t stopped, stop_requested, node, edge, context, depth;
    uint32_t lowest_stack, device;
    int32_t may_overrun; /* the next block may end behind the deadline */
    int32_t node_count, edge_count, context_count;
    etx_edge *edges;
    etx_context *contexts;
    etx_node *nodes;
    etx_event *events;
    etx_step *steps;
    etx_group *groups;
    int32_t event_count, step_count, group_count;
    etx_edge_memos *memos; /* of each edge */
    uint32_t generation;   /* of the settings of the memories */
    etx_costs costs;
    etx_memory memory;
    etx_history history;
    etx_saved saved;
    etx_resolve resolve;
    etx_emulator emulator;
    size_t hook;
    etx_frame frames[ETX_MAX_DEPTH];
    uint32_t watched[ETX_MAX_WATCHED], passing;
    int32_t watched_count, masks_watched;
    uint32_t masks[ETX_MASKS];
    uint8_t predictors[ETX_PREDICTORS];
    uint32_t block_pc, block_end; /* of the emulator's block */
} etx_engine;

etx_engine *etx_new(etx_resolve resolve, const etx_emulator *emulator);
void etx_free(etx_engine *e);
int32_t etx_attach(etx_engine *e);
int32_t etx_add_node(etx_engine *e, uint32_t pc, uint32_t end, uint32_t instructions, uint32_t function, uint32_t flags);
int32_t etx_add_edge(etx_engine *e, int32_t from, const etx_edge *edge);
void etx_add_events(etx_engine *e, int32_t edge, etx_event *events, int32_t event_count, const etx_step *steps,
                    int32_t step_count);
void etx_set_costs(etx_engine *e, const etx_costs *costs);
void etx_set_region(etx_engine *e, int32_t index, const etx_region *region); /* what it is doing stays as it is */
void etx_enable_cache(etx_engine *e, int32_t cache, int32_t on);
etx_region *etx_region_at(etx_engine *e, int32_t index); /* with its traffic up to now */
etx_cache *etx_cache_at(etx_engine *e, int32_t index);
int32_t etx_add_cache(etx_engine *e, uint32_t line_shift, uint32_t set_count, uint32_t way_count, uint32_t random);
void etx_enter(etx_engine *e, uint32_t function, uint32_t site, uint32_t return_pc);
void etx_leave(etx_engine *e, uint32_t return_pc);
/* Count blocks from instructions at two addresses as if the emulator's block ended before them. */
int32_t etx_cut(etx_engine *e, uint32_t first, uint32_t last);
void etx_forget(etx_engine *e, uint32_t address); /* edges whose block contains it behind its first instruction */
void etx_watch(etx_engine *e, const uint32_t *addresses, int32_t count);
void etx_watch_masks(etx_engine *e, int32_t on);
void etx_charge(etx_engine *e, uint32_t cycles);

#pragma GCC visibility push(hidden)
void *etx_grow(void *array, int32_t count, size_t size);
void etx_follow_calls(etx_engine *e, const etx_node *from, const etx_node *to);
#pragma GCC visibility pop

#endif

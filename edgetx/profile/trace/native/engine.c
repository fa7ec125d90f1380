/* The trace engine: follows the blocks that the emulator executes and counts the edges between them.
 *
 * A node is a block together with the state in which it leaves the pipeline; an edge is what happens when a node is
 * followed by the block at some address, and costs a number of cycles known in advance. Python decides what an
 * edge costs the first time it is taken; afterwards only this file runs. `python_engine.py` is the same in Python.
 */
#include "engine.h"

#include <stdlib.h>
#include <string.h>

#define NONE (-1)

static void *grow(void *array, int32_t count, size_t size) {
    if (count & (count - 1)) return array;
    return realloc(array, size * (size_t)(count ? 2 * count : 1));
}

static void *append(void *array, int32_t *count, const void *items, int32_t item_count, size_t size) {
    for (int32_t i = 0; i < item_count; i++) {
        array = grow(array, *count, size);
        memcpy((char *)array + size * (size_t)(*count)++, (const char *)items + size * (size_t)i, size);
    }
    return array;
}

etx_engine *etx_new(etx_resolve resolve, const etx_emulator *emulator) {
    etx_engine *e = calloc(1, sizeof *e);
    e->resolve = resolve;
    e->emulator = *emulator;
    e->deadline = e->instruction_limit = UINT64_MAX;
    e->lowest_stack = UINT32_MAX;
    etx_add_node(e, 0, 0, 0, 0, 0);
    e->contexts = grow(e->contexts, 0, sizeof *e->contexts);
    e->contexts[e->context_count++] = (etx_context){.parent = NONE, .child = NONE, .sibling = NONE};
    return e;
}

void etx_free(etx_engine *e) {
    free(e->nodes);
    free(e->edges);
    free(e->contexts);
    free(e->events);
    free(e->steps);
    for (int32_t i = 0; i < e->memory.cache_count; i++) free(e->memory.caches[i].lines);
    free(e);
}

int32_t etx_add_node(etx_engine *e, uint32_t pc, uint32_t end, uint32_t instructions, uint32_t function, uint32_t flags) {
    e->nodes = grow(e->nodes, e->node_count, sizeof *e->nodes);
    e->nodes[e->node_count] = (etx_node){.pc = pc, .end = end, .instructions = instructions,
                                         .function = function, .flags = flags, .first = NONE};
    return e->node_count++;
}

int32_t etx_add_edge(etx_engine *e, int32_t from, int32_t to, uint32_t pc, uint32_t cycles) {
    e->edges = grow(e->edges, e->edge_count, sizeof *e->edges);
    e->edges[e->edge_count] = (etx_edge){.pc = pc, .cycles = cycles, .to = to, .next = e->nodes[from].first};
    e->nodes[from].first = e->edge_count;
    return e->edge_count++;
}

void etx_add_events(etx_engine *e, int32_t edge, const etx_event *events, int32_t event_count, const etx_step *steps,
                    int32_t step_count) {
    e->edges[edge].event = e->event_count;
    e->edges[edge].event_count = event_count;
    e->edges[edge].step = e->step_count;
    e->edges[edge].step_count = step_count;
    e->events = append(e->events, &e->event_count, events, event_count, sizeof *events);
    e->steps = append(e->steps, &e->step_count, steps, step_count, sizeof *steps);
}

int32_t etx_add_cache(etx_engine *e, uint32_t line_shift, uint32_t set_count, uint32_t way_count, uint32_t random) {
    size_t lines = (size_t)set_count * way_count;
    etx_cache *cache = &e->memory.caches[e->memory.cache_count];
    *cache = (etx_cache){.line_shift = line_shift, .set_count = set_count, .way_count = way_count, .random = random,
                         .lines = malloc(lines * sizeof *cache->lines)};
    memset(cache->lines, 0xFF, lines * sizeof *cache->lines);
    return e->memory.cache_count++;
}

void etx_set_costs(etx_engine *e, const etx_costs *costs) { e->costs = *costs; }

etx_region *etx_region_at(etx_engine *e, int32_t index) { return &e->memory.regions[index]; }

etx_cache *etx_cache_at(etx_engine *e, int32_t index) { return &e->memory.caches[index]; }

void etx_set_region(etx_engine *e, int32_t index, const etx_region *region) {
    etx_region *known = &e->memory.regions[index];
    if (index >= e->memory.region_count) {
        *known = *region;
        known->fetch_line = known->data_line = known->next_line = UINT32_MAX;
        e->memory.region_count = index + 1;
    }
    known->wait = region->wait;
    known->prefetch = region->prefetch;
}

void etx_enable_cache(etx_engine *e, int32_t cache, int32_t on) {
    e->memory.caches[cache].enabled = on != 0;
    e->memory.fetch_misses++;
}

/* The edge to `pc`, which moves to the front of its node's list; NONE if it was never taken. */
static int32_t find_edge(etx_engine *e, uint32_t pc) {
    etx_node *node = &e->nodes[e->node];
    int32_t previous = NONE;
    for (int32_t i = node->first; i != NONE; previous = i, i = e->edges[i].next) {
        if (e->edges[i].pc != pc) continue;
        if (previous != NONE) {
            e->edges[previous].next = e->edges[i].next;
            e->edges[i].next = node->first;
            node->first = i;
        }
        return i;
    }
    return NONE;
}

static int32_t child_context(etx_engine *e, int32_t parent, uint32_t function, uint32_t site) {
    for (int32_t i = e->contexts[parent].child; i != NONE; i = e->contexts[i].sibling)
        if (e->contexts[i].function == function && e->contexts[i].site == site) return i;
    e->contexts = grow(e->contexts, e->context_count, sizeof *e->contexts);
    e->contexts[e->context_count] = (etx_context){.parent = parent, .function = function, .site = site,
                                                  .child = NONE, .sibling = e->contexts[parent].child};
    e->contexts[parent].child = e->context_count;
    return e->context_count++;
}

void etx_enter(etx_engine *e, uint32_t function, uint32_t site, uint32_t return_pc) {
    if (e->depth == ETX_MAX_DEPTH) return;
    e->frames[e->depth++] = (etx_frame){.context = e->context, .return_pc = return_pc};
    e->context = child_context(e, e->context, function, site);
    e->contexts[e->context].calls++;
}

void etx_leave(etx_engine *e, uint32_t return_pc) {
    for (int32_t depth = e->depth; depth-- > 0;) {
        if (e->frames[depth].return_pc != return_pc) continue;
        e->context = e->frames[depth].context;
        e->depth = depth;
        return;
    }
}

void etx_charge(etx_engine *e, uint32_t cycles) {
    e->cycles += cycles;
    e->contexts[e->context].cycles += cycles;
}

static void follow_calls(etx_engine *e, const etx_node *from, const etx_node *to) {
    if (from->flags & ETX_CALLS && to->pc != from->end) {
        etx_enter(e, to->function ? to->function : to->pc, from->end, from->end);
    } else if (from->flags & ETX_RETURNS) {
        etx_leave(e, to->pc);
    }
    const etx_context *context = &e->contexts[e->context];
    if (to->function && to->function != context->function && context->parent != NONE) {
        e->context = child_context(e, context->parent, to->function, context->site); /* a tail call */
        e->contexts[e->context].calls++;
    }
}

/* What the events of an edge cost, which starts now. Fetches are left out as long as no cache line has been replaced since
 * all of them were found in a cache. */
static uint32_t run_events(etx_engine *e, etx_edge *edge) {
    uint32_t values[ETX_MAX_STEPS], stalled = 0;
    uint64_t misses = e->memory.fetch_misses;
    int settled = edge->settled == misses + 1;
    etx_evaluate(e->steps + edge->step, edge->step_count, values, e->emulator.uc, e->emulator.read_register, &e->memory);
    for (etx_event *event = e->events + edge->event, *end = event + edge->event_count; event < end; event++) {
        if (settled && event->kind == ETX_FETCH) continue;
        int64_t time = (int64_t)(e->cycles + stalled) + event->offset;
        uint64_t start = time > 0 ? (uint64_t)time : 0;
        stalled += etx_stall(&e->costs, &e->memory, &e->history, event, values, start, edge->stalls);
    }
    if (!settled) edge->settled = e->memory.fetch_misses == misses ? misses + 1 : 0;
    return stalled;
}

/* Two bits per branch, shared by branches whose addresses collide. */
static uint32_t predict(etx_engine *e, etx_edge *edge, const etx_node *from, const etx_node *to) {
    uint8_t *counter = &e->predictors[(from->end >> 1) % ETX_PREDICTORS];
    int taken = to->pc != from->end;
    uint32_t wrong = from->flags & ETX_EARLY_FLAGS ? e->costs.mispredict_early_cycles : e->costs.mispredict_cycles;
    uint32_t stalled = taken == (*counter >= 2) ? 0 : wrong;
    edge->stalls[ETX_STALL_BRANCH] += stalled;
    if (taken) *counter += *counter < 3;
    else *counter -= *counter > 0;
    return stalled;
}

static void stop(etx_engine *e, int32_t why) {
    e->stopped = why;
    e->emulator.stop(e->emulator.uc);
}

static int compare(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

void etx_watch(etx_engine *e, const uint32_t *addresses, int32_t count) {
    e->watched_count = count < ETX_MAX_WATCHED ? count : ETX_MAX_WATCHED;
    for (int32_t i = 0; i < e->watched_count; i++) e->watched[i] = addresses[i];
    qsort(e->watched, (size_t)e->watched_count, sizeof *e->watched, compare);
    e->passing = UINT32_MAX;
}

static void read_masks(etx_engine *e, uint32_t masks[ETX_MASKS]) {
    memset(masks, 0, ETX_MASKS * sizeof *masks);
    for (int i = 0; i < ETX_MASKS; i++)
        e->emulator.read_register(e->emulator.uc, e->emulator.mask_registers[i], &masks[i]);
}

void etx_watch_masks(etx_engine *e, int32_t on) {
    e->masks_watched = on;
    if (on) read_masks(e, e->masks);
}

static int masks_changed(etx_engine *e) {
    uint32_t masks[ETX_MASKS];
    read_masks(e, masks);
    return memcmp(masks, e->masks, sizeof masks) != 0;
}

/* Whether to stop before a watched block; the second time it passes. */
static int stops_at(etx_engine *e, uint32_t pc) {
    if (e->passing == pc) {
        e->passing = UINT32_MAX;
        return 0;
    }
    if (!bsearch(&pc, e->watched, (size_t)e->watched_count, sizeof pc, compare)) return 0;
    e->passing = pc;
    return 1;
}

static void on_block(void *uc, uint64_t address, uint32_t size, void *data) {
    (void)uc;
    etx_engine *e = data;
    if (e->stop_requested) {
        stop(e, ETX_REQUESTED);
        return;
    }
    if (e->cycles >= e->deadline || e->instructions >= e->instruction_limit) {
        stop(e, e->cycles >= e->deadline ? ETX_DEADLINE : ETX_LIMIT);
        return;
    }
    if (e->masks_watched && masks_changed(e)) {
        stop(e, ETX_UNMASKED);
        return;
    }
    if (e->watched_count && stops_at(e, (uint32_t)address)) {
        stop(e, ETX_WATCHED);
        return;
    }
    int32_t index = find_edge(e, (uint32_t)address);
    if (index == NONE) index = e->resolve(e->node, (uint32_t)address, size);
    if (index == NONE) {
        stop(e, ETX_UNRESOLVED);
        return;
    }
    etx_edge *edge = &e->edges[index];
    const etx_node *from = &e->nodes[e->node], *to = &e->nodes[edge->to];
    if (from->flags & ETX_MOVES_STACK) {
        uint32_t sp = UINT32_MAX;
        e->emulator.read_register(e->emulator.uc, e->emulator.stack_register, &sp);
        if (sp < e->lowest_stack) e->lowest_stack = sp;
    }
    if ((from->flags & (ETX_CALLS | ETX_RETURNS)) || to->function != from->function) follow_calls(e, from, to);
    uint32_t cycles = edge->cycles;
    if (from->flags & ETX_PREDICTS) cycles += predict(e, edge, from, to);
    if (edge->event_count) cycles += run_events(e, edge);
    edge->count++;
    e->edge = index;
    e->node = edge->to;
    e->instructions += to->instructions;
    e->contexts[e->context].instructions += to->instructions;
    etx_charge(e, cycles);
}

int32_t etx_attach(etx_engine *e) {
    return e->emulator.add_hook(e->emulator.uc, &e->hook, e->emulator.block_hook, (void *)on_block, e, 1, 0);
}

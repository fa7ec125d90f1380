/* The trace engine: follows the blocks that the emulator executes and counts the edges between them.
 *
 * A node is a block together with the state in which it leaves the pipeline; an edge is what happens when a node is
 * followed by the block at some address, and costs a number of cycles known in advance. Python decides what an
 * edge costs the first time it is taken; afterwards only this library runs. `python_engine.py` is the same in Python.
 *
 * Here are the tables; `follow.c` follows the emulator.
 */
#include "engine.h"

#include <stdlib.h>
#include <string.h>

void *etx_grow(void *array, int32_t count, size_t size) {
    if (count & (count - 1)) return array;
    return realloc(array, size * (size_t)(count ? 2 * count : 1));
}

static void *append(void *array, int32_t *count, const void *items, int32_t item_count, size_t size) {
    for (int32_t i = 0; i < item_count; i++) {
        array = etx_grow(array, *count, size);
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
    e->generation = 1;
    etx_add_node(e, 0, 0, 0, 0, 0);
    e->contexts = etx_grow(e->contexts, 0, sizeof *e->contexts);
    e->contexts[e->context_count++] = (etx_context){.parent = ETX_NONE, .child = ETX_NONE, .sibling = ETX_NONE};
    return e;
}

void etx_free(etx_engine *e) {
    free(e->nodes);
    free(e->edges);
    free(e->memos);
    free(e->contexts);
    free(e->events);
    free(e->groups);
    free(e->steps);
    for (int32_t i = 0; i < e->memory.cache_count; i++) {
        free(e->memory.caches[i].lines);
        free(e->saved.lines[i]);
    }
    free(e);
}

int32_t etx_add_node(etx_engine *e, uint32_t pc, uint32_t end, uint32_t instructions, uint32_t function, uint32_t flags) {
    e->nodes = etx_grow(e->nodes, e->node_count, sizeof *e->nodes);
    e->nodes[e->node_count] = (etx_node){.pc = pc, .end = end, .instructions = instructions,
                                         .function = function, .flags = flags, .first = ETX_NONE};
    return e->node_count++;
}

int32_t etx_add_edge(etx_engine *e, int32_t from, const etx_edge *edge) {
    e->edges = etx_grow(e->edges, e->edge_count, sizeof *e->edges);
    e->memos = etx_grow(e->memos, e->edge_count, sizeof *e->memos);
    e->memos[e->edge_count].region = ETX_NONE;
    e->edges[e->edge_count] = *edge;
    e->edges[e->edge_count].next = e->nodes[from].first;
    e->nodes[from].first = e->edge_count;
    return e->edge_count++;
}

void etx_add_events(etx_engine *e, int32_t index, etx_event *events, int32_t event_count, const etx_step *steps,
                    int32_t step_count) {
    etx_edge *edge = &e->edges[index];
    etx_group groups[ETX_MAX_GROUPS];
    edge->event = e->event_count;
    edge->event_count = event_count;
    edge->step = e->step_count;
    edge->step_count = step_count;
    edge->group = e->group_count;
    edge->group_count = etx_group_events(events, event_count, groups);
    e->events = append(e->events, &e->event_count, events, event_count, sizeof *events);
    edge->data = e->event_count;
    edge->grouped = 1;
    for (int32_t i = 0; i < event_count; i++) {
        if (events[i].kind == ETX_FETCH) continue;
        e->events = append(e->events, &e->event_count, &events[i], 1, sizeof *events);
        edge->chains |= (events[i].flags & ETX_CHAINED) != 0;
        edge->grouped &= events[i].group >= 0;
        edge->last_group = events[i].group;
    }
    edge->data_count = e->event_count - edge->data;
    if (edge->grouped) etx_start_memos(&e->memos[index], &e->memory, events, event_count);
    e->groups = append(e->groups, &e->group_count, groups, edge->group_count, sizeof *groups);
    e->steps = append(e->steps, &e->step_count, steps, step_count, sizeof *steps);
}

void etx_forget(etx_engine *e, uint32_t address) {
    for (int32_t i = 0; i < e->edge_count; i++)
        if (address > e->edges[i].pc && address < e->edges[i].pc + e->edges[i].size) e->edges[i].pc = ETX_FORGOTTEN;
}

int32_t etx_add_cache(etx_engine *e, uint32_t line_shift, uint32_t set_count, uint32_t way_count, uint32_t random) {
    size_t lines = (size_t)set_count * way_count;
    etx_cache *cache = &e->memory.caches[e->memory.cache_count];
    *cache = (etx_cache){.line_shift = line_shift, .set_count = set_count, .way_count = way_count, .random = random,
                         .lines = malloc(lines * sizeof *cache->lines)};
    memset(cache->lines, 0xFF, lines * sizeof *cache->lines);
    e->saved.lines[e->memory.cache_count] = malloc(lines * sizeof *cache->lines);
    return e->memory.cache_count++;
}

void etx_set_costs(etx_engine *e, const etx_costs *costs) { e->costs = *costs; }

etx_region *etx_region_at(etx_engine *e, int32_t index) {
    for (int32_t i = 0; i < e->group_count; i++) etx_settle_traffic(&e->memory, &e->groups[i]);
    return &e->memory.regions[index];
}

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
    e->generation++;
}

void etx_enable_cache(etx_engine *e, int32_t cache, int32_t on) {
    e->memory.caches[cache].enabled = on != 0;
    e->memory.fetch_misses++;
    e->generation++;
}

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

static void stop(etx_engine *e, int32_t why) {
    e->stopped = why;
    e->emulator.stop(e->emulator.uc);
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
    edge->count++;
    e->edge = index;
    e->node = edge->to;
    e->cycles += edge->cycles;
    e->instructions += to->instructions;
    e->contexts[e->context].cycles += edge->cycles;
    e->contexts[e->context].instructions += to->instructions;
}

int32_t etx_attach(etx_engine *e) {
    return e->emulator.add_hook(e->emulator.uc, &e->hook, e->emulator.block_hook, (void *)on_block, e, 1, 0);
}

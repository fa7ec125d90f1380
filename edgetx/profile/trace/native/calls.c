/* The call tree: which function runs, called along which path. */
#include "engine.h"

static int32_t child_context(etx_engine *e, int32_t parent, uint32_t function, uint32_t site) {
    for (int32_t i = e->contexts[parent].child; i != ETX_NONE; i = e->contexts[i].sibling)
        if (e->contexts[i].function == function && e->contexts[i].site == site) return i;
    e->contexts = etx_grow(e->contexts, e->context_count, sizeof *e->contexts);
    e->contexts[e->context_count] = (etx_context){.parent = parent, .function = function, .site = site,
                                                  .child = ETX_NONE, .sibling = e->contexts[parent].child};
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

void etx_follow_calls(etx_engine *e, const etx_node *from, const etx_node *to) {
    if (from->flags & ETX_CALLS && to->pc != from->end) {
        etx_enter(e, to->function ? to->function : to->pc, from->end, from->end);
    } else if (from->flags & ETX_RETURNS) {
        etx_leave(e, to->pc);
    }
    const etx_context *context = &e->contexts[e->context];
    if (to->function && to->function != context->function && context->parent != ETX_NONE) {
        e->context = child_context(e, context->parent, to->function, context->site); /* a tail call */
        e->contexts[e->context].calls++;
    }
}

/* Follows the blocks that the emulator executes. */
#include "engine.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_MEMO 4096 /* cycle: no event is as long before its edge */
#define DEADLINE_MARGIN 4096 /* more than the stalls of one block */

enum { EQ, NE, CS, CC, MI, PL, VS, VC, HI, LS, GE, LT, GT, LE };

/* Whether a condition holds; those of odd number are the opposite of the one before. */
static int holds(int32_t condition, uint32_t flags) {
    uint32_t n = flags >> 31 & 1, z = flags >> 30 & 1, c = flags >> 29 & 1, v = flags >> 28 & 1, result = 0;
    switch (condition & ~1) {
    case EQ: result = z; break;
    case CS: result = c; break;
    case MI: result = n; break;
    case VS: result = v; break;
    case HI: result = c & !z; break;
    case GE: result = n == v; break;
    case GT: result = !z & (n == v); break;
    }
    return (result ^ (uint32_t)(condition & 1)) != 0;
}

static int applies(etx_engine *e, const etx_edge *edge) {
    if (!edge->outcome) return 1;
    uint32_t flags = 0;
    e->emulator.read_register(e->emulator.uc, e->emulator.flags_register, &flags);
    return edge->outcome == 1 + holds(edge->condition, flags);
}

/* The edge to a block, which moves to the front of its node's list; ETX_NONE if it was never taken. */
static int32_t find_edge(etx_engine *e, uint32_t pc, uint32_t size) {
    etx_node *node = &e->nodes[e->node];
    int32_t previous = ETX_NONE;
    for (int32_t i = node->first; i != ETX_NONE; previous = i, i = e->edges[i].next) {
        if (e->edges[i].pc != pc || e->edges[i].size != size || !applies(e, &e->edges[i])) continue;
        if (previous != ETX_NONE) {
            e->edges[previous].next = e->edges[i].next;
            e->edges[i].next = node->first;
            node->first = i;
        }
        return i;
    }
    return ETX_NONE;
}

static uint8_t *predictor(etx_engine *e, const etx_node *from) { return &e->predictors[(from->end >> 1) % ETX_PREDICTORS]; }

/* Two bits per branch, shared by branches whose addresses collide. */
static uint32_t predict(etx_engine *e, etx_edge *edge, const etx_node *from, const etx_node *to) {
    uint8_t *counter = predictor(e, from);
    int taken = to->pc != from->end;
    uint32_t wrong = from->flags & ETX_EARLY_FLAGS ? e->costs.mispredict_early_cycles : e->costs.mispredict_cycles;
    uint32_t stalled = taken == (*counter >= 2) ? 0 : wrong;
    edge->stalls[ETX_STALL_BRANCH] += stalled;
    if (taken && *counter < 3) ++*counter;
    if (!taken && *counter > 0) --*counter;
    return stalled;
}

static uint32_t all_groups(const etx_edge *edge) { return (uint32_t)((1ull << edge->group_count) - 1); }

static uint32_t bank_of(const etx_engine *e, const etx_edge *edge, int32_t group) {
    return e->memory.regions[e->groups[edge->group + group].region].bank;
}

/* Whether none of the accesses of an edge, all of which have groups, costs anything. */
static int all_free(etx_engine *e, const etx_edge *edge, uint32_t free) {
    if (free != all_groups(edge)) return 0;
    if (!e->costs.switch_cycles || !edge->group_count) return 1;
    uint32_t bank = bank_of(e, edge, edge->last_group);
    if (edge->chains) {
        if (bank != e->history.last_bank) return 0;
        for (int32_t i = 0; i < edge->group_count; i++)
            if (bank_of(e, edge, i) != bank) return 0;
    }
    e->history.last_bank = bank;
    return 1;
}

static void count_traffic(etx_engine *e, const etx_edge *edge, uint32_t counted) {
    etx_group *groups = &e->groups[edge->group];
    for (int32_t i = 0; i < edge->group_count; i++) groups[i].times += counted >> i & 1;
}

/* A free access behind one that it overlaps. */
static uint32_t switch_bank(etx_engine *e, etx_edge *edge, const etx_event *event) {
    uint32_t bank = bank_of(e, edge, event->group);
    uint32_t stalled = event->flags & ETX_CHAINED && bank != e->history.last_bank ? e->costs.switch_cycles : 0;
    edge->stalls[ETX_STALL_SWITCH] += stalled;
    e->history.last_bank = bank;
    return stalled;
}

/* Stalls of the events from `event` to `end`. */
static uint32_t run(etx_engine *e, etx_edge *edge, etx_event *event, const etx_event *end, const uint32_t *values,
                    uint32_t free) {
    uint32_t stalled = 0;
    for (; event < end; event++) {
        if (event->group >= 0 && free >> event->group & 1) {
            stalled += switch_bank(e, edge, event);
            continue;
        }
        int64_t time = (int64_t)(e->cycles + stalled) + event->offset;
        uint64_t start = time > 0 ? (uint64_t)time : 0;
        stalled += etx_stall(&e->costs, &e->memory, &e->history, event, values, start, edge->stalls);
    }
    return stalled;
}

/* What the events of an edge cost whose fetches are not settled. Sets `free` to the groups whose traffic is
 * not counted. */
static uint32_t run_all(etx_engine *e, etx_edge *edge, const uint32_t *values, uint32_t placed, uint32_t *free) {
    etx_event *event = e->events + edge->event;
    etx_edge_memos *memos = &e->memos[edge - e->edges];
    const etx_group *groups = e->groups + edge->group;
    etx_recording recording;
    int memorizes = !(e->costs.switch_cycles | e->costs.bank_bit | e->costs.store_entries) && e->cycles > FIRST_MEMO &&
                    placed == all_groups(edge) &&
                    etx_memos_apply(memos, &e->memory, groups, edge->group_count, values, *free);
    if (memorizes) {
        const etx_memo *memo = etx_recall(memos, &e->memory, e->generation, *free, e->cycles, edge->stalls, &recording);
        if (memo) {
            *free = placed;
            return etx_replay(memos, memo, &e->memory, e->cycles, edge->stalls);
        }
    }
    uint32_t stalled = run(e, edge, event, event + edge->event_count, values, *free);
    if (memorizes) etx_memorize(memos, &e->memory, e->cycles, edge->stalls, &recording);
    return stalled;
}

/* What the events of an edge cost, which starts now. Fetches are left out as long as no cache line has been replaced since
 * all of them were found in a cache. */
static uint32_t run_events(etx_engine *e, etx_edge *edge, const uint32_t *values, etx_placement placement,
                           uint32_t *uncounted) {
    uint64_t misses = e->memory.fetch_misses;
    uint32_t free = placement.free, stalled = 0;
    if (edge->settled == misses + 1) {
        etx_event *data = e->events + edge->data;
        if (edge->grouped && (free | placement.quiet) == all_groups(edge)) free = all_groups(edge);
        if (!edge->grouped || !all_free(e, edge, free))
            stalled = run(e, edge, data, data + edge->data_count, values, free);
    } else {
        stalled = run_all(e, edge, values, placement.placed, &free);
        edge->settled = e->memory.fetch_misses == misses ? misses + 1 : 0;
    }
    *uncounted = free;
    return stalled;
}

static void save(etx_engine *e, const etx_edge *edge, const etx_node *from) {
    e->saved.memory = e->memory;
    e->saved.history = e->history;
    e->saved.edge = *edge;
    e->saved.predictor = *predictor(e, from);
    for (int32_t i = 0; i < e->memory.cache_count; i++) {
        const etx_cache *cache = &e->memory.caches[i];
        memcpy(e->saved.lines[i], cache->lines, cache->set_count * cache->way_count * sizeof *cache->lines);
    }
}

static void restore(etx_engine *e, etx_edge *edge, const etx_node *from) {
    e->memory = e->saved.memory;
    e->history = e->saved.history;
    *edge = e->saved.edge;
    *predictor(e, from) = e->saved.predictor;
    for (int32_t i = 0; i < e->memory.cache_count; i++) {
        const etx_cache *cache = &e->memory.caches[i];
        memcpy(cache->lines, e->saved.lines[i], cache->set_count * cache->way_count * sizeof *cache->lines);
    }
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

/* Why not to go on to the block at `pc`. */
static int32_t reason_to_stop(etx_engine *e, uint32_t pc) {
    if (e->stop_requested) return ETX_REQUESTED;
    if (e->cycles >= e->deadline) return ETX_DEADLINE;
    if (e->instructions >= e->instruction_limit) return ETX_LIMIT;
    if (e->masks_watched && masks_changed(e)) return ETX_UNMASKED;
    if (e->watched_count && stops_at(e, pc)) return ETX_WATCHED;
    return ETX_RUNNING;
}

/* Count the cycles of an edge; why to stop instead, if its block has to be executed in parts. */
static int32_t spend(etx_engine *e, etx_edge *edge, const etx_node *from, const etx_node *to, uint32_t *cycles) {
    uint32_t values[ETX_MAX_STEPS];
    uint32_t uncounted = 0;
    etx_placement placement = {0, 0, 0};
    int near = !e->may_overrun && e->deadline - e->cycles < (uint64_t)edge->cycles + DEADLINE_MARGIN;
    *cycles = edge->cycles;
    if (edge->event_count) {
        etx_evaluate(e->steps + edge->step, edge->step_count, values, e->emulator.uc, e->emulator.read_register, &e->memory);
        placement = etx_place_groups(&e->memory, e->groups + edge->group, edge->group_count, values);
        if (placement.placed != all_groups(edge) || !edge->grouped) {
            const etx_event *device = etx_find_device(&e->memory, e->events + edge->data, edge->data_count, values,
                                                      placement.placed);
            if (device) {
                e->device = device->where;
                return ETX_DEVICE;
            }
        }
        if (e->costs.bank_bit | e->costs.store_entries) placement.free = placement.quiet = 0;
    }
    if (near) save(e, edge, from);
    if (from->flags & ETX_PREDICTS && e->costs.mispredict_cycles) *cycles += predict(e, edge, from, to);
    if (edge->event_count) {
        *cycles += run_events(e, edge, values, placement, &uncounted);
    }
    if (!near || e->cycles + *cycles <= e->deadline) {
        count_traffic(e, edge, uncounted);
        return ETX_RUNNING;
    }
    restore(e, edge, from);
    return ETX_DEADLINE;
}

static void enter_block(etx_engine *e, uint32_t pc, uint32_t size) {
    int32_t why = reason_to_stop(e, pc), index = ETX_NONE;
    uint32_t cycles;
    if (why == ETX_RUNNING) {
        index = find_edge(e, pc, size);
        if (index == ETX_NONE) index = e->resolve(e->node, pc, size);
        if (index == ETX_NONE) why = ETX_UNRESOLVED;
    }
    if (why != ETX_RUNNING) {
        stop(e, why);
        return;
    }
    etx_edge *edge = &e->edges[index];
    const etx_node *from = &e->nodes[e->node], *to = &e->nodes[edge->to];
    why = spend(e, edge, from, to, &cycles);
    if (why != ETX_RUNNING) {
        stop(e, why);
        return;
    }
    if (from->flags & ETX_MOVES_STACK) {
        uint32_t sp = UINT32_MAX;
        e->emulator.read_register(e->emulator.uc, e->emulator.stack_register, &sp);
        if (sp < e->lowest_stack) e->lowest_stack = sp;
    }
    if ((from->flags & (ETX_CALLS | ETX_RETURNS)) || to->function != from->function) etx_follow_calls(e, from, to);
    edge->count++;
    e->edge = index;
    e->node = edge->to;
    e->may_overrun = 0;
    e->instructions += to->instructions;
    e->contexts[e->context].instructions += to->instructions;
    etx_charge(e, cycles);
}

static void on_block(void *uc, uint64_t address, uint32_t size, void *data) {
    (void)uc;
    etx_engine *e = data;
    e->block_pc = (uint32_t)address;
    e->block_end = (uint32_t)address + size;
    enter_block(e, (uint32_t)address, size);
}

/* An instruction before which the emulator's block was cut. */
static void on_cut(void *uc, uint64_t address, uint32_t size, void *data) {
    (void)uc, (void)size;
    etx_engine *e = data;
    if (address != e->block_pc) enter_block(e, (uint32_t)address, e->block_end - (uint32_t)address);
}

int32_t etx_attach(etx_engine *e) {
    return e->emulator.add_hook(e->emulator.uc, &e->hook, e->emulator.block_hook, (void *)on_block, e, 1, 0);
}

int32_t etx_cut(etx_engine *e, uint32_t first, uint32_t last) {
    size_t hook;
    return e->emulator.add_hook(e->emulator.uc, &hook, e->emulator.code_hook, (void *)on_cut, e, first, last);
}

#include "timing.h"

static uint32_t bits(uint32_t value) { return value ? 32 - (uint32_t)__builtin_clz(value) : 0; }

static uint32_t magnitude(uint32_t value, int is_signed) {
    return is_signed && value >> 31 ? 0u - value : value;
}

uint32_t etx_divide_cycles(const etx_divider *divider, uint32_t a, uint32_t b, int is_signed) {
    uint32_t dividend = bits(magnitude(a, is_signed)), divisor = bits(magnitude(b, is_signed));
    if (!dividend || !divisor) return 0;
    if (dividend < divisor) return divider->small;
    uint32_t cycles = divider->base + (dividend - divisor) / divider->bits;
    return cycles < divider->most ? cycles : divider->most;
}

/* Transfers beyond the first that an access needs because of its alignment. */
static uint32_t extra_transfers(uint32_t address, uint32_t width) {
    if (width == 2) return address & 1;
    if (width == 4) return address & 1 ? 2 : (address & 2) >> 1;
    return 0;
}

/* A store waits when the buffer is full; otherwise it drains beside what follows. */
static uint32_t buffer_store(const etx_costs *costs, etx_history *history, uint32_t address, uint32_t width, uint64_t time) {
    if (!costs->store_entries) return 0;
    uint32_t service = extra_transfers(address, width) ? costs->store_unaligned_cycles
                       : width < 4                     ? costs->store_part_cycles
                                                       : costs->store_word_cycles;
    uint64_t start = history->store_free > time ? history->store_free : time;
    history->store_free = start + service;
    uint64_t room = (uint64_t)costs->store_entries * service, backlog = history->store_free - time;
    return backlog > room ? (uint32_t)(backlog - room) : 0;
}

/* Transfers one after the other, each of which may have to wait for its memory. */
static uint32_t transfer(etx_memory *memory, etx_region *region, const etx_event *event, uint32_t address, uint64_t time) {
    uint32_t stalled = 0;
    for (uint32_t i = 0; i < event->count; i++, address += event->width) {
        if (event->kind == ETX_STORE) etx_store(memory, region, address);
        else stalled += etx_load(memory, region, address, time + stalled);
    }
    return stalled;
}

static etx_region *region_of(etx_memory *memory, etx_event *event, uint32_t address) {
    etx_region *region = &memory->regions[event->region];
    if (address - region->base < region->end - region->base) return region;
    region = etx_find_region(memory, address);
    if (region) event->region = (int32_t)(region - memory->regions);
    return region;
}

/* What loads of one memory that needs no wait states cost. */
static int is_free(const etx_costs *costs, const etx_event *event, const etx_region *region, uint32_t address) {
    if (event->kind == ETX_STORE && costs->store_entries) return 0;
    return !(region->wait | region->penalty) && !(event->flags & ETX_PAIRED) && !(address & (event->width - 1));
}

static uint32_t access(const etx_costs *costs, etx_memory *memory, etx_history *history, etx_event *event,
                       uint32_t address, uint64_t time, uint64_t stalls[ETX_STALL_KINDS]) {
    etx_region *region = region_of(memory, event, address);
    uint32_t bank = region ? region->bank : 0, switched = 0, collided = 0, waited;
    if (event->flags & ETX_CHAINED && bank != history->last_bank) switched = costs->switch_cycles;
    if (event->flags & ETX_PAIRED && costs->bank_bit && !((address ^ history->last_address) & costs->bank_bit))
        collided = costs->conflict_cycles;
    history->last_bank = bank;
    history->last_address = address;
    stalls[ETX_STALL_SWITCH] += switched;
    if (!region) return switched;
    *(event->kind == ETX_LOAD ? &region->read_bytes : &region->written_bytes) += event->width * event->count;
    if (is_free(costs, event, region, address)) return switched;
    if (event->kind == ETX_STORE) waited = buffer_store(costs, history, address, event->width, time);
    else waited = costs->unaligned_cycles * extra_transfers(address, event->width);
    waited += transfer(memory, region, event, address, time);
    stalls[ETX_STALL_DATA] += waited;
    stalls[ETX_STALL_CONFLICT] += collided;
    return waited + switched + collided;
}

uint32_t etx_stall(const etx_costs *costs, etx_memory *memory, etx_history *history, etx_event *event,
                   const uint32_t *values, uint64_t time, uint64_t stalls[ETX_STALL_KINDS]) {
    if (event->kind == ETX_FETCH) {
        uint32_t late = etx_fetch(memory, (uint32_t)event->a, time), hidden = (uint32_t)event->b;
        uint32_t stalled = late > hidden ? late - hidden : 0;
        stalls[ETX_STALL_FETCH] += stalled;
        return stalled;
    }
    if (event->kind == ETX_DIVIDE) {
        uint32_t cycles = etx_divide_cycles(&costs->divider, values[event->a], values[event->b], event->width != 0);
        stalls[ETX_STALL_DIVIDE] += cycles;
        return cycles;
    }
    uint32_t base = event->a < 0 ? 0 : values[event->a];
    return access(costs, memory, history, event, base + (uint32_t)event->b, time, stalls);
}

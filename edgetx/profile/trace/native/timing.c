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

static uint32_t counted_transfers(const etx_costs *costs, uint32_t address, uint32_t width) {
    uint32_t extra = extra_transfers(address, width);
    return extra < costs->unaligned_transfers ? extra : costs->unaligned_transfers;
}

static uint64_t later(uint64_t a, uint64_t b) { return a > b ? a : b; }

/* A store waits for an entry of the buffer, which are released in order. Each of the two banks writes one entry at a
 * time; a word that is not aligned needs both. */
static uint32_t buffer_store(const etx_costs *costs, etx_history *history, uint32_t address, uint32_t width, uint64_t time) {
    if (!costs->store_entries) return 0;
    int straddles = extra_transfers(address, width) != 0;
    uint32_t service = straddles ? costs->store_unaligned_cycles
                       : width < 4 ? costs->store_part_cycles
                                   : costs->store_word_cycles;
    uint32_t bank = (address & costs->bank_bit) != 0, entries = costs->store_entries;
    uint64_t *entry = &history->released[history->stores % entries];
    uint64_t before = history->released[(history->stores + entries - 1) % entries];
    uint64_t entered = later(time, *entry), start = later(entered, history->bank_free[bank]);
    if (straddles) start = later(start, history->bank_free[!bank]);
    history->bank_free[bank] = start + service;
    if (straddles) history->bank_free[!bank] = start + service;
    *entry = later(start + service, before);
    history->stores++;
    return (uint32_t)(entered - time);
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

etx_region *etx_region_of(etx_memory *memory, etx_event *event, uint32_t address) {
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
    etx_region *region = etx_region_of(memory, event, address);
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
    else waited = costs->unaligned_cycles * counted_transfers(costs, address, event->width);
    waited += transfer(memory, region, event, address, time);
    stalls[ETX_STALL_DATA] += waited;
    stalls[ETX_STALL_CONFLICT] += collided;
    return waited + switched + collided;
}

uint32_t etx_stall(const etx_costs *costs, etx_memory *memory, etx_history *history, etx_event *event,
                   const uint32_t *values, uint64_t time, uint64_t stalls[ETX_STALL_KINDS]) {
    if (event->kind == ETX_FETCH) {
        etx_region *region = etx_region_of(memory, event, (uint32_t)event->a);
        uint32_t late = region ? etx_fetch(memory, region, (uint32_t)event->a, time) : 0, hidden = (uint32_t)event->b;
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

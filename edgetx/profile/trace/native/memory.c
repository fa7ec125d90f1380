#include "memory.h"

#include <stddef.h>

#define NO_LINE UINT32_MAX

etx_region *etx_find_region(etx_memory *memory, uint32_t address) {
    for (int32_t i = 0; i < memory->region_count; i++) {
        etx_region *region = &memory->regions[i];
        if (address - region->base < region->end - region->base) return region;
    }
    return NULL;
}

static uint32_t next_random(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state >> 8;
}

/* Look for a line behind the first of its set, and put it there. */
static int look_further(etx_cache *cache, uint32_t *set, uint32_t line) {
    uint32_t way = 1;
    while (way < cache->way_count && set[way] != line) way++;
    int hit = way < cache->way_count;
    if (!hit) {
        way = cache->way_count - 1;
        if (cache->random && set[way] != NO_LINE) way = next_random(&cache->random) % cache->way_count;
        cache->misses++;
    }
    for (; way; way--) set[way] = set[way - 1];
    set[0] = line;
    return hit;
}

/* Whether the cache holds the line of an address; if not, it does afterwards. */
static int look_up(etx_cache *cache, uint32_t address) {
    uint32_t line = address >> cache->line_shift;
    uint32_t *set = cache->lines + (line & (cache->set_count - 1)) * cache->way_count;
    return set[0] == line || look_further(cache, set, line);
}

const etx_cache *etx_enabled_cache(const etx_memory *memory, int32_t index) {
    return index < 0 || !memory->caches[index].enabled ? NULL : &memory->caches[index];
}

static etx_cache *enabled_cache(etx_memory *memory, int32_t index) {
    return index < 0 || !memory->caches[index].enabled ? NULL : &memory->caches[index];
}

/* The array is busy with one read at a time; reading ahead starts when a line has arrived. */
static uint32_t read_array(etx_region *region, uint32_t address, uint64_t time) {
    uint32_t line = address >> region->line_shift;
    if (line == region->fetch_line) return 0;
    uint64_t ready = region->next_ready;
    if (line != region->next_line) ready = (time > region->busy ? time : region->busy) + region->wait;
    if (ready < time) ready = time;
    region->fetch_line = line;
    if (region->prefetch) {
        region->next_line = line + 1;
        region->next_ready = region->busy = ready + region->wait + 1;
    } else {
        region->next_line = NO_LINE;
        region->busy = ready;
    }
    return (uint32_t)(ready - time);
}

uint32_t etx_fetch(etx_memory *memory, etx_region *region, uint32_t address, uint64_t time) {
    if (!(region->wait | region->penalty)) return 0;
    etx_cache *cache = enabled_cache(memory, region->fetch_cache);
    if (cache && look_up(cache, address)) return 0;
    memory->fetch_misses++;
    return region->penalty + read_array(region, address, time + region->penalty);
}

uint32_t etx_load(etx_memory *memory, etx_region *region, uint32_t address, uint64_t time) {
    if (!(region->wait | region->penalty)) return 0;
    etx_cache *cache = enabled_cache(memory, region->data_cache);
    if (cache && look_up(cache, address)) return 0;
    uint32_t line = address >> region->line_shift;
    if (region->buffers_data && line == region->data_line) return 0;
    region->data_line = line;
    uint64_t start = time + region->penalty;
    if (start < region->busy) start = region->busy;
    region->busy = start + region->wait;
    return (uint32_t)(region->busy - time);
}

void etx_store(etx_memory *memory, etx_region *region, uint32_t address) {
    if (!(region->wait | region->penalty)) return;
    etx_cache *cache = enabled_cache(memory, region->data_cache);
    if (cache) look_up(cache, address);
}

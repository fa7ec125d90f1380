/* Memories with wait states, and the caches in front of them. */
#ifndef ETX_MEMORY_H
#define ETX_MEMORY_H

#include <stdint.h>

#pragma GCC visibility push(hidden)

#define ETX_MAX_REGIONS 24
#define ETX_MAX_CACHES 4

/* A cache; each set keeps its lines in order of use. The number of sets is a power of two. A full set gives up a line
 * chosen by `random`, the state of a generator, or the one used least recently if that is 0. */
typedef struct {
    uint32_t line_shift, set_count, way_count, enabled, random;
    uint32_t *lines;
    uint64_t misses;
} etx_cache;

/* Memory at consecutive addresses. `wait` is what one read of the array takes beyond the cycle of a hit, `penalty` what
 * the bus to it takes. `bank` tells memories apart that a core cannot overlap accesses to. */
typedef struct {
    uint32_t base, end, bank, line_shift, wait, prefetch, penalty;
    int32_t fetch_cache, data_cache; /* -1: none */
    uint8_t *host;
    uint32_t fetch_line, data_line, next_line, buffers_data;
    uint64_t next_ready, busy, read_bytes, written_bytes;
} etx_region;

typedef struct {
    etx_region regions[ETX_MAX_REGIONS];
    etx_cache caches[ETX_MAX_CACHES];
    int32_t region_count, cache_count;
    uint64_t fetch_misses; /* fetches that no cache held */
} etx_memory;

etx_region *etx_find_region(etx_memory *memory, uint32_t address);
const etx_cache *etx_enabled_cache(const etx_memory *memory, int32_t index); /* NULL if there is none, or it is off */
/* Cycles that an access stalls which starts at a time. */
uint32_t etx_fetch(etx_memory *memory, etx_region *region, uint32_t address, uint64_t time);
uint32_t etx_load(etx_memory *memory, etx_region *region, uint32_t address, uint64_t time);
void etx_store(etx_memory *memory, etx_region *region, uint32_t address);

#pragma GCC visibility pop

#endif

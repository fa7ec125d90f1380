#include "memo.h"

#include <string.h>

void etx_start_memos(etx_edge_memos *memos, etx_memory *memory, etx_event *events, int32_t count) {
    *memos = (etx_edge_memos){.region = -1};
    int32_t common = -1;
    for (int32_t i = 0; i < count; i++) {
        if (events[i].offset < memos->earliest) memos->earliest = events[i].offset;
        if (events[i].kind != ETX_FETCH) continue;
        etx_region *region = etx_region_of(memory, &events[i], (uint32_t)events[i].a);
        if (!region || (common >= 0 && region != &memory->regions[common])) return;
        common = (int32_t)(region - memory->regions);
    }
    memos->region = common;
}

int etx_memos_apply(const etx_edge_memos *memos, const etx_memory *memory, const etx_group *groups, int32_t count,
                    const uint32_t *values, uint32_t free) {
    if (memos->region < 0) return 0;
    const etx_region *region = &memory->regions[memos->region];
    const etx_cache *cache = etx_enabled_cache(memory, region->fetch_cache);
    if (cache && (cache->random || cache->set_count * cache->way_count > ETX_MEMO_LINES)) return 0;
    uint32_t all = (uint32_t)((1ull << count) - 1);
    if (free == all) return 1;
    if (region->buffers_data || etx_enabled_cache(memory, region->data_cache)) return 0;
    for (int32_t i = 0; i < count; i++) {
        if (free >> i & 1) continue;
        const etx_group *group = &groups[i];
        if (group->region != memos->region || group->align == UINT32_MAX) return 0;
        if (group->a >= 0 && values[group->a] & group->align) return 0;
    }
    return 1;
}

static uint32_t relative(uint64_t time, uint64_t start) { return time < start ? 0 : (uint32_t)(time - start) + 1; }

static void capture(etx_flash_state *state, const etx_memory *memory, int32_t index, uint64_t start) {
    const etx_region *region = &memory->regions[index];
    const etx_cache *cache = etx_enabled_cache(memory, region->fetch_cache);
    *state = (etx_flash_state){region->fetch_line, region->next_line, relative(region->next_ready, start),
                               relative(region->busy, start), {0}};
    if (cache) memcpy(state->lines, cache->lines, cache->set_count * cache->way_count * sizeof *cache->lines);
}

const etx_memo *etx_recall(const etx_edge_memos *memos, const etx_memory *memory, uint32_t generation, uint32_t free,
                           uint64_t now, const uint64_t *stalls, etx_recording *recording) {
    const etx_region *region = &memory->regions[memos->region];
    etx_memo *memo = &recording->memo;
    capture(&memo->before, memory, memos->region, now + (uint64_t)(int64_t)memos->earliest);
    for (int i = 0; i < ETX_MEMO_WAYS; i++) {
        const etx_memo *known = &memos->memos[i];
        if (known->generation == generation && known->free == free &&
            !memcmp(&known->before, &memo->before, sizeof known->before))
            return known;
    }
    memo->generation = generation;
    memo->free = free;
    recording->ready = region->next_ready;
    recording->busy = region->busy;
    recording->misses = memory->fetch_misses;
    recording->fetch_stall = stalls[ETX_STALL_FETCH];
    recording->data_stall = stalls[ETX_STALL_DATA];
    return NULL;
}

uint32_t etx_replay(const etx_edge_memos *memos, const etx_memo *memo, etx_memory *memory, uint64_t now, uint64_t *stalls) {
    etx_region *region = &memory->regions[memos->region];
    uint64_t before_start = now + (uint64_t)(int64_t)memos->earliest - 1;
    region->fetch_line = memo->after.fetch_line;
    region->next_line = memo->after.next_line;
    if (memo->moves_ready) region->next_ready = before_start + memo->after.next_ready;
    if (memo->moves_busy) region->busy = before_start + memo->after.busy;
    if (etx_enabled_cache(memory, region->fetch_cache)) {
        etx_cache *cache = &memory->caches[region->fetch_cache];
        cache->misses += memo->misses;
        memcpy(cache->lines, memo->after.lines, cache->set_count * cache->way_count * sizeof *cache->lines);
    }
    memory->fetch_misses += memo->misses;
    stalls[ETX_STALL_FETCH] += memo->fetch_stall;
    stalls[ETX_STALL_DATA] += memo->data_stall;
    return memo->fetch_stall + memo->data_stall;
}

void etx_memorize(etx_edge_memos *memos, const etx_memory *memory, uint64_t now, const uint64_t *stalls,
                  etx_recording *recording) {
    const etx_region *region = &memory->regions[memos->region];
    etx_memo *memo = &recording->memo;
    capture(&memo->after, memory, memos->region, now + (uint64_t)(int64_t)memos->earliest);
    memo->moves_ready = region->next_ready != recording->ready;
    memo->moves_busy = region->busy != recording->busy;
    memo->misses = (uint32_t)(memory->fetch_misses - recording->misses);
    memo->fetch_stall = (uint32_t)(stalls[ETX_STALL_FETCH] - recording->fetch_stall);
    memo->data_stall = (uint32_t)(stalls[ETX_STALL_DATA] - recording->data_stall);
    memos->memos[memos->next++ % ETX_MEMO_WAYS] = *memo;
}

#include "accesses.h"

#include <stddef.h>

#define FIRST_DEVICE 0x40000000u /* in the memory map that Arm prescribes */

static int is_access(const etx_event *event) { return event->kind == ETX_LOAD || event->kind == ETX_STORE; }

static void join(etx_group *group, const etx_event *event) {
    uint32_t bytes = event->width * event->count, align = event->width > 4 ? 3 : event->width - 1;
    int32_t below = (int32_t)((uint32_t)event->b - group->low);
    if (below < 0) {
        group->low += (uint32_t)below;
        group->size += (uint32_t)-below;
        below = 0;
    }
    if (group->size < (uint32_t)below + bytes) group->size = (uint32_t)below + bytes;
    if ((uint32_t)event->b & align) group->align = UINT32_MAX; /* not aligned if the value is */
    else group->align |= align;
    *(event->kind == ETX_LOAD ? &group->read : &group->written) += bytes;
}

int32_t etx_group_events(etx_event *events, int32_t event_count, etx_group groups[ETX_MAX_GROUPS]) {
    int32_t count = 0;
    for (etx_event *event = events; event < events + event_count; event++) {
        event->group = -1;
        if (!is_access(event)) continue;
        int32_t i = 0;
        while (i < count && groups[i].a != event->a) i++;
        if (i == ETX_MAX_GROUPS) continue;
        if (i == count) groups[count++] = (etx_group){.a = event->a, .low = (uint32_t)event->b};
        join(&groups[i], event);
        event->group = i;
    }
    return count;
}

static int holds(const etx_region *region, uint32_t address, uint32_t size) {
    uint32_t offset = address - region->base, span = region->end - region->base;
    return offset < span && span - offset >= size;
}

/* Whether loads find their line where the last access to its set left it. */
static int is_quiet(const etx_memory *memory, const etx_region *region, const etx_group *group, uint32_t address) {
    const etx_cache *cache = etx_enabled_cache(memory, region->data_cache);
    uint32_t line_shift = cache ? cache->line_shift : region->line_shift, line = address >> line_shift;
    if (group->written || line != (address + group->size - 1) >> line_shift) return 0;
    if (cache) return cache->lines[(line & (cache->set_count - 1)) * cache->way_count] == line;
    return region->buffers_data && line == region->data_line;
}

void etx_settle_traffic(etx_memory *memory, etx_group *group) {
    memory->regions[group->region].read_bytes += group->read * group->times;
    memory->regions[group->region].written_bytes += group->written * group->times;
    group->times = 0;
}

etx_placement etx_place_groups(etx_memory *memory, etx_group *groups, int32_t count, const uint32_t *values) {
    etx_placement placement = {0, 0, 0};
    for (int32_t i = 0; i < count; i++) {
        etx_group *group = &groups[i];
        uint32_t value = group->a < 0 ? 0 : values[group->a], address = value + group->low;
        const etx_region *region = &memory->regions[group->region];
        if (!holds(region, address, group->size)) {
            region = etx_find_region(memory, address);
            if (!region || !holds(region, address, group->size)) continue;
            etx_settle_traffic(memory, group);
            group->region = (int32_t)(region - memory->regions);
        }
        placement.placed |= 1u << i;
        if (value & group->align || group->align == UINT32_MAX) continue;
        if (!(region->wait | region->penalty)) placement.free |= 1u << i;
        else if (is_quiet(memory, region, group, address)) placement.quiet |= 1u << i;
    }
    return placement;
}

etx_event *etx_find_device(etx_memory *memory, etx_event *events, int32_t count, const uint32_t *values, uint32_t placed) {
    for (etx_event *event = events; event < events + count; event++) {
        if (!is_access(event) || event->flags & ETX_APART) continue;
        if (event->group >= 0 && placed >> event->group & 1) continue;
        uint32_t address = (event->a < 0 ? 0 : values[event->a]) + (uint32_t)event->b;
        if (address >= FIRST_DEVICE && !etx_region_of(memory, event, address)) return event;
    }
    return NULL;
}

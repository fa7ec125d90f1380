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

void etx_place_groups(etx_memory *memory, etx_group *groups, int32_t count, const uint32_t *values, uint32_t *placed,
                      uint32_t *free) {
    *placed = *free = 0;
    for (int32_t i = 0; i < count; i++) {
        etx_group *group = &groups[i];
        uint32_t value = group->a < 0 ? 0 : values[group->a], address = value + group->low;
        const etx_region *region = &memory->regions[group->region];
        if (!holds(region, address, group->size)) {
            region = etx_find_region(memory, address);
            if (!region || !holds(region, address, group->size)) continue;
            group->region = (int32_t)(region - memory->regions);
        }
        *placed |= 1u << i;
        if (!(region->wait | region->penalty | (value & group->align)) && group->align != UINT32_MAX) *free |= 1u << i;
    }
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

/* The accesses of a block seen together, so that most need not be looked at one by one. */
#ifndef ETX_ACCESSES_H
#define ETX_ACCESSES_H

#include "timing.h"

#pragma GCC visibility push(hidden)

#define ETX_MAX_GROUPS 32

/* Put the loads and stores among events into groups; returns how many there are. Events beyond the last group that fits
 * have none. */
int32_t etx_group_events(etx_event *events, int32_t event_count, etx_group groups[ETX_MAX_GROUPS]);

/* Sets of the groups of an edge. `placed`: each lies in one memory. `free`: its accesses cost nothing there. `quiet`: they
 * cost nothing, and leave all as it is, unless an access of another group comes in between. */
typedef struct {
    uint32_t placed, free, quiet;
} etx_placement;

/* Add to the traffic of a group's memory what has not been counted yet. */
void etx_settle_traffic(etx_memory *memory, etx_group *group);

/* Find the memory of each group, now that the values are known. */
etx_placement etx_place_groups(etx_memory *memory, etx_group *groups, int32_t count, const uint32_t *values);

/* The first event, of no placed group, whose address is in no memory: a peripheral's. Events known to be apart from the
 * rest of their block are passed over. */
etx_event *etx_find_device(etx_memory *memory, etx_event *events, int32_t count, const uint32_t *values, uint32_t placed);

#pragma GCC visibility pop

#endif

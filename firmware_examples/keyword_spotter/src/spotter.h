/* Front end, model, decision. A model that was compiled with --stream runs hop by hop and keeps its state; any other one
 * runs from its reset on a sliding window of feature rows, and its scores are smoothed. */
#ifndef SPOTTER_H
#define SPOTTER_H

#include <stdint.h>

#include "frontend.h"
#include "spotter_settings.h"

enum { SPOTTER_NOTHING = -1 };

void spotter_reset(void);

/* Takes one hop of samples; the class that is detected with it, or SPOTTER_NOTHING. */
int32_t spotter_push(const int16_t samples[SPOTTER_HOP]);

#endif

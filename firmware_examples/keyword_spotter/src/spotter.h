/* Front end, model on a sliding window of feature rows, smoothing. */
#ifndef SPOTTER_H
#define SPOTTER_H

#include <stdint.h>

#include "frontend.h"
#include "spotter_settings.h"

void spotter_reset(void);

/* Takes one hop of samples; the class that is detected with it, or ETX_DETECTOR_NOTHING. */
int32_t spotter_push(const int16_t samples[EDGETX_FRONTEND_HOP]);

#endif

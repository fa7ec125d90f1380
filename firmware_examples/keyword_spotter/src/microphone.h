/* A microphone as the application sees it: 16-bit samples at the rate of the front end.
 *
 * Link one of: microphone_simulated.c (edgetx's simulator), microphone_i2s.c or microphone_pdm.c (skeletons to fill in for
 * your board).
 */
#ifndef MICROPHONE_H
#define MICROPHONE_H

#include <stddef.h>
#include <stdint.h>

/* Called from the interrupt or DMA handler with samples as they arrive. */
typedef void (*microphone_sink)(const int16_t *samples, size_t count);

/* Starts sampling. Returns 0 if the hardware does not answer. */
int microphone_start(uint32_t sample_rate_hz, microphone_sink sink);

/* Waits, asleep if the hardware allows, until samples may have arrived. Returns 0 when none will come any more. */
int microphone_wait(void);

#endif

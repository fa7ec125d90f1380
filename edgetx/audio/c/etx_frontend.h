/* Fixed-point log-mel and MFCC features, a row per hop: the counterpart of edgetx/audio/frontend.py.
 *
 * A header, so that the compiler sees the parameters as constants. Up to the mel energies no product needs more than
 * 32 bits, because the smallest cores have no longer ones.
 */
#ifndef ETX_FRONTEND_H
#define ETX_FRONTEND_H

#include <stdint.h>
#include <string.h>

#include "etx_fixedpoint.h"
#include "etx_fixedpoint_math.h"

/* Stages inlined into one function would fight for its registers. */
#define ETX_STAGE __attribute__((noinline))

typedef struct {
  int32_t hop;            /* new samples per row */
  int32_t history;        /* samples kept from row to row: those of the window that are older than the hop */
  int32_t size;           /* points of the transform: a power of two in 32..1024 */
  int32_t power_shift;    /* log2(size) - 4 */
  int32_t is_magnitude;   /* take the root of the power */
  int32_t mels;
  int32_t coefficients;   /* of the cosine transform, 0 for log mel */
  int32_t level;          /* Q9, taken from every log mel before the cosine transform */
  int32_t mantissa;       /* a result is (feature * mantissa + offset) >> shift, saturated */
  int32_t shift;
  int64_t offset;
  const int16_t *window;  /* up to the middle; this and the next two in Q15, negated so that 1.0 fits */
  const int16_t *sine;    /* sin(2 pi k / size) for three quarters of the circle */
  const int16_t *log2;    /* log2(1 + i / 32) for i up to 32 */
  const int16_t *cosines; /* Q15, coefficients x mels */
  const int16_t *edges;   /* first bin of each slope between mel frequencies, and the end of the last */
  const uint8_t *slope;   /* Q8, how far up its slope each bin lies, from bin edges[0] */
} etx_frontend_params;

typedef struct {
  int32_t re;
  int32_t im;
} complex_t;

/* z * exp(-i * angle), to nearest; z is cut at 14 bits so that every product fits into 32. */
static inline complex_t turned(complex_t z, int32_t minus_cos, int32_t minus_sin) {
  const int32_t re_high = z.re >> 14;
  const int32_t im_high = z.im >> 14;
  const int32_t re_low = z.re & 0x3FFF;
  const int32_t im_low = z.im & 0x3FFF;
  const int32_t re_rest = (0x4000 - re_low * minus_cos - im_low * minus_sin) >> 14;
  const int32_t im_rest = (0x4000 - im_low * minus_cos + re_low * minus_sin) >> 14;
  return (complex_t){
      (re_rest - re_high * minus_cos - im_high * minus_sin) >> 1,
      (im_rest - im_high * minus_cos + re_high * minus_sin) >> 1,
  };
}

/* (a, b) becomes (a + turned_b, a - turned_b). */
static inline void butterfly(complex_t *a, complex_t *b, complex_t turned_b) {
  const complex_t before = *a;
  *a = (complex_t){before.re + turned_b.re, before.im + turned_b.im};
  *b = (complex_t){before.re - turned_b.re, before.im - turned_b.im};
}

/* Window samples `begin` to `end` of a frame; even ones become real, odd ones imaginary parts. */
static ETX_STAGE void load(const etx_frontend_params *p, const int16_t *samples, int32_t begin, int32_t end,
                           int32_t *work) {
  const int32_t length = p->history + p->hop;
  for (int32_t n = begin; n < end; ++n) {
    const int32_t minus_weight = p->window[2 * n <= length ? n : length - n];
    work[n] = (512 - *samples++ * minus_weight) >> 10;
  }
}

static ETX_STAGE void reverse_bits_of_places(complex_t *z, int32_t points) {
  int32_t place = 0;
  for (int32_t i = 0; i < points; ++i) {
    if (place > i) {
      const complex_t kept = z[i];
      z[i] = z[place];
      z[place] = kept;
    }
    int32_t bit = points / 2;
    for (; place & bit; bit >>= 1) {
      place ^= bit;
    }
    place |= bit;
  }
}

/* Transform in place by decimation in time; angles of 0 and a quarter need no products. */
static ETX_STAGE void transform(const int16_t *minus_sin, complex_t *z, int32_t points) {
  const int16_t *const minus_cos = minus_sin + points / 2;
  reverse_bits_of_places(z, points);
  for (int32_t span = 1; span < points; span *= 2) {
    for (int32_t i = 0; i < points; i += 2 * span) {
      butterfly(&z[i], &z[i + span], z[i + span]);
    }
    for (int32_t i = span / 2; span > 1 && i < points; i += 2 * span) {
      const complex_t b = z[i + span];
      butterfly(&z[i], &z[i + span], (complex_t){b.im, -b.re});
    }
    for (int32_t k = 1; k < span; ++k) {
      const int32_t angle = k * (points / span);
      for (int32_t i = 2 * k == span ? points : k; i < points; i += 2 * span) {
        butterfly(&z[i], &z[i + span], turned(z[i + span], minus_cos[angle], minus_sin[angle]));
      }
    }
  }
}

/* Bin `k` of the real transform, in 1..size / 2 - 1. */
static inline complex_t spectrum(const etx_frontend_params *p, const complex_t *z, int32_t k) {
  const complex_t a = z[k];
  const complex_t b = z[p->size / 2 - k];
  const complex_t difference = {a.im + b.im, b.re - a.re};
  const complex_t odd = turned(difference, p->sine[p->size / 4 + k], p->sine[k]);
  return (complex_t){
      etx_shift_half_up(a.re + b.re + odd.re, 6),
      etx_shift_half_up(a.im - b.im + odd.im, 6),
  };
}

/* floor(sqrt(x)) of x below 2^48, a bit per step. */
static inline uint32_t root(uint64_t x) {
  const uint32_t halves[2] = {(uint32_t)(x >> 24), (uint32_t)x & 0xFFFFFF};
  uint32_t result = 0;
  uint32_t rest = 0;
  for (int32_t i = 0; i < 2; ++i) {
    for (int32_t shift = 22; shift >= 0; shift -= 2) {
      const uint32_t trial = (result << 2) | 1;
      rest = (rest << 2) | ((halves[i] >> shift) & 3);
      result <<= 1;
      if (rest >= trial) {
        rest -= trial;
        result |= 1;
      }
    }
  }
  return result;
}

/* Of parts below 2^25, again in products of 32 bits. */
static inline uint64_t square_sum(complex_t z) {
  const int32_t re_high = z.re >> 12;
  const int32_t im_high = z.im >> 12;
  const int32_t re_low = z.re & 0xFFF;
  const int32_t im_low = z.im & 0xFFF;
  const int64_t high = re_high * re_high + im_high * im_high;
  const int64_t middle = re_high * re_low + im_high * im_low;
  return (uint64_t)(high * (1 << 24) + middle * (1 << 13) + re_low * re_low + im_low * im_low);
}

/* Power or magnitude of a bin, with 4 fractional bits. */
static ETX_STAGE uint64_t energy_of(const etx_frontend_params *p, const complex_t *z, int32_t k) {
  const uint64_t power = (square_sum(spectrum(p, z, k)) + (1u << (p->power_shift - 1))) >> p->power_shift;
  return p->is_magnitude ? root(power << 4) : power;
}

/* energy * slope without a long multiplication; energy is below 2^44. */
static inline uint64_t weighted(uint64_t energy, uint32_t slope) {
  return ((uint64_t)((uint32_t)(energy >> 20) * slope) << 20) + ((uint32_t)energy & 0xFFFFF) * slope;
}

/* log2(energy + 1) in Q9 of an energy with 12 fractional bits. */
static ETX_STAGE int32_t log2_q9(const int16_t *minus_log2, uint64_t energy) {
  const uint64_t value = energy + (1 << 12);
  const uint32_t high = (uint32_t)(value >> 24);
  const int32_t exponent = high != 0 ? 55 - etx_leading_zeros(high) : 31 - etx_leading_zeros((uint32_t)value);
  const uint32_t mantissa = (uint32_t)(exponent > 15 ? value >> (exponent - 15) : value << (15 - exponent));
  const int32_t segment = (int32_t)(mantissa >> 10) - 32;
  const int32_t place = (int32_t)(mantissa & 1023);
  const int32_t low = -minus_log2[segment];
  const int32_t fraction = low + etx_shift_half_up((-minus_log2[segment + 1] - low) * place, 10);
  return (exponent - 12) * 512 + etx_shift_half_up(fraction, 6);
}

/* Every bin lies on a slope that rises to one mel frequency and falls from the one before. */
static ETX_STAGE void log_mel(const etx_frontend_params *p, const complex_t *z, int32_t *mels) {
  const uint8_t *slope = p->slope;
  uint64_t rising = 0;
  for (int32_t m = 0; m <= p->mels; ++m) {
    uint64_t all = 0;
    uint64_t up = 0;
    for (int32_t bin = p->edges[m]; bin < p->edges[m + 1]; ++bin) {
      const uint64_t energy = energy_of(p, z, bin);
      all += energy;
      up += weighted(energy, *slope++);
    }
    if (m > 0) {
      mels[m - 1] = log2_q9(p->log2, rising + (all << 8) - up);
    }
    rising = up;
  }
}

static ETX_STAGE int32_t coefficient(const etx_frontend_params *p, const int32_t *mels, const int16_t *cosines) {
  int64_t sum = 0;
  for (int32_t m = 0; m < p->mels; ++m) {
    sum += (mels[m] - p->level) * cosines[m];
  }
  return (int32_t)etx_shift_half_up_s64(sum, 15);
}

static inline int8_t quantized(const etx_frontend_params *p, int32_t feature) {
  const int64_t value = ((int64_t)feature * p->mantissa + p->offset) >> p->shift;
  return (int8_t)(value < INT8_MIN ? INT8_MIN : value > INT8_MAX ? INT8_MAX : value);
}

/* One row of features; `history` is brought up to date. `work` holds size + mels values. */
static inline void etx_frontend_s8(const etx_frontend_params *p, int16_t *history, int32_t *work,
                                   const int16_t *samples, int8_t *row) {
  complex_t *const z = (complex_t *)(void *)work;
  int32_t *const mels = work + p->size;
  const int32_t length = p->history + p->hop;
  load(p, history, 0, p->history, work);
  load(p, samples, p->history, length, work);
  memset(work + length, 0, (size_t)(p->size - length) * sizeof *work);
  transform(p->sine, z, p->size / 2);
  log_mel(p, z, mels);
  const int32_t features = p->coefficients > 0 ? p->coefficients : p->mels;
  for (int32_t i = 0; i < features; ++i) {
    row[i] = quantized(p, p->coefficients > 0 ? coefficient(p, mels, p->cosines + i * p->mels) : mels[i]);
  }
  for (int32_t i = 0; i < p->history; ++i) {
    const int32_t next = i + p->hop - p->history;
    history[i] = next < 0 ? history[i + p->hop] : samples[next];
  }
}

#endif

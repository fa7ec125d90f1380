/* Instructions of the DSP extension (Cortex-M4, M7, M33), and their meaning in C for every other machine.
 *
 * A word holds two int16 lanes or four int8 ones, the first in the lowest bits.
 */
#ifndef ETX_DSP_H
#define ETX_DSP_H

#include <stdint.h>

static inline int32_t etx_load_s8x4(const int8_t *from) {
  int32_t word;
  __builtin_memcpy(&word, from, sizeof word);
  return word;
}

static inline void etx_store_s8x4(int8_t *to, int32_t word) { __builtin_memcpy(to, &word, sizeof word); }

/* `count` bytes in a word, 1..4, with zeros above them. */
static inline int32_t etx_load_bytes(const int8_t *from, int32_t count) {
  if (count >= 4) {
    return etx_load_s8x4(from);
  }
  uint32_t word = 0;
  for (int32_t i = 0; i < count; ++i) {
    word |= ((uint32_t)from[i] & 0xFFu) << (8 * i);
  }
  return (int32_t)word;
}

/* The first `count` bytes of a word, 1..4. */
static inline void etx_store_bytes(int8_t *to, int32_t word, int32_t count) {
  if (count >= 4) {
    etx_store_s8x4(to, word);
    return;
  }
  for (int32_t i = 0; i < count; ++i) {
    to[i] = (int8_t)((uint32_t)word >> (8 * i));
  }
}

#if defined(__ARM_FEATURE_DSP)

#define ETX_DSP_BINARY(name, instruction)                  \
  static inline int32_t name(int32_t a, int32_t b) {       \
    int32_t result;                                        \
    __asm__(instruction : "=&r"(result) : "r"(a), "r"(b)); \
    return result;                                         \
  }

#define ETX_DSP_ACCUMULATE(name, instruction)                       \
  static inline int32_t name(int32_t a, int32_t b, int32_t acc) {   \
    int32_t result;                                                 \
    __asm__(instruction : "=r"(result) : "r"(a), "r"(b), "r"(acc)); \
    return result;                                                  \
  }

#define ETX_DSP_UNARY(name, instruction)          \
  static inline int32_t name(int32_t a) {         \
    int32_t result;                               \
    __asm__(instruction : "=r"(result) : "r"(a)); \
    return result;                                \
  }

ETX_DSP_UNARY(etx_extend_even, "sxtb16 %0, %1")
ETX_DSP_UNARY(etx_extend_odd, "sxtb16 %0, %1, ror #8")
ETX_DSP_UNARY(etx_low_bytes, "uxtb16 %0, %1")
ETX_DSP_UNARY(etx_saturate_s8, "ssat %0, #8, %1")
ETX_DSP_BINARY(etx_extend_even_onto, "sxtab16 %0, %1, %2")
ETX_DSP_BINARY(etx_extend_odd_onto, "sxtab16 %0, %1, %2, ror #8")
ETX_DSP_BINARY(etx_pack_low, "pkhbt %0, %1, %2, lsl #16")
ETX_DSP_BINARY(etx_pack_high, "pkhtb %0, %2, %1, asr #16")
ETX_DSP_BINARY(etx_max_s8x4, "ssub8 %0, %1, %2\n\tsel %0, %1, %2")
ETX_DSP_BINARY(etx_min_s8x4, "ssub8 %0, %2, %1\n\tsel %0, %1, %2")
ETX_DSP_BINARY(etx_subtract_u8x4, "usub8 %0, %1, %2")
ETX_DSP_BINARY(etx_subtract_saturated, "qsub %0, %1, %2")
ETX_DSP_BINARY(etx_mul_wide, "smulwb %0, %1, %2")
ETX_DSP_ACCUMULATE(etx_mac_wide, "smlawb %0, %1, %2, %3")
ETX_DSP_ACCUMULATE(etx_high_mac_down, "smmla %0, %1, %2, %3")
ETX_DSP_ACCUMULATE(etx_high_mac, "smmlar %0, %1, %2, %3")
ETX_DSP_ACCUMULATE(etx_dot, "smlad %0, %1, %2, %3")
ETX_DSP_ACCUMULATE(etx_mac_low_low, "smlabb %0, %1, %2, %3")
ETX_DSP_ACCUMULATE(etx_mac_low_high, "smlabt %0, %1, %2, %3")
ETX_DSP_ACCUMULATE(etx_mac_high_low, "smlatb %0, %1, %2, %3")
ETX_DSP_ACCUMULATE(etx_mac_high_high, "smlatt %0, %1, %2, %3")

#else

static inline int32_t etx_lanes(int32_t low, int32_t high) {
  return (int32_t)(((uint32_t)low & 0xFFFFu) | (uint32_t)high << 16);
}

static inline int32_t etx_low(int32_t a) { return (int16_t)a; }
static inline int32_t etx_high(int32_t a) { return a >> 16; }
static inline int32_t etx_byte(int32_t a, int32_t index) { return (int8_t)((uint32_t)a >> (8 * index)); }

/* Modulo 2^32, as the instructions add. */
static inline int32_t etx_wrapping_add(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); }

/* Bytes 0 and 2, or 1 and 3, as int16. */
static inline int32_t etx_extend_even(int32_t a) { return etx_lanes(etx_byte(a, 0), etx_byte(a, 2)); }
static inline int32_t etx_extend_odd(int32_t a) { return etx_lanes(etx_byte(a, 1), etx_byte(a, 3)); }

/* Both lanes plus these. */
static inline int32_t etx_extend_even_onto(int32_t a, int32_t b) {
  return etx_lanes(etx_low(a) + etx_byte(b, 0), etx_high(a) + etx_byte(b, 2));
}
static inline int32_t etx_extend_odd_onto(int32_t a, int32_t b) {
  return etx_lanes(etx_low(a) + etx_byte(b, 1), etx_high(a) + etx_byte(b, 3));
}

/* Bytes 0 and 2 with zeros above them. */
static inline int32_t etx_low_bytes(int32_t a) { return a & 0x00FF00FF; }

static inline int32_t etx_saturate_s8(int32_t a) {
  return a < INT8_MIN ? INT8_MIN : (a > INT8_MAX ? INT8_MAX : a);
}

/* The low, or the high lanes of two words. */
static inline int32_t etx_pack_low(int32_t a, int32_t b) { return etx_lanes(a, b); }
static inline int32_t etx_pack_high(int32_t a, int32_t b) { return etx_lanes(etx_high(a), etx_high(b)); }

/* a times the low lane of b / 2^16, rounded down. */
static inline int32_t etx_mul_wide(int32_t a, int32_t b) {
  return (int32_t)(((int64_t)a * etx_low(b)) >> 16);
}

/* acc + a times the low lane of b / 2^16, rounded down. */
static inline int32_t etx_mac_wide(int32_t a, int32_t b, int32_t acc) {
  return etx_wrapping_add(acc, etx_mul_wide(a, b));
}

static inline int32_t etx_subtract_saturated(int32_t a, int32_t b) {
  const int64_t difference = (int64_t)a - b;
  return difference > INT32_MAX ? INT32_MAX : (difference < INT32_MIN ? INT32_MIN : (int32_t)difference);
}

/* acc + a * b / 2^32 to nearest, ties upwards. */
static inline int32_t etx_high_mac(int32_t a, int32_t b, int32_t acc) {
  return etx_wrapping_add(acc, (int32_t)(((int64_t)a * b + (1LL << 31)) >> 32));
}

/* The same rounded down. */
static inline int32_t etx_high_mac_down(int32_t a, int32_t b, int32_t acc) {
  return etx_wrapping_add(acc, (int32_t)(((int64_t)a * b) >> 32));
}

static inline int32_t etx_max_s8x4(int32_t a, int32_t b) {
  uint32_t result = 0;
  for (int32_t i = 0; i < 4; ++i) {
    const int32_t larger = etx_byte(a, i) > etx_byte(b, i) ? etx_byte(a, i) : etx_byte(b, i);
    result |= ((uint32_t)larger & 0xFFu) << (8 * i);
  }
  return (int32_t)result;
}

/* Modulo 256. */
static inline int32_t etx_subtract_u8x4(int32_t a, int32_t b) {
  const uint32_t high = 0x80808080u, x = (uint32_t)a, y = (uint32_t)b;
  return (int32_t)(((x | high) - (y & ~high)) ^ ((x ^ ~y) & high));
}

static inline int32_t etx_min_s8x4(int32_t a, int32_t b) { return ~etx_max_s8x4(~a, ~b); }

static inline int32_t etx_mac_low_low(int32_t a, int32_t b, int32_t acc) {
  return etx_wrapping_add(acc, etx_low(a) * etx_low(b));
}

static inline int32_t etx_mac_low_high(int32_t a, int32_t b, int32_t acc) {
  return etx_wrapping_add(acc, etx_low(a) * etx_high(b));
}

static inline int32_t etx_mac_high_low(int32_t a, int32_t b, int32_t acc) {
  return etx_wrapping_add(acc, etx_high(a) * etx_low(b));
}

static inline int32_t etx_mac_high_high(int32_t a, int32_t b, int32_t acc) {
  return etx_wrapping_add(acc, etx_high(a) * etx_high(b));
}

static inline int32_t etx_dot(int32_t a, int32_t b, int32_t acc) {
  return etx_mac_high_high(a, b, etx_mac_low_low(a, b, acc));
}

#endif

/* The low bytes of four words in one. */
static inline int32_t etx_pack_s8x4(int32_t a, int32_t b, int32_t c, int32_t d) {
  const uint32_t even = (uint32_t)etx_low_bytes(etx_pack_low(a, c));
  const uint32_t odd = (uint32_t)etx_low_bytes(etx_pack_low(b, d));
  return (int32_t)(even | odd << 8);
}

static inline int32_t etx_repeat_s8(int32_t a) { return (int32_t)(((uint32_t)a & 0xFFu) * 0x01010101u); }

#endif

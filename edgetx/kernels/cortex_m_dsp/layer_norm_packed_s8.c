#include "etx_dsp.h"
#include "etx_kernels.h"
#include "etx_root.h"

/* Results are (((x * slope + start) >> normal_shift) * gamma + beta) >> output_shift. */
typedef struct {
  uint32_t slope, start;
  int32_t normal_shift, output_shift;
} row_scaling;

/* What four results share in a table packed by edgetx/plan/packing: beta with the zero point and what rounds. */
typedef struct {
  int32_t gammas, beta[2];
  int32_t next_gammas, next_beta[2];
} four_outputs;

static inline int32_t half(int32_t shift) { return shift == 0 ? 0 : 1 << (shift - 1); }

static inline void add_word(int32_t word, int32_t *sum, int32_t *squares) {
  const int32_t even = etx_extend_even(word), odd = etx_extend_odd(word), ones = 0x00010001;
  *sum = etx_dot(even, ones, etx_dot(odd, ones, *sum));
  *squares = etx_dot(even, even, etx_dot(odd, odd, *squares));
}

static row_scaling scaling_of(const etx_layer_norm_params *p, const int8_t *x) {
  const int32_t width = p->width, offset = p->input_offset;
  int32_t sum = 0, squares = 0;
  for (const int8_t *const end = x + (width & ~7); x != end; x += 8) {
    const int32_t word = etx_load_s8x4(x), next = etx_load_s8x4(x + 4);
    add_word(word, &sum, &squares);
    add_word(next, &sum, &squares);
  }
  for (int32_t left = width & 7; left > 0; left -= 4, x += 4) {
    add_word(etx_load_bytes(x, left), &sum, &squares);
  }
  squares += offset * (2 * sum + width * offset);
  sum += width * offset;
  const int32_t total = p->center != 0 ? sum : 0;
  const int64_t v = (int64_t)width * squares - (int64_t)total * total;
  const etx_root root = etx_reciprocal_root_of_variance(v, p->epsilon, p->root_bits);
  const uint32_t mantissa = (uint32_t)root.mantissa;
  const int32_t normal_shift = root.exponent - p->normal_bits;
  const row_scaling by = {.slope = (uint32_t)width * mantissa,
                          .start = (uint32_t)(width * offset - total) * mantissa + (uint32_t)half(normal_shift),
                          .normal_shift = normal_shift,
                          .output_shift = p->output_shift};
  return by;
}

static inline int32_t normal_of(const row_scaling *by, int32_t x) {
  return (int32_t)((uint32_t)x * by->slope + by->start) >> by->normal_shift;
}

/* Normalizes the bytes of a word. */
static inline int32_t four_results(const row_scaling *by, int32_t word, const four_outputs *out) {
  const int32_t a = etx_mac_low_low(normal_of(by, (int8_t)word), out->gammas, out->beta[0]);
  const int32_t b = etx_mac_low_high(normal_of(by, (int8_t)(word >> 8)), out->gammas, out->beta[1]);
  const int32_t c = etx_mac_low_low(normal_of(by, (int8_t)(word >> 16)), out->next_gammas, out->next_beta[0]);
  const int32_t d = etx_mac_low_high(normal_of(by, (int8_t)(word >> 24)), out->next_gammas, out->next_beta[1]);
  const int32_t shift = by->output_shift;
  return etx_pack_s8x4(etx_saturate_s8(a >> shift), etx_saturate_s8(b >> shift), etx_saturate_s8(c >> shift),
                       etx_saturate_s8(d >> shift));
}

#if defined(__ARM_FEATURE_DSP)

/* clang-format off */

/* Two results, in `first` and `second`, of bytes of r7, which `second` may be. */
#define TWO_RESULTS(first, second, extend_first, extend_second)     \
  "ldm r2!, {r8, r9, r10}\n"                                        \
  extend_first(first) extend_second(second)                         \
  "mla " first ", " first ", r3, r4\n"                              \
  "mla " second ", " second ", r3, r4\n"                            \
  "asr " first ", " first ", r5\n"                                  \
  "asr " second ", " second ", r5\n"                                \
  "smlabb " first ", " first ", r8, r9\n"                           \
  "smlabt " second ", " second ", r8, r10\n"                        \
  "asr " first ", " first ", r6\n"                                  \
  "asr " second ", " second ", r6\n"                                \
  "ssat " first ", #8, " first "\n"                                 \
  "ssat " second ", #8, " second "\n"

#define BYTE_0(to) "sxtb.w " to ", r7\n"
#define BYTE_1(to) "sxtb.w " to ", r7, ror #8\n"
#define BYTE_2(to) "sxtb.w " to ", r7, ror #16\n"
#define BYTE_3(to) "asr.w " to ", r7, #24\n"

/* Normalizes whole words, at least one; returns what lies behind their part of the table. */
static const four_outputs *normalize_words(const row_scaling *by, const int8_t *x, const int8_t *end,
                                           const four_outputs *table, int8_t *y) {
  register const int8_t *from __asm__("r0") = x;
  register int8_t *to __asm__("r1") = y;
  register const four_outputs *out __asm__("r2") = table;
  register uint32_t slope __asm__("r3") = by->slope;
  register uint32_t start __asm__("r4") = by->start;
  register int32_t normal_shift __asm__("r5") = by->normal_shift;
  register int32_t output_shift __asm__("r6") = by->output_shift;
  register const int8_t *behind __asm__("r7") = end;
  __asm__ volatile(
      "push {r7}\n"
      ".balign 4\n"
      "1:\n"
      "ldr r7, [r0], #4\n"
      TWO_RESULTS("r11", "r12", BYTE_0, BYTE_1)
      TWO_RESULTS("lr", "r7", BYTE_2, BYTE_3)
      "pkhbt r11, r11, lr, lsl #16\n"
      "pkhbt r12, r12, r7, lsl #16\n"
      "uxtb16 r11, r11\n"
      "uxtb16 r12, r12\n"
      "orr r11, r11, r12, lsl #8\n"
      "ldr r7, [sp]\n"
      "str r11, [r1], #4\n"
      "cmp r0, r7\n"
      "bne 1b\n"
      "add sp, sp, #4\n"
      : "+r"(from), "+r"(to), "+r"(out), "+r"(behind)
      : "r"(slope), "r"(start), "r"(normal_shift), "r"(output_shift)
      : "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
  return out;
}

/* clang-format on */

#else

static const four_outputs *normalize_words(const row_scaling *by, const int8_t *x, const int8_t *end,
                                           const four_outputs *table, int8_t *y) {
  for (; x != end; x += 4, y += 4, ++table) {
    etx_store_s8x4(y, four_results(by, etx_load_s8x4(x), table));
  }
  return table;
}

#endif

void etx_layer_norm_packed_s8(const etx_layer_norm_params *params, const int8_t *x, const int32_t *packed, int8_t *y,
                              int32_t *scratch) {
  const etx_layer_norm_params here = *params; /* next to the stack rather than in flash */
  const int32_t width = here.width, whole = width & ~3;
  const four_outputs *table = (const four_outputs *)(packed + 1);
  if (packed[0] != 0) {
    __builtin_memcpy(scratch, packed + 1, sizeof(four_outputs) * (uint32_t)((width + 3) / 4));
    table = (const four_outputs *)scratch;
  }
  for (int32_t left = here.rows; left > 0; --left, x += width, y += width) {
    const row_scaling by = scaling_of(&here, x);
    const four_outputs *last = table;
    if (whole != 0) {
      last = normalize_words(&by, x, x + whole, table, y);
    }
    if (whole != width) {
      etx_store_bytes(y + whole, four_results(&by, etx_load_bytes(x + whole, width - whole), last), width - whole);
    }
  }
}

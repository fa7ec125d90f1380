/* The memory functions that compilers call on their own. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A word that may alias any object. */
typedef uint32_t __attribute__((may_alias)) etx_word;

static int is_aligned(const void *address) { return ((uintptr_t)address & (sizeof(etx_word) - 1)) == 0; }

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
  unsigned char *out = to;
  const unsigned char *in = from;
  if (is_aligned(out) && is_aligned(in)) {
    for (; size >= 4 * sizeof(etx_word); size -= 4 * sizeof(etx_word)) {
      etx_word *to_words = (etx_word *)(void *)out;
      const etx_word *from_words = (const etx_word *)(const void *)in;
      const etx_word a = from_words[0], b = from_words[1], c = from_words[2], d = from_words[3];
      to_words[0] = a;
      to_words[1] = b;
      to_words[2] = c;
      to_words[3] = d;
      out += 4 * sizeof(etx_word);
      in += 4 * sizeof(etx_word);
    }
    for (; size >= sizeof(etx_word); size -= sizeof(etx_word)) {
      *(etx_word *)(void *)out = *(const etx_word *)(const void *)in;
      out += sizeof(etx_word);
      in += sizeof(etx_word);
    }
  }
  while (size-- > 0) {
    *out++ = *in++;
  }
  return to;
}

void *memmove(void *to, const void *from, size_t size) {
  unsigned char *out = to;
  const unsigned char *in = from;
  if ((uintptr_t)out - (uintptr_t)in >= size) {
    return memcpy(to, from, size);
  }
  while (size-- > 0) {
    out[size] = in[size];
  }
  return to;
}

void *memset(void *to, int value, size_t size) {
  unsigned char *out = to;
  const etx_word word = (unsigned char)value * 0x01010101u;
  for (; size > 0 && !is_aligned(out); --size) {
    *out++ = (unsigned char)value;
  }
  for (; size >= sizeof(etx_word); size -= sizeof(etx_word)) {
    *(etx_word *)(void *)out = word;
    out += sizeof(etx_word);
  }
  while (size-- > 0) {
    *out++ = (unsigned char)value;
  }
  return to;
}

int memcmp(const void *left, const void *right, size_t size) {
  const unsigned char *a = left;
  const unsigned char *b = right;
  for (; size > 0; --size, ++a, ++b) {
    if (*a != *b) {
      return *a - *b;
    }
  }
  return 0;
}

/* CRC-32 as in zlib; start with 0. */
#ifndef ETX_CRC32_H
#define ETX_CRC32_H

#include <stddef.h>
#include <stdint.h>

static inline uint32_t etx_crc32(uint32_t crc, const void *data, size_t size) {
  const unsigned char *byte = data;
  crc = ~crc;
  while (size-- > 0) {
    crc ^= *byte++;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1u)));
    }
  }
  return ~crc;
}

#endif

/* The device's side of the protocol of edgetx/device/protocol.py, which describes it. */
#include "etx_service.h"

#include <stdint.h>
#include <string.h>

#include "etx_board.h"
#include "etx_console.h"
#include "etx_crc32.h"
#include "etx_cycles.h"
#include "model.h"

enum {
  VERSION = 1,
  HEADER = 6, /* version, kind, sequence */
  CHECKSUM = 4,
  MAX_DATA = 240,
  MAX_FRAME = HEADER + MAX_DATA + CHECKSUM, /* below 255, so that stuffing adds one byte */
  CALIBRATIONS = 4
};

enum { HELLO = 1, RESET = 2, WRITE = 3, RUN = 4, CYCLES = 5, READ = 6, REPLY = 0x80, REFUSED = 0xFF };
enum { BAD_VERSION = 1, BAD_KIND = 2, BAD_RANGE = 3, NO_COUNTER = 4 };

static uint8_t received[MAX_FRAME + 1];
static uint8_t reply[MAX_FRAME];
static size_t reply_size; /* of the header and data in `reply`; kept to answer a request that comes twice */
static uint32_t last_sequence;
static uint32_t layer_cycles[EDGETX_LAYERS];
static int counter;

static uint32_t get(const uint8_t *bytes, int size) {
  uint32_t value = 0;
  for (int i = size - 1; i >= 0; --i) {
    value = value << 8 | bytes[i];
  }
  return value;
}

static void put(uint32_t value, int size) {
  for (int i = 0; i < size; ++i, value >>= 8) {
    reply[reply_size++] = (uint8_t)value;
  }
}

/* A frame without its stuffing: bytes of a valid frame but the checksum, or 0. */
static size_t receive(void) {
  size_t size = 0;
  int block = 0, is_short = 0, is_damaged = 0;
  for (;;) {
    const int byte = etx_console_read();
    if (byte <= 0) {
      if (byte < 0) {
        return SIZE_MAX;
      }
      break;
    }
    if (block == 0) {
      if (is_short && size < sizeof received) {
        received[size++] = 0;
      }
      block = byte - 1;
      is_short = byte < 0xFF;
    } else {
      --block;
      if (size == sizeof received) {
        is_damaged = 1;
      } else {
        received[size++] = (uint8_t)byte;
      }
    }
  }
  if (is_damaged || block != 0 || size < HEADER + CHECKSUM || size > MAX_FRAME) {
    return 0;
  }
  size -= CHECKSUM;
  return etx_crc32(0, received, size) == get(received + size, CHECKSUM) ? size : 0;
}

static void send(void) {
  static uint8_t stuffed[MAX_FRAME + 3];
  size_t code = 1, next = 2;
  const size_t size = reply_size;
  put(etx_crc32(0, reply, size), CHECKSUM);
  stuffed[0] = 0; /* ends whatever text came before */
  for (size_t i = 0; i < reply_size; ++i) {
    if (reply[i] != 0) {
      stuffed[next++] = reply[i];
    } else {
      stuffed[code] = (uint8_t)(next - code);
      code = next++;
    }
  }
  stuffed[code] = (uint8_t)(next - code);
  stuffed[next++] = 0;
  reply_size = size;
  etx_console_write_bytes(stuffed, next);
}

static void begin(uint8_t kind, uint32_t sequence) {
  reply_size = 0;
  put(VERSION, 1);
  put(kind, 1);
  put(sequence, 4);
}

static void refuse(uint8_t reason, uint32_t sequence) {
  begin(REFUSED, sequence);
  put(reason, 1);
}

static void hello(void) {
  put(ETX_IMAGE_ID, 4);
  put(etx_core_id(), 4);
  put(ETX_CLOCK_HZ, 4);
  put((uint32_t)counter, 1);
  put(EDGETX_LAYERS, 2);
  put(EDGETX_INPUTS, 1);
  put(EDGETX_OUTPUTS, 1);
}

static int write_input(const uint8_t *data, size_t size) {
  if (size < 5 || data[0] >= EDGETX_INPUTS) {
    return 0;
  }
  const uint32_t offset = get(data + 1, 4);
  const size_t has = edgetx_input_bytes(data[0]);
  if (offset > has || size - 5 > has - offset) {
    return 0;
  }
  memcpy((uint8_t *)edgetx_input(data[0]) + offset, data + 5, size - 5);
  return 1;
}

static void nothing(void) {}

/* Cycles of a call through a pointer; the compiler does not see which. */
static uint32_t timed(edgetx_layer volatile *layer) {
  const edgetx_layer call = *layer;
  const uint32_t before = etx_cycles_now();
  call();
  return etx_cycles_now() - before;
}

static void run(void) {
  static edgetx_layer volatile layer = nothing;
  uint32_t overhead = UINT32_MAX;
  for (int i = 0; i < CALIBRATIONS; ++i) {
    const uint32_t cycles = timed(&layer);
    overhead = cycles < overhead ? cycles : overhead;
  }
  for (int32_t i = 0; i < EDGETX_LAYERS; ++i) {
    layer = edgetx_layers[i];
    const uint32_t cycles = timed(&layer);
    layer_cycles[i] = cycles > overhead ? cycles - overhead : 0;
  }
  layer = nothing;
  edgetx_keep();
}

static int put_cycles(const uint8_t *data, size_t size) {
  const uint32_t first = get(data, 2);
  if (size != 2 || first >= EDGETX_LAYERS) {
    return 0;
  }
  for (uint32_t i = first; i < EDGETX_LAYERS && reply_size + 4 <= HEADER + MAX_DATA; ++i) {
    put(layer_cycles[i], 4);
  }
  return 1;
}

static int put_output(const uint8_t *data, size_t size) {
  if (size != 6 || data[0] >= EDGETX_OUTPUTS || data[5] > MAX_DATA) {
    return 0;
  }
  const uint32_t offset = get(data + 1, 4), count = data[5];
  const size_t has = edgetx_output_bytes(data[0]);
  if (offset > has || count > has - offset) {
    return 0;
  }
  memcpy(reply + reply_size, (const uint8_t *)edgetx_output(data[0]) + offset, count);
  reply_size += count;
  return 1;
}

/* 0, or why the request is refused. */
static uint8_t carry_out(uint8_t kind, const uint8_t *data, size_t size) {
  switch (kind) {
    case HELLO:
      hello();
      return 0;
    case RESET:
      edgetx_reset();
      return 0;
    case WRITE:
      return write_input(data, size) ? 0 : BAD_RANGE;
    case RUN:
      if (counter == ETX_CYCLES_NONE) {
        return NO_COUNTER;
      }
      run();
      return 0;
    case CYCLES:
      return put_cycles(data, size) ? 0 : BAD_RANGE;
    case READ:
      return put_output(data, size) ? 0 : BAD_RANGE;
    default:
      return BAD_KIND;
  }
}

static void answer(size_t size) {
  const uint32_t sequence = get(received + 2, 4);
  if (received[0] != VERSION) {
    refuse(BAD_VERSION, sequence);
  } else if (reply_size == 0 || sequence != last_sequence) {
    begin((uint8_t)(received[1] | REPLY), sequence);
    const uint8_t reason = carry_out(received[1], received + HEADER, size - HEADER);
    if (reason != 0) {
      refuse(reason, sequence);
    }
    last_sequence = sequence;
  }
  send();
}

void etx_serve(void) {
  counter = etx_cycles_start();
  for (size_t size; (size = receive()) != SIZE_MAX;) {
    if (size != 0) {
      answer(size);
    }
  }
}

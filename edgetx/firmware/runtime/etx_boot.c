/* What the boot ROM of a chip wants to find in flash before it starts an image. */
#include "etx_board.h"

#if defined(ETX_BOOT_RP2040)
#include <stdint.h>

/* etx_boot_rp2040.S in machine words, with the CRC-32 that the boot ROM checks (most significant bit first, not inverted). */
__attribute__((section(".boot2"), used)) static const uint32_t second_stage[64] = {
    0x20004b0au, 0x21046098u, 0x49096159u, 0x60586019u, 0x22f44908u, 0x21015099u, 0x48076099u, 0x60084907u,
    0x68426801u, 0x8808f381u, 0x46c04710u, 0x18000000u, 0x001f0300u, 0x03000218u, 0x10000100u, 0xe000ed08u,
    [63] = 0x26f75704u,
};
#elif defined(ETX_BOOT_RP2350)
#include <stdint.h>

/* The smallest IMAGE_DEF: a secure Arm executable for the RP2350 that starts through its vector table (RP2350 data sheet,
 * 5.9.5.1). */
__attribute__((section(".image_def"), used)) static const uint32_t image_definition[5] = {
    0xFFFFDED3u, /* begins a block */
    0x10210142u, /* image type, 1 word */
    0x000001FFu, /* last item, after 1 word */
    0,           /* the next block is this one */
    0xAB123579u, /* ends a block */
};
#endif

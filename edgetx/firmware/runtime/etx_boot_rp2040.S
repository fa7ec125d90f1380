/* Second stage of the RP2040's boot: flash is read in place with command 03h, which every serial flash knows.
 *
 * The boot ROM copies the first 256 bytes of flash to RAM, checks their CRC and jumps there. etx_boot.c holds this program as
 * words, so that no build needs another step; a test assembles it and compares.
 */
  .syntax unified
  .cpu cortex-m0plus
  .thumb
  .equ CTRLR0, 0x00
  .equ CTRLR1, 0x04
  .equ SSIENR, 0x08
  .equ BAUDR, 0x14
  .equ SPI_CTRLR0, 0xF4

  ldr r3, ssi
  movs r0, #0
  str r0, [r3, #SSIENR]
  movs r1, #4 /* the flash's clock is a quarter of the system's */
  str r1, [r3, #BAUDR]
  ldr r1, frames
  str r1, [r3, #CTRLR0]
  str r0, [r3, #CTRLR1] /* one frame per read */
  ldr r1, command
  movs r2, #SPI_CTRLR0
  str r1, [r3, r2]
  movs r1, #1
  str r1, [r3, #SSIENR]
  ldr r0, image
  ldr r1, vtor
  str r0, [r1]
  ldr r1, [r0]
  ldr r2, [r0, #4]
  msr msp, r1
  bx r2

  .balign 4
ssi:
  .word 0x18000000
frames: /* 32 bits a frame; send command and address, then receive */
  .word 31 << 16 | 3 << 8
command: /* 03h: 8 bits of command, 24 bits of address, all on one line */
  .word 0x03 << 24 | 2 << 8 | 6 << 2
image:
  .word 0x10000100
vtor:
  .word 0xE000ED08

/* Addresses of the accesses of a block, computed from the registers at its entry. */
#ifndef ETX_SLICE_H
#define ETX_SLICE_H

#include <stdint.h>

#include "memory.h"

#pragma GCC visibility push(hidden)

#define ETX_MAX_STEPS 96

enum {
    ETX_REGISTER, ETX_CONSTANT, ETX_ADD, ETX_SUB, ETX_AND, ETX_OR, ETX_XOR, ETX_SHIFT_LEFT, ETX_SHIFT_RIGHT,
    ETX_SHIFT_ARITHMETIC, ETX_MULTIPLY, ETX_DIVIDE_SIGNED, ETX_DIVIDE_UNSIGNED, ETX_BITS, ETX_SIGNED_BITS, ETX_LOAD8,
    ETX_LOAD16, ETX_LOAD32, ETX_LOADS8, ETX_LOADS16
};

/* One value: an operation on earlier values `a` and `b`. `immediate` is a register id (REGISTER), the value
 * (CONSTANT), a left shift of `b` (ADD, SUB), or a width (BITS). Registers come before all others. */
typedef struct {
    int32_t operation, a, b;
    uint32_t immediate;
} etx_step;

typedef int (*etx_read_register)(void *uc, int id, void *value);

void etx_evaluate(const etx_step *steps, int32_t count, uint32_t *values, void *uc, etx_read_register read_register,
                  etx_memory *memory);

#pragma GCC visibility pop

#endif

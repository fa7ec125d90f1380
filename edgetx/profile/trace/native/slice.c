#include "slice.h"

#include <string.h>

static uint32_t load(etx_memory *memory, uint32_t address, size_t size) {
    const etx_region *region = etx_find_region(memory, address);
    uint32_t value = 0;
    if (region && region->host && region->end - address >= size) memcpy(&value, region->host + (address - region->base), size);
    return value;
}

static uint32_t divide(uint32_t a, uint32_t b, int is_signed) {
    if (!b) return 0;
    if (!is_signed) return a / b;
    return a == 0x80000000u && b == UINT32_MAX ? a : (uint32_t)((int32_t)a / (int32_t)b);
}

static uint32_t shift(int32_t operation, uint32_t value, uint32_t amount) {
    amount &= 0xFF;
    if (operation == ETX_SHIFT_ARITHMETIC) return (uint32_t)((int32_t)value >> (amount > 31 ? 31 : amount));
    if (amount > 31) return 0;
    return operation == ETX_SHIFT_LEFT ? value << amount : value >> amount;
}

void etx_evaluate(const etx_step *steps, int32_t count, uint32_t *values, void *uc, etx_read_register read_register,
                  etx_memory *memory) {
    int32_t i = 0;
    for (; i < count && steps[i].operation == ETX_REGISTER; i++) {
        values[i] = 0;
        read_register(uc, (int)steps[i].immediate, &values[i]);
    }
    for (; i < count; i++) {
        const etx_step *step = &steps[i];
        uint32_t a = step->a < 0 ? 0 : values[step->a], b = step->b < 0 ? 0 : values[step->b], n = step->immediate;
        uint32_t value = 0;
        switch (step->operation) {
        case ETX_CONSTANT: value = n; break;
        case ETX_ADD: value = a + (b << n); break;
        case ETX_SUB: value = a - (b << n); break;
        case ETX_AND: value = a & b; break;
        case ETX_OR: value = a | b; break;
        case ETX_XOR: value = a ^ b; break;
        case ETX_SHIFT_LEFT:
        case ETX_SHIFT_RIGHT:
        case ETX_SHIFT_ARITHMETIC: value = shift(step->operation, a, b); break;
        case ETX_MULTIPLY: value = a * b; break;
        case ETX_DIVIDE_SIGNED: value = divide(a, b, 1); break;
        case ETX_DIVIDE_UNSIGNED: value = divide(a, b, 0); break;
        case ETX_BITS: value = a & ((1u << n) - 1); break;
        case ETX_SIGNED_BITS: value = (uint32_t)((int32_t)(a << (32 - n)) >> (32 - n)); break;
        case ETX_LOAD8: value = load(memory, a, 1); break;
        case ETX_LOAD16: value = load(memory, a, 2); break;
        case ETX_LOAD32: value = load(memory, a, 4); break;
        case ETX_LOADS8: value = (uint32_t)(int8_t)load(memory, a, 1); break;
        case ETX_LOADS16: value = (uint32_t)(int16_t)load(memory, a, 2); break;
        }
        values[i] = value;
    }
}

// Runs the model once in TensorFlow Lite Micro: exactly its operators are registered, and the arena is as large as the
// report of `edgetx compile` says (memory.tflm_arena) with some room for the difference between host and board.
#include <cstdint>
#include <cstring>

#include "model_data.h"
#include "op_resolver.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_log.h"
#include "tensorflow/lite/micro/system_setup.h"
#include "tensorflow/lite/schema/schema_generated.h"

#ifndef ARENA_BYTES
#define ARENA_BYTES (64 * 1024)
#endif

namespace {
alignas(16) std::uint8_t arena[ARENA_BYTES];
}

int main() {
  tflite::InitializeTarget();
  const tflite::Model* model = tflite::GetModel(g_model);
  if (model->version() != TFLITE_SCHEMA_VERSION) {
    MicroPrintf("the model is of schema version %d", static_cast<int>(model->version()));
    return 1;
  }
  ModelOpResolver resolver;
  if (RegisterOps(resolver) != kTfLiteOk) {
    return 1;
  }
  tflite::MicroInterpreter interpreter(model, resolver, arena, sizeof arena);
  if (interpreter.AllocateTensors() != kTfLiteOk) {
    MicroPrintf("the arena of %d bytes is too small", static_cast<int>(sizeof arena));
    return 1;
  }
  std::memset(interpreter.input(0)->data.raw, 0, interpreter.input(0)->bytes);
  if (interpreter.Invoke() != kTfLiteOk) {
    return 1;
  }
  MicroPrintf("arena: %d bytes used", static_cast<int>(interpreter.arena_used_bytes()));
  for (std::size_t i = 0; i < interpreter.output(0)->bytes; ++i) {
    MicroPrintf("%d", interpreter.output(0)->data.int8[i]);
  }
  return 0;
}

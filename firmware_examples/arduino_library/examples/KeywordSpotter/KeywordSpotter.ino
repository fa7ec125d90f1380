// Runs the model on a window of features once a second, and prints the scores.
// Fill `samples` from your microphone library (PDM.h, I2S.h) instead of the silence below.
#include <EdgetxModel.h>

static edgetx_frontend frontend;
static int16_t samples[EDGETX_FRONTEND_HOP];
static int8_t rows[EDGETX_INPUT0_BYTES];

void setup() {
  Serial.begin(115200);
  edgetx_frontend_reset(&frontend);
  edgetx_reset();
}

void loop() {
  const size_t row = EDGETX_FRONTEND_FEATURES;
  for (size_t i = 0; i + row <= sizeof rows; i += row) {
    edgetx_frontend_push(&frontend, samples, rows + i);
  }
  memcpy(edgetx_input(0), rows, sizeof rows);
  edgetx_invoke();
  const int8_t *scores = static_cast<const int8_t *>(edgetx_output(0));
  for (size_t i = 0; i < EDGETX_OUTPUT0_SIZE; ++i) {
    Serial.print(scores[i]);
    Serial.print(i + 1 < EDGETX_OUTPUT0_SIZE ? ' ' : '\n');
  }
  delay(1000);
}

/* A model that edgetx compiled, for sketches. The files beside this one come from `edgetx compile`: `make` copies them. */
#ifndef EDGETX_MODEL_ARDUINO_H
#define EDGETX_MODEL_ARDUINO_H

extern "C" {
#include "model.h"
#if __has_include("frontend.h")
#include "frontend.h"
#endif
}

#endif

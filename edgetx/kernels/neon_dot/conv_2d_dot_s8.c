#include "etx_dot_matmul.h"
#include "etx_gather.h"

enum { LARGEST_WINDOW = 2048 };

void etx_conv_2d_dot_s8(const etx_convolution_params *p, const int8_t *x, const int32_t *packed, int8_t *y) {
  const int32_t window = p->window_height * p->window_width * p->in_channels, places = p->out_height * p->out_width;
  const etx_dot_layer layer = {window, p->out_channels, p->output_offset, p->low, p->high};
  int8_t windows[ETX_ROWS][LARGEST_WINDOW];
  for (int32_t place = 0; place < places; place += ETX_ROWS) {
    const int32_t live = places - place < ETX_ROWS ? places - place : ETX_ROWS;
    const int8_t *rows[ETX_ROWS];
    for (int32_t r = 0; r < ETX_ROWS; ++r) {
      rows[r] = windows[r < live ? r : 0];
      if (r < live) {
        etx_gather_window(p, x, etx_place_of(p, place + r), p->window_width * p->in_channels, windows[r]);
      }
    }
    etx_dot_rows(&layer, rows, live, packed, y + place * p->out_channels);
  }
}

/* conv2d_s8.c: 2-D convolution; the whole of it is conv2d_s8.h, so that an emitted model may compile it for a shape of
 * its own.
 */
#include "conv2d_s8.h"

int tml_conv2d_s8(const tml_context *context, const void *params, const uint32_t *operands) {
  return tml_conv2d_s8_body(context, (const tml_conv2d_params *)params, operands);
}

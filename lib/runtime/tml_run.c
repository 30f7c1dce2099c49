/* tml_run.c: runs a model: its table of steps, in order. The only code that all models share. */
#include "tinyml_runtime.h"

int tml_run(const tml_step *steps, uint32_t count, const tml_context *context) {
  uint32_t i;
  if (!steps || !context || !context->arena) return TML_ERROR_ARGUMENT;
  if ((uintptr_t)context->arena % TML_ARENA_ALIGN != 0) return TML_ERROR_ARGUMENT;
  for (i = 0; i < count; ++i) {
    const int status = steps[i].kernel(context, steps[i].params, steps[i].operands);
    if (status != TML_OK) return status;
  }
  return TML_OK;
}

/* tml_run_two_arenas.c: runs a model whose buffers are spread over two memory regions. Kernels add an offset to one
 * base address: here that is the lower of the two arenas. Models with one arena do not link this. */
#include "tinyml_runtime.h"

static int is_arena(const uint8_t *arena) { return arena && (uintptr_t)arena % TML_ARENA_ALIGN == 0; }

/* Offsets have 32 bits: on a host of 64 bits, two arenas may be too far apart for them. */
static int are_close(const uint8_t *a, const uint8_t *b) {
  const uintptr_t distance = (uintptr_t)a < (uintptr_t)b ? (uintptr_t)b - (uintptr_t)a : (uintptr_t)a - (uintptr_t)b;
  return sizeof(uintptr_t) <= 4 || distance < TML_IN_SLOW_ARENA;
}

int tml_run_two_arenas(const tml_step *steps, const uint8_t *operand_counts, uint32_t count,
                       const tml_context *context) {
  uint32_t distances[2], i; /* of the fast and of the slow arena from the lower one */
  tml_context lower;
  if (!steps || !operand_counts || !context || !is_arena(context->arena) || !is_arena(context->slow_arena) ||
      !are_close(context->arena, context->slow_arena))
    return TML_ERROR_ARGUMENT;
  lower = *context;
  if ((uintptr_t)context->slow_arena < (uintptr_t)context->arena) lower.arena = context->slow_arena;
  distances[0] = (uint32_t)((uintptr_t)context->arena - (uintptr_t)lower.arena);
  distances[1] = (uint32_t)((uintptr_t)context->slow_arena - (uintptr_t)lower.arena);
  for (i = 0; i < count; ++i) {
    uint32_t operands[TML_MOST_OPERANDS], k;
    int status;
    if (operand_counts[i] > TML_MOST_OPERANDS) return TML_ERROR_ARGUMENT;
    for (k = 0; k < operand_counts[i]; ++k) {
      const uint32_t offset = steps[i].operands[k];
      operands[k] = (offset & ~TML_IN_SLOW_ARENA) + distances[offset / TML_IN_SLOW_ARENA];
    }
    status = steps[i].kernel(&lower, steps[i].params, operands);
    if (status != TML_OK) return status;
  }
  return TML_OK;
}

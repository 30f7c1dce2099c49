/* tinyml_trace.h: looking into a model step by step, for bring-up and for measurement; production code needs none of
 * it.
 *
 * A traced run names the first layer that differs from the host, a profiled run times each layer with the board's own
 * counter, a guarded run proves that no kernel writes outside of its buffers. `tinyml-opt emit --trace` writes
 * functions that call these with the model's tables.
 */
#ifndef TINYML_TRACE_H
#define TINYML_TRACE_H

#include "tinyml_runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a step writes, as operand offsets: its output, and its scratch (0 bytes: none). With a pitch, the output is runs
 * of `output_run` bytes, `output_pitch` apart, in `output_bytes` from the first to behind the last: some channels of a
 * map. A checksum covers all of the output, or nothing (is_traced 0) where a later step completes it. */
typedef struct tml_step_areas {
  uint32_t output, output_bytes, output_run, output_pitch;
  uint32_t scratch, scratch_bytes;
  uint8_t operands; /* how many the step has */
  uint8_t is_traced;
} tml_step_areas;

/* All functions below run a model of two arenas when context->slow_arena is not null. */

/* CRC-32 of IEEE 802.3 (reflected, polynomial 0xEDB88320, initial value and final xor 0xFFFFFFFF), as zlib's crc32.
 * `previous` is 0, or the value of the bytes before these. */
uint32_t tml_crc32(uint32_t previous, const void *bytes, uint32_t count);

/* Runs the steps and writes the CRC-32 of each one's output to checksums[count]; 0 where
 * nothing is traced. */
int tml_run_traced(const tml_step *steps, const tml_step_areas *areas, uint32_t count, const tml_context *context,
                   uint32_t *checksums);

/* Runs the steps and writes to elapsed[count] by how much `counter` went up in each (modulo 2^32). */
int tml_run_profiled(const tml_step *steps, const tml_step_areas *areas, uint32_t count, const tml_context *context,
                     uint32_t (*counter)(void), uint32_t *elapsed);

/* Runs the steps and compares, around each, every byte of the arenas outside of the step's areas. Returns TML_OK, a
 * kernel's error, or 1 + the index of the first step that wrote elsewhere. */
int tml_run_guarded(const tml_step *steps, const tml_step_areas *areas, uint32_t count, const tml_context *context,
                    uint32_t arena_bytes, uint32_t slow_arena_bytes);

#ifdef __cplusplus
}
#endif
#endif

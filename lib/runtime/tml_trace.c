/* tml_trace.c: runs a model one step at a time and looks at the arena in between. Nothing here is needed in production.
 */
#include "tinyml_trace.h"

/* Half a byte at a time: a table of 64 bytes instead of 1,024. */
uint32_t tml_crc32(uint32_t previous, const void *bytes, uint32_t count) {
  static const uint32_t table[16] = {0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u,
                                     0x4DB26158u, 0x5005713Cu, 0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu,
                                     0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu};
  const uint8_t *byte = (const uint8_t *)bytes;
  uint32_t crc = ~previous;
  for (; count > 0; --count) {
    crc ^= *byte++;
    crc = (crc >> 4) ^ table[crc & 15u];
    crc = (crc >> 4) ^ table[crc & 15u];
  }
  return ~crc;
}

static int run_step(const tml_step *step, const tml_step_areas *areas, const tml_context *context) {
  if (context && context->slow_arena) return tml_run_two_arenas(step, &areas->operands, 1, context);
  return tml_run(step, 1, context);
}

static const uint8_t *address(const tml_context *context, uint32_t offset) {
  if (offset & TML_IN_SLOW_ARENA) return context->slow_arena + (offset & ~TML_IN_SLOW_ARENA);
  return context->arena + offset;
}

/* Of the step's output, run by run. */
static uint32_t checksum_of_output(const tml_context *context, const tml_step_areas *areas) {
  const uint8_t *output = address(context, areas->output);
  uint32_t crc = 0, at;
  if (areas->output_pitch == 0) return tml_crc32(0, output, areas->output_bytes);
  for (at = 0; at < areas->output_bytes; at += areas->output_pitch)
    crc = tml_crc32(crc, output + at, areas->output_run);
  return crc;
}

int tml_run_traced(const tml_step *steps, const tml_step_areas *areas, uint32_t count, const tml_context *context,
                   uint32_t *checksums) {
  uint32_t i;
  if (!steps || !areas || !checksums) return TML_ERROR_ARGUMENT;
  for (i = 0; i < count; ++i) {
    const int status = run_step(&steps[i], &areas[i], context);
    if (status != TML_OK) return status;
    checksums[i] = areas[i].is_traced ? checksum_of_output(context, &areas[i]) : 0;
  }
  return TML_OK;
}

int tml_run_profiled(const tml_step *steps, const tml_step_areas *areas, uint32_t count, const tml_context *context,
                     uint32_t (*counter)(void), uint32_t *elapsed) {
  uint32_t i;
  if (!steps || !areas || !counter || !elapsed) return TML_ERROR_ARGUMENT;
  for (i = 0; i < count; ++i) {
    const uint32_t before = counter();
    const int status = run_step(&steps[i], &areas[i], context);
    elapsed[i] = counter() - before;
    if (status != TML_OK) return status;
  }
  return TML_OK;
}

/* Offsets from `begin` on, before `end`. */
typedef struct interval {
  uint32_t begin, end;
} interval;

static void take_nearer(interval *nearest, uint32_t begin, uint32_t bytes, uint32_t at) {
  if (begin + bytes <= at || (nearest->end > at && nearest->begin <= begin)) return;
  nearest->begin = begin;
  nearest->end = begin + bytes;
}

/* The next bytes that the step may write in the arena whose offsets have `region` set or not: they end behind `at`.
 * None: end is 0. */
static interval next_area(const tml_step_areas *areas, uint32_t region, uint32_t at) {
  interval nearest = {0, 0};
  if (areas->scratch_bytes != 0 && (areas->scratch & TML_IN_SLOW_ARENA) == region)
    take_nearer(&nearest, areas->scratch & ~TML_IN_SLOW_ARENA, areas->scratch_bytes, at);
  if (areas->output_bytes != 0 && (areas->output & TML_IN_SLOW_ARENA) == region) {
    const uint32_t begin = areas->output & ~TML_IN_SLOW_ARENA;
    if (areas->output_pitch == 0) {
      take_nearer(&nearest, begin, areas->output_bytes, at);
    } else {
      uint32_t run = at > begin ? (at - begin) / areas->output_pitch * areas->output_pitch : 0;
      if (begin + run + areas->output_run <= at) run += areas->output_pitch;
      if (run < areas->output_bytes) take_nearer(&nearest, begin + run, areas->output_run, at);
    }
  }
  return nearest;
}

/* Of all bytes of one arena but those that the step may write. */
static uint32_t checksum_outside(const uint8_t *arena, uint32_t arena_bytes, uint32_t region,
                                 const tml_step_areas *areas) {
  uint32_t crc = 0, at = 0;
  for (;;) {
    const interval area = next_area(areas, region, at);
    if (area.end == 0) break;
    if (area.begin > at) crc = tml_crc32(crc, arena + at, area.begin - at);
    at = area.end;
  }
  return at < arena_bytes ? tml_crc32(crc, arena + at, arena_bytes - at) : crc;
}

int tml_run_guarded(const tml_step *steps, const tml_step_areas *areas, uint32_t count, const tml_context *context,
                    uint32_t arena_bytes, uint32_t slow_arena_bytes) {
  uint32_t i;
  if (!steps || !areas || !context || !context->arena || (slow_arena_bytes != 0 && !context->slow_arena))
    return TML_ERROR_ARGUMENT;
  for (i = 0; i < count; ++i) {
    const uint32_t fast = checksum_outside(context->arena, arena_bytes, 0, &areas[i]);
    const uint32_t slow = checksum_outside(context->slow_arena, slow_arena_bytes, TML_IN_SLOW_ARENA, &areas[i]);
    const int status = run_step(&steps[i], &areas[i], context);
    if (status != TML_OK) return status;
    if (checksum_outside(context->arena, arena_bytes, 0, &areas[i]) != fast ||
        checksum_outside(context->slow_arena, slow_arena_bytes, TML_IN_SLOW_ARENA, &areas[i]) != slow)
      return (int)i + 1;
  }
  return TML_OK;
}

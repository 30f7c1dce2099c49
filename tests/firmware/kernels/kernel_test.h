/* kernel_test.h: what the on-target tests of kernel variants share: random data, an arena with guard bytes, the tally.
 *
 * A program per operator family runs each variant against the portable kernel over a grid of shapes and values, then
 * measures whole layers (scripts/kernel_tests.sh). It packs constants by a slow packer of its own. Everything is
 * reproducible: one generator with a fixed seed.
 */
#ifndef TINYML_TESTS_FIRMWARE_KERNEL_TEST_H
#define TINYML_TESTS_FIRMWARE_KERNEL_TEST_H

#include <stdint.h>
#include <string.h>

#include "../board.h"
#include "tinyml_runtime.h"

#ifndef TEST_CASES
#define TEST_CASES 2000
#endif

enum { TEST_ARENA_BYTES = 3 << 16, TEST_GUARD_BYTES = 16, TEST_GUARD = 0xC3, TEST_MAX_BLOCKS = 16 };

__attribute__((aligned(16), section(".arena"))) static uint8_t test_arena[TEST_ARENA_BYTES];
static uint32_t test_used, test_blocks, test_guards[TEST_MAX_BLOCKS];
static uint32_t test_state = 0x2545F491u;
static int32_t test_passed, test_failed;

static inline uint32_t test_random(void) {
  test_state ^= test_state << 13;
  test_state ^= test_state >> 17;
  test_state ^= test_state << 5;
  return test_state;
}

static inline int32_t test_between(int32_t low, int32_t high) {
  return low + (int32_t)((test_random() >> 8) % (uint32_t)(high - low + 1));
}

static inline uint32_t test_chance(int32_t percent) { return test_between(1, 100) <= percent; }

/* Mostly anything, sometimes only the extremes. */
static inline void test_bytes(int8_t *to, uint32_t count, int32_t low, int32_t high) {
  const uint32_t extreme = test_chance(20);
  while (count-- > 0) *to++ = (int8_t)(extreme ? (test_random() & 256u ? low : high) : test_between(low, high));
}

static inline int8_t test_zero(void) {
  const int32_t kind = test_between(0, 3);
  return (int8_t)(kind == 0 ? -128 : kind == 1 ? 127 : kind == 2 ? 0 : test_between(-128, 127));
}

/* Brings sums of `taps` products to about the int8 range; now and then anything at all. */
static inline int32_t test_multiplier(uint32_t taps) {
  uint32_t root = 1;
  if (test_chance(10)) return (int32_t)(test_random() >> 1);
  while (root * root < taps) ++root;
  return (int32_t)(0x80000000u / (128u * 73u * root) * (uint32_t)test_between(50, 300));
}

static inline void test_clamp(int8_t *low, int8_t *high) {
  *low = -128;
  *high = 127;
  if (test_chance(70)) return;
  *low = (int8_t)test_between(-128, 127);
  *high = (int8_t)test_between(*low, 127);
}

static inline void test_reset(void) { test_used = test_blocks = 0; }

/* A block of the arena, filled with junk, with guard bytes behind it. */
static inline uint32_t test_block(uint32_t bytes) {
  const uint32_t offset = test_used;
  memset(test_arena + offset, test_between(0, 255), bytes);
  memset(test_arena + offset + bytes, TEST_GUARD, TEST_GUARD_BYTES);
  test_guards[test_blocks++] = offset + bytes;
  test_used = (offset + bytes + TEST_GUARD_BYTES + 15u) & ~15u;
  return offset;
}

static inline int8_t *test_at(uint32_t offset) { return (int8_t *)test_arena + offset; }

static inline uint32_t test_guards_intact(void) {
  uint32_t block, i;
  for (block = 0; block < test_blocks; ++block) {
    for (i = 0; i < TEST_GUARD_BYTES; ++i) {
      if (test_arena[test_guards[block] + i] != TEST_GUARD) return 0;
    }
  }
  return 1;
}

/* Pixels of `run` bytes that stand `pitch` apart in y are those of the dense map, and nothing was written between them.
 */
static inline uint32_t test_equal_runs(const int8_t *y, const int8_t *dense, uint32_t count, uint32_t run,
                                       uint32_t pitch, int8_t junk) {
  uint32_t i;
  for (; count >= run && run > 0; count -= run, y += pitch, dense += run) {
    if (memcmp(y, dense, run) != 0) return 0;
    for (i = run; i < pitch; ++i) {
      if (y[i] != junk) return 0;
    }
  }
  return count == 0;
}

static inline int test_run(tml_kernel kernel, const void *params, const uint32_t *operands) {
  tml_context context;
  context.arena = test_arena;
  return kernel(&context, params, operands);
}

/* Counts a case; says of the first failures which. */
static inline void test_expect(uint32_t is_true, const char *what, int32_t number) {
  if (is_true) {
    ++test_passed;
  } else if (++test_failed <= 5) {
    board_print("failed: ");
    board_print_pair(what, number);
  }
}

typedef struct test_call {
  tml_kernel kernel;
  const void *params;
  const uint32_t *operands;
} test_call;

static int test_invoke(void *argument) {
  const test_call *call = (const test_call *)argument;
  return test_run(call->kernel, call->params, call->operands);
}

/* Runs a kernel between the counting plugin's markers; scripts/kernel_tests.sh puts name and count together. */
static inline void test_measure(const char *name, tml_kernel kernel, const void *params, const uint32_t *operands) {
  test_call call;
  int result = 0;
  call.kernel = kernel;
  call.params = params;
  call.operands = operands;
  board_print("layer=");
  board_print(name);
  board_print("\n");
  board_print_pair("stack", (int32_t)board_measure(test_invoke, &call, &result));
}

static inline int test_report(void) {
  board_print_pair("passed", test_passed);
  board_print_pair("failed", test_failed);
  return test_failed == 0 && test_passed > 0 ? 0 : 1;
}

#endif

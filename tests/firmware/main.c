/* main.c: proves on a machine that an emitted model computes what the tool measured; scripts/firmware.sh builds it.
 *
 * Two arenas with guard bytes around them run interleaved: both inputs are written before either is invoked, both
 * outputs are read after both. One arena is filled with junk before every vector, the other keeps what the last run
 * left: the result may depend on neither. Then NAME_self_test, arenas that must be refused, and one measured invoke.
 * A model of two memory regions (-DMODEL_TWO_ARENAS) has two of both arenas.
 * Compile with -DMODEL=kws -DMODEL_UPPER=KWS -DMODEL_HEADER='"kws.h"'; up to four inputs and outputs.
 * Prints key=value lines; exits with 0 if all is well.
 */
#include MODEL_HEADER

#include "board.h"

#define JOIN_EXPANDED(a, b) a##b
#define JOIN(a, b) JOIN_EXPANDED(a, b)
#define NAME(suffix) JOIN(MODEL, suffix)
#define SIZE(suffix) JOIN(MODEL_UPPER, suffix)
#define NUM_INPUTS SIZE(_NUM_INPUTS)
#define NUM_OUTPUTS SIZE(_NUM_OUTPUTS)
#define NUM_GOLDEN SIZE(_NUM_GOLDEN)
#define ARENA_BYTES SIZE(_ARENA_BYTES)
#ifdef MODEL_TWO_ARENAS
#define SLOW_BYTES SIZE(_SLOW_ARENA_BYTES)
#define MEMORY(g) (g)->fast.arena, (g)->slow->arena
#else
#define MEMORY(g) (g)->fast.arena
#endif

#if NUM_INPUTS > 4 || NUM_OUTPUTS > 4
#error "main.c handles up to four inputs and outputs"
#endif
#if NUM_INPUTS > 1
#define EACH_INPUT_2(f) f(1)
#else
#define EACH_INPUT_2(f)
#endif
#if NUM_INPUTS > 2
#define EACH_INPUT_3(f) f(2)
#else
#define EACH_INPUT_3(f)
#endif
#if NUM_INPUTS > 3
#define EACH_INPUT_4(f) f(3)
#else
#define EACH_INPUT_4(f)
#endif
#define EACH_INPUT(f) f(0) EACH_INPUT_2(f) EACH_INPUT_3(f) EACH_INPUT_4(f)
#if NUM_OUTPUTS > 1
#define EACH_OUTPUT_2(f) f(1)
#else
#define EACH_OUTPUT_2(f)
#endif
#if NUM_OUTPUTS > 2
#define EACH_OUTPUT_3(f) f(2)
#else
#define EACH_OUTPUT_3(f)
#endif
#if NUM_OUTPUTS > 3
#define EACH_OUTPUT_4(f) f(3)
#else
#define EACH_OUTPUT_4(f)
#endif
#define EACH_OUTPUT(f) f(0) EACH_OUTPUT_2(f) EACH_OUTPUT_3(f) EACH_OUTPUT_4(f)

enum { GUARD_BYTES = 64, GUARD = 0xC3 };

/* The arena's size is exact, so the guard behind it begins with the first byte that the model must not touch. */
#define GUARDED(bytes)           \
  struct {                       \
    uint8_t before[GUARD_BYTES]; \
    uint8_t arena[bytes];        \
    uint8_t after[GUARD_BYTES];  \
  }

#ifdef MODEL_TWO_ARENAS
typedef GUARDED(SLOW_BYTES) slow_memory;
__attribute__((aligned(16), section(".slow_arena"))) static slow_memory first_slow;
__attribute__((aligned(16), section(".slow_arena"))) static slow_memory second_slow;
#endif

typedef struct memory {
  GUARDED(ARENA_BYTES) fast;
#ifdef MODEL_TWO_ARENAS
  slow_memory *slow;
#endif
} memory;

__attribute__((aligned(16), section(".arena"))) static memory first, second;

static int problems;

static void expect(int is_true, const char *what) {
  if (is_true) return;
  board_print("problem=");
  board_print(what);
  board_print("\n");
  ++problems;
}

/* Byte loops of our own: the C library's functions would be weighed as the model's need. */
static void fill(volatile uint8_t *to, uint32_t bytes, uint8_t value) {
  while (bytes-- > 0) *to++ = value;
}

static void fill_junk(volatile uint8_t *to, uint32_t bytes, uint32_t seed) {
  while (bytes-- > 0) {
    seed = seed * 1664525u + 1013904223u;
    *to++ = (uint8_t)(seed >> 24);
  }
}

static void copy(void *to, const void *from, uint32_t bytes) {
  volatile uint8_t *t = (volatile uint8_t *)to;
  const uint8_t *f = (const uint8_t *)from;
  while (bytes-- > 0) *t++ = *f++;
}

static int equal(const void *a, const void *b, uint32_t bytes) {
  const volatile uint8_t *x = (const volatile uint8_t *)a, *y = (const volatile uint8_t *)b;
  while (bytes-- > 0) {
    if (*x++ != *y++) return 0;
  }
  return 1;
}

static int is_filled(const volatile uint8_t *bytes, uint32_t count, uint8_t value) {
  while (count-- > 0) {
    if (*bytes++ != value) return 0;
  }
  return 1;
}

static void write_inputs(memory *m, uint32_t vector) {
#define WRITE_INPUT(i) copy(NAME(_input##i)(MEMORY(m)), NAME(_golden_input##i)[vector], SIZE(_INPUT##i##_BYTES));
  EACH_INPUT(WRITE_INPUT)
}

static int outputs_match(const memory *m, uint32_t vector) {
  int same = 1;
#define CHECK_OUTPUT(i) \
  same = same && equal(NAME(_output##i)(MEMORY(m)), NAME(_golden_output##i)[vector], SIZE(_OUTPUT##i##_BYTES));
  EACH_OUTPUT(CHECK_OUTPUT)
  return same;
}

static void make_junk(memory *m, uint32_t seed) {
  fill_junk(m->fast.arena, ARENA_BYTES, seed);
#ifdef MODEL_TWO_ARENAS
  fill_junk(m->slow->arena, SLOW_BYTES, seed + 1);
#endif
}

static void prepare(memory *m, uint32_t seed) {
  fill(m->fast.before, GUARD_BYTES, GUARD);
  fill(m->fast.after, GUARD_BYTES, GUARD);
#ifdef MODEL_TWO_ARENAS
  m->slow = m == &first ? &first_slow : &second_slow;
  fill(m->slow->before, GUARD_BYTES, GUARD);
  fill(m->slow->after, GUARD_BYTES, GUARD);
#endif
  make_junk(m, seed);
}

static int32_t run_golden_vectors(void) {
  int32_t matched = 0;
  uint32_t vector;
  for (vector = 0; vector < NUM_GOLDEN; vector += 2) {
    const int is_pair = vector + 1 < NUM_GOLDEN;
    make_junk(&first, vector);
    write_inputs(&first, vector);
    if (is_pair) write_inputs(&second, vector + 1);
    expect(NAME(_invoke)(MEMORY(&first)) == 0, "invoke failed");
    if (is_pair) expect(NAME(_invoke)(MEMORY(&second)) == 0, "invoke failed");
    matched += outputs_match(&first, vector);
    if (is_pair) matched += outputs_match(&second, vector + 1);
  }
  return matched;
}

static void check_refusals(void) {
#ifdef MODEL_TWO_ARENAS
  expect(NAME(_invoke)((void *)0, first.slow->arena) < 0, "invoke took a null arena");
  expect(NAME(_invoke)(first.fast.arena + 1, first.slow->arena) < 0, "invoke took a misaligned arena");
  expect(NAME(_invoke)(first.fast.arena, (void *)0) < 0, "invoke took a null slow arena");
#else
  expect(NAME(_invoke)((void *)0) < 0, "invoke took a null arena");
  expect(NAME(_invoke)(first.fast.arena + 1) < 0, "invoke took a misaligned arena");
#endif
}

static void check_guards(const memory *m) {
  expect(is_filled(m->fast.before, GUARD_BYTES, GUARD), "bytes before the arena were written");
  expect(is_filled(m->fast.after, GUARD_BYTES, GUARD), "bytes behind the arena were written");
#ifdef MODEL_TWO_ARENAS
  expect(is_filled(m->slow->before, GUARD_BYTES, GUARD), "bytes before the slow arena were written");
  expect(is_filled(m->slow->after, GUARD_BYTES, GUARD), "bytes behind the slow arena were written");
#endif
}

#ifdef MODEL_TRACED
static uint32_t count_calls(void) {
  static uint32_t calls;
  return calls += 3;
}

/* The functions of NAME_trace.c, on the model as it is and on one whose input differs from the golden one. */
static void check_layers(void) {
  static uint32_t elapsed[SIZE(_NUM_LAYERS)];
  uint32_t vector, layer;
  for (vector = 0; vector < NUM_GOLDEN; ++vector) {
    int differs;
    make_junk(&first, vector);
    differs = NAME(_trace)(MEMORY(&first), vector);
    expect(differs == 0, "a layer differs from the host's:");
    if (differs > 0) {
      board_print(NAME(_layer_name)((uint32_t)differs - 1));
      board_print("\n");
    }
  }
  expect(NAME(_trace)(MEMORY(&first), NUM_GOLDEN) < 0, "a golden vector that is not there was traced");
  write_inputs(&first, 0);
  expect(NAME(_guard)(MEMORY(&first)) == 0, "a layer writes outside of its buffers");
  write_inputs(&first, 0);
  expect(NAME(_profile)(MEMORY(&first), count_calls, elapsed) == 0 && outputs_match(&first, 0),
         "the profiled run differs");
  for (layer = 0; layer < SIZE(_NUM_LAYERS); ++layer) {
    expect(elapsed[layer] == 3, "a layer's time is not the counter's");
    expect(NAME(_layer_name)(layer)[0] != 0, "a layer has no name");
  }
  board_print_pair("traced_layers", SIZE(_NUM_LAYERS));
}
#endif

#ifdef MODEL_TWO_ARENAS
static int invoke_again(void *arena) { return NAME(_invoke)(arena, first.slow->arena); }
#else
static int invoke_again(void *arena) { return NAME(_invoke)(arena); }
#endif

int main(void) {
  int32_t matched, self_test, stack;
  int status = -1;
  prepare(&first, 1);
  prepare(&second, 2);
  matched = run_golden_vectors();
  self_test = NAME(_self_test)(MEMORY(&first));
  check_refusals();
#ifdef MODEL_TRACED
  check_layers();
#endif
  write_inputs(&first, 0);
  stack = (int32_t)board_measure(invoke_again, first.fast.arena, &status);
  expect(status == 0 && outputs_match(&first, 0), "the measured run differs");
  expect(matched == NUM_GOLDEN, "golden vectors differ");
  expect(self_test == 0, "the self-test failed");
  expect(stack < BOARD_STACK_BYTES, "the stack is deeper than can be measured");
  check_guards(&first);
  check_guards(&second);

  board_print_pair("golden_total", NUM_GOLDEN);
  board_print_pair("golden_matched", matched);
  board_print_pair("self_test", self_test);
  board_print_pair("arena_bytes", ARENA_BYTES);
  board_print_pair("stack_bytes", stack);
  board_print_pair("problems", problems);
  return problems == 0 ? 0 : 1;
}

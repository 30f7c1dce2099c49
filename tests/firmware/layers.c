/* layers.c: counts the instructions of every layer of an emitted model, once; scripts/cost_model.sh builds it.
 *
 * For a folder written with --golden and --trace. Between two laps stand one step's kernel and the call of it, which is
 * what the runner (tml_run.c) spends on a step, to an instruction or two. Prints each layer's name and prediction:
 * the script joins them with the plugin's laps. Compile as main.c.
 */
#include MODEL_HEADER

#include "board.h"
#include "tinyml_runtime.h"

#define JOIN_EXPANDED(a, b) a##b
#define JOIN(a, b) JOIN_EXPANDED(a, b)
#define NAME(suffix) JOIN(MODEL, suffix)
#define SIZE(suffix) JOIN(MODEL_UPPER, suffix)

extern const tml_step NAME(_steps)[];

__attribute__((aligned(16), section(".arena"))) static uint8_t arena[SIZE(_ARENA_BYTES)];

static int run_layers(void *argument) {
  tml_context context;
  uint32_t layer;
  int status = 0;
  context.arena = context.slow_arena = (uint8_t *)argument;
  for (layer = 0; layer < SIZE(_NUM_LAYERS); ++layer) {
    const tml_step *step = &NAME(_steps)[layer];
    board_lap();
    status |= step->kernel(&context, step->params, step->operands);
    board_lap();
  }
  return status;
}

static void copy(uint8_t *to, const uint8_t *from, uint32_t bytes) {
  while (bytes-- > 0) *to++ = *from++;
}

int main(void) {
  uint32_t layer;
  int status = -1;
  copy((uint8_t *)NAME(_input0)(arena), (const uint8_t *)NAME(_golden_input0)[0], SIZE(_INPUT0_BYTES));
  for (layer = 0; layer < SIZE(_NUM_LAYERS); ++layer) {
    board_print("layer=");
    board_print(NAME(_layer_name)(layer));
    board_print("\n");
    board_print_pair("predicted", (int32_t)NAME(_layer_instructions)(layer));
  }
  board_measure(run_layers, arena, &status);
  board_print_pair("status", status);
  return status == 0 ? 0 : 1;
}

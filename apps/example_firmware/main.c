/* main.c: a whole firmware around an emitted model: reads one picture from a file over semihosting, prints its class.
 *
 *   tinyml-opt emit digits_int8.onnx -o digits --name digits --bundle
 *   make BOARD=mps2-an386 MODEL_DIR=digits
 *   make BOARD=mps2-an386 run INPUT=picture.raw        64 bytes, pixels from 0 to 16
 *
 * On your board replace read_input() by the camera, and board.c by the vendor's start-up code.
 */
#include "board.h"
#include "digits.h"

static uint8_t arena[DIGITS_ARENA_BYTES] __attribute__((aligned(DIGITS_ARENA_ALIGN)));

/* Fills the model's input from the file that the command line names: 0, or -1. */
static int read_input(int8_t* input) {
  char path[256];
  uint8_t pixels[DIGITS_INPUT0_ELEMENTS];
  uint32_t i;
  if (board_argument(path, sizeof path) != 0) return -1;
  if (board_read_file(path, pixels, sizeof pixels) != 0) return -1;
  for (i = 0; i < DIGITS_INPUT0_ELEMENTS; ++i) input[i] = digits_quantize_input0((float)pixels[i]);
  return 0;
}

static uint32_t largest(const int8_t* scores, uint32_t count) {
  uint32_t best = 0, i;
  for (i = 1; i < count; ++i) {
    if (scores[i] > scores[best]) best = i;
  }
  return best;
}

int main(void) {
  char text[] = "class 0\n";
  if (read_input(digits_input0(arena)) != 0) {
    board_print("no input: pass the path of a file of 64 pixels\n");
    return 1;
  }
  if (digits_invoke(arena) != 0) {
    board_print("the model failed\n");
    return 1;
  }
  text[6] = (char)('0' + largest(digits_output0(arena), DIGITS_OUTPUT0_ELEMENTS));
  board_print(text);
  return 0;
}

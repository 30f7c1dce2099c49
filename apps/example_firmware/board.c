/* board.c: start-up and semihosting for any Cortex-M that QEMU emulates; no vendor files. */
#include "board.h"

int main(void);
void board_reset(void);

extern uint32_t board_data_source[], board_data_start[], board_data_end[], board_bss_start[], board_bss_end[];
extern void board_stack_top(void);

enum {
  SYS_OPEN = 0x01,
  SYS_CLOSE = 0x02,
  SYS_WRITE0 = 0x04,
  SYS_READ = 0x06,
  SYS_GET_CMDLINE = 0x15,
  SYS_EXIT_EXTENDED = 0x20,
  MODE_READ_BINARY = 1
};
#define APPLICATION_EXIT 0x20026u
#define COPROCESSOR_ACCESS (*(volatile uint32_t*)0xE000ED88u)

static int32_t semihosting(uint32_t operation, const void* argument) {
  register uint32_t r0 __asm__("r0") = operation;
  register const void* r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
  return (int32_t)r0;
}

static uint32_t address(const void* pointer) { return (uint32_t)(uintptr_t)pointer; }

static uint32_t length(const char* text) {
  uint32_t n = 0;
  while (text[n] != '\0') ++n;
  return n;
}

void board_print(const char* text) { semihosting(SYS_WRITE0, text); }

int board_argument(char* text, uint32_t bytes) {
  char line[512];
  uint32_t block[2], from = 0, count = 0;
  block[0] = address(line);
  block[1] = sizeof line;
  if (semihosting(SYS_GET_CMDLINE, block) != 0) return -1;
  while (line[from] != '\0' && line[from] != ' ') ++from;
  while (line[from] == ' ') ++from;
  while (line[from] != '\0' && line[from] != ' ' && count + 1 < bytes) text[count++] = line[from++];
  text[count] = '\0';
  return count > 0 && (line[from] == '\0' || line[from] == ' ') ? 0 : -1;
}

int board_read_file(const char* path, void* to, uint32_t bytes) {
  uint32_t block[3];
  int32_t handle, missing;
  block[0] = address(path);
  block[1] = MODE_READ_BINARY;
  block[2] = length(path);
  handle = semihosting(SYS_OPEN, block);
  if (handle < 0) return -1;
  block[0] = (uint32_t)handle;
  block[1] = address(to);
  block[2] = bytes;
  missing = semihosting(SYS_READ, block);
  semihosting(SYS_CLOSE, block);
  return missing == 0 ? 0 : -1;
}

static void leave(int code) {
  uint32_t block[2];
  block[0] = APPLICATION_EXIT;
  block[1] = (uint32_t)code;
  semihosting(SYS_EXIT_EXTENDED, block);
  for (;;) {
  }
}

static void fault(void) {
  board_print("fault\n");
  leave(99);
}

__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {
    board_stack_top, board_reset, fault, fault, fault, fault, fault, fault, 0, 0, 0, fault, fault, 0, fault, fault};

void board_reset(void) {
  uint32_t *from = board_data_source, *to;
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
  COPROCESSOR_ACCESS |= 0xFu << 20; /* the floating-point and vector units */
  __asm__ volatile("dsb\n isb");
#endif
  for (to = board_data_start; to < board_data_end; ++to) *to = *from++;
  for (to = board_bss_start; to < board_bss_end; ++to) *to = 0;
  leave(main());
}

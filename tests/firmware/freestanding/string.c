/* string.c: the C library's functions that the kernels use, for a toolchain that comes without a C library: byte by
 * byte, as newlib-nano has them, with which the Arm cores are measured. Compile with
 * -fno-tree-loop-distribute-patterns, or the loops become calls of themselves.
 */
#include <stdint.h>
#include <string.h>

void *memcpy(void *to, const void *from, size_t bytes) {
  uint8_t *t = (uint8_t *)to;
  const uint8_t *f = (const uint8_t *)from;
  while (bytes-- > 0) *t++ = *f++;
  return to;
}

void *memmove(void *to, const void *from, size_t bytes) {
  uint8_t *t = (uint8_t *)to + bytes;
  const uint8_t *f = (const uint8_t *)from + bytes;
  if ((uintptr_t)to <= (uintptr_t)from) return memcpy(to, from, bytes);
  while (bytes-- > 0) *--t = *--f;
  return to;
}

void *memset(void *to, int value, size_t bytes) {
  uint8_t *t = (uint8_t *)to;
  while (bytes-- > 0) *t++ = (uint8_t)value;
  return to;
}

int memcmp(const void *a, const void *b, size_t bytes) {
  const uint8_t *x = (const uint8_t *)a, *y = (const uint8_t *)b;
  for (; bytes > 0; --bytes, ++x, ++y) {
    if (*x != *y) return *x < *y ? -1 : 1;
  }
  return 0;
}

/* string.c: the C library's functions that the kernels use, for a toolchain that comes without a C library.
 *
 * Words where both ends are aligned alike, as any C library does; compile with -fno-tree-loop-distribute-patterns, or
 * the loops become calls of themselves.
 */
#include <stdint.h>
#include <string.h>

enum { WORD = sizeof(uint32_t) };

/* Words that may lie over objects of other types. */
typedef uint32_t __attribute__((may_alias)) any_word;

void *memcpy(void *to, const void *from, size_t bytes) {
  uint8_t *t = (uint8_t *)to;
  const uint8_t *f = (const uint8_t *)from;
  if ((((uintptr_t)t ^ (uintptr_t)f) & (WORD - 1)) == 0) {
    for (; bytes > 0 && ((uintptr_t)t & (WORD - 1)) != 0; --bytes) *t++ = *f++;
    for (; bytes >= WORD; bytes -= WORD, t += WORD, f += WORD) *(any_word *)t = *(const any_word *)f;
  }
  for (; bytes > 0; --bytes) *t++ = *f++;
  return to;
}

void *memmove(void *to, const void *from, size_t bytes) {
  uint8_t *t = (uint8_t *)to + bytes;
  const uint8_t *f = (const uint8_t *)from + bytes;
  if ((uintptr_t)to <= (uintptr_t)from) return memcpy(to, from, bytes);
  for (; bytes > 0; --bytes) *--t = *--f;
  return to;
}

void *memset(void *to, int value, size_t bytes) {
  uint8_t *t = (uint8_t *)to;
  const uint32_t word = 0x01010101u * (uint8_t)value;
  for (; bytes > 0 && ((uintptr_t)t & (WORD - 1)) != 0; --bytes) *t++ = (uint8_t)value;
  for (; bytes >= WORD; bytes -= WORD, t += WORD) *(any_word *)t = word;
  for (; bytes > 0; --bytes) *t++ = (uint8_t)value;
  return to;
}

int memcmp(const void *a, const void *b, size_t bytes) {
  const uint8_t *x = (const uint8_t *)a, *y = (const uint8_t *)b;
  for (; bytes > 0; --bytes, ++x, ++y) {
    if (*x != *y) return *x < *y ? -1 : 1;
  }
  return 0;
}

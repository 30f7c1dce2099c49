/* string.h: of the C library's header what the kernels use, for a toolchain that comes without a C library. */
#ifndef TINYML_TESTS_FREESTANDING_STRING_H
#define TINYML_TESTS_FREESTANDING_STRING_H

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);

#endif

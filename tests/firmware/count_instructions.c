/* count_instructions.c: a QEMU plugin (API version 1) that counts guest instructions between two markers, by class.
 *
 * The markers are `mov r11, r11` (0x46DB) and `mov r12, r12` (0x46E4), which board_measure() puts around the call that
 * is measured; they themselves are not counted. A translation block without a marker costs one addition per class that
 * occurs in it, so the emulation hardly slows down; a block with a marker counts each instruction on its own. Exact,
 * because nothing leaves a block half-way: no interrupt is enabled and a fault ends the test.
 * Built by scripts/firmware.sh: cc -O2 -shared -fPIC. Prints "instructions=N" and "instructions_<class>=N" on stderr.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* From qemu-plugin.h, which Debian does not package; only what is used here. */
typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
typedef void (*tb_translated)(qemu_plugin_id_t, struct qemu_plugin_tb *);
typedef void (*insn_executed)(unsigned vcpu, void *data);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, tb_translated);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, enum qemu_plugin_op, void *, uint64_t);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, insn_executed, enum qemu_plugin_cb_flags,
                                            void *);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *, enum qemu_plugin_op, void *, uint64_t);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;

enum { MARK_BEGIN = 0x46DB, MARK_END = 0x46E4 };

enum { LOAD, STORE, BRANCH, MULTIPLY, DIVIDE, VECTOR, OTHER, CLASSES };
static const char *const class_names[CLASSES] = {"load", "store", "branch", "multiply", "divide", "vector", "other"};

/* Encodings by mask and value of the first halfword, then of the second; the first rule that fits decides. */
typedef struct rule {
  uint16_t mask, value, second_mask, second_value;
  int kind;
} rule;

/* clang-format off */
static const rule narrow[] = {
    {0xF800, 0x4800, 0, 0, LOAD},   /* LDR (literal) */
    {0xFC00, 0x5000, 0, 0, STORE},  /* STR, STRH, register offset */
    {0xFE00, 0x5400, 0, 0, STORE},  /* STRB */
    {0xF000, 0x5000, 0, 0, LOAD},   /* their loads */
    {0xE800, 0x6000, 0, 0, STORE},  /* STR, STRB, immediate offset */
    {0xE800, 0x6800, 0, 0, LOAD},   /* LDR, LDRB */
    {0xF800, 0x8000, 0, 0, STORE},  /* STRH */
    {0xF800, 0x8800, 0, 0, LOAD},   /* LDRH */
    {0xF800, 0x9000, 0, 0, STORE},  /* relative to SP */
    {0xF800, 0x9800, 0, 0, LOAD},
    {0xF800, 0xC000, 0, 0, STORE},  /* STM */
    {0xF800, 0xC800, 0, 0, LOAD},   /* LDM */
    {0xFE00, 0xB400, 0, 0, STORE},  /* PUSH */
    {0xFF00, 0xBD00, 0, 0, BRANCH}, /* POP with PC */
    {0xFE00, 0xBC00, 0, 0, LOAD},   /* POP */
    {0xF500, 0xB100, 0, 0, BRANCH}, /* CBZ, CBNZ */
    {0xF000, 0xD000, 0, 0, BRANCH}, /* conditional B */
    {0xF800, 0xE000, 0, 0, BRANCH}, /* B */
    {0xFF00, 0x4700, 0, 0, BRANCH}, /* BX, BLX */
    {0xFFC0, 0x4340, 0, 0, MULTIPLY},
    {0, 0, 0, 0, OTHER},
};

static const rule wide[] = {
    {0xEE00, 0xEC00, 0, 0, VECTOR},           /* floating point and MVE, their loads and stores too */
    {0xEE00, 0xEE00, 0, 0, VECTOR},
    {0xFFF0, 0xE8D0, 0xFFE0, 0xF000, BRANCH}, /* TBB, TBH */
    {0xFFFF, 0xE8BD, 0x8000, 0x8000, BRANCH}, /* POP with PC */
    {0xFE10, 0xE810, 0, 0, LOAD},             /* LDM, LDRD, LDREX */
    {0xFE10, 0xE800, 0, 0, STORE},            /* STM, STRD, STREX */
    {0xFE10, 0xF810, 0, 0, LOAD},
    {0xFE10, 0xF800, 0, 0, STORE},
    {0xFF80, 0xFB00, 0, 0, MULTIPLY},         /* MUL, MLA, SMLAD, SMLABB, ... */
    {0xFFD0, 0xFB90, 0, 0, DIVIDE},           /* SDIV, UDIV */
    {0xFF80, 0xFB80, 0, 0, MULTIPLY},         /* SMULL, SMLAL, ... */
    {0xF800, 0xF000, 0xD000, 0x9000, BRANCH}, /* B.W */
    {0xF800, 0xF000, 0xD000, 0xD000, BRANCH}, /* BL */
    {0xFF80, 0xF000, 0xC001, 0xC001, BRANCH}, /* low-overhead loops: WLS, DLS, LE */
    {0xFB80, 0xF380, 0xD000, 0x8000, OTHER},  /* MSR, MRS, hints, barriers */
    {0xF800, 0xF000, 0xD000, 0x8000, BRANCH}, /* conditional B.W */
    {0, 0, 0, 0, OTHER},
};
/* clang-format on */

static int classify(const uint16_t halfwords[2], size_t bytes) {
  const rule *r = bytes == 2 ? narrow : wide;
  while ((halfwords[0] & r->mask) != r->value || (halfwords[1] & r->second_mask) != r->second_value) ++r;
  return r->kind;
}

static uint64_t counts[CLASSES], counts_at_begin[CLASSES];

static void begin(unsigned vcpu, void *data) {
  (void)vcpu, (void)data;
  memcpy(counts_at_begin, counts, sizeof counts);
}

static void end(unsigned vcpu, void *data) {
  uint64_t total = 0;
  (void)vcpu, (void)data;
  for (int i = 0; i < CLASSES; ++i) total += counts[i] - counts_at_begin[i];
  fprintf(stderr, "instructions=%llu\n", (unsigned long long)total);
  for (int i = 0; i < CLASSES; ++i) {
    fprintf(stderr, "instructions_%s=%llu\n", class_names[i], (unsigned long long)(counts[i] - counts_at_begin[i]));
  }
}

static size_t read_insn(const struct qemu_plugin_insn *insn, uint16_t halfwords[2]) {
  const size_t bytes = qemu_plugin_insn_size(insn);
  halfwords[0] = halfwords[1] = 0;
  memcpy(halfwords, qemu_plugin_insn_data(insn), bytes > 4 ? 4 : bytes);
  return bytes;
}

static int is_marker(const uint16_t halfwords[2], size_t bytes) {
  return bytes == 2 && (halfwords[0] == MARK_BEGIN || halfwords[0] == MARK_END);
}

static void count_each(struct qemu_plugin_tb *tb, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
    uint16_t halfwords[2];
    const size_t bytes = read_insn(insn, halfwords);
    if (is_marker(halfwords, bytes)) {
      qemu_plugin_register_vcpu_insn_exec_cb(insn, halfwords[0] == MARK_BEGIN ? begin : end, QEMU_PLUGIN_CB_NO_REGS,
                                             NULL);
    } else {
      qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, &counts[classify(halfwords, bytes)],
                                                 1);
    }
  }
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
  const size_t n = qemu_plugin_tb_n_insns(tb);
  uint64_t in_block[CLASSES] = {0};
  (void)id;
  for (size_t i = 0; i < n; ++i) {
    uint16_t halfwords[2];
    const size_t bytes = read_insn(qemu_plugin_tb_get_insn(tb, i), halfwords);
    if (is_marker(halfwords, bytes)) {
      count_each(tb, n);
      return;
    }
    ++in_block[classify(halfwords, bytes)];
  }
  for (int i = 0; i < CLASSES; ++i) {
    if (in_block[i] == 0) continue;
    qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &counts[i], in_block[i]);
  }
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv) {
  (void)info, (void)argc, (void)argv;
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  return 0;
}

/* count_instructions.c: a QEMU plugin (API version 1) that counts guest instructions between markers, by class.
 *
 * board_measure() puts two markers around the call that is measured, board_lap() a third kind after each part of it;
 * board_arm.c and board_riscv.c define them, and they themselves are not counted. A translation block without a marker
 * costs one addition per class that occurs in it, so the emulation hardly slows down; a block with a marker counts each
 * instruction on its own. Exact, because nothing leaves a block half-way: no interrupt is enabled and a fault ends the
 * test. Built by scripts/firmware_target.sh. Prints "instructions=N" and "instructions_<class>=N" on stderr, and for
 * every lap one line "lap=N load=N ...". The argument taken=on counts taken branches too, which costs some speed.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, insn_executed, enum qemu_plugin_cb_flags, void *);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;

enum { NO_MARK, MARK_BEGIN, MARK_END, MARK_LAP };

enum { LOAD, STORE, BRANCH, MULTIPLY, DIVIDE, VECTOR, OTHER, CLASSES };
static const char *const class_names[CLASSES] = {"load", "store", "branch", "multiply", "divide", "vector", "other"};

/* What cycles depend on besides the class; not instructions of their own. */
enum { CHAINED = CLASSES, MORE_WORDS, TAKEN, COUNTERS };
static const char *const more_names[COUNTERS - CLASSES] = {
    "chained",    /* loads directly behind a load or store */
    "more_words", /* that an instruction loads or stores beyond its first */
    "taken",      /* branches */
};
static int is_riscv, counts_taken;

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

static const rule riscv_narrow[] = {
    {0xE003, 0x4000, 0, 0, LOAD},   /* C.LW */
    {0xE003, 0xC000, 0, 0, STORE},  /* C.SW */
    {0xE003, 0x4002, 0, 0, LOAD},   /* C.LWSP */
    {0xE003, 0xC002, 0, 0, STORE},  /* C.SWSP */
    {0xE003, 0x2001, 0, 0, BRANCH}, /* C.JAL */
    {0xE003, 0xA001, 0, 0, BRANCH}, /* C.J */
    {0xC003, 0xC001, 0, 0, BRANCH}, /* C.BEQZ, C.BNEZ */
    {0xE07F, 0x8002, 0, 0, BRANCH}, /* C.JR, C.JALR */
    {0, 0, 0, 0, OTHER},
};

static const rule riscv_wide[] = {
    {0x007F, 0x0003, 0, 0, LOAD},
    {0x007F, 0x0023, 0, 0, STORE},
    {0x007F, 0x0063, 0, 0, BRANCH},
    {0x007F, 0x006F, 0, 0, BRANCH},           /* JAL */
    {0x007F, 0x0067, 0, 0, BRANCH},           /* JALR */
    {0x407F, 0x0033, 0xFE00, 0x0200, MULTIPLY}, /* MUL to MULHU */
    {0x407F, 0x4033, 0xFE00, 0x0200, DIVIDE}, /* DIV to REMU */
    {0, 0, 0, 0, OTHER},
};
/* clang-format on */

static int classify(const uint16_t halfwords[2], size_t bytes) {
  const rule *r = bytes == 2 ? (is_riscv ? riscv_narrow : narrow) : is_riscv ? riscv_wide : wide;
  while ((halfwords[0] & r->mask) != r->value || (halfwords[1] & r->second_mask) != r->second_value) ++r;
  return r->kind;
}

static int ones(uint16_t bits) {
  int count = 0;
  for (; bits != 0; bits &= (uint16_t)(bits - 1)) ++count;
  return count;
}

/* Words that a Thumb instruction moves beyond its first: LDM, STM, PUSH, POP, LDRD, STRD. */
static int more_words(const uint16_t halfwords[2], size_t bytes) {
  const uint16_t first = halfwords[0];
  if (is_riscv) return 0;
  if (bytes == 2 && (first & 0xF000) == 0xC000) return ones(first & 0xFF) - 1;
  if (bytes == 2 && (first & 0xF600) == 0xB400) return ones(first & 0x1FF) - 1;
  if (bytes == 4 && (first & 0xFE40) == 0xE800) return ones(halfwords[1]) - 1;
  return bytes == 4 && (first & 0xFE40) == 0xE840 && (first & 0x120) != 0;
}

static uint64_t counts[COUNTERS], counts_at_begin[COUNTERS], counts_at_lap[COUNTERS];

static void begin(unsigned vcpu, void *data) {
  (void)vcpu, (void)data;
  memcpy(counts_at_begin, counts, sizeof counts);
  memcpy(counts_at_lap, counts, sizeof counts);
}

static unsigned long long sum_since(const uint64_t *past) {
  uint64_t total = 0;
  for (int i = 0; i < CLASSES; ++i) total += counts[i] - past[i];
  return total;
}

static void end(unsigned vcpu, void *data) {
  (void)vcpu, (void)data;
  fprintf(stderr, "instructions=%llu\n", sum_since(counts_at_begin));
  for (int i = 0; i < CLASSES; ++i) {
    fprintf(stderr, "instructions_%s=%llu\n", class_names[i], (unsigned long long)(counts[i] - counts_at_begin[i]));
  }
}

static void lap(unsigned vcpu, void *data) {
  (void)vcpu, (void)data;
  fprintf(stderr, "lap=%llu", sum_since(counts_at_lap));
  for (int i = 0; i < COUNTERS; ++i) {
    fprintf(stderr, " %s=%llu", i < CLASSES ? class_names[i] : more_names[i - CLASSES],
            (unsigned long long)(counts[i] - counts_at_lap[i]));
  }
  fprintf(stderr, "\n");
  memcpy(counts_at_lap, counts, sizeof counts);
}

/* QEMU 7.2 says 4 bytes of a Thumb instruction of 2 that stands before the last halfword of a page, having looked
 * ahead.
 */
static size_t read_insn(const struct qemu_plugin_insn *insn, uint16_t halfwords[2]) {
  size_t bytes = qemu_plugin_insn_size(insn);
  halfwords[0] = halfwords[1] = 0;
  memcpy(halfwords, qemu_plugin_insn_data(insn), bytes > 4 ? 4 : bytes);
  if (bytes == 4 && !is_riscv && halfwords[0] < 0xE800) {
    halfwords[1] = 0;
    bytes = 2;
  }
  return bytes;
}

static int marker(const uint16_t halfwords[2], size_t bytes) {
  if (is_riscv) {
    if (bytes != 4 || halfwords[0] != 0x2013 || halfwords[1] % 16 != 0 || halfwords[1] > 0x30) return NO_MARK;
    return halfwords[1] / 16;
  }
  if (bytes != 2) return NO_MARK;
  return halfwords[0] == 0x46DB   ? MARK_BEGIN
         : halfwords[0] == 0x46E4 ? MARK_END
         : halfwords[0] == 0x46D2 ? MARK_LAP
                                  : NO_MARK;
}

/* What instruction i of a block counts as. */
static void count_insn(struct qemu_plugin_tb *tb, size_t i, uint64_t in_insn[COUNTERS]) {
  uint16_t halfwords[2];
  size_t bytes = read_insn(qemu_plugin_tb_get_insn(tb, i), halfwords);
  const int kind = classify(halfwords, bytes);
  ++in_insn[kind];
  in_insn[MORE_WORDS] += (uint64_t)more_words(halfwords, bytes);
  if (i == 0 || kind != LOAD) return;
  bytes = read_insn(qemu_plugin_tb_get_insn(tb, i - 1), halfwords);
  if (classify(halfwords, bytes) == LOAD || classify(halfwords, bytes) == STORE) ++in_insn[CHAINED];
}

static void count_each(struct qemu_plugin_tb *tb, size_t n) {
  static const insn_executed reports[] = {NULL, begin, end, lap};
  for (size_t i = 0; i < n; ++i) {
    struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
    uint64_t in_insn[COUNTERS] = {0};
    uint16_t halfwords[2];
    const size_t bytes = read_insn(insn, halfwords);
    const int mark = marker(halfwords, bytes);
    if (mark != NO_MARK) {
      qemu_plugin_register_vcpu_insn_exec_cb(insn, reports[mark], QEMU_PLUGIN_CB_NO_REGS, NULL);
      continue;
    }
    count_insn(tb, i, in_insn);
    for (int k = 0; k < COUNTERS; ++k) {
      if (in_insn[k] == 0) continue;
      qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, &counts[k], in_insn[k]);
    }
  }
}

/* A branch ends its block: it was taken if another block follows than the one behind it. Addresses are even, so an odd
 * one says that the block does not end with a branch. */
static uint64_t behind_branch = 1;

static void enter_block(unsigned vcpu, void *data) {
  const uint64_t *ends = (const uint64_t *)data;
  (void)vcpu;
  if (behind_branch % 2 == 0 && behind_branch != ends[0]) ++counts[TAKEN];
  behind_branch = ends[1];
}

static void watch_branches(struct qemu_plugin_tb *tb, size_t n) {
  uint64_t *ends = malloc(2 * sizeof *ends); /* as long-lived as the block */
  uint16_t halfwords[2];
  size_t i, bytes = 0;
  if (!ends) return;
  ends[0] = ends[1] = qemu_plugin_tb_vaddr(tb);
  for (i = 0; i < n; ++i) ends[1] += bytes = read_insn(qemu_plugin_tb_get_insn(tb, i), halfwords);
  if (classify(halfwords, bytes) != BRANCH) ends[1] |= 1;
  qemu_plugin_register_vcpu_tb_exec_cb(tb, enter_block, QEMU_PLUGIN_CB_NO_REGS, ends);
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
  const size_t n = qemu_plugin_tb_n_insns(tb);
  uint64_t in_block[COUNTERS] = {0};
  (void)id;
  if (counts_taken) watch_branches(tb, n);
  for (size_t i = 0; i < n; ++i) {
    uint16_t halfwords[2];
    const size_t bytes = read_insn(qemu_plugin_tb_get_insn(tb, i), halfwords);
    if (marker(halfwords, bytes) != NO_MARK) {
      count_each(tb, n);
      return;
    }
    count_insn(tb, i, in_block);
  }
  for (int i = 0; i < COUNTERS; ++i) {
    if (in_block[i] == 0) continue;
    qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64, &counts[i], in_block[i]);
  }
}

/* The begin of qemu_info_t. */
struct machine_info {
  const char *target;
};

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv) {
  is_riscv = strncmp(((const struct machine_info *)info)->target, "riscv", 5) == 0;
  for (int i = 0; i < argc; ++i) counts_taken |= strcmp(argv[i], "taken=on") == 0;
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  return 0;
}

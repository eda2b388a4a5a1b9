// Plugin of qemu-user 6 to 8 that counts the ARM instructions run between two marks, `hint #0x70` and `hint #0x71`, which do
// nothing by themselves, and prints each count as a line on stderr. The declarations are those of its interface, version 1.
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;
typedef uint64_t plugin_id;
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, void (*)(unsigned, void *), int, void *);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, void (*)(unsigned, void *), int, void *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;

static int between_marks;
static uint64_t count;

static void add_block(unsigned cpu, void *instructions) {
  (void)cpu;
  if (between_marks) count += (uintptr_t)instructions;
}

static void pass_mark(unsigned cpu, void *starts) {
  (void)cpu;
  between_marks = starts != NULL;
  if (!between_marks) fprintf(stderr, "%llu\n", (unsigned long long)count);
  count = 0;
}

static void translate(plugin_id id, struct qemu_plugin_tb *block) {
  (void)id;
  const size_t instructions = qemu_plugin_tb_n_insns(block);
  for (size_t i = 0; i < instructions; i++) {
    struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
    uint32_t word;
    memcpy(&word, qemu_plugin_insn_data(instruction), sizeof(word));
    if (word == 0xD5032E1Fu || word == 0xD5032E3Fu)
      qemu_plugin_register_vcpu_insn_exec_cb(instruction, pass_mark, 0, (void *)(uintptr_t)(word == 0xD5032E1Fu));
  }
  qemu_plugin_register_vcpu_tb_exec_cb(block, add_block, 0, (void *)(uintptr_t)instructions);
}

EXPORT int qemu_plugin_install(plugin_id id, const struct qemu_info *info, int count_of_arguments, char **arguments) {
  (void)info, (void)count_of_arguments, (void)arguments;
  qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
  return 0;
}

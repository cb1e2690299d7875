/* A plugin of qemu-aarch64 (QEMU 7 and 8): counts the guest's instructions, and prints the count at each mark,
 * which is a getpgid(MARK + n) of the guest. Debian's qemu-user has no qemu-plugin.h: the part used is declared here. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#define VISIBLE __attribute__((visibility("default")))
#define MARK 4242000
#define GETPGID 155 /* of aarch64 */
enum { ADD_U64 = 0 };

struct qemu_plugin_tb;
typedef uint64_t plugin_id;
typedef void (*on_tb)(plugin_id, struct qemu_plugin_tb *);
typedef void (*on_syscall)(plugin_id, unsigned vcpu, int64_t number, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                           uint64_t, uint64_t, uint64_t);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, on_tb);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *, int operation, void *, uint64_t);
void qemu_plugin_register_vcpu_syscall_cb(plugin_id, on_syscall);
void qemu_plugin_outs(const char *);

VISIBLE int qemu_plugin_version = 1;
static uint64_t instructions;

static void translated(plugin_id id, struct qemu_plugin_tb *block)
{
    qemu_plugin_register_vcpu_tb_exec_inline(block, ADD_U64, &instructions, qemu_plugin_tb_n_insns(block));
}

static void called(plugin_id id, unsigned vcpu, int64_t number, uint64_t first, uint64_t b, uint64_t c, uint64_t d,
                   uint64_t e, uint64_t f, uint64_t g, uint64_t h)
{
    char line[64];

    if (number != GETPGID || first < MARK)
        return;
    snprintf(line, sizeof line, "mark %" PRIu64 " %" PRIu64 "\n", first - MARK, instructions);
    qemu_plugin_outs(line);
}

VISIBLE int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_vcpu_syscall_cb(id, called);
    return 0;
}

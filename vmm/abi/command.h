/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands of the ABI. Each family of hypercalls has its commands as a table by number; the dispatcher (command.c) finds
 * the domain that a command is about and holds it, checks the caller's right, copies the argument in and back, and
 * pauses, as the flags say. A function gets the call with that done.
 *
 * Why a call was refused (refuse.c): a caller gets an errno only, and xl's user a number, so the reason goes to the log (xl
 * dmesg), with the caller, the command, what was asked and what is supported. What no line of code gives a reason for
 * gets what the table says that the command takes. What dom0's tools ask is always logged; what guests and device models
 * ask comes out of the guest's budget for the log.
 */
#ifndef PLINTH_ABI_COMMAND_H
#define PLINTH_ABI_COMMAND_H

#include "xen_abi.h"
#include "abi.h"
#include "asker.h"
#include "vmm/hvm/hvm.h"
#include "vmm/domain/domain.h"

/* The argument names a domain: -ESRCH when it is not there; it is referenced in c->d while the command goes on. */
#define TARGET BIT(0)
/* ... or that the function finds by call_about(): the caller must be that domain or dom0: -EPERM. */
#define CONTROLS BIT(1)
/* ... and it must not be the caller: -EINVAL. */
#define NOT_SELF BIT(2)
/* For dom0, before anything else is looked at: -EPERM. */
#define PRIVILEGED BIT(3)
/* The argument goes back to the caller, unless the command fails. */
#define COPYBACK BIT(4)
/* ... also when it fails. */
#define COPYBACK_ALWAYS BIT(5)
/* ... and nothing of it is taken from the caller: it begins as zeroes. */
#define OUTPUT (COPYBACK | BIT(8))
/* The domain stands still while the command goes on. */
#define PAUSE BIT(6)
/* Callers in 32-bit code do not have it: -ENOSYS. */
#define WIDE_ONLY BIT(7)

struct abi_command {
	const char *name;
	const char *takes; /* what arguments are good ones, and what to do instead */
	long (*fn)(struct call *c);
	const char *
		layout; /* of an argument that has another form in 32-bit code (call_read); NULL: it has not */
	uint8_t size;	  /* of the argument; 0: the function copies what it needs */
	uint8_t domid_at; /* TARGET: where in the argument */
	uint16_t flags;
	int8_t answer; /* where there is no function */
};

struct abi_family {
	const char *name;
	const struct abi_command *commands; /* by number; no name: as `other` */
	unsigned int nr;
	struct abi_command
		other; /* numbers that are not there; takes = NULL: this family's refusals are not logged */

	/* Families whose structures begin with a command and an interface version (call_tool_op). */
	uint32_t version;
	uint8_t size, arg_at; /* of the structure; where the command's part is in it */
	spinlock_t *lock;     /* one call at a time; a caller that finds it taken comes back */
};

/* A function that only calls another one, with the argument as *a, which is `a type`. */
#define ARM(fn, type, expr)              \
	static long fn(struct call *c)   \
	{                                \
		struct type *a = c->arg; \
                                         \
		(void)a;                 \
		return expr;             \
	}

/* The same for a statement that always succeeds. */
#define DOES(fn, type, statement)        \
	static long fn(struct call *c)   \
	{                                \
		struct type *a = c->arg; \
                                         \
		(void)a;                 \
		statement;               \
		return 0;                \
	}

/* A command with an argument of a type, and one whose function copies itself, or that has no argument. */
#define COMMAND(n, fn, type, flags, takes)                           \
	{                                                            \
		n, takes, fn, NULL, sizeof(struct type), 0, flags, 0 \
	}
#define PLAIN(n, fn, flags, takes)                 \
	{                                          \
		n, takes, fn, NULL, 0, 0, flags, 0 \
	}
/* One that always answers the same. */
#define ANSWER(n, err, flags, takes)                   \
	{                                              \
		n, takes, NULL, NULL, 0, 0, flags, err \
	}

/* Reasons that commands of several families have. */
#define NO_MONITOR	"events of guests for introspection are not there"
#define NO_SHARING	"sharing and paging of guests' memory are not there"
#define NO_SUCH_COMMAND "no such command in the interface of 4.17"
#define NO_PASSTHROUGH \
	"there is no pass-through: take pci=, ioports=, iomem= and irqs= out of the configuration"
#define PV_ONLY "it is about PV guests, which are not there"

/* --- command.c ------------------------------------------------------------------------------------ */

/* All of a command whose argument is at la. */
long call_command(struct call *c, const struct abi_family *f, uint32_t cmd, uint64_t la);
/* All of a command of a family with interface versions, whose structure is at argument 0. */
long call_tool_op(struct call *c, const struct abi_family *f);

/* The parts. Begins a command: c->command, and from now on refusals are logged. */
void call_begin(struct call *c, const struct abi_family *f, uint32_t cmd);
/* The command is about d, a reference to which is the call's now; NULL: there is no domain `id`. The flags' errors. */
long call_about(struct call *c, struct domain *d, domid_t id);
/* Calls the function. */
long call_do(struct call *c);
/* Does the argument go back to the caller, after this result? */
bool call_goes_back(const struct call *c, long rc);
/* Gives up the domain and logs why it was refused, if so, with the first bytes of the argument. Returns rc. */
long call_end(struct call *c, long rc, const void *argument, size_t size);

/* Whose the call is, which asks for `what`, and something else with another command. */
struct asker call_asker(const struct call *c, uint64_t what);
/* The next try of this call, or of this entry of a multicall, gets another argument i. */
void call_set_arg(struct call *c, unsigned int i, uint64_t value);
/*
 * A structure at la from and to the caller. `layout` names its fields for callers in 32-bit code: h 2 bytes, i 4, q 8
 * (aligned to 4), l as wide as the caller's long. -EFAULT.
 */
int call_read(struct call *c, uint64_t la, void *to, size_t size, const char *layout);
int call_write(struct call *c, uint64_t la, const void *from, size_t size, const char *layout);
/* Entry i of a list of longs. -EFAULT. */
int call_read_long(struct call *c, uint64_t list, uint64_t i, uint64_t *to);
int call_write_long(struct call *c, uint64_t list, uint64_t i, uint64_t value);

/* --- refuse.c ------------------------------------------------------------------------------------- */

/* Logs why this call fails, and returns err. No lock above LOCK_HVM_IRQ is held. */
long refuse(long err, const char *fmt, ...) __printf(2, 3);
/* 0, or a refusal where dom0 is to have fewer pages than it has. */
long refuse_less_for_dom0(const struct domain *d, uint64_t pages);
/* err is an answer that callers ask for, no refusal: nothing is logged. */
long refusal_expected(long err);
/* The call ends with rc: logs what the command takes, if that is a refusal which errno does not explain. */
void refusal_end(struct call *c, long rc, const void *argument, size_t size);

/* --- the families --------------------------------------------------------------------------------- */

/* table.c: one call with the arguments that c has. */
long call_number(struct call *c, uint64_t nr);

/* A call of the family, its arguments in c->a: what the guest gets in RAX, or -ERESTART: the call is made once more, as c says. */
long abi_platform_op(struct call *c);
long abi_memory_op(struct call *c);
long abi_multicall(struct call *c);
long abi_set_timer_op(struct call *c);
long abi_xen_version(struct call *c);
long abi_console_io(struct call *c);
long abi_grant_table_op(struct call *c);
long abi_vm_assist(struct call *c);
long abi_vcpu_op(struct call *c);
long abi_sched_op(struct call *c);
long abi_event_channel_op(struct call *c);
long abi_physdev_op(struct call *c);
long abi_hvm_op(struct call *c);
long abi_sysctl(struct call *c);
long abi_domctl(struct call *c);
long abi_dm_op(struct call *c);

/* The tables of commands; tests look at them. */
extern const struct abi_family domctl_family, sysctl_family, memory_family, hvm_family, dm_family;

/* A call from user mode with v's registers (user.c). False: it is none that v may make, and nothing happened. */
bool abi_user_call(struct vcpu *v);

#endif

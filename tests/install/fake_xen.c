// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * LD_PRELOAD for Debian's xl: a machine with four CPUs and hardware virtual machines on which dom0 alone runs, and a
 * xenstore of its own. `xl create` comes as far as the start of the device model. What it asks of the hypervisor is
 * written to the file that FAKE_XEN_LOG names. Whatever has no answer here is in fake_zero.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xenctrl.h>
#include <xenstore.h>

#define CPUS	    4
#define DOM_SIZE    0x10000
#define DOM_HOOKS   0x6a0 /* where libxl 4.17 follows a pointer of struct xc_dom_image */
#define PAGES_DOM0  262144
#define PAGES_GUEST 8192

static int handle;
static bool created;

static void note(const char *format, ...)
{
	static FILE *file;
	const char *path = getenv("FAKE_XEN_LOG");
	va_list args;

	if (!file)
		file = fopen(path ? path : "/dev/null", "a");
	if (!file)
		return;
	va_start(args, format);
	vfprintf(file, format, args);
	va_end(args);
	fflush(file);
}

/* --- the hypervisor ---------------------------------------------------------------------------- */

xc_interface *xc_interface_open(xentoollog_logger *logger, xentoollog_logger *dombuild_logger,
				unsigned int open_flags)
{
	return (xc_interface *)&handle;
}

void *xenevtchn_open(void *logger, unsigned int flags)
{
	return &handle;
}

int xenevtchn_fd(void *xce)
{
	static int ends[2];

	if (!ends[0] && pipe(ends))
		abort();
	return ends[0];
}

int xc_version(xc_interface *xch, int cmd, void *arg)
{
	static const char *const texts[] = {
		[XENVER_extraversion] = ".0-plinth",
		[XENVER_capabilities] = "hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ",
		[XENVER_changeset] = "",
		[XENVER_commandline] = "dom0_mem=1G",
	};

	if (cmd == XENVER_version)
		return 4 << 16 | 17;
	if (cmd == XENVER_pagesize)
		return XC_PAGE_SIZE;
	if (cmd == XENVER_compile_info)
		memset(arg, 0, sizeof(xen_compile_info_t));
	else if (cmd == XENVER_platform_parameters)
		memset(arg, 0, sizeof(xen_platform_parameters_t));
	else if ((size_t)cmd < sizeof(texts) / sizeof(texts[0]) && texts[cmd])
		strcpy(arg, texts[cmd]);
	return 0;
}

int xc_get_max_cpus(xc_interface *xch)
{
	return CPUS;
}

int xc_get_online_cpus(xc_interface *xch)
{
	return CPUS;
}

int xc_get_max_nodes(xc_interface *xch)
{
	return 1;
}

int xc_physinfo(xc_interface *xch, xc_physinfo_t *info)
{
	*info = (xc_physinfo_t){
		.threads_per_core = 1,
		.cores_per_socket = CPUS,
		.nr_cpus = CPUS,
		.max_cpu_id = CPUS - 1,
		.nr_nodes = 1,
		.cpu_khz = 1000000,
		.total_pages = 1 << 20,
		.free_pages = 1 << 19,
		.capabilities = XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_hap,
	};
	return 0;
}

int xc_sched_id(xc_interface *xch, int *sched_id)
{
	*sched_id = XEN_SCHEDULER_CREDIT2;
	return 0;
}

xc_cpupoolinfo_t *xc_cpupool_getinfo(xc_interface *xch, uint32_t poolid)
{
	xc_cpupoolinfo_t *info = calloc(1, sizeof(*info));

	if (poolid) {
		free(info);
		errno = ENOENT;
		return NULL;
	}
	info->sched_id = XEN_SCHEDULER_CREDIT2;
	info->n_dom = 1;
	info->cpumap = calloc(1, sizeof(uint64_t));
	info->cpumap[0] = (1 << CPUS) - 1;
	return info;
}

xc_cpumap_t xc_cpupool_freeinfo(xc_interface *xch)
{
	return calloc(1, sizeof(uint64_t));
}

int xc_numainfo(xc_interface *xch, unsigned int *max_nodes, xc_meminfo_t *meminfo,
		uint32_t *distance)
{
	*max_nodes = 1;
	if (meminfo)
		*meminfo = (xc_meminfo_t){ .memsize = 4ULL << 30, .memfree = 2ULL << 30 };
	if (distance)
		*distance = 10;
	return 0;
}

int xc_cputopoinfo(xc_interface *xch, unsigned int *max_cpus, xc_cputopo_t *cputopo)
{
	for (unsigned int i = 0; cputopo && i < CPUS; i++)
		cputopo[i] = (xc_cputopo_t){ .core = i };
	*max_cpus = CPUS;
	return 0;
}

int xc_domain_create(xc_interface *xch, uint32_t *pdomid, struct xen_domctl_createdomain *c)
{
	*pdomid = 1;
	created = true;
	note("createdomain flags=%#x iommu=%#x misc=%#x evtchn=%u pool=%u vmtrace=%u\n", c->flags,
	     c->iommu_opts, c->arch.misc_flags, c->max_evtchn_port, c->cpupool_id, c->vmtrace_size);
	return 0;
}

int xc_domain_getinfolist(xc_interface *xch, uint32_t first, unsigned int max,
			  xc_domaininfo_t *info)
{
	unsigned int n = 0;

	for (uint32_t d = first; d <= created && n < max; d++)
		info[n++] = (xc_domaininfo_t){
			.domain = (domid_t)d,
			.flags = d ? XEN_DOMINF_hvm_guest | XEN_DOMINF_paused | XEN_DOMINF_hap
				   : XEN_DOMINF_running,
			.tot_pages = d ? PAGES_GUEST : PAGES_DOM0,
			.max_pages = d ? PAGES_GUEST : PAGES_DOM0,
			.nr_online_vcpus = 1,
		};
	return (int)n;
}

int xc_domain_getinfo(xc_interface *xch, uint32_t first, unsigned int max, xc_dominfo_t *info)
{
	*info = (xc_dominfo_t){ .domid = first, .hvm = first != 0, .nr_pages = PAGES_GUEST };
	return 1;
}

int xc_hvm_param_get(xc_interface *xch, uint32_t dom, uint32_t param, uint64_t *value)
{
	*value = 0xfeff0 + param;
	return 0;
}

int xc_hvm_param_set(xc_interface *xch, uint32_t dom, uint32_t param, uint64_t value)
{
	note("param %u=%#llx\n", param, (unsigned long long)value);
	return 0;
}

/* The host's ports, memory and interrupts for a guest, and its nodes of memory. */
int xc_domain_ioport_permission(xc_interface *xch, uint32_t dom, uint32_t first, uint32_t count,
				uint32_t allow)
{
	note("permission ports\n");
	return 0;
}

int xc_domain_iomem_permission(xc_interface *xch, uint32_t dom, unsigned long first,
			       unsigned long count, uint8_t allow)
{
	note("permission memory\n");
	return 0;
}

int xc_domain_irq_permission(xc_interface *xch, uint32_t dom, uint32_t pirq, bool allow)
{
	note("permission irq\n");
	return 0;
}

int xc_domain_setvnuma(xc_interface *xch, uint32_t dom, uint32_t vnodes, uint32_t ranges,
		       uint32_t vcpus, xen_vmemrange_t *range, unsigned int *distance,
		       unsigned int *vcpu_to_vnode, unsigned int *vnode_to_pnode)
{
	note("vnuma\n");
	return 0;
}

void *xc_map_foreign_range(xc_interface *xch, uint32_t dom, int size, int prot, unsigned long mfn)
{
	return mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

struct xc_dom_image *xc_dom_allocate(xc_interface *xch, const char *cmdline, const char *features)
{
	char *image = calloc(1, DOM_SIZE);

	*(void **)(image + DOM_HOOKS) = calloc(1, XC_PAGE_SIZE);
	return (struct xc_dom_image *)image;
}

int xc_evtchn_alloc_unbound(xc_interface *xch, uint32_t dom, uint32_t remote)
{
	static int port = 2;

	return ++port;
}

/* --- xenstore ---------------------------------------------------------------------------------- */

struct node {
	char *path, *value;
	struct node *next;
};

struct event {
	char *path, *token;
	struct event *next;
};

static struct node *nodes;
static struct event *events;
static int event_pipe[2];

static struct node *node_find(const char *path)
{
	struct node *n;

	for (n = nodes; n && strcmp(n->path, path); n = n->next)
		;
	return n;
}

bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path, const void *data,
	      unsigned int len)
{
	struct node *n = node_find(path);

	if (!n) {
		n = calloc(1, sizeof(*n));
		n->path = strdup(path);
		n->next = nodes;
		nodes = n;
	}
	free(n->value);
	n->value = strndup(data, len);
	return true;
}

bool xs_mkdir(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	return node_find(path) || xs_write(h, t, path, "", 0);
}

struct xs_handle *xs_open(unsigned long flags)
{
	static const char *const first[][2] = {
		{ "domid", "0" },
		{ "/local/domain/0/domid", "0" },
		{ "/local/domain/0/name", "Domain-0" },
		{ "/local/domain/0/memory/target", "1048576" },
		{ "/local/domain/0/memory/static-max", "1048576" },
		{ "/local/pool/0/name", "Pool-0" },
	};

	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		xs_write(NULL, 0, first[i][0], first[i][1], (unsigned int)strlen(first[i][1]));
	if (!event_pipe[0] && pipe(event_pipe))
		abort();
	return (struct xs_handle *)&handle;
}

void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *len)
{
	struct node *n = node_find(path);

	if (!n) {
		errno = ENOENT;
		return NULL;
	}
	if (len)
		*len = (unsigned int)strlen(n->value);
	return strdup(n->value);
}

static bool is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return !strncmp(path, folder, len) && path[len] == '/';
}

bool xs_path_is_subpath(const char *parent, const char *child)
{
	return !strcmp(parent, child) || is_below(child, parent);
}

bool xs_rm(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	struct node **p = &nodes;

	while (*p) {
		if (xs_path_is_subpath(path, (*p)->path))
			*p = (*p)->next;
		else
			p = &(*p)->next;
	}
	return true;
}

/* One block: pointers, then names. */
char **xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *num)
{
	char **list = calloc(1, 256 * sizeof(char *) + 65536), *text = (char *)(list + 256);
	size_t len = strlen(path);
	unsigned int i;

	*num = 0;
	for (struct node *n = nodes; n && *num < 256; n = n->next) {
		if (!is_below(n->path, path))
			continue;
		sprintf(text, "%.*s", (int)strcspn(n->path + len + 1, "/"), n->path + len + 1);
		for (i = 0; i < *num && strcmp(list[i], text); i++)
			;
		if (i < *num)
			continue;
		list[(*num)++] = text;
		text += strlen(text) + 1;
	}
	if (*num || node_find(path))
		return list;
	free(list);
	errno = ENOENT;
	return NULL;
}

xs_transaction_t xs_transaction_start(struct xs_handle *h)
{
	return 1;
}

/* A watch is told of what is there already. Back ends are ready at once. */
bool xs_watch(struct xs_handle *h, const char *path, const char *token)
{
	struct event *e = calloc(1, sizeof(*e)), **p = &events;
	const char *name = strrchr(path, '/');

	if (strstr(path, "/backend/") && name && !strcmp(name, "/state"))
		xs_write(h, 0, path, "2", 1);
	e->path = strdup(path);
	e->token = strdup(token);
	while (*p)
		p = &(*p)->next;
	*p = e;
	return write(event_pipe[1], "", 1) == 1;
}

int xs_fileno(struct xs_handle *h)
{
	return event_pipe[0];
}

char **xs_check_watch(struct xs_handle *h)
{
	struct event *e = events;
	char **pair, byte;

	if (!e || read(event_pipe[0], &byte, 1) != 1) {
		errno = EAGAIN;
		return NULL;
	}
	events = e->next;
	pair = malloc(2 * sizeof(char *) + strlen(e->path) + strlen(e->token) + 2);
	pair[0] = (char *)(pair + 2);
	pair[1] = stpcpy(pair[0], e->path) + 1;
	strcpy(pair[1], e->token);
	return pair;
}

char *xs_get_domain_path(struct xs_handle *h, unsigned int domid)
{
	char *path;

	return asprintf(&path, "/local/domain/%u", domid) < 0 ? NULL : path;
}

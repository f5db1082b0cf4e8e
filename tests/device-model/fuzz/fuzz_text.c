// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzzers of what comes from outside the guest: monitor commands (fuzz-qmp), a VNC client's messages
 * (fuzz-vnc, fuzz-vnctls before TLS, fuzz-ws in WebSocket), the command line (fuzz-options), files of saved state (fuzz-state). The driver is
 * fuzz_ports.c. Linked with --wrap for what may not happen here: the end of the program by a wrong
 * option, and files of the host named by the input.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "block/block.h"
#include "core/bus.h"
#include "core/loop.h"
#include "core/options.h"
#include "core/qmp.h"
#include "core/save.h"
#include "core/timer.h"
#include "core/util.h"
#include "device-model/fuzz/fuzz.h"
#include "ui/vnc.h"

#define MAX_TURNS 200
#define MAX_WORDS 24
#define MAX_STATE (4u << 20)
#define MAX_TAKEN 4096

/* Of every sanitizer with an allocator; gcc has no header for it. */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *p,
								size_t size),
					      void (*on_free)(const volatile void *p));
void __wrap_log_fatal(const char *fmt, ...) __attribute__((noreturn));
int __real_qmp_open_path(struct machine *m, const char *path, int flags);
int __wrap_qmp_open_path(struct machine *m, const char *path, int flags);

static bool no_host_files;
static jmp_buf refused;
static bool may_refuse;

void __wrap_log_fatal(const char *fmt, ...)
{
	if (may_refuse)
		longjmp(refused, 1);
	abort();
}

int __wrap_qmp_open_path(struct machine *m, const char *path, int flags)
{
	int fd;

	if (!no_host_files || !strncmp(path, "/dev/fdset/", 11))
		return __real_qmp_open_path(m, path, flags);
	fd = memfd_create("named", MFD_CLOEXEC);
	if (fd >= 0 && !(flags & O_CREAT) && ftruncate(fd, 65536))
		abort();
	return fd < 0 ? -errno : fd;
}

/* ---- sockets ---- */

static void send_all(int fd, const void *p, size_t len)
{
	if (send(fd, p, len, MSG_NOSIGNAL) < 0)
		return;
}

/* Turn the loop until the other side has closed; false: it has not. */
static bool converse(int fd, int wait_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	static uint8_t buf[65536];
	unsigned int i;

	for (i = 0; i < MAX_TURNS; i++) {
		ssize_t n;

		loop_turn(false);
		poll(&p, 1, wait_ms);
		n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (!n || (n < 0 && errno != EAGAIN))
			return true;
	}
	return false;
}

/* ---- monitor ---- */

static struct sockaddr_un monitor_address;

static void qmp_start(void)
{
	monitor_address.sun_family = AF_UNIX;
	strcpy(monitor_address.sun_path, fuzz_path("qmp"));
	if (qmp_init(&fuzz_machine))
		abort();
	no_host_files = true;
}

static void qmp_run(const uint8_t *data, size_t size)
{
	static const char hello[] = "{\"execute\":\"qmp_capabilities\"}";
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&monitor_address, sizeof(monitor_address)))
		abort();
	send_all(fd, hello, sizeof(hello) - 1);
	send_all(fd, data, size);
	shutdown(fd, SHUT_WR);
	if (!converse(fd, 0))
		abort();
	close(fd);
	block_drain_all(fuzz_machine.disks);
}

const struct fuzz_target fuzz_qmp = {
	.name = "qmp",
	.args = { "-m", "16", "-qmp", "unix:DIR/qmp", "-fda", "DIR/floppy", "-drive",
		  "file=DIR/cd,if=ide,index=2,media=cdrom,format=raw,id=ide-5632", "-serial",
		  "null" },
	.start = qmp_start,
	.run = qmp_run,
};

/* ---- VNC ---- */

static struct sockaddr_in vnc_address;

static void vnc_start(void)
{
	struct vnc_info info;

	vnc_query(&fuzz_machine, &info);
	vnc_address.sin_family = AF_INET;
	vnc_address.sin_port = htons((uint16_t)atoi(info.service));
	vnc_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

/* An odd first byte: what well-behaved clients say first was said, and the input follows. */
static void vnc_talk(const char *hello, size_t hello_bytes, const uint8_t *data, size_t size)
{
	int fd;

	if (!size)
		return;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&vnc_address, sizeof(vnc_address)))
		abort();
	if (data[0] & 1)
		send_all(fd, hello, hello_bytes);
	send_all(fd, data + 1, size - 1);
	shutdown(fd, SHUT_WR);
	converse(fd, 2);
	close(fd);
	loop_turn(false);
	clock_virtual_step(20000000);
}

static void vnc_run(const uint8_t *data, size_t size)
{
	static const char hello[] = "RFB 003.008\n\x01\x01";

	vnc_talk(hello, sizeof(hello) - 1, data, size);
}

const struct fuzz_target fuzz_vnc = {
	.name = "vnc",
	.args = { "-m", "16", "-vga", "std", "-vnc", "127.0.0.1:300,to=999" },
	.start = vnc_start,
	.run = vnc_run,
};

/* VeNCrypt's choices; then bytes in the place of TLS. */
static void vnctls_run(const uint8_t *data, size_t size)
{
	static const char hello[] = "RFB 003.008\n\x13\0\2\0\0\1\1";

	vnc_talk(hello, sizeof(hello) - 1, data, size);
}

const struct fuzz_target fuzz_vnctls = {
	.name = "vnctls",
	.args = { "-m", "16", "-vga", "std", "-object", "tls-creds-anon,id=t", "-vnc",
		  "127.0.0.1:300,to=999,tls-creds=t" },
	.start = vnc_start,
	.run = vnctls_run,
};

static void ws_start(void)
{
	vnc_start();
	/* Both ports are counted from the display's number. */
	vnc_address.sin_port = htons((uint16_t)(ntohs(vnc_address.sin_port) - 200));
}

static void ws_run(const uint8_t *data, size_t size)
{
	static const char hello[] = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
				    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
				    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

	vnc_talk(hello, sizeof(hello) - 1, data, size);
}

const struct fuzz_target fuzz_ws = {
	.name = "ws",
	.args = { "-m", "16", "-vga", "std", "-vnc", "127.0.0.1:1300,to=1999,websocket=on" },
	.start = ws_start,
	.run = ws_run,
};

/* ---- command line ---- */

/* These would end the program, or write a file. */
static bool harmless(const char *word)
{
	static const char *const not_here[] = { "help", "version", "pidfile" };
	size_t i;

	word += strspn(word, "-");
	for (i = 0; i < ARRAY_SIZE(not_here); i++)
		if (!strcmp(word, not_here[i]))
			return false;
	return true;
}

/*
 * Options live as long as the process, which has one command line; here are thousands a second. What one of
 * them took and did not give back is freed after it.
 */
static const void *taken[MAX_TAKEN];
static size_t nr_taken;
static _Thread_local bool collecting;

static void on_malloc(const volatile void *p, size_t size)
{
	if (collecting && nr_taken < MAX_TAKEN)
		taken[nr_taken++] = (const void *)p;
}

static void on_free(const volatile void *p)
{
	size_t i;

	for (i = nr_taken; collecting && i-- > 0;) {
		if (taken[i] != p)
			continue;
		taken[i] = taken[--nr_taken];
		break;
	}
}

static void options_start(void)
{
	__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
}

static void options_run(const uint8_t *data, size_t size)
{
	char *text = xzalloc(size + 1), *words[MAX_WORDS] = { (char *)"fuzz" }, *at = text, *word;
	static struct options parsed;
	volatile int n = 1;

	memcpy(text, data, size);
	while (n < MAX_WORDS && (word = strsep(&at, "\n"))) {
		if (!harmless(word))
			break;
		words[n++] = word;
	}
	may_refuse = collecting = true;
	if (!setjmp(refused))
		options_parse(&parsed, n, words);
	may_refuse = collecting = false;
	while (nr_taken)
		free((void *)taken[--nr_taken]);
	free(text);
}

const struct fuzz_target fuzz_options = {
	.name = "options", .args = { "-m", "16" }, .start = options_start, .run = options_run
};

/* ---- saved state ---- */

static uint8_t *saved;
static size_t saved_bytes;

static int state_save(void)
{
	int fd = memfd_create("state", MFD_CLOEXEC);

	if (fd < 0 || save_machine(&fuzz_machine, fd))
		abort();
	return fd;
}

static void state_start(void)
{
	int fd = state_save();
	off_t size = lseek(fd, 0, SEEK_END);

	if (size <= 0 || size > MAX_STATE)
		abort();
	saved_bytes = (size_t)size;
	saved = xzalloc(saved_bytes);
	if (pread(fd, saved, saved_bytes, 0) != size)
		abort();
	close(fd);
}

/* The frame of a file: core/save.c. */
#define STATE_HEADER  16
#define STATE_RECORD  44
#define STATE_NUMBERS 32 /* behind the name: instance, version, length */
enum { STATE_CUT = 3 };

/* One of these numbers of a record that the input names, or the file's end in it. */
static void state_damage(struct bytes *in, int fd)
{
	uint8_t n = take(in), what = take(in) & 3;
	uint32_t value = take32(in), len;
	size_t at = STATE_HEADER;

	for (; n && at + STATE_RECORD < saved_bytes; n--) {
		memcpy(&len, saved + at + STATE_NUMBERS + 8, sizeof(len));
		at += STATE_RECORD + len;
	}
	if (at >= saved_bytes)
		return;
	if (what == STATE_CUT) {
		if (ftruncate(fd, (off_t)(at + value % (saved_bytes - at))))
			abort();
	} else if (pwrite(fd, &value, sizeof(value), (off_t)(at + STATE_NUMBERS + 4U * what)) !=
		   sizeof(value)) {
		abort();
	}
}

/* The real state with changes at the places that the input names. */
static void state_patch(struct bytes *in, bool damage, int fd)
{
	if (pwrite(fd, saved, saved_bytes, 0) != (ssize_t)saved_bytes)
		abort();
	if (damage)
		state_damage(in, fd);
	while (in->left) {
		off_t at = take32(in) % saved_bytes;
		uint8_t v = take(in);

		if (pwrite(fd, &v, 1, at) != 1)
			abort();
	}
}

static void state_run(const uint8_t *data, size_t size)
{
	struct bytes in = { data, size };
	int fd = memfd_create("state", MFD_CLOEXEC), port;
	uint8_t how = take(&in);

	if (fd < 0)
		abort();
	if (how & 1)
		state_patch(&in, how & 2, fd);
	else if (pwrite(fd, in.p, in.left, 0) != (ssize_t)in.left)
		abort();
	lseek(fd, 0, SEEK_SET);
	if (save_read_file(&fuzz_machine, fd) || save_load_machine(&fuzz_machine))
		machine_reset(&fuzz_machine);
	close(fd);
	/* What was accepted has to work, and to be saved again. */
	clock_virtual_step(50000000);
	for (port = 0; port < 0x400; port++)
		pio_read(&fuzz_machine, (uint32_t)port, 1);
	block_drain_all(fuzz_machine.disks);
	close(state_save());
}

const struct fuzz_target fuzz_state = {
	.name = "state",
	.args = { "-m", "16", "-device", "VGA,vgamem_mb=2", "-usb", "-usbdevice", "tablet",
		  "-serial", "null", "-fda", "DIR/floppy", "-drive",
		  "file=DIR/disk,if=ide,index=0,format=raw", "-drive",
		  "file=DIR/cd,if=ide,index=2,media=cdrom,format=raw", "-device",
		  "rtl8139,addr=04,romfile=,id=a", "-device", "ne2k_pci,addr=05,romfile=,id=b" },
	.start = state_start,
	.run = state_run,
};

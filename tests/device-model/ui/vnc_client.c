/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvncclient, a VNC client that nobody here wrote, without a window: connect, and wait for a picture that
 * has the size and the pixels of a file (BGRx). Says how the connection is secured.
 *
 * usage: vnc_client PORT WIDTH HEIGHT PICTURE [password=P] [ca=FILE] [cert=FILE key=FILE]
 */
#include <rfb/rfbclient.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *password, *ca, *cert, *key;
static int seen;

static char *get_password(rfbClient *client)
{
	return strdup(password ? password : "");
}

static char *copy(const char *s)
{
	return s ? strdup(s) : NULL;
}

static rfbCredential *get_credential(rfbClient *client, int type)
{
	rfbCredential *c = calloc(1, sizeof(*c));

	if (type != rfbCredentialTypeX509 || !c) {
		free(c);
		return NULL;
	}
	c->x509Credential.x509CACertFile = copy(ca);
	c->x509Credential.x509ClientCertFile = copy(cert);
	c->x509Credential.x509ClientKeyFile = copy(key);
	c->x509Credential.x509CrlVerifyMode = rfbX509CrlVerifyNone;
	return c;
}

static void finished(rfbClient *client)
{
	seen = 1;
}

/* The client's fourth byte of a pixel means nothing. */
static int same(const rfbClient *client, const unsigned char *want)
{
	int i, n = client->width * client->height;

	for (i = 0; i < n; i++)
		if (memcmp(client->frameBuffer + i * 4, want + i * 4, 3))
			return 0;
	return 1;
}

/* A server that nobody looked at learns the guest's picture a little later. */
static int wait_picture(rfbClient *client, int width, int height, const unsigned char *want)
{
	time_t end = time(NULL) + 15;

	while (time(NULL) < end) {
		if (seen && client->width == width && client->height == height &&
		    same(client, want))
			return 1;
		if (WaitForMessage(client, 1000000) < 0)
			return 0;
		while (WaitForMessage(client, 0) > 0)
			if (!HandleRFBServerMessage(client))
				return 0;
	}
	return 0;
}

static unsigned char *read_file(const char *path, size_t size)
{
	unsigned char *data = malloc(size);
	FILE *f = fopen(path, "rb");

	if (!f || !data || fread(data, 1, size, f) != size)
		exit(2);
	fclose(f);
	return data;
}

static const char *option(const char *arg, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(arg, name, n) && arg[n] == '=' ? arg + n + 1 : NULL;
}

int main(int argc, char **argv)
{
	rfbClient *client = rfbGetClient(8, 3, 4);
	unsigned char *want;
	int i, width, height;

	signal(SIGPIPE, SIG_IGN);
	if (argc < 5)
		return 2;
	width = atoi(argv[2]);
	height = atoi(argv[3]);
	want = read_file(argv[4], (size_t)width * (size_t)height * 4);
	for (i = 5; i < argc; i++) {
		password = option(argv[i], "password") ? option(argv[i], "password") : password;
		ca = option(argv[i], "ca") ? option(argv[i], "ca") : ca;
		cert = option(argv[i], "cert") ? option(argv[i], "cert") : cert;
		key = option(argv[i], "key") ? option(argv[i], "key") : key;
	}
	client->serverHost = strdup("127.0.0.1");
	client->serverPort = atoi(argv[1]);
	client->GetPassword = get_password;
	client->GetCredential = get_credential;
	client->FinishedFrameBufferUpdate = finished;
	client->appData.encodingsString = "zrle raw";
	client->format.redShift = 16;
	client->format.greenShift = 8;
	client->format.blueShift = 0;
	if (!rfbInitClient(client, NULL, NULL))
		return 1;
	if (!wait_picture(client, width, height, want))
		return 3;
	printf("security %u sub %u tls %d\n", client->authScheme, client->subAuthScheme,
	       client->tlsSession != NULL);
	rfbClientCleanup(client);
	free(want);
	return 0;
}

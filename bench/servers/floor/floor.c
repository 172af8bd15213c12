/*
 * The floor: the cost of the kernel's TCP path, and nothing else. One epoll loop, one
 * read and one write per event, a response that is built once a second. Requests are
 * counted by the empty lines that end their heads; their content is ignored.
 *
 *	floor ADDRESS:PORT        answers HTTP
 *	floor ADDRESS:PORT echo   echoes all input
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, INPUT = 64 << 10, OUTPUT = 1 << 20, BACKLOG = 4096 };

static char input[INPUT], output[OUTPUT];
static char answer[512];
static size_t answer_length;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* make_answer rebuilds the response when its Date is out of date. */
static void make_answer(void)
{
	static time_t made;
	time_t now = time(NULL);
	char date[64];
	struct tm tm;

	if (now == made)
		return;
	made = now;
	gmtime_r(&now, &tm);
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	answer_length = snprintf(answer, sizeof answer,
		"HTTP/1.1 200 OK\r\n"
		"Server: floor\r\n"
		"Date: %s\r\n"
		"Content-Type: text/plain\r\n"
		"Content-Length: 13\r\n\r\n"
		"Hello, World!", date);
}

/* answers writes a response to the output for each head that ends in the input. */
static size_t answers(size_t length)
{
	size_t n = 0;
	char *at = input, *end = input + length;

	while ((at = memmem(at, end - at, "\r\n\r\n", 4)) && n + answer_length <= OUTPUT) {
		memcpy(output + n, answer, answer_length);
		n += answer_length;
		at += 4;
	}
	return n;
}

/* serve handles one ready connection. If the kernel does not accept all output at once,
 * serve closes the connection: the client sees an error, and the run is void. */
static void serve(int fd, int echo)
{
	ssize_t n = read(fd, input, sizeof input);

	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			close(fd);
		return;
	}
	const char *from = echo ? input : output;
	size_t length = echo ? (size_t)n : answers(n);

	if (length > 0 && write(fd, from, length) != (ssize_t)length)
		close(fd);
}

static int listen_on(const char *address)
{
	char host[64];
	int port, one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in in = { .sin_family = AF_INET };

	if (sscanf(address, "%63[^:]:%d", host, &port) != 2 || inet_pton(AF_INET, host, &in.sin_addr) != 1) {
		fprintf(stderr, "floor: the address must be like 127.0.0.1:8080\n");
		exit(2);
	}
	in.sin_port = htons(port);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&in, sizeof in) || listen(fd, BACKLOG))
		fail("listen");
	return fd;
}

static void watch(int poller, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event))
		fail("epoll_ctl");
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: floor ADDRESS:PORT [echo]\n");
		return 2;
	}
	int echo = argc > 2 && strcmp(argv[2], "echo") == 0;
	int listener = listen_on(argv[1]);
	int poller = epoll_create1(0);
	struct epoll_event events[EVENTS];

	watch(poller, listener);
	for (;;) {
		int n = epoll_wait(poller, events, EVENTS, -1);

		make_answer();
		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd, client;

			if (fd != listener) {
				serve(fd, echo);
				continue;
			}
			while ((client = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
				watch(poller, client);
		}
	}
}

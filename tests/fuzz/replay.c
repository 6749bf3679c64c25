/* replay.c - runs a fuzz target over the files of its corpus, without a fuzzer: in make unit, with
 * any compiler. Arguments are files and folders. */
#include "fuzz/fuzz.h"

#include "base/mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int
replay_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *bytes;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	bytes = mem_zalloc((size_t)st.st_size);
	n = read(fd, bytes, (size_t)st.st_size);
	close(fd);
	if (getenv("FUZZ_TRACE"))
		fprintf(stderr, "%s\n", path);
	if (n >= 0)
		(void)LLVMFuzzerTestOneInput((const uint8_t *)bytes, (size_t)n);
	free(bytes);
	return 1;
}

static int
replay(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *one;
	char inner[4096];
	int n = 0;

	if (folder == NULL)
		return replay_file(path);
	while ((one = readdir(folder)) != NULL) {
		snprintf(inner, sizeof inner, "%s/%s", path, one->d_name);
		n += one->d_name[0] == '.' ? 0 : replay_file(inner);
	}
	closedir(folder);
	return n;
}

int
main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');
	int n = 0;

	for (int i = 1; i < argc; i++)
		n += replay(argv[i]);
	if (n == 0) {
		fprintf(stderr, "%s: no corpus\n", argv[0]);
		return EXIT_FAILURE;
	}
	printf("fuzz %s: %d inputs replayed\n", name ? name + 1 : argv[0], n);
	return EXIT_SUCCESS;
}

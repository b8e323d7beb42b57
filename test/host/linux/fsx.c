/*
 * fsx: random operations on one file, each compared with a copy of the file in memory.
 *
 *	fsx [-m] seed operations file
 *
 * Each operation is a read, a write, a write at the end, a truncation to a shorter or longer length,
 * an fsync, or a close and an open; two descriptors are used in turn. With -m some reads and writes
 * go through a shared mapping. The first difference ends the program with status 1. Debian has no package
 * of the fsx that file systems are usually tried with.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { Max = 300000, Piece = 40000 };

static unsigned char model[Max], buf[Max];
static long length;
static unsigned long chance;
static char *name;
static int fd[2];
static int op;

/* A number below n, from a generator that every machine repeats (Knuth's MMIX). */
static long
below(long n)
{
	chance = chance*6364136223846793005UL + 1442695040888963407UL;
	return (chance>>33) % n;
}

static void
compare(char *what, unsigned char *got, long at, long n)
{
	long i;

	for(i = 0; i < n; i++)
		if(got[i] != model[at+i])
			errx(1, "operation %d, %s at %ld for %ld: byte %ld is %d, not %d",
				op, what, at, n, at+i, got[i], model[at+i]);
}

static void
opened(int i)
{
	fd[i] = open(name, O_RDWR|O_CREAT, 0644);
	if(fd[i] < 0)
		err(1, "operation %d, open", op);
}

static void
sized(int f)
{
	struct stat st;

	if(fstat(f, &st) < 0)
		err(1, "operation %d, fstat", op);
	if(st.st_size != length)
		errx(1, "operation %d: length %ld, not %ld", op, (long)st.st_size, length);
}

static void
doread(int f)
{
	long at = below(Max), n = 1+below(Piece), want, got;

	want = at >= length ? 0 : length-at < n ? length-at : n;
	got = pread(f, buf, n, at);
	if(got != want)
		errx(1, "operation %d, read at %ld for %ld: %ld bytes, not %ld", op, at, n, got, want);
	compare("read", buf, at, want);
}

/* The new bytes of a write, in the model; a gap before them is zeros already. */
static void
fill(long at, long n)
{
	long i;

	for(i = 0; i < n; i++)
		model[at+i] = below(256);
	if(at+n > length)
		length = at+n;
}

static void
dowrite(int f, int append)
{
	long n = 1+below(Piece), at = append ? length : below(Max-Piece), got;

	if(at+n > Max)
		return;
	fill(at, n);
	got = pwrite(f, model+at, n, at);
	if(got != n)
		errx(1, "operation %d, write at %ld for %ld: %ld bytes", op, at, n, got);
}

static void
dotruncate(int f)
{
	long to = below(Max);

	if(ftruncate(f, to) < 0)
		err(1, "operation %d, ftruncate", op);
	if(to < length)
		memset(model+to, 0, length-to);
	length = to;
}

static void
domap(int f, int write)
{
	long page = sysconf(_SC_PAGESIZE), at, n, off;
	unsigned char *p;

	if(length < 2)
		return;
	at = below(length-1);
	n = 1+below(length-at < Piece ? length-at : Piece);
	off = at%page;
	p = mmap(NULL, n+off, PROT_READ|PROT_WRITE, MAP_SHARED, f, at-off);
	if(p == MAP_FAILED)
		err(1, "operation %d, mmap", op);
	if(write){
		fill(at, n);
		memmove(p+off, model+at, n);
	}else
		compare("mapped read", p+off, at, n);
	if(munmap(p, n+off) < 0)
		err(1, "operation %d, munmap", op);
}

static void
once(int maps)
{
	int i = below(2);

	switch(below(maps ? 12 : 9)){
	case 0: case 1: case 2:
		doread(fd[i]);
		break;
	case 3: case 4:
		dowrite(fd[i], 0);
		break;
	case 5:
		dowrite(fd[i], 1);
		break;
	case 6:
		dotruncate(fd[i]);
		break;
	case 7:
		if(fsync(fd[i]) < 0)
			err(1, "operation %d, fsync", op);
		break;
	case 8:
		if(close(fd[i]) < 0)
			err(1, "operation %d, close", op);
		opened(i);
		break;
	case 9: case 10:
		domap(fd[i], 0);
		break;
	case 11:
		domap(fd[i], 1);
		break;
	}
	sized(fd[below(2)]);
}

int
main(int argc, char **argv)
{
	int maps, n;

	maps = argc > 1 && strcmp(argv[1], "-m") == 0;
	argc -= maps;
	argv += maps;
	if(argc != 4)
		errx(2, "usage: fsx [-m] seed operations file");
	chance = atol(argv[1]);
	n = atoi(argv[2]);
	name = argv[3];
	opened(0);
	opened(1);
	for(op = 1; op <= n; op++)
		once(maps);
	if(pread(fd[0], buf, Max, 0) != length)
		errx(1, "the last read is short");
	compare("the last read", buf, 0, length);
	printf("%d operations, length %ld\n", n, length);
	return 0;
}

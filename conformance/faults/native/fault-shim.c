// Loaded before the C library (LD_PRELOAD): makes calls that write to disk fail, or lie, while the
// control file says so. The file, named by FAULT_SHIM_CONTROL, holds three bytes:
//   [0] errno of fdatasync and fsync on regular files, 0: as usual, 255: report success, sync nothing
//   [1] errno of writes to regular files, 0: as usual
//   [2] how many of 100 such calls fail
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static volatile unsigned char *control;
static unsigned seed = 1;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("FAULT_SHIM_CONTROL");
  if (path == NULL) return;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  void *bytes = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
  if (bytes != MAP_FAILED) control = bytes;
  close(file);
}

// 0: do as usual.
static int wanted(int which, int file) {
  if (control == NULL || control[which] == 0) return 0;
  struct stat facts;
  if (fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode)) return 0;
  seed = seed * 1103515245u + 12345u;
  return (seed >> 16) % 100 < control[2] ? control[which] : 0;
}

#define NEXT(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

#define SYNC(name)                      \
  int name(int file) {                  \
    int error = wanted(0, file);        \
    if (error == 255) return 0;         \
    if (error == 0) return NEXT(name)(file); \
    errno = error;                      \
    return -1;                          \
  }

SYNC(fdatasync)
SYNC(fsync)

#define WRITE(name, parameters, arguments) \
  ssize_t name parameters {                \
    int error = wanted(1, file);           \
    if (error == 0) return NEXT(name) arguments; \
    errno = error;                         \
    return -1;                             \
  }

WRITE(write, (int file, const void *bytes, size_t count), (file, bytes, count))
WRITE(pwrite, (int file, const void *bytes, size_t count, off_t at), (file, bytes, count, at))
WRITE(pwrite64, (int file, const void *bytes, size_t count, off64_t at), (file, bytes, count, at))
WRITE(writev, (int file, const struct iovec *parts, int count), (file, parts, count))
WRITE(pwritev, (int file, const struct iovec *parts, int count, off_t at), (file, parts, count, at))
WRITE(pwritev64, (int file, const struct iovec *parts, int count, off64_t at), (file, parts, count, at))

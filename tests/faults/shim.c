/* Preloaded into a process: counts its calls that change a file system, and at one of them stops the process as a
 * kill would, or lets the call fail with an error. Armed by faults_arm(n, error, half); calls on descriptors count if
 * they are of regular files. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static long calls, at = -1;
static int error, half, always;

void faults_arm(long n, int errno_of_fault, int half_write, int from_there_on) {
    calls = 0, at = n, error = errno_of_fault, half = half_write, always = from_there_on;
}
long faults_count(void) { return calls; }

static int now(void) {
    if (at < 0) return 0;
    long call = __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
    return call == at || (always && call > at);
}
static int regular(int fd) {
    struct stat found;
    return at >= 0 && fstat(fd, &found) == 0 && S_ISREG(found.st_mode);
}
static int fault(void) { /* ends the process, or says which error */
    if (!error) raise(SIGKILL);
    errno = error;
    return -1;
}
#define REAL(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))
#define FAIL_NOW if (now()) return fault()

ssize_t write(int fd, const void *data, size_t n) {
    if (regular(fd) && now()) {
        if (half && n > 1) REAL(write)(fd, data, n / 2);
        return fault();
    }
    return REAL(write)(fd, data, n);
}
ssize_t pwrite64(int fd, const void *data, size_t n, off64_t place) {
    if (regular(fd) && now()) return fault();
    return REAL(pwrite64)(fd, data, n, place);
}
ssize_t writev(int fd, const struct iovec *parts, int n) {
    if (regular(fd) && now()) return fault();
    return REAL(writev)(fd, parts, n);
}
ssize_t pwrite(int fd, const void *data, size_t n, off_t place) {
    if (regular(fd) && now()) return fault();
    return REAL(pwrite)(fd, data, n, place);
}
int fsync(int fd) { FAIL_NOW; return REAL(fsync)(fd); }
int ftruncate(int fd, off_t n) { FAIL_NOW; return REAL(ftruncate)(fd, n); }
int ftruncate64(int fd, off64_t n) { FAIL_NOW; return REAL(ftruncate64)(fd, n); }
int rename(const char *from, const char *to) { FAIL_NOW; return REAL(rename)(from, to); }
int renameat(int a, const char *from, int b, const char *to) { FAIL_NOW; return REAL(renameat)(a, from, b, to); }
int unlink(const char *path) { FAIL_NOW; return REAL(unlink)(path); }
int unlinkat(int at_fd, const char *path, int flags) { FAIL_NOW; return REAL(unlinkat)(at_fd, path, flags); }
int rmdir(const char *path) { FAIL_NOW; return REAL(rmdir)(path); }
int mkdir(const char *path, mode_t mode) { FAIL_NOW; return REAL(mkdir)(path, mode); }
int link(const char *from, const char *to) { FAIL_NOW; return REAL(link)(from, to); }
int symlink(const char *from, const char *to) { FAIL_NOW; return REAL(symlink)(from, to); }
int chmod(const char *path, mode_t mode) { FAIL_NOW; return REAL(chmod)(path, mode); }

#define OPEN(name, call)                                                \
    mode_t mode = 0;                                                    \
    if (flags & (O_CREAT | __O_TMPFILE)) {                              \
        va_list more;                                                   \
        va_start(more, flags);                                          \
        mode = va_arg(more, mode_t);                                    \
        va_end(more);                                                   \
    }                                                                   \
    if ((flags & (O_CREAT | O_TRUNC)) && now()) return fault();         \
    return call
int open64(const char *path, int flags, ...) { OPEN(open64, REAL(open64)(path, flags, mode)); }
int open(const char *path, int flags, ...) { OPEN(open, REAL(open)(path, flags, mode)); }
int openat64(int fd, const char *path, int flags, ...) { OPEN(openat64, REAL(openat64)(fd, path, flags, mode)); }
int openat(int fd, const char *path, int flags, ...) { OPEN(openat, REAL(openat)(fd, path, flags, mode)); }

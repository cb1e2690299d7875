/* Preloaded: memory of its own in the place of /dev/dma_heap, which a machine without a camera lacks. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static int is_heap(const char *path) { return path && strncmp(path, "/dev/dma_heap/", 14) == 0; }

/* The heap itself is any open file: only the ioctl below is asked of it. */
#define OPEN(name)                                                              \
    int name(const char *path, int flags, ...)                                  \
    {                                                                           \
        int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, #name);          \
        va_list rest;                                                           \
        va_start(rest, flags);                                                  \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest);                                                           \
        return is_heap(path) ? memfd_create("heap", MFD_CLOEXEC) : real(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

int ioctl(int file, unsigned long request, ...)
{
    int (*real)(int, unsigned long, ...) = dlsym(RTLD_NEXT, "ioctl");
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    switch ((unsigned int)request) { /* Python hands it on with its sign */
    case (unsigned int)DMA_HEAP_IOCTL_ALLOC: {
        struct dma_heap_allocation_data *wanted = argument;
        int memory = memfd_create("buffer", MFD_CLOEXEC);
        if (memory < 0 || ftruncate(memory, wanted->len) < 0)
            return -1;
        wanted->fd = memory;
        return 0;
    }
    case (unsigned int)DMA_BUF_IOCTL_SYNC: /* the processor's own memory is always in step */
    case (unsigned int)DMA_BUF_SET_NAME_A:
    case (unsigned int)DMA_BUF_SET_NAME_B:
        return 0;
    }
    return real(file, request, argument);
}

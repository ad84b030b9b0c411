/* What errno numbers are called, and what strerror(3) says of them: its English is looked up as any sentence is. */
#include <string.h>

#include "base/err.h"
#include "base/lang.h"

/* Those that sockets, files, processes and the kernel's recorders meet. */
static const char *const texts[] = {
    TR("Operation not permitted"),
    TR("No such file or directory"),
    TR("No such process"),
    TR("Interrupted system call"),
    TR("Input/output error"),
    TR("No such device or address"),
    TR("Argument list too long"),
    TR("Exec format error"),
    TR("Bad file descriptor"),
    TR("No child processes"),
    TR("Resource temporarily unavailable"),
    TR("Cannot allocate memory"),
    TR("Permission denied"),
    TR("Bad address"),
    TR("Device or resource busy"),
    TR("File exists"),
    TR("Invalid cross-device link"),
    TR("No such device"),
    TR("Not a directory"),
    TR("Is a directory"),
    TR("Invalid argument"),
    TR("Too many open files in system"),
    TR("Too many open files"),
    TR("Inappropriate ioctl for device"),
    TR("Text file busy"),
    TR("File too large"),
    TR("No space left on device"),
    TR("Illegal seek"),
    TR("Read-only file system"),
    TR("Broken pipe"),
    TR("Numerical result out of range"),
    TR("File name too long"),
    TR("Function not implemented"),
    TR("Directory not empty"),
    TR("Too many levels of symbolic links"),
    TR("Value too large for defined data type"),
    TR("Bad message"),
    TR("Protocol error"),
    TR("Message too long"),
    TR("Protocol not available"),
    TR("Protocol not supported"),
    TR("Operation not supported"),
    TR("Address family not supported by protocol"),
    TR("Address already in use"),
    TR("Cannot assign requested address"),
    TR("Network is down"),
    TR("Network is unreachable"),
    TR("Software caused connection abort"),
    TR("Connection reset by peer"),
    TR("No buffer space available"),
    TR("Transport endpoint is already connected"),
    TR("Transport endpoint is not connected"),
    TR("Connection timed out"),
    TR("Connection refused"),
    TR("No route to host"),
    TR("Operation already in progress"),
    TR("Operation now in progress"),
    TR("Disk quota exceeded"),
    TR("Operation canceled"),
};

const char *err_errno_text(int number)
{
    const char *text = strerror(number);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (strcmp(text, texts[i]) == 0) return tr(texts[i]);
    return text;
}

const char *err_errno_name(int number)
{
    return number > 0 ? strerrorname_np(number) : NULL;
}

bool err_is_restart(int64_t result)
{
    enum { ERESTARTSYS = 512, ERESTARTNOINTR = 513, ERESTARTNOHAND = 514, ERESTART_RESTARTBLOCK = 516 };
    return result == -ERESTARTSYS || result == -ERESTARTNOINTR || result == -ERESTARTNOHAND || result == -ERESTART_RESTARTBLOCK;
}

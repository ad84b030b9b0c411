/* A target that breaks in the way its input asks for: proves that the replay notices (replay_breaks.sh). */
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static volatile uint8_t seen;
    static volatile int sum;

    if (!size) return 0;
    switch (data[0]) {
    case 'o': /* over-read: one byte past the end */
        seen = data[size];
        break;
    case 'c':
        abort();
    case 'u': /* undefined: a sum that no int holds; only the sanitizer sees it */
        sum = INT_MAX - 1;
        sum += (int)size;
        seen = (uint8_t)sum;
        break;
    case 'h':
        while (data[0] == 'h') seen++;
        break;
    default:
        seen = data[size - 1];
        break;
    }
    return 0;
}

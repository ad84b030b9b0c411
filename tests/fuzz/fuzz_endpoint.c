/* Any bytes as host and port (a NUL between them): no name is looked up, every answer is a count or a printable sentence. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "echo/endpoint.h"

enum { CAPACITY = 2 };

static void require(int holds)
{
    if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    enum endpoint_use use = (data[0] & 1 ? ENDPOINT_LISTEN : ENDPOINT_CONNECT) | ENDPOINT_NUMERIC;
    char *text = malloc(size + 1); /* two strings, so that a read past either end is seen */
    require(text != NULL);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = text[size] = '\0';
    const char *port = text + strlen(text) + 1;
    struct endpoint endpoints[CAPACITY];
    struct err err = {""};
    int count = endpoint_parse(text, port, use, SOCK_STREAM, endpoints, CAPACITY, &err);
    require(count != 0 && count <= CAPACITY);
    require(count > 0 || err.text[0] != '\0');
    for (const char *c = err.text; *c; c++) require(*c >= 0x20 && *c < 0x7f);
    for (int i = 0; i < count; i++) {
        struct address address;
        require(address_from_sockaddr(&endpoints[i].address, endpoints[i].length, &address));
        require((use & ENDPOINT_LISTEN) || address.port != 0);
    }
    free(text);
    return 0;
}

#include "record/wanted.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "capture/procinfo.h"
#include "record/recent.h"

/* Where connections stand that some network has, for whoever does not know in which he looks. */
#define SOME_NETWORK UINT64_MAX
/* Of more networks nobody is asked which one it is. */
enum { NETWORKS_MAX = 64 };

/* Both ends, the lower first, so that both directions are one. */
struct flow_key {
    struct address low, high;
    uint64_t netns; /* between loopback addresses, where it is known; else 0 */
    uint64_t protocol;
};
struct end_key {
    struct address address;
    uint64_t netns;
    uint64_t protocol;
};

struct wanted {
    struct recent *flows; /* flow_key → FLOW_* */
    struct recent *ends;  /* end_key → 1: where a followed socket listens, or takes datagrams; 1 + pending connects */
    struct recent *own;   /* end_key without port and protocol → 1; of each network, and of network 0: of any */
    uint64_t networks[NETWORKS_MAX];
    size_t network_count;
};

static bool is_loopback(const struct address *address)
{
    static const uint8_t one[16] = {[15] = 1};
    return address->version == 4 ? address->ip[0] == 127 : memcmp(address->ip, one, sizeof(one)) == 0;
}

static struct flow_key flow_key_of(const struct address *a, const struct address *b, uint8_t protocol, uint64_t netns)
{
    struct flow_key key;
    memset(&key, 0, sizeof(key));
    bool in_order = memcmp(a, b, sizeof(*a)) <= 0;
    key.low = in_order ? *a : *b;
    key.high = in_order ? *b : *a;
    key.netns = is_loopback(a) || is_loopback(b) ? netns : 0;
    key.protocol = protocol;
    return key;
}

static struct end_key end_key_of(const struct address *address, uint8_t protocol, uint64_t netns)
{
    struct end_key key;
    memset(&key, 0, sizeof(key));
    key.address = *address;
    key.netns = netns;
    key.protocol = protocol;
    return key;
}

/* Its number, or 0: then it is in none, as if it were not known. */
static uint64_t learn_network(struct wanted *wanted, uint64_t netns)
{
    for (size_t i = 0; i < wanted->network_count; i++)
        if (wanted->networks[i] == netns) return netns;
    if (!netns || wanted->network_count == NETWORKS_MAX) return 0;
    wanted->networks[wanted->network_count++] = netns;
    return netns;
}

/* ---- this host's addresses ---- */

int wanted_learn_own(struct wanted *wanted, const struct address *address, uint64_t netns)
{
    struct address host = *address;
    host.port = 0;
    const struct end_key here = end_key_of(&host, 0, learn_network(wanted, netns)), any = end_key_of(&host, 0, 0);
    int code = recent_put(wanted->own, &any, 1);
    return code ? code : recent_put(wanted->own, &here, 1);
}

static void learn_this_network(struct wanted *wanted)
{
    struct ifaddrs *all;
    uint64_t netns = procinfo_netns(0);
    if (getifaddrs(&all) < 0) return;
    for (const struct ifaddrs *one = all; one; one = one->ifa_next) {
        struct address address;
        if (!one->ifa_addr) continue;
        size_t length = one->ifa_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
        if (!address_from_sockaddr(one->ifa_addr, length, &address)) continue;
        wanted_learn_own(wanted, &address, netns); /* out of memory: what comes there is found by its marks alone */
    }
    freeifaddrs(all);
}

static bool is_own(struct wanted *wanted, const struct address *address, uint64_t netns)
{
    struct address host = *address;
    host.port = 0;
    const struct end_key key = end_key_of(&host, 0, netns);
    return (host.version == 4 && host.ip[0] == 127) || recent_get(wanted->own, &key);
}

/* ---- ends ---- */

int wanted_add_end(struct wanted *wanted, const struct address *address, uint8_t protocol, uint64_t netns)
{
    const struct end_key key = end_key_of(address, protocol, learn_network(wanted, netns));
    uint64_t is_known = recent_get(wanted->ends, &key);
    return is_known & 1 ? 0 : recent_put(wanted->ends, &key, is_known + 1);
}

int wanted_count_connects(struct wanted *wanted, const struct address *address, uint8_t protocol, int connects)
{
    const struct end_key key = end_key_of(address, protocol, 0);
    uint64_t pending = recent_get(wanted->ends, &key);
    if (connects < 0 && pending < 2) return 0;
    return recent_put(wanted->ends, &key, connects < 0 ? pending - 2 : pending + 2);
}

/* Of sockets in this network (0: nobody knows in which). */
static bool is_end_of(struct wanted *wanted, const struct address *address, uint8_t protocol, uint64_t netns)
{
    struct end_key key = end_key_of(address, protocol, netns);
    if (recent_get(wanted->ends, &key)) return true;
    for (uint8_t version = 4; version <= 6; version += 2) { /* a socket at :: takes IPv4, too */
        memset(&key.address, 0, sizeof(key.address));
        key.address.version = version;
        key.address.port = address->port;
        if (recent_get(wanted->ends, &key) && is_own(wanted, address, netns)) return true;
    }
    return false;
}

bool wanted_is_end(struct wanted *wanted, const struct address *address, uint8_t protocol, uint64_t netns)
{
    if (!address->port) return false;
    if (is_end_of(wanted, address, protocol, 0)) return true;
    for (size_t i = 0; i < wanted->network_count; i++) {
        if (is_loopback(address) && netns && netns != wanted->networks[i]) continue; /* it never leaves its network */
        if (is_end_of(wanted, address, protocol, wanted->networks[i])) return true;
    }
    return false;
}

/* ---- connections ---- */

static int put_flow(struct wanted *wanted, struct flow_key key, uint64_t netns, uint64_t bits)
{
    key.netns = netns;
    uint64_t flow = recent_get(wanted->flows, &key);
    return (flow & bits) == bits ? 0 : recent_put(wanted->flows, &key, flow | bits);
}

int wanted_add_flow(struct wanted *wanted, const struct address *a, const struct address *b, uint8_t protocol, uint64_t netns)
{
    const struct flow_key key = flow_key_of(a, b, protocol, netns);
    int code = put_flow(wanted, key, key.netns, FLOW_WANTED);
    return code || !key.netns ? code : put_flow(wanted, key, SOME_NETWORK, FLOW_WANTED);
}

static bool is_wanted(struct wanted *wanted, struct flow_key key)
{
    if (recent_get(wanted->flows, &key) & FLOW_WANTED) return true;
    if (!is_loopback(&key.low) && !is_loopback(&key.high)) return false;
    key.netns = key.netns ? 0 : SOME_NETWORK;
    return recent_get(wanted->flows, &key) & FLOW_WANTED;
}

bool wanted_has_flow(struct wanted *wanted, const struct address *a, const struct address *b, uint8_t protocol, uint64_t netns)
{
    if (is_wanted(wanted, flow_key_of(a, b, protocol, netns))) return true;
    if (!wanted_is_end(wanted, a, protocol, netns) && !wanted_is_end(wanted, b, protocol, netns)) return false;
    wanted_add_flow(wanted, a, b, protocol, netns);
    return true;
}

uint64_t wanted_flow(struct wanted *wanted, const struct address *from, const struct address *to, uint8_t protocol, uint64_t netns,
                     bool *ret_is_low)
{
    const struct flow_key key = flow_key_of(from, to, protocol, netns);
    if (ret_is_low) *ret_is_low = !memcmp(from, &key.low, sizeof(key.low));
    return recent_get(wanted->flows, &key);
}

void wanted_set_flow(struct wanted *wanted, const struct address *from, const struct address *to, uint8_t protocol, uint64_t netns,
                     uint64_t bits)
{
    const struct flow_key key = flow_key_of(from, to, protocol, netns);
    recent_put(wanted->flows, &key, bits);
}

void wanted_drop_flow(struct wanted *wanted, const struct address *from, const struct address *to, uint8_t protocol, uint64_t netns)
{
    struct flow_key key = flow_key_of(from, to, protocol, netns);
    recent_put(wanted->flows, &key, 0);
    if (!key.netns) return;
    key.netns = 0;
    recent_put(wanted->flows, &key, 0);
}

/* ---- its own life ---- */

struct wanted *wanted_new(void)
{
    struct wanted *wanted = calloc(1, sizeof(*wanted));
    if (!wanted) return NULL;
    wanted->flows = recent_new(sizeof(struct flow_key));
    wanted->ends = recent_new(sizeof(struct end_key));
    wanted->own = recent_new(sizeof(struct end_key));
    if (!wanted->flows || !wanted->ends || !wanted->own) {
        wanted_free(wanted);
        return NULL;
    }
    learn_this_network(wanted);
    return wanted;
}

void wanted_free(struct wanted *wanted)
{
    if (!wanted) return;
    recent_free(wanted->flows);
    recent_free(wanted->ends);
    recent_free(wanted->own);
    free(wanted);
}

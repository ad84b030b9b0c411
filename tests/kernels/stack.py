#!/usr/bin/env python3
"""Linux 5.15's verifier gives a function of its own (__noinline, not static) no memory on the stack that was not written as a whole; later ones do,
and so does the kernel that the tests run under. So no local record of the kernel side goes to such a function without an initialiser.

    tests/kernels/stack.py               a line for each that does; exit status 1
    tests/kernels/stack.py --self-test   proves that it can find one
"""

import pathlib
import re
import sys

KERNEL_SIDE = pathlib.Path(__file__).resolve().parents[2] / "capture/bpf/kernel"
OWN = re.compile(r"^__noinline [\w ]+?\**\b(\w+)\(", re.M)
FUNCTION = re.compile(r"^[^\s#/}][^\n]*\)\n\{\n(.*?)^\}", re.M | re.S)
LOCAL = re.compile(r"^\s+(?:struct|union) \w+ (\w+(?:\[\w+\])?(?:, \w+(?:\[\w+\])?)*);", re.M)


def unwritten(text, own):
    """(function of its own, local record) for each that is passed without an initialiser."""
    found = []
    for body in FUNCTION.findall(text):
        for names in LOCAL.findall(body):
            for name in re.findall(r"(\w+)(?:\[\w+\])?(?:,|$)", names):
                passed = re.findall(r"\b(\w+)\((?:[^;{()]*, )?&?" + name + r"\b(?!\.|->|\[)", body)
                found += [(function, name) for function in dict.fromkeys(passed) if function in own]
    return found


def self_test():
    text = """__noinline int given(struct record *out, int more)
{
    return 0;
}

static __always_inline int inlined(struct record *out)
{
    return 0;
}

static int caller(void)
{
    struct record bad, good_as_well[2];
    struct record written = {0};
    struct record inside;

    inlined(&inside);
    if (given(&written, 1)) return 0;
    return !given(&bad, 0);
}

SEC("program")
int BPF_PROG(last)
{
    struct record in_a_condition;
    int found = 1 ? 0 : given(&in_a_condition, 0);

    return found;
}
"""
    own = set(OWN.findall(text))
    assert own == {"given"}, own
    assert unwritten(text, own) == [("given", "bad"), ("given", "in_a_condition")], unwritten(text, own)
    second = text.replace("!given(&bad, 0)", "given(0, 1) && wrapped(given(good_as_well, 1))")
    assert unwritten(second, own) == [("given", "good_as_well"), ("given", "in_a_condition")], unwritten(second, own)


def main():
    self_test()
    if sys.argv[1:] == ["--self-test"]:
        return 0
    files = sorted([*KERNEL_SIDE.glob("*.bpf.h"), *KERNEL_SIDE.glob("*.bpf.c")])
    texts = {path: path.read_text(encoding="utf-8") for path in files}
    own = {name for text in texts.values() for name in OWN.findall(text)}
    if len(own) < 20:
        print(f"only {len(own)} functions of their own found below {KERNEL_SIDE}: are they declared otherwise now?")
        return 1
    wrong = [(path.name, *pair) for path, text in texts.items() for pair in unwritten(text, own)]
    for name, function, local in wrong:
        print(f"{name}: {function}() is given `{local}`, which nobody wrote: Linux 5.15 refuses that (= {{0}})")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())

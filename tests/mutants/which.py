"""Which mutants a file of C has: one comparison, one && or ||, or one constant changed.

Left out is what changes nothing that anybody could see, or what a test should not hold:
    texts, comments, preprocessor lines and assertions;
    where a largest or smallest is kept (if (a > b) b = a;), or what is beyond (a > b ? a - b : 0), whether equal counts;
    by how much a list grows (room ? room * 2 : 64), the order in which a sort compares, and where a search by halves divides;
    an array's size, 0 and 1, and flags (1, 2, 4 … of an enum): what they are called is what they mean;
    the arguments of __attribute__, wherever it stands;
    && and || between the results of allocations: what only a lack of memory reaches.
The end of a for loop moves inwards, so that the last is not looked at: outwards it would be a read behind an array, which is no bound but
the sanitizers' matter."""

import collections
import re

OPERATORS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||", "||": "&&"}
OPERATOR = re.compile(r"(?<=\s)(<=|>=|==|!=|&&|\|\||<|>)(?=\s)")
NUMBER = re.compile(r"(?<![\w.\"'])(\d+)(?=[uUlL]{0,3}\b)(?![\w.]*[\"'])")
LOOP = re.compile(r"\bfor \([^;]*; (?:[^;]* && )?([\w>.-]+) (<) [^;]*; (?:[^;]*, )?\1\+\+\)")
KEPT = re.compile(r"(?:\bif \(|\(|= |\breturn )(?!\()(?:.* (?:&&|\|\|) )?(\S.*?) (<|>|<=|>=) (\S[^?&|]*?)(?:\) (\S+) = (.+?);| \? ([^:]+?) : (.+?)[;,)])")
BEYOND = re.compile(r"(\S+) (?:<|>) (\S+) \? (?:\2 - \1|\1 - \2) : 0\b")
GROWS = re.compile(r"\b(room|capacity)\b.* \? .*(\1.* \* 2|2 \* .*\1) : \d+;|\.room = \S+ \+ \d+")
HALVES = re.compile(r"\w+ \+ \(\w+ - \w+\) / 2;")
ORDER = re.compile(r"\) - \(|\? -1 :") # what sorts may call equal things larger
ALLOCATED = re.compile(r"(\S+) = [^;]*?(?:alloc|_new|_grow|_dup|strdup|arena_text|steps_add)\(")
NAMED = r"(?:sizeof\([\w>.\[\]-]+\)|[\w>.\[\]-]+)"
TERM = rf"{NAMED}(?: [-+*/] {NAMED})?"
KEPT_ARGUMENT = re.compile(rf"(?<=[(, ])({TERM}) (<|>|<=|>=) ({TERM}) \? (?:\1 : \3|\3 : \1)(?=[;,)}}])") # the same as an argument or a term
CAST = re.compile(r"\((?:s?size_t|int|unsigned|long|u?int\d+_t)\)(?=[\w(])") # by which both sides of such a choice may differ
NEAR_LINES = 25 # an allocation and the look at what came of it
SILENT = re.compile(r"^\s*(#|//|\*|/\*|assert|_Static_assert|__attribute__)|^\s*\"")

Mutant = collections.namedtuple("Mutant", "file line column before after text")


def code_of(line):
    """The line without its strings, characters and comments: blanks stand for them."""
    line = re.sub(r'"(\\.|[^"\\])*"|\'(\\.|[^\'\\])*\'', lambda m: " " * len(m[0]), line)
    return re.sub(r"/\*.*?(\*/|$)|//.*", lambda m: " " * len(m[0]), line)


def kept_at(code):
    """Where the code compares what it then keeps, or subtracts, so that both are the same where they are equal."""
    kept = {beyond.end(1) + 1 for beyond in BEYOND.finditer(code)}
    casts = list(CAST.finditer(code))
    for argument in KEPT_ARGUMENT.finditer(CAST.sub("", code)):
        at = argument.start(2)
        for cast in casts: # places in the line as it stands
            at += len(cast[0]) if cast.start() <= at else 0
        kept.add(at)
    for found in KEPT.finditer(code):
        if {found[1], found[3]} == {found[4] or found[6], found[5] or found[7]}:
            kept.add(found.start(2))
    return kept


def are_allocated(code, at, lines):
    """Whether both names beside the operator were allocated in these lines."""
    left, right = re.search(r"!?([\w>.\[\]-]+) $", code[:at]), re.match(r".. !?([\w>.\[\]-]+)", code[at:])
    allocated = {found[1].lstrip("*") for line in lines for found in ALLOCATED.finditer(line)}
    return all(beside and beside[1] in allocated for beside in (left, right))


def mutants_of(text, file=""):
    comment, all_lines = False, text.splitlines()
    for number, line in enumerate(all_lines, 1):
        if comment:
            comment = "*/" not in line
            continue
        comment = "/*" in line and "*/" not in line[line.index("/*"):]
        code = code_of(line).split("__attribute__")[0]
        if SILENT.match(line) or ORDER.search(code) or GROWS.search(code) or HALVES.search(code):
            continue
        loop, kept = LOOP.search(code), kept_at(" ".join((code, *map(str.strip, map(code_of, all_lines[number:number + 1])))))
        for found in OPERATOR.finditer(code):
            if found.start() not in kept and not (found[0] in ("&&", "||") and are_allocated(code, found.start(), all_lines[max(0, number - NEAR_LINES):number])):
                after = "+ 1 <" if loop and found.start() == loop.start(2) else OPERATORS[found[0]]
                yield Mutant(file, number, found.start(), found[0], after, line.strip())
        for found in NUMBER.finditer(code):
            behind = code[:found.start()].rstrip()
            flag = behind.endswith("=") and int(found[0]) & (int(found[0]) - 1) == 0 and code[found.end():found.end() + 1] == ","
            if found[0] not in ("0", "1") and not behind.endswith("[") and not flag:
                yield Mutant(file, number, found.start(), found[0], str(int(found[0]) + 1), line.strip())


def changed(text, mutant):
    """The text with the mutant in it."""
    lines = text.splitlines(keepends=True)
    at = lines[mutant.line - 1]
    assert at[mutant.column:mutant.column + len(mutant.before)] == mutant.before
    lines[mutant.line - 1] = at[:mutant.column] + mutant.after + at[mutant.column + len(mutant.before):]
    return "".join(lines)

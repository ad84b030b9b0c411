"""Messages by their .proto definitions, with Debian's protoc and python3-protobuf."""

import os
import subprocess
import sys
import tempfile

try:
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
except ImportError:
    # The python3 that comes first in PATH need not be the one that Debian's modules belong to.
    if os.path.realpath(sys.executable) == os.path.realpath("/usr/bin/python3"):
        raise
    os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])

HERE = os.path.dirname(os.path.abspath(__file__))


def message(proto, name):
    """The class of a message that a .proto file of this folder defines."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "set")
        subprocess.run(["protoc", "--descriptor_set_out=" + out, "-I" + HERE, os.path.join(HERE, proto)], check=True)
        with open(out, "rb") as file:
            files = descriptor_pb2.FileDescriptorSet.FromString(file.read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return message_factory.MessageFactory(pool).GetPrototype(pool.FindMessageTypeByName(name))


def unknown_fields(value, path=""):
    """Where the message holds fields that the definitions don't have."""
    found = [path or "."] if len(value.UnknownFields()) else []
    for field, inner in value.ListFields():
        if field.type != field.TYPE_MESSAGE:
            continue
        for one in inner if field.label == field.LABEL_REPEATED else [inner]:
            found += unknown_fields(one, path + "." + field.name)
    return found

#!/usr/bin/env python3
"""Calls the example with the official Python client and says what came back.

    client.py ADDRESS METHOD [--token TOKEN]... [--id N]

METHOD is `Documents/Get`, `Documents/Delete`, `Documents/Watch`, `Documents/Discuss`, `Account/SignOut` or
`Health/Check`. Needs the package grpcio and nothing else: the few messages are encoded by hand.
"""

import argparse
import sys

import grpc

PACKAGE = "portcullis.example.v1"
DEADLINE = 60


def varint(number):
    """Protocol Buffers' base 128 form."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def uint32(field, number):
    return varint(field << 3) + varint(number)


def string(field, text):
    data = text.encode()
    return varint(field << 3 | 2) + varint(len(data)) + data


def decode(message):
    """The fields of a message by number: integers and byte strings are all there is."""

    def number():
        nonlocal message
        value, shift = 0, 0
        while True:
            byte, message = message[0], message[1:]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    fields = {}
    while message:
        tag = number()
        if tag & 7 == 0:
            fields[tag >> 3] = number()
        elif tag & 7 == 2:
            length = number()
            fields[tag >> 3], message = message[:length], message[length:]
        else:
            raise ValueError(f"a field of wire type {tag & 7}")
    return fields


class Answer:
    """What came back: the decoded messages, the status, and its metadata."""

    def __init__(self, messages, call):
        self.messages = messages
        self.code = call.code()
        self.details = call.details()
        self.initial = list(call.initial_metadata() or ())
        self.trailing = list(call.trailing_metadata() or ())

    def trailer(self, name):
        """The one value of a trailing metadata entry, or None."""
        values = [value for key, value in self.trailing if key == name]
        assert len(values) <= 1, f"{name} occurs {len(values)} times"
        return values[0] if values else None


class Client:
    """Generic stubs over one channel: bytes in, bytes out."""

    def __init__(self, address):
        self.channel = grpc.insecure_channel(address)

    def open(self, method, tokens=(), id=1, notes=("hello",)):
        """Begins a call and returns it unread; iterating gives encoded messages."""
        metadata = tuple(("authorization", f"Bearer {token}") for token in tokens)
        options = {"metadata": metadata, "timeout": DEADLINE}
        if method == "Health/Check":
            return self.unary("/grpc.health.v1.Health/Check", b"", options)
        path = f"/{PACKAGE}.{method}"
        if method == "Documents/Watch":
            return self.channel.unary_stream(path)(b"", **options)
        if method == "Documents/Discuss":
            return self.channel.stream_stream(path)((string(1, note) for note in notes), **options)
        return self.unary(path, uint32(1, id) if method.startswith("Documents/") else b"", options)

    def unary(self, path, message, options):
        # Received as a stream of at most one message, so that all calls look alike.
        return self.channel.unary_stream(path)(message, **options)

    def call(self, method, *tokens, **arguments):
        """Calls a method and waits for its end."""
        call = self.open(method, tokens, **arguments)
        messages = []
        try:
            messages.extend(decode(message) for message in call)
        except grpc.RpcError:
            pass  # The call itself says how it ended.
        return Answer(messages, call)


def main():
    parser = argparse.ArgumentParser(description="Calls the gRPC example.")
    parser.add_argument("address", help="such as 127.0.0.1:50051")
    parser.add_argument("method", help="such as Documents/Get")
    parser.add_argument("--token", action="append", default=[], help="a bearer token; twice is a mistake")
    parser.add_argument("--id", type=int, default=1, help="which document")
    arguments = parser.parse_args()
    call = Client(arguments.address).open(arguments.method, arguments.token, arguments.id)
    try:
        for message in call:
            print(decode(message), flush=True)
    except grpc.RpcError:
        pass
    answer = Answer([], call)
    print(f"{answer.code.value[0]} {answer.code.name} {answer.details}")
    for name, value in answer.trailing:
        print(f"  {name}: {value}")
    return answer.code.value[0]


if __name__ == "__main__":
    sys.exit(main())

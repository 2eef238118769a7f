#!/usr/bin/env python3
"""What the official Python client sees. Run by tests/grpc/grpcio.rs, which hands over addresses and tokens as
JSON on standard input; ends with 0 when all is as it should be."""

import json
import sys

import grpc

from client import Answer, Client, decode

given = json.load(sys.stdin)
tokens = given["tokens"]
METHODS = {
    "Documents/Get": "documents:read",
    "Documents/Watch": "documents:read",
    "Documents/Delete": "documents:delete",
    "Documents/Discuss": "documents:comment",
    "Account/SignOut": "account",
}
NO_CREDENTIALS = "no credentials were sent"
INVALID = "the credentials are not valid"
UNREADABLE = "the credentials cannot be read"


def refused(answer, code, details, challenge):
    assert answer.messages == [], answer.messages
    assert (answer.code, answer.details) == (code, details), (answer.code, answer.details)
    assert answer.trailer("www-authenticate") == challenge, answer.trailing
    assert answer.trailer("cache-control") == "no-store", answer.trailing
    assert answer.trailer("retry-after") is None, answer.trailing


def every_method_is_refused_without_the_right(client):
    unauthenticated = grpc.StatusCode.UNAUTHENTICATED
    for method, scope in METHODS.items():
        plain = 'Bearer realm="api"'
        refused(client.call(method), unauthenticated, NO_CREDENTIALS, plain)
        for bad in (tokens["expired"], tokens["forged"]):
            refused(client.call(method, bad), unauthenticated, INVALID, f'{plain}, error="invalid_token"')
        twice = client.call(method, tokens["all"], tokens["all"])
        refused(twice, unauthenticated, UNREADABLE, f'{plain}, error="invalid_request"')
        refused(
            client.call(method, tokens["scopeless"]),
            grpc.StatusCode.PERMISSION_DENIED,
            "the credentials lack scope",
            f'{plain}, error="insufficient_scope", scope="{scope}"',
        )


def with_the_right_calls_are_answered(client):
    answer = client.call("Documents/Get", tokens["all"])
    assert answer.code is grpc.StatusCode.OK, answer.details
    assert answer.messages == [{1: 1, 2: b"alice", 3: b"Alice's plan"}], answer.messages
    assert ("vary", "authorization") in answer.initial, answer.initial

    others = client.call("Documents/Get", tokens["all"], id=2)
    refused(others, grpc.StatusCode.PERMISSION_DENIED, "the caller is not allowed to do this", None)

    answer = client.call("Documents/Discuss", tokens["all"], notes=("one", "two"))
    assert answer.code is grpc.StatusCode.OK, answer.details
    assert answer.messages == [{1: b"one", 2: b"alice"}, {1: b"two", 2: b"alice"}], answer.messages


def a_stream_ends_with_its_token(client, stream):
    """Opened first and read last. The head was sent long before, so no challenge comes with the end."""
    messages = []
    try:
        messages.extend(decode(message)[1] for message in stream)
    except grpc.RpcError:
        pass
    answer = Answer(messages, stream)
    assert messages == [1], messages
    assert (answer.code, answer.details) == (grpc.StatusCode.UNAUTHENTICATED, INVALID), answer.details
    assert answer.trailer("www-authenticate") is None, answer.trailing
    again = client.call("Documents/Get", tokens["short"])
    refused(again, grpc.StatusCode.UNAUTHENTICATED, INVALID, 'Bearer realm="api", error="invalid_token"')


def a_stream_ends_when_its_caller_signs_out(client):
    stream = client.open("Documents/Watch", [tokens["all"]])
    next(stream)
    assert client.call("Account/SignOut", tokens["all"]).code is grpc.StatusCode.OK
    try:
        message = next(stream)
        raise AssertionError(f"the stream goes on: {message}")
    except grpc.RpcError:
        assert (stream.code(), stream.details()) == (grpc.StatusCode.UNAUTHENTICATED, INVALID), stream.details()
    again = client.call("Documents/Get", tokens["all"])
    refused(again, grpc.StatusCode.UNAUTHENTICATED, INVALID, 'Bearer realm="api", error="invalid_token"')


def health_is_public(client):
    for credentials in ([], ["garbage"], [tokens["expired"]], [tokens["all"], tokens["all"]]):
        answer = client.call("Health/Check", *credentials)
        assert (answer.code, answer.messages) == (grpc.StatusCode.OK, [{1: 1}]), answer.details


def nothing_is_decided_while_the_issuer_is_down(client):
    for method in METHODS:
        answer = client.call(method, tokens["of_the_other_issuer"])
        refused(answer, grpc.StatusCode.UNAVAILABLE, "it cannot be decided at the moment", None)
        assert int(answer.trailer("grpc-retry-pushback-ms")) > 0, answer.trailing


up = Client(given["address"])
short = up.open("Documents/Watch", [tokens["short"]])
health_is_public(up)
every_method_is_refused_without_the_right(up)
with_the_right_calls_are_answered(up)
down = Client(given["address_without_issuer"])
health_is_public(down)
nothing_is_decided_while_the_issuer_is_down(down)
a_stream_ends_with_its_token(up, short)
a_stream_ends_when_its_caller_signs_out(up)
print("every check passed")

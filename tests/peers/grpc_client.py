"""Calls /test.Echo/Say of an xds:/// target; prints the answer, or the code and the milliseconds of a failure, line by line."""

import sys
import time

import grpc

target, times = sys.argv[1], int(sys.argv[2])
with grpc.insecure_channel(f"xds:///{target}") as channel:
    say = channel.unary_unary("/test.Echo/Say")
    for turn in range(times):
        begun = time.monotonic()
        try:
            print(say(str(turn).encode(), timeout=20, wait_for_ready=False).decode(), flush=True)
        except grpc.RpcError as error:
            print(f"{error.code().name} after {round((time.monotonic() - begun) * 1000)} ms", flush=True)

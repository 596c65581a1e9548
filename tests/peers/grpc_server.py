"""A gRPC server of one method, /test.Echo/Say, that answers with its own name and what it was sent."""

import sys
from concurrent import futures

import grpc

name = sys.argv[1]


def say(request, context):
    return name.encode() + b" " + request


handler = grpc.method_handlers_generic_handler("test.Echo", {"Say": grpc.unary_unary_rpc_method_handler(say)})
server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
server.add_generic_rpc_handlers((handler,))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(f"{name} listens on 127.0.0.1:{port}", flush=True)
server.wait_for_termination()

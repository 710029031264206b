"""Calls inferwire hosts with the official Python client: `client.py CLEAR_PORT SECURE_PORT CA_FILE`."""

import sys

import grpc
from inferwire.predict.v1 import predict_pb2 as pb
from inferwire.predict.v1 import predict_pb2_grpc as rpc

clear_port, secure_port, ca_file = sys.argv[1:4]
TOKEN = (("authorization", "interop"),)
LARGE = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
]
passed = 0


def check(name, ok):
    global passed
    if not ok:
        sys.exit(f"FAILED python: {name}")
    passed += 1
    print(f"ok python: {name}")


def error_of(call):
    try:
        call()
    except grpc.RpcError as error:
        return error
    return None


with open(ca_file, "rb") as file:
    credentials = grpc.ssl_channel_credentials(file.read())
channels = {
    "cleartext": grpc.insecure_channel(f"127.0.0.1:{clear_port}", LARGE),
    "TLS": grpc.secure_channel(f"localhost:{secure_port}", credentials, LARGE),
}
for name, channel in channels.items():
    stub = rpc.PredictServiceStub(channel)

    def predict(data, metadata=TOKEN, **options):
        request = pb.PredictRequest(service="probe", data=data)
        return stub.Predict(request, metadata=metadata, **options)

    check(f"{name}: unary echo", predict(b"hello").data == b"hello")
    check(f"{name}: empty payload", predict(b"").data == b"")
    large = bytes(range(256)) * 80_000
    check(f"{name}: 20 MB both ways", predict(large, timeout=30).data == large)
    for algorithm in (grpc.Compression.Gzip, grpc.Compression.Deflate):
        answer = predict(b"x" * 100_000, compression=algorithm)
        check(f"{name}: {algorithm.name} request", len(answer.data) == 100_000)
    answer = predict(b"status")
    check(f"{name}: a status is an answer", (answer.status, answer.data) == (418, b"teapot"))

    error = error_of(lambda: predict(b"throw"))
    check(f"{name}: error code", error.code() == grpc.StatusCode.FAILED_PRECONDITION)
    check(f"{name}: error text", error.details() == "as asked: 100 % – ü")
    trailers = dict(error.trailing_metadata())
    check(f"{name}: reason trailer", trailers.get("inferwire-reason") == "CALL_FAILED")

    error = error_of(lambda: predict(b"sleep", timeout=0.2))
    check(f"{name}: deadline", error.code() == grpc.StatusCode.DEADLINE_EXCEEDED)
    error = error_of(lambda: predict(b"x", metadata=()))
    check(f"{name}: no token", error.code() == grpc.StatusCode.UNAUTHENTICATED)
    request = pb.PredictRequest(service="other")
    error = error_of(lambda: stub.Predict(request, metadata=TOKEN))
    check(f"{name}: unknown service", error.code() == grpc.StatusCode.NOT_FOUND)
    error = error_of(lambda: channel.unary_unary("/no.Such/Method")(b"", metadata=TOKEN))
    check(f"{name}: unknown method", error.code() == grpc.StatusCode.UNIMPLEMENTED)

    pieces = stub.PredictStream(pb.PredictStreamRequest(data=b"pieces"), metadata=TOKEN)
    check(f"{name}: stream", [p.data for p in pieces] == [b"one", b"two", b"three"])
    call = stub.Predict.future(pb.PredictRequest(data=b"sleep"), metadata=TOKEN)
    call.cancel()
    check(f"{name}: cancel", call.cancelled())
    futures = [
        stub.Predict.future(pb.PredictRequest(data=b"%d" % i), metadata=TOKEN, timeout=20)
        for i in range(50)
    ]
    answers = [future.result().data for future in futures]
    check(f"{name}: 50 calls at once", answers == [b"%d" % i for i in range(50)])

print(f"{passed} passed, 0 failed")

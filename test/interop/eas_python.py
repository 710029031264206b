"""Judges hosts and a directory with EAS's own Python SDK: `eas_python.py PORTS`, PORTS as eas-hosts.mjs prints them."""

import json
import logging
import os
import sys
import threading
import time
import urllib.request
from importlib.metadata import version

import cramjam
import urllib3
from eas_prediction import PredictClient, StringRequest, TFRequest, TorchRequest
from eas_prediction import onnx_processor_data_helper as onnx_helper
from eas_prediction.exception import PredictException
from eas_prediction.onnx_request import OnnxRequest
from eas_prediction.predict_client import ENDPOINT_TYPE_DIRECT
import numpy

with open(sys.argv[1]) as file:
    ports = json.load(file)
TOKEN = "interop"
# urllib3 2 warns of direct calls, whose URLs the SDK makes without a scheme; the hosts' 401 warns nobody.
logging.getLogger("urllib3").setLevel(logging.ERROR)
urllib3.disable_warnings()
passed = 0
clients = []


def check(name, ok, seen=""):
    global passed
    if not ok:
        sys.exit(f"FAILED eas-prediction {version('eas-prediction')}: {name} {seen}")
    passed += 1
    print(f"ok eas-prediction {version('eas-prediction')}: {name} {seen}".rstrip(), flush=True)


def control(**order):
    url = f"http://127.0.0.1:{ports['control']}/"
    with urllib.request.urlopen(url, data=json.dumps(order).encode(), timeout=10) as answer:
        return json.load(answer)


def take(service):
    return control(service=service)


def statuses(*names):
    """How many calls of each status hosts have answered, refusals included."""
    counts = {}
    for name in names:
        url = f"http://127.0.0.1:{ports[name]}/api/builtin/monitor"
        request = urllib.request.Request(url, headers={"Authorization": TOKEN})
        with urllib.request.urlopen(request, timeout=10) as answer:
            for method in json.load(answer)["methods"]:
                if method["door"] == "eas":
                    status = method["status"]
                    counts[status] = counts.get(status, 0) + method["count"]
    return counts


def grown(before, after):
    grew = {status: n - before.get(status, 0) for status, n in after.items()}
    return {status: n for status, n in grew.items() if n > 0}


def client(service, token=TOKEN, direct=False, url=""):
    address = ports["directory"] if direct else ports.get(service, 0)
    made = PredictClient(f"http://127.0.0.1:{address}", service, url)
    if direct:
        made.set_endpoint_type(ENDPOINT_TYPE_DIRECT)
    made.set_token(token)
    made.init()
    clients.append(made)
    return made


def gateway(host, service="probe", token=TOKEN):
    made = PredictClient(f"http://127.0.0.1:{ports[host]}", service)
    made.set_token(token)
    made.init()
    clients.append(made)
    return made


def text(made, body):
    return made.predict(StringRequest(body)).response_data


def failure(made, body):
    try:
        text(made, body)
    except PredictException as error:
        return error
    return None


# The gateway's way: one address for all calls.
check("gateway with a token", text(gateway("a"), "hello") == b"hello")
check("gateway without a token", text(gateway("open", "open", ""), "hello") == b"hello")
check("bytes", text(gateway("a"), bytes(range(256)) * 400) == bytes(range(256)) * 400)
check("an empty body", text(gateway("a"), "") == b"")
large = b"x" * 5_000_000
check("5 MB", text(gateway("a"), large) == large)
seen = json.loads(text(gateway("a", "probe/v1/chat"), "path"))
check("a sub-path in the service's name", seen["path"] == "/v1/chat", seen)

custom = f"http://127.0.0.1:{ports['a']}/api/predict/probe/v1/chat?uid=1&flag="
seen = json.loads(text(client("probe", url=custom), "path"))
check("custom URL: bare token, path and query", seen == {"path": "/v1/chat", "query": "uid=1&flag="}, seen)
typed = gateway("a")
typed.set_content_type("application/json")
check("a signature with a Content-Type of its own", text(typed, "{}") == b"{}")
typed = gateway("a")
typed.add_extra_headers({"Content-Type": "text/plain", "X-Own": "1"})
check("a signature with extra headers", text(typed, "hi") == b"hi")

# What is refused, and how often the SDK tries.
before = statuses("a")
error = failure(gateway("a", token="wrong"), "hello")
attempts = grown(before, statuses("a"))
check("a wrong token is 401", error.code == 401 and b"UNAUTHENTICATED" in error.message)
check("a wrong token is tried", attempts == {"401": 1}, attempts)
error = failure(gateway("a", token=""), "hello")
check("no token is 401", error.code == 401)
error = failure(gateway("a", "other"), "hello")
check("another service's name is 404", error.code == 404)
for status, expected in (
    (500, 5),
    *((status, 1) for status in (201, 204, 400, 404, 408, 429, 450, 501, 502, 503, 504)),
):
    before = statuses("a")
    error = failure(gateway("a"), f"status {status}")
    attempts = grown(before, statuses("a"))
    check(f"status {status}", error.code == status and attempts == {str(status): expected}, attempts)

before = statuses("a")
started = time.monotonic()
error = failure(gateway("a"), "sleep")
check("the host's time limit is 408", error.code == 408 and b"DEADLINE_EXCEEDED" in error.message)
attempts = grown(before, statuses("a"))
check("the host's time limit", attempts == {"408": 1}, attempts)

impatient = gateway("full", "full")
impatient.set_timeout(300)
impatient.set_retry_count(1)
busy = threading.Thread(target=failure, args=(impatient, "sleep"))
patient = gateway("full", "full")
occupied = threading.Thread(target=failure, args=(gateway("full", "full"), "sleep"))
occupied.start()
time.sleep(0.3)
before = statuses("full")
error = failure(patient, "hello")
attempts = grown(before, statuses("full"))
check("a full queue is 450", error.code == 450 and b"QUEUE_FULL" in error.message)
check("a full queue", attempts == {"450": 1}, attempts)
occupied.join()
check("after a 450 and a closed connection the client goes on", text(patient, "hello") == b"hello")
error = failure(impatient, "sleep")
check("the client's own time limit is its code 500", error.code == 500)

# The direct way: discovery and weights.
direct = client("probe", direct=True)
check("direct", text(direct, "hello") == b"hello")
take("probe")
names = [text(direct, "who").decode() for _ in range(300)]
shares = take("probe")
check("direct: weights 2 and 1", shares["calls"] == {"a": 200, "b": 100}, shares)
cycles = {"".join(sorted(names[i : i + 3])) for i in range(0, 300, 3)}
check("direct: no runs", cycles == {"aab"}, cycles)
check("direct: connections are kept", shares["connections"] <= 3, shares["connections"])
seen = json.loads(text(client("probe/v1/chat", direct=True), "path"))
check("direct: a sub-path in the service's name", seen["path"] == "/v1/chat", seen)
os.environ["NAMESPACE"] = os.environ["POD_NAME"] = "inside"
check("direct: inside the platform (?internal=true)", text(client("probe", direct=True), "hi") == b"hi")
del os.environ["NAMESPACE"], os.environ["POD_NAME"]
unknown = client("unknown", direct=True)
unknown.set_log_level(logging.CRITICAL)
check("direct: an unknown service is the client's own code 500", failure(unknown, "hello").code == 500)
unknown.destroy()

# More than ten hosts: no connection is used twice.
crowd = client("crowd", direct=True)
text(crowd, "hello")
take("crowd")
for _ in range(120):
    text(crowd, "hello")
seen = take("crowd")
check("twelve hosts: equal shares", set(seen["calls"].values()) == {10}, seen["connections"])

# Threads of one client mix their headers: a request may carry another's length and signature.
shared = client("probe", direct=True)
text(shared, "hello")
outcomes = {}
lock = threading.Lock()


def hammer(index):
    for i in range(150):
        body = b"%d-%d-" % (index, i) + b"x" * (index * 37 + i)
        try:
            outcome = "whole" if text(shared, body) == body else "foreign"
        except PredictException as error:
            outcome = str(error.code)
        with lock:
            outcomes[outcome] = outcomes.get(outcome, 0) + 1


sys.setswitchinterval(1e-6)
threads = [threading.Thread(target=hammer, args=(i,)) for i in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(120)
sys.setswitchinterval(0.005)
check("8 threads, 1,200 calls: all of them end", sum(outcomes.values()) == 1_200, outcomes)
check("8 threads: the hosts go on", text(direct, "hello") == b"hello")
own = [client("probe", direct=True) for _ in range(8)]
wrong = []


def alone(index):
    for i in range(50):
        body = b"%d-%d-" % (index, i) + b"x" * (index * 37 + i)
        if text(own[index], body) != body:
            wrong.append(body)


threads = [threading.Thread(target=alone, args=(i,)) for i in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(60)
check("8 threads with a client each: every answer is right", wrong == [])

# Hosts join and leave under load; one that leaves stays up for as long as clients need to hear of it.
moving = client("moving", direct=True)
text(moving, "who")
take("moving")
lost = []
steps = [(1.0, {"start": "m3"}), (6.0, {"stop": "m1"}), (12.0, {"start": "m1"})]
after, began = {}, time.monotonic()
calls = 0
while time.monotonic() - began < 17:
    if steps and time.monotonic() - began > steps[0][0]:
        control(**steps.pop(0)[1])
    second = int(time.monotonic() - began)
    try:
        after.setdefault(second, set()).add(text(moving, "who").decode())
        calls += 1
    except PredictException as error:
        lost.append((second, error.code))
    time.sleep(0.01)
check("hosts join and leave: no call is lost", lost == [] and calls > 500, (lost, calls))
check("a new host is used within 4 s", "m3" in after[5], after[5])
check("one that left is not", after[11] == {"m2", "m3"}, after[11])
check("one that came back is", after[16] == {"m1", "m2", "m3"}, after[16])

# Tensors.
FLOATS = [0.5, -1.0, 3.25, float("inf"), 1e-30, 2.0]
TF = [
    ("DT_FLOAT", [2, 3], FLOATS),
    ("DT_DOUBLE", [6], [1 / 3, -1e300, 0.0, 1.0, 2.0, 3.0]),
    ("DT_INT8", [3], [-128, 0, 127]),
    ("DT_INT16", [3, 1], [-32768, 0, 32767]),
    ("DT_INT32", [1, 3], [-(2**31), 0, 2**31 - 1]),
    ("DT_INT64", [3], [-(2**63), -1, 2**63 - 1]),
    ("DT_UINT8", [3], [0, 1, 255]),
    ("DT_UINT16", [3], [0, 1, 65535]),
    ("DT_QINT8", [2], [-128, 127]),
    ("DT_QUINT8", [2], [0, 255]),
    ("DT_QINT16", [2], [-32768, 32767]),
    ("DT_QUINT16", [2], [0, 65535]),
    ("DT_QINT32", [2], [-(2**31), 2**31 - 1]),
    ("DT_STRING", [2], [b"", "ü".encode()]),
    ("DT_BOOL", [2, 2], [True, False, False, True]),
]
FIELDS = ("float_val", "double_val", "int_val", "int64_val", "bool_val", "string_val")


def values(array):
    """The elements of an array message, whatever field they are in: the SDK reads none of unsigned and Q types."""
    full = [list(getattr(array, field)) for field in FIELDS if len(getattr(array, field, []))]
    return full[0] if len(full) == 1 else full


def single(numbers):
    return [float(numpy.float32(number)) for number in numbers]


tensorflow = client("tensorflow", direct=True)
for name, shape, content in TF:
    request = TFRequest("predict_images")
    dtype = getattr(TFRequest, name)
    request.add_feed("x", shape, dtype, content)
    answer = tensorflow.predict(request)
    array = answer.response.outputs["x"]
    wanted = single(content) if name == "DT_FLOAT" else content
    right = (array.dtype, list(array.array_shape.dim), values(array)) == (dtype, shape, wanted)
    check(f"TFRequest {name}", right and answer.get_tensor_shape("x") == shape, values(array) if not right else "")
request = TFRequest("predict_images")
request.add_feed("images", [1, 784], TFRequest.DT_FLOAT, [1.0] * 784)
request.add_feed("other", [1], TFRequest.DT_INT32, [7])
request.add_fetch("images")
answer = tensorflow.predict(request)
check("TFRequest with a fetch", list(answer.response.outputs) == ["images"])
check("TFResponse reads", list(answer.get_values("images")) == [1.0] * 784)
request.add_feed("other", [5], TFRequest.DT_INT32, [1])
error = None
try:
    tensorflow.predict(request)
except PredictException as raised:
    error = raised
check("TFRequest with a shape that does not fit", error.code == 400 and b"other" in error.message, error.message)

TORCH = [row for row in TF if hasattr(TorchRequest, row[0])]
torch = client("pytorch", direct=True)
packed = client("packed", direct=True)
for made, flag in ((torch, False), (packed, True)):
    kind = "TorchRequest(True), snappy," if flag else "TorchRequest"
    request = TorchRequest(flag)
    for index, (name, shape, content) in enumerate(TORCH):
        request.add_feed(index, shape, getattr(TorchRequest, name), content)
    answer = made.predict(request)
    for index, (name, shape, content) in enumerate(TORCH):
        wanted = single(content) if name == "DT_FLOAT" else content
        array = answer.response.outputs[index]
        right = array.dtype == getattr(TorchRequest, name) and list(answer.get_values(index)) == wanted
        check(f"{kind} {name}", right and answer.get_tensor_shape(index) == shape)
request = TorchRequest()
request.add_feed(0, [1], TorchRequest.DT_FLOAT, [1.0])
request.add_feed(1, [1], TorchRequest.DT_INT64, [-1])
request.add_fetch(1)
answer = torch.predict(request)
check("TorchRequest with a fetch", len(answer.response.outputs) == 1 and list(answer.get_values(0)) == [-1])
request = TorchRequest()
request.add_feed_map("left", [2], TorchRequest.DT_DOUBLE, [0.1, 0.2])
answer = torch.predict(request)
check("TorchRequest by name", list(answer.get_values_map("left")) == [0.1, 0.2])
check("TorchRequest by name: shape", answer.get_tensor_shape_map("left") == [2])

request = OnnxRequest()
arrays = {
    dtype: numpy.arange(6).reshape(2, 3).astype(dtype)
    for dtype in ("float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
}
for dtype, array in arrays.items():
    request.add_tensor(onnx_helper.from_array(array, dtype))
answer = client("onnx", direct=True).predict(request)
for index, dtype in enumerate(arrays):
    back = onnx_helper.to_array(answer.get_tensor(index))
    same = back.dtype == arrays[dtype].dtype and numpy.array_equal(back, arrays[dtype])
    check(f"OnnxRequest {dtype}", same and answer.get_name(index) == dtype)

# Bodies compressed by hand, as the service's decompressor expects; the SDK signs the compressed form.
plain = b"compressed " * 2_000 + bytes(range(256))
codecs = {
    "gzip": (cramjam.gzip.compress,),
    "zlib": (cramjam.zlib.compress,),
    "snappy": (cramjam.snappy.compress_raw,),
    "lz4": (
        lambda data: cramjam.lz4.compress_block(data, store_size=False),
        cramjam.lz4.compress,
    ),
    "zstd": (cramjam.zstd.compress,),
}
for codec, ways in codecs.items():
    for way in ways:
        check(f"{codec} body", text(client(codec, direct=True), bytes(way(plain))) == plain)
    error = failure(client(codec, direct=True), b"\x00not compressed")
    check(f"{codec}: what is not {codec} is 400", error.code == 400, error.message)

for made in clients:
    made.destroy()
print(f"{passed} passed, 0 failed")

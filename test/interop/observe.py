"""Judges what is seen of a host from outside by official libraries: `observe.py PORT`."""

import sys
import urllib.request

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from prometheus_client.parser import text_string_to_metric_families

port = sys.argv[1]
channel = grpc.insecure_channel(f"127.0.0.1:{port}")


def check(name, ok):
    if not ok:
        sys.exit(f"FAILED python: {name}")
    print(f"ok python: {name}")


health = health_pb2_grpc.HealthStub(channel)
asked = health_pb2.HealthCheckRequest
SERVING = health_pb2.HealthCheckResponse.SERVING
for service in ("", "probe", "inferwire.predict.v1.PredictService"):
    check(f"health of {service!r}", health.Check(asked(service=service)).status == SERVING)
try:
    health.Check(asked(service="none"))
    check("health of an unknown service", False)
except grpc.RpcError as error:
    check("health of an unknown service", error.code() == grpc.StatusCode.NOT_FOUND)
watch = health.Watch(asked(service="none"))
unknown = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
check("watch of an unknown service", next(watch).status == unknown)
watch.cancel()

database = ProtoReflectionDescriptorDatabase(channel)
check("reflection lists", "grpc.health.v1.Health" in database.get_services())
pool = DescriptorPool(database)
monitor = pool.FindMessageTypeByName("inferwire.builtin.v1.MonitorResponse")
check("reflection describes", "queue_length" in monitor.fields_by_name)

with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
    families = {f.name: f for f in text_string_to_metric_families(answer.read().decode())}
check("metrics parse", families["grpc_server_handling_seconds"].type == "histogram")
handled = {
    (s.labels["grpc_method"], s.labels["grpc_code"]): s.value
    for s in families["grpc_server_handled"].samples
}
check("metrics count", handled[("Check", "OK")] >= 3 and handled[("Check", "NotFound")] >= 1)

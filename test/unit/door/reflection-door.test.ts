import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import type { HostState } from "../../../src/builtin/host-view.js";
import { Status } from "../../../src/core/status.js";
import { reflectionRoutes } from "../../../src/door/reflection-door.js";
import { createDescriptorIndex } from "../../../src/wire/descriptor-index.js";
import { type ReflectionQuestion, reflectionRpcs } from "../../../src/wire/reflection.js";
import { flushPromises } from "../../support/fake-clock.js";
import { recordedCall } from "../../support/rpc-call.js";

/** A proto2 file with an extendable message, an extension of it, and an import. */
const userSet = toBinary(
  FileDescriptorSetSchema,
  create(FileDescriptorSetSchema, {
    file: [
      { name: "user/empty.proto", package: "user" },
      {
        name: "user/model.proto",
        package: "user",
        dependency: ["user/empty.proto"],
        messageType: [{ name: "Base", extensionRange: [{ start: 100, end: 200 }] }],
        enumType: [{ name: "Colour", value: [{ name: "RED", number: 0 }] }],
        extension: [
          {
            name: "extra",
            extendee: ".user.Base",
            number: 101,
            type: FieldDescriptorProto_Type.STRING,
            label: FieldDescriptorProto_Label.OPTIONAL,
          },
        ],
      },
    ],
  }),
);

const namesOf = (files: readonly Uint8Array[] | undefined): string[] | undefined =>
  files?.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name);

describe("createDescriptorIndex", () => {
  const index = createDescriptorIndex([userSet]);

  it.each([
    ["a service", "inferwire.predict.v1.PredictService", "inferwire/predict/v1/predict.proto"],
    [
      "a method",
      "inferwire.predict.v1.PredictService.Predict",
      "inferwire/predict/v1/predict.proto",
    ],
    ["a message", "grpc.health.v1.HealthCheckRequest", "grpc/health/v1/health.proto"],
    ["a field", "grpc.health.v1.HealthCheckRequest.service", "grpc/health/v1/health.proto"],
    [
      "a nested enum",
      "grpc.health.v1.HealthCheckResponse.ServingStatus",
      "grpc/health/v1/health.proto",
    ],
    [
      "an enum's value",
      "grpc.health.v1.HealthCheckResponse.SERVING",
      "grpc/health/v1/health.proto",
    ],
    ["a message of the user's", "user.Base", "user/model.proto"],
    ["an extension", "user.extra", "user/model.proto"],
    ["a value of a file's enum", "user.RED", "user/model.proto"],
  ])("finds the file of %s", (_what, symbol, file) => {
    expect(namesOf(index.fileBySymbol(symbol))?.[0]).toBe(file);
  });

  it("gives a file with all it imports, once each", () => {
    expect(namesOf(index.fileByName("user/model.proto"))).toEqual([
      "user/model.proto",
      "user/empty.proto",
    ]);
    expect(namesOf(index.fileByName("inferwire/builtin/v1/builtin.proto"))).toContain(
      "google/protobuf/duration.proto",
    );
  });

  it("knows extensions by message and number", () => {
    expect(index.extensionNumbers("user.Base")).toEqual([101]);
    expect(index.extensionNumbers("grpc.health.v1.HealthCheckRequest")).toEqual([]);
    expect(index.extensionNumbers("user.None")).toBeUndefined();
    expect(namesOf(index.fileByExtension("user.Base", 101))?.[0]).toBe("user/model.proto");
    expect(index.fileByExtension("user.Base", 102)).toBeUndefined();
  });

  it("takes the kit's own file where a set has one of the same name", () => {
    const other = create(FileDescriptorSetSchema, {
      file: [{ name: "grpc/health/v1/health.proto" }],
    });
    const both = createDescriptorIndex([toBinary(FileDescriptorSetSchema, other)]);
    expect(both.fileBySymbol("grpc.health.v1.Health")).toBeDefined();
  });
});

describe("reflectionRoutes", () => {
  const listeners = new Set<(state: HostState) => void>();
  const view = {
    state: "ready" as HostState,
    services: ["p.Service", "grpc.health.v1.Health"],
    descriptorSets: [],
    onChange(listener: (state: HostState) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };

  function open(which = 0) {
    const [route, rpc] = [reflectionRoutes(view)[which], reflectionRpcs[which]];
    if (route === undefined || rpc === undefined) throw new Error(`no reflection ${which}`);
    const call = recordedCall(rpc.path);
    const reader = route.accept(call);
    return {
      call,
      reader,
      async ask(messageRequest: ReflectionQuestion["messageRequest"]) {
        const before = call.sent.length;
        reader.onMessage(rpc.encodeRequest({ host: "h", messageRequest }));
        while (call.sent.length === before && call.ended.length === 0) await flushPromises();
        return rpc.decodeResponse(call.sent.at(-1) ?? new Uint8Array(0));
      },
    };
  }

  it.each([0, 1])("answers the same under both names (%i)", async (which) => {
    const { ask, call, reader } = open(which);
    const listed = await ask({ $case: "listServices", value: "*" });
    expect(listed.validHost).toBe("h");
    expect(listed.originalRequest?.messageRequest?.$case).toBe("listServices");
    expect(listed.messageResponse).toEqual({
      $case: "listServicesResponse",
      value: { service: [{ name: "p.Service" }, { name: "grpc.health.v1.Health" }] },
    });
    const found = await ask({ $case: "fileContainingSymbol", value: "grpc.health.v1.Health" });
    expect(found.messageResponse?.$case).toBe("fileDescriptorResponse");
    expect(call.reads).toBe(3);
    reader.onHalfClose();
    expect(call.ended[0]?.code).toBe(Status.OK);
    expect(listeners.size).toBe(0);
  });

  it.each([
    { $case: "fileByFilename", value: "no.proto" },
    { $case: "fileContainingSymbol", value: "no.Such" },
    { $case: "fileContainingExtension", value: { containingType: "no.Such", extensionNumber: 1 } },
    { $case: "allExtensionNumbersOfType", value: "no.Such" },
  ] as const)("answers NOT_FOUND in the stream to %o", async (question) => {
    const { ask, call } = open();
    const answer = await ask(question);
    expect(answer.messageResponse).toMatchObject({
      $case: "errorResponse",
      value: { errorCode: Status.NOT_FOUND },
    });
    expect(call.ended).toEqual([]);
  });

  it("answers INVALID_ARGUMENT to a question that asks nothing", async () => {
    const answer = await open().ask(undefined);
    expect(answer.messageResponse).toMatchObject({ value: { errorCode: Status.INVALID_ARGUMENT } });
  });

  it("ends with UNAVAILABLE when the host stops", () => {
    const { call } = open();
    view.state = "draining";
    for (const listener of [...listeners]) listener(view.state);
    view.state = "ready";
    expect(call.ended[0]?.code).toBe(Status.UNAVAILABLE);
  });
});

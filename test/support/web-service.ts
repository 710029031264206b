import {
  create,
  createFileRegistry,
  type DescService,
  fromBinary,
  type Message,
  toBinary,
} from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import type { MethodDefinition } from "nice-grpc";

const text = { type: FieldDescriptorProto_Type.STRING, label: FieldDescriptorProto_Label.OPTIONAL };
const number = { ...text, type: FieldDescriptorProto_Type.INT64 };
const file = create(FileDescriptorProtoSchema, {
  name: "test/web.proto",
  package: "test.web",
  syntax: "proto3",
  messageType: [
    {
      name: "Echo",
      field: [
        { ...text, name: "text", jsonName: "text", number: 1 },
        { ...number, name: "big_number", jsonName: "bigNumber", number: 2 },
      ],
    },
  ],
  service: [
    {
      name: "WebService",
      method: (["Unary", "ServerStream", "ClientStream"] as const).map((name) => ({
        name,
        inputType: ".test.web.Echo",
        outputType: ".test.web.Echo",
        clientStreaming: name === "ClientStream",
        serverStreaming: name === "ServerStream",
      })),
    },
  ],
});
const set = create(FileDescriptorSetSchema, { file: [file] });

/** The serialised descriptor set of `test.web.WebService`. */
export const webDescriptorSet: Uint8Array = toBinary(FileDescriptorSetSchema, set);

/** `test.web.WebService` as protobuf-es knows it: Unary, ServerStream and ClientStream of `Echo { text, big_number }`. */
export const webService: DescService = serviceOf();

function serviceOf(): DescService {
  const service = createFileRegistry(set).getService("test.web.WebService");
  if (service === undefined) throw new Error("the descriptor set lacks its service");
  return service;
}

/** What all methods of the service take and give. */
export interface WebEcho {
  readonly text: string;
  readonly bigNumber?: bigint;
}

type EchoMessage = Message & { text: string; bigNumber: bigint };

function webMethod<Q extends boolean, A extends boolean>(
  name: string,
  requestStream: Q,
  responseStream: A,
): MethodDefinition<WebEcho, WebEcho, WebEcho, WebEcho, Q, A> {
  const { input } = webService.method[name] ?? {};
  if (input === undefined) throw new Error(`no method ${name}`);
  const encode = (echo: WebEcho): Uint8Array => toBinary(input, create(input, { ...echo }));
  const decode = (bytes: Uint8Array): WebEcho => {
    const { text: said, bigNumber } = fromBinary(input, bytes) as EchoMessage;
    return { text: said, bigNumber };
  };
  return {
    path: `/test.web.WebService/${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    requestStream,
    responseStream,
    options: {},
    requestSerialize: encode,
    requestDeserialize: decode,
    responseSerialize: encode,
    responseDeserialize: decode,
  };
}

/** The same service as nice-grpc and nice-grpc-web know it. */
export const WebDefinition: {
  readonly unary: MethodDefinition<WebEcho, WebEcho, WebEcho, WebEcho, false, false>;
  readonly serverStream: MethodDefinition<WebEcho, WebEcho, WebEcho, WebEcho, false, true>;
  readonly clientStream: MethodDefinition<WebEcho, WebEcho, WebEcho, WebEcho, true, false>;
} = {
  unary: webMethod("unary", false, false),
  serverStream: webMethod("serverStream", false, true),
  clientStream: webMethod("clientStream", true, false),
};

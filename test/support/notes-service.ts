import { spawnSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type DescMessage, type DescMethod, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type HostOptions, implement, ServerError, Status } from "inferwire/host";
import type { MethodDefinition } from "nice-grpc";
import { fileRegistry } from "../../src/wire/file-registry.js";
import { recordingLogger } from "./recording-logger.js";

/** Folder of the tests' own protos. */
export const protoFolder: string = fileURLToPath(new URL("./protos", import.meta.url));

/** The descriptor set of notes.proto and what it imports. */
export function notesDescriptorSet(): Uint8Array {
  const buf = fileURLToPath(new URL("../../node_modules/.bin/buf", import.meta.url));
  const args = ["build", protoFolder, "--as-file-descriptor-set", "-o", "-"];
  const { status, stdout, stderr } = spawnSync(buf, args, { maxBuffer: 2 ** 24 });
  if (status !== 0) throw new Error(String(stderr));
  return stdout;
}

interface Note {
  text: string;
}

type Method<Q extends boolean, S extends boolean> = MethodDefinition<Note, Note, Note, Note, Q, S>;

/** Starts a host of NotesService, described by reflection, with methods of every kind. */
export async function startNotes(
  options: HostOptions = {},
): Promise<Awaited<ReturnType<ReturnType<typeof implement>["start"]>>> {
  const descriptorSet = notesDescriptorSet();
  const service = fileRegistry([descriptorSet]).getService("test.notes.v1.NotesService");
  if (service === undefined) throw new Error("no NotesService");
  const method = <Q extends boolean, S extends boolean>(
    name: string,
    requestStream: Q,
    responseStream: S,
  ): Method<Q, S> => methodOf(service.method[name], requestStream, responseStream);
  const definition = {
    echo: method("echo", false, false),
    split: method("split", false, true),
    join: method("join", true, false),
    talk: method("talk", true, true),
    fail: method("fail", false, false),
    wait: method("wait", false, false),
  };
  return await implement(
    definition,
    {
      async echo(note, call) {
        call.header.set("x-head", String(call.metadata.get("x-ask")));
        if (note.text === "metadata") return { ...note, text: shownMetadata(call.metadata) };
        return note;
      },
      async *split(note) {
        for (const text of note.text.split(",")) yield { ...note, text };
      },
      async join(notes) {
        const texts: string[] = [];
        let last: Note | undefined;
        for await (const note of notes) {
          last = note;
          texts.push(note.text);
        }
        if (last === undefined) throw new ServerError(Status.INVALID_ARGUMENT, "nothing to join");
        return { ...last, text: texts.join("+") };
      },
      async *talk(notes) {
        for await (const note of notes) yield { ...note, text: `${note.text}!` };
      },
      async fail() {
        throw new ServerError(Status.FAILED_PRECONDITION, "as told");
      },
      async wait(note, call) {
        await sleep(60_000, undefined, { signal: call.signal }).catch(() => {});
        return note;
      },
    },
    { endpoint: "127.0.0.1:0", logger: recordingLogger().logger, descriptorSet, ...options },
  ).start();
}

function shownMetadata(metadata: Iterable<readonly [string, readonly (string | Uint8Array)[]]>) {
  const pairs = [...metadata].map(([key, values]) => [key, String(values[0])]);
  return JSON.stringify(Object.fromEntries(pairs));
}

function methodOf<Q extends boolean, S extends boolean>(
  method: DescMethod | undefined,
  requestStream: Q,
  responseStream: S,
): Method<Q, S> {
  if (method === undefined) throw new Error("no such method");
  const { input, output, parent, name } = method;
  return {
    path: `/${parent.typeName}/${name}`,
    requestStream,
    responseStream,
    requestSerialize: (note) => bytesOf(input, note),
    requestDeserialize: (bytes) => fromBinary(input, bytes) as unknown as Note,
    responseSerialize: (note) => bytesOf(output, note),
    responseDeserialize: (bytes) => fromBinary(output, bytes) as unknown as Note,
    options: {},
  };
}

function bytesOf(type: DescMessage, note: Note): Uint8Array {
  return toBinary(type, note as never);
}

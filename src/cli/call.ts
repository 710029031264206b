import { type CallFlags, configureCallFlags } from "./call/flags.js";
import type { CliCommand } from "./command.js";

/** `inferwire call`: calls a method of a service that is known by reflection, or by its proto. */
export const callCommand: CliCommand<CallFlags> = {
  name: "call",
  summary: "call a method, and print its answers as JSON",
  examples: [
    {
      line: 'call 127.0.0.1:8080 Sentiment.Classify --data \'{"text": "a fine day"}\'',
      what: "one request, to a method that the host tells of by reflection",
    },
    {
      line: "call directory://127.0.0.1:8100/sentiment Classify --data @request.json",
      what: "an instance that a directory lists; the request is in a file",
    },
    {
      line: "call 127.0.0.1:8080 Chat.Talk --data @-",
      what: "a stream of requests: a line of stdin each, sent as it comes",
    },
    { line: "call 127.0.0.1:8080 --list", what: "which services and methods there are" },
    {
      line: "call 127.0.0.1:8080 Classify --template",
      what: "a request to fill in",
    },
  ],
  configure(command) {
    command
      .argument("<target>", "host:port, directory://HOST:PORT/SERVICE, or any other target")
      .argument("[method]", "package.Service/Method, Service.Method, or Method");
    configureCallFlags(command);
  },
  async run([target = "", method], flags, context) {
    const { runCall } = await import("./call/run-call.js");
    await runCall(target, method, flags, context);
    return undefined;
  },
};

import { Metadata } from "../../client/index.js";
import type { ServiceChannel } from "../../client/service-channel.js";
import { servingError } from "../../core/serving-error.js";
import type { DynamicMethod } from "../../wire/dynamic-methods.js";
import { type BytesCallOptions, createBytesClient } from "../bytes-client.js";
import { usesTls } from "../channel-flags.js";
import { warnOfClearToken } from "../clear-token.js";
import type { CliContext } from "../command.js";
import { type DescribeOptions, describeMethod, describeMethods } from "../described-method.js";
import { methodText } from "../find-method.js";
import { requestsOf } from "../request-json.js";
import { withChannel } from "../with-channel.js";
import type { CallFlags } from "./flags.js";
import { headerOf } from "./header.js";
import { CallStopwatch, timingText } from "./timing.js";

/** Runs `inferwire call`. */
export async function runCall(
  target: string,
  name: string | undefined,
  flags: CallFlags,
  context: CliContext,
): Promise<void> {
  checkFlags(name, flags);
  const call: BytesCallOptions = {
    metadata: Metadata((flags.header ?? []).map(headerOf).map(([key, value]) => [key, [value]])),
    signal: context.signal,
    ...(flags.idempotent === true ? { idempotent: true } : {}),
  };
  const watch = new CallStopwatch(context.clock);
  await withChannel(target, flags, context, async ({ channel, snapshot }) => {
    watch.resolved();
    if (!usesTls(flags)) warnOfClearToken(context.token, snapshot.instances, context);
    const asked = { channel, flags, context, call };
    if (name === undefined) return await listMethods(asked);
    const method = await describeMethod(name, asked);
    if (flags.template === true) return showTemplate(method, context);
    await callMethod(channel, method, { flags, context, call, watch });
  });
}

function checkFlags(name: string | undefined, { list, template }: CallFlags): void {
  if (list === true && name !== undefined) {
    throw servingError("INVALID_OPTION", "--list is given together with a method");
  }
  if (name !== undefined || list === true) return;
  const missing = template === true ? "--template needs a method" : "no method is given";
  throw servingError("INVALID_OPTION", `${missing}; --list shows which there are`);
}

async function listMethods(options: DescribeOptions): Promise<void> {
  const { terminal } = options.context;
  const { methods, services } = await describeMethods(options);
  for (const service of services) {
    const described = methods.methodsOf(service);
    const value = { service, methods: described?.map(methodJson) };
    const lines = described?.map(methodLine) ?? ["  (the instance has no descriptor of it)"];
    terminal.result(value, [service, ...lines].join("\n"));
  }
}

function methodJson(method: DynamicMethod): object {
  const { requestType, requestStream, responseType, responseStream } = method;
  return { method: methodText(method), requestType, requestStream, responseType, responseStream };
}

function methodLine(method: DynamicMethod): string {
  const request = `${method.requestStream ? "stream " : ""}${method.requestType}`;
  const response = `${method.responseStream ? "stream " : ""}${method.responseType}`;
  return `  ${methodText(method)} (${request}) returns (${response})`;
}

function showTemplate(method: DynamicMethod, { terminal }: CliContext): void {
  const template = method.requestTemplate();
  terminal.result(template, JSON.stringify(template, undefined, 2));
}

interface CallParts {
  readonly flags: CallFlags;
  readonly context: CliContext;
  readonly call: BytesCallOptions;
  readonly watch: CallStopwatch;
}

async function callMethod(
  channel: ServiceChannel,
  method: DynamicMethod,
  { flags, context, call, watch }: CallParts,
): Promise<void> {
  const { terminal } = context;
  watch.begin();
  try {
    const requests = requestsOf(method, flags.data, context);
    const answers = createBytesClient(channel, method)(requests, {
      ...call,
      onReport: watch.onReport,
    });
    for await (const bytes of answers) {
      watch.answered();
      const answer = method.responseToJson(bytes);
      terminal.result(answer, JSON.stringify(answer, undefined, 2));
    }
    if (watch.report !== undefined) {
      const timing = watch.timing();
      terminal.aside({ report: watch.report, timing }, timingText(watch.report, timing));
    }
  } catch (thrown) {
    if (watch.report !== undefined) terminal.note(timingText(watch.report, watch.timing()));
    throw thrown;
  } finally {
    // Whoever still waits for a line of it would keep the command alive.
    if (flags.data === "@-") context.stdin().destroy();
  }
}

import type { CallAbort } from "../core/call-abort.js";
import type { Clock } from "../core/ports.js";
import { servingError } from "../core/serving-error.js";

/** Records where the thread that it is made in spends its time. */
export interface CpuProfiler {
  /**
   * Records for `ms` milliseconds, or until the caller leaves; gives a `.cpuprofile` as V8 writes it.
   *
   * @throws HostError `ALREADY_RUNNING` while another profile is recorded; the abort's reason when the caller leaves.
   */
  record(ms: number, abort: CallAbort): Promise<object>;
}

/** The part of an inspector session that is used. */
export interface ProfilerSession {
  connect(): void;
  disconnect(): void;
  post(method: string, done: (error: Error | null, result?: object) => void): void;
}

/** Opens an inspector session; replaced by tests. */
export type OpenSession = () => Promise<ProfilerSession>;

// Loaded when it is first asked for: a Node built without the inspector still hosts.
const openInspector: OpenSession = async () => {
  const { Session } = await import("node:inspector");
  return new Session();
};

/** Makes a profiler, one profile at a time. */
export function createCpuProfiler(clock: Clock, open: OpenSession = openInspector): CpuProfiler {
  let recording = false;
  return {
    async record(ms, abort) {
      if (recording) throw servingError("ALREADY_RUNNING", "a CPU profile is being recorded");
      recording = true;
      try {
        return await profile(await open(), () => passed(clock, ms, abort));
      } finally {
        recording = false;
      }
    },
  };
}

async function profile(session: ProfilerSession, over: () => Promise<void>): Promise<object> {
  session.connect();
  try {
    await post(session, "Profiler.enable");
    await post(session, "Profiler.start");
    await over();
    return profileIn(await post(session, "Profiler.stop"));
  } finally {
    session.disconnect();
  }
}

function post(session: ProfilerSession, method: string): Promise<object | undefined> {
  return new Promise((resolve, reject) => {
    session.post(method, (error, result) => {
      if (error === null) resolve(result);
      else reject(error);
    });
  });
}

function profileIn(result: object | undefined): object {
  const profile = result !== undefined && "profile" in result ? result.profile : undefined;
  if (typeof profile === "object" && profile !== null) return profile;
  throw servingError("INTERNAL", "the inspector gave no profile");
}

/** @throws the abort's reason when the caller leaves before. */
function passed(clock: Clock, ms: number, abort: CallAbort): Promise<void> {
  if (abort.reason !== undefined) return Promise.reject(abort.reason);
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => {
      takeBack();
      resolve();
    });
    const takeBack = abort.onAbort((reason) => {
      cancel();
      reject(reason);
    });
  });
}

/** What may stand in code without being read as code. */
const SAFE = /^[\w./ +@-]+$/;

/** Why a proto's path cannot be that of a module; undefined when it can. Paths are written into imports as they are. */
export function pathProblem(path: string): string | undefined {
  return SAFE.test(path)
    ? undefined
    : `${JSON.stringify(path)} cannot be the path of a module, expected letters, digits and _ . / + @ - or spaces`;
}

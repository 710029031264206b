/** The environment variables that a manifest for Kubernetes gives its container, by name. */
export function manifestVariables(manifest: string): ReadonlyMap<string, string> {
  const found = manifest.matchAll(/- name: (INFERWIRE_\w+)\n +value: (?:"(.*)"|(.*))\n/g);
  return new Map([...found].map(([, name = "", quoted, plain]) => [name, quoted ?? plain ?? ""]));
}

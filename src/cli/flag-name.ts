/** The flag that gives an option: `workerProcesses` is `--worker-processes`. */
export function flagName(option: string): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/**
 * Imports a file of the built package that no subpath exports, such as `lane/thread-lanes.js`: lanes load files of the
 * built package, and their hosts must be made of the same. `T` is the type of the file of that name in `src`.
 */
export async function built<T>(file: string): Promise<T> {
  return (await import(new URL(`../../dist/src/${file}`, import.meta.url).href)) as T;
}

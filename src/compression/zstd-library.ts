import { Zstd } from "@hpcc-js/wasm-zstd";

/** A piece of the library's memory. */
interface Block {
  /** 0 when there was no room. */
  readonly ptr: number;
}

/** The module's memory, behind the class that the package exports. */
interface Memory {
  malloc(bytes: number): Block;
  free(block: Block): void;
  heapView(block: { readonly ptr: number; readonly size: number }): Uint8Array;
}

/** libzstd's functions, by their names there; a number that is an error is known by `isError`. */
interface Functions {
  compress(to: number, room: number, from: number, bytes: number, level: number): number;
  decompress(to: number, room: number, from: number, bytes: number): number;
  compressBound(bytes: number): number;
  isError(result: number): number;
  getErrorName(result: number): string;
  defaultCLevel(): number;
}

/** The most memory that is asked for at once. */
const MAX_BYTES = 2 ** 31;

/** libzstd, in one piece each way. */
export interface ZstdLibrary {
  compress(body: Uint8Array): Uint8Array;
  /** @throws RangeError when there is no memory left, Error when nothing readable, or more than `room`, would come out. */
  decompress(body: Uint8Array, room: number): Uint8Array;
}

/**
 * Loads libzstd, compiled to WebAssembly.
 *
 * The functions behind the package's class are called, not its methods: those copy results through an array of numbers
 * (25 times slower, and 8 bytes of memory for each), take a frame's word for its length, and write on when there is no
 * memory left. Once a release of the package does none of this, this file is its two methods.
 */
export async function loadZstdLibrary(): Promise<ZstdLibrary> {
  const zstd = await Zstd.load();
  // Private to TypeScript only; the package's version in the lock file, and the tests, hold them.
  const memory: Memory = zstd["_mainModule"];
  const functions: Functions = zstd["_zstdClass"];

  const run = (
    body: Uint8Array,
    room: number,
    work: (to: number, from: number) => number,
  ): Uint8Array => {
    // Its addresses have 32 bits: more room than that would be taken for less.
    if (room > MAX_BYTES) throw new RangeError("no memory left");
    const from = memory.malloc(Math.max(body.byteLength, 1));
    const to = memory.malloc(Math.max(room, 1));
    try {
      if (from.ptr === 0 || to.ptr === 0) throw new RangeError("no memory left");
      memory.heapView({ ptr: from.ptr, size: body.byteLength }).set(body);
      const bytes = work(to.ptr, from.ptr);
      if (functions.isError(bytes) !== 0) throw new Error(functions.getErrorName(bytes));
      return memory.heapView({ ptr: to.ptr, size: bytes }).slice();
    } finally {
      memory.free(to);
      memory.free(from);
    }
  };
  return {
    compress(body) {
      const room = functions.compressBound(body.byteLength);
      const level = functions.defaultCLevel();
      return run(body, room, (to, from) =>
        functions.compress(to, room, from, body.byteLength, level),
      );
    },
    decompress: (body, room) =>
      run(body, room, (to, from) => functions.decompress(to, room, from, body.byteLength)),
  };
}

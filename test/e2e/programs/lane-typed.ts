// A TypeScript module whose processor is a class.
class Typed {
  process(): Uint8Array {
    return Buffer.from("from TypeScript");
  }
}

export { Typed as processor };

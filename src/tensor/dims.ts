import type { DType } from "./dtype.js";
import { entriesPerElement } from "./dtype-table.js";
import { FormatError } from "./format-error.js";
import { type ProtoReader, WireType } from "./proto-reader.js";
import { elementCount, MAX_DIMENSIONS, shapeText } from "./shape.js";

/**
 * Reads an occurrence of a repeated field of dimensions behind those that are there already; a shape that is there twice is one
 * shape to protobuf, with the dimensions of both.
 */
export function readDims(reader: ProtoReader, name: string, dims: number[]): void {
  const end = reader.valuesEnd(WireType.VARINT, name);
  while (reader.pos < end) {
    reader.varintIn(end, name);
    const size = (reader.high | 0) * 2 ** 32 + reader.low;
    if (size < 0 || !Number.isSafeInteger(size))
      throw new FormatError(
        `${reader.path(name)}[${dims.length}] is ${size}, expected 0 to ${Number.MAX_SAFE_INTEGER}`,
      );
    if (dims.length === MAX_DIMENSIONS)
      throw new FormatError(`${reader.path(name)} has more than ${MAX_DIMENSIONS} dimensions`);
    dims.push(size);
  }
}

/** Reads a message whose field 1 is dimensions. */
export function readShape(parent: ProtoReader, name: string, dims: number[]): void {
  const reader = parent.message(name, parent.path(name));
  while (reader.next()) {
    if (reader.field === 1) readDims(reader, "dim", dims);
    else reader.skip();
  }
}

/** Entries that the data of a shape must have, from the field that holds it. */
export function checkCount(
  shape: readonly number[],
  dtype: DType,
  seen: number,
  shapePath: string,
  dataPath: string,
): void {
  const elements = elementCount(shape);
  if (elements === undefined)
    throw new FormatError(`${shapePath} is ${shapeText(shape)}, more elements than can be counted`);
  const wanted = elements * entriesPerElement(dtype);
  if (seen !== wanted)
    throw new FormatError(
      `${dataPath} has ${seen} values, but ${shapePath} ${shapeText(shape)} of ${dtype} has ${wanted}`,
    );
}

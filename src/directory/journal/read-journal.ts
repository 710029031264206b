import { servingError } from "../../core/serving-error.js";
import { type FileLine, type JournalHandle, readLines } from "./journal-file.js";
import {
  JOURNAL_FORMAT,
  type JournalHeader,
  type JournalRecord,
  recordFromLine,
} from "./journal-record.js";

/** What a journal held. */
export interface ReadJournal {
  readonly header: JournalHeader;
  /** Where the last record that can be read ends. */
  readonly end: number;
  readonly bytes: number;
  readonly records: number;
}

/**
 * Reads a journal from its beginning to where it cannot be read any more, which must be its end.
 *
 * @returns undefined when the file is empty
 * @throws ConfigError `INVALID_OPTION` when a newer version wrote it; HostError `STORE_DAMAGED`.
 */
export async function readJournal(
  handle: JournalHandle,
  path: string,
  onRecord: (record: JournalRecord) => void,
): Promise<ReadJournal | undefined> {
  let header: JournalHeader | undefined;
  let bad: FileLine | undefined;
  let records = 0;
  const { bytes } = await readLines(handle, (line) => {
    const record = line.text === undefined ? undefined : recordFromLine(line.text);
    if (line.number === 1) {
      header = checkedHeader(path, record);
    } else if (record === undefined || record.type === "header") {
      bad ??= line;
    } else if (bad !== undefined) {
      throw damaged(
        path,
        `cannot be read at byte ${bad.offset} (line ${bad.number}), and can be behind it`,
      );
    } else {
      onRecord(record);
      records += 1;
    }
  });
  if (header === undefined) return undefined;
  return { header, end: bad?.offset ?? bytes, bytes, records };
}

function checkedHeader(
  path: string,
  record: JournalHeader | JournalRecord | undefined,
): JournalHeader {
  if (record?.type !== "header") {
    throw damaged(path, "does not begin as a directory's journal does (byte 0, line 1)");
  }
  if (record.format > JOURNAL_FORMAT) {
    throw servingError(
      "INVALID_OPTION",
      `store is "file:${path}", a journal of format ${record.format} that a newer version wrote, expected format ${JOURNAL_FORMAT}`,
    );
  }
  return record;
}

function damaged(path: string, what: string): Error {
  return servingError("STORE_DAMAGED", `the journal ${path} ${what}; nothing in it was changed`);
}

import { ServingError, servingError } from "../../core/serving-error.js";
import { type EndpointSlicePage, endpointSlicePageFromJson } from "../../wire/endpoint-slice.js";
import { isExpired } from "./kubernetes-api.js";
import { checkSize, type ReplacedSlices, sizeOf } from "./slice-cache.js";

/** Slices of one page; what is too long for one answer is asked for again in small pages. */
const PAGE_SLICES = 500;
const SMALL_PAGE_SLICES = 10;

/** A list has a few pages; one that goes on and on is none. */
const MAX_PAGES = 100;

/** Of all pages together. */
const MAX_LIST_BYTES = 64 * 1024 * 1024;

/** All slices of a service at one moment. */
export interface ListedSlices extends ReplacedSlices {
  /** Where a watch goes on from. */
  readonly version: string;
}

/** Asks for one page; gives the answer's body. */
export type AskForPage = (query: Readonly<Record<string, string>>) => Promise<string>;

/**
 * Lists the slices of a service page by page, as of one moment. When the API server has forgotten that moment in between, it is
 * asked for all of them at once.
 *
 * @throws what `ask` throws, or DiscoveryError `UPSTREAM_MALFORMED`.
 */
export async function listSlices(ask: AskForPage, service: string): Promise<ListedSlices> {
  try {
    return await listInPages(ask, service, PAGE_SLICES);
  } catch (thrown) {
    if (ServingError.from(thrown).reason !== "MESSAGE_TOO_LARGE") throw thrown;
    return listInPages(ask, service, SMALL_PAGE_SLICES);
  }
}

async function listInPages(
  ask: AskForPage,
  service: string,
  slices: number,
): Promise<ListedSlices> {
  let pages: EndpointSlicePage[] = [];
  let bytes = 0;
  let endpoints = 0;
  const take = (body: string): EndpointSlicePage => {
    bytes += Buffer.byteLength(body);
    if (bytes > MAX_LIST_BYTES) {
      throw servingError("UPSTREAM_MALFORMED", `the list is longer than ${MAX_LIST_BYTES} bytes`);
    }
    const page = endpointSlicePageFromJson(body, service);
    pages.push(page);
    for (const slice of page.slices) endpoints += sizeOf(slice);
    checkSize(endpoints);
    return page;
  };
  let query: Readonly<Record<string, string>> = { limit: String(slices) };
  while (pages.length < MAX_PAGES) {
    let body: string;
    try {
      body = await ask(query);
    } catch (thrown) {
      if (pages.length === 0 || !isExpired(ServingError.from(thrown))) throw thrown;
      pages = [];
      endpoints = 0;
      take(await ask({}));
      return joined(pages);
    }
    const { next } = take(body);
    if (next === undefined) return joined(pages);
    query = { limit: String(slices), continue: next };
  }
  throw servingError("UPSTREAM_MALFORMED", `the list has more than ${MAX_PAGES} pages`);
}

function joined(pages: readonly EndpointSlicePage[]): ListedSlices {
  return {
    slices: pages.flatMap(({ slices }) => slices),
    version: pages.at(-1)?.version ?? "",
    rejected: pages.reduce((sum, { rejected }) => sum + rejected, 0),
    firstProblem: pages.find(({ firstProblem }) => firstProblem !== undefined)?.firstProblem,
  };
}

/** A request that EAS's SDKs sign, and what they sign it with. */
export interface SignedVector {
  readonly what: string;
  readonly body: string;
  readonly contentType: string;
  readonly resource: string;
  readonly contentMd5: string;
  readonly signature: string;
}

/** The token and `Date` of every vector. */
export const VECTOR_TOKEN = "s3cret";
export const VECTOR_DATE = "Sat, 21 Nov 2026 10:00:00 GMT";

const bytes = "application/octet-stream";

/** Requests with the signatures that the SDKs made of them. */
export const signedVectors: readonly SignedVector[] = [
  {
    what: "a short body",
    body: "hello",
    contentType: bytes,
    resource: "/api/predict/demo",
    contentMd5: "5d41402abc4b2a76b9719d911017c592",
    signature: "NDVjgPS4HgfN0L6ceXNgbI7z3oo=",
  },
  {
    what: "an empty body",
    body: "",
    contentType: bytes,
    resource: "/api/predict/demo",
    contentMd5: "d41d8cd98f00b204e9800998ecf8427e",
    signature: "BRHyw2uycChvTK+Pjj16Rs4GK2Q=",
  },
  {
    what: "a type and a path below the service",
    body: "hello",
    contentType: "application/json",
    resource: "/api/predict/demo/v1/chat",
    contentMd5: "5d41402abc4b2a76b9719d911017c592",
    signature: "ksRNf6mNZoZosrKWCrXd0KK6b90=",
  },
  {
    what: "Java's query, and its digest without leading zeros",
    body: "n=110",
    contentType: bytes,
    resource: "/api/predict/demo?uid=1&flag",
    contentMd5: "fc57d8b8e7c41d5ac5a7c0f9b95ec",
    signature: "VjS7IcEfK3VuzAk8hI81caZu1Nc=",
  },
];

import { randomBytes } from "node:crypto";

/** Makes a token: 48 characters that every header takes, of 192 random bits. */
export function generateToken(): string {
  return randomBytes(24).toString("hex");
}

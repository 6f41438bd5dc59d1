// What the page asks its server, and what it sends: with the session's proof, and a key for each
// form, so that the same click sent twice does one thing.

import { companyOf, type Session } from "../sign_in";

export class Refused extends Error {
  constructor(readonly status: number, text: string, readonly company = "") { super(text); }
}

let session: Session | undefined;

export function signedIn(who: Session | undefined): void {
  session = who;
}

async function answer<T>(path: string, options: RequestInit): Promise<T> {
  let got: Response;
  try {
    got = await fetch(`/compliance/api/${path}`, { credentials: "same-origin", ...options });
  } catch {
    throw new Refused(0, "the page's server does not answer");
  }
  const body = (await got.json().catch(() => ({ error: `answer ${got.status}` }))) as T & { error?: string };
  if (!got.ok) throw new Refused(got.status, body.error ?? String(got.status), companyOf(body));
  return body;
}

export function ask<T>(path: string, parameters: Record<string, string> = {}): Promise<T> {
  const given = Object.entries(parameters).filter(([, value]) => value);
  return answer<T>(given.length ? `${path}?${new URLSearchParams(given)}` : path, {});
}

export function send<T>(path: string, body: object, key = ""): Promise<T> {
  const headers: Record<string, string> = { "Content-Type": "application/json" };
  if (session) headers["X-Tickhouse-Proof"] = session.proof;
  if (key) headers["Idempotency-Key"] = key;
  return answer<T>(path, { method: "POST", headers, body: JSON.stringify(body) });
}

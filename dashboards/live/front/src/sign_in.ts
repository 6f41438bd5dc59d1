// Signing in, the same at every page: a name, a password, a code of who has one; or the company's.

import { el } from "./dom";

export interface Session { name: string; role: string; proof: string }
interface Told { error?: string; code?: boolean; company?: string }

/** How one may sign in, as the refusal of a page's session says; "" when nobody asks a company. */
export function companyOf(body: unknown): string {
  return String((body as Told | undefined)?.company ?? "");
}

/** A form that signs in at an address of the page, or says why not. */
export function signInForm(address: string, whom: string, problem: string, company: string, done: (session: Session) => void): HTMLFormElement {
  const told = el("p", { class: "told bad", role: "alert" }, problem);
  const code = el("label", { hidden: "" }, "Code of your authenticator app",
    el("input", { name: "code", inputmode: "numeric", autocomplete: "one-time-code", maxlength: "9" }));
  const form = el("form", { class: "door" },
    el("h2", {}, "Sign in"), el("p", { class: "note" }, whom),
    el("label", {}, "Name", el("input", { name: "name", autocomplete: "username", required: "" })),
    el("label", {}, "Password", el("input", { name: "password", type: "password", autocomplete: "current-password", required: "" })),
    code, told,
    el("div", { class: "buttons" },
      company && el("a", { class: "quiet", href: `/sign-in/company?to=${encodeURIComponent(location.pathname)}` }, `By ${company}`),
      el("button", { class: "go", type: "submit" }, "Sign in")));
  form.onsubmit = async (event) => {
    event.preventDefault();
    const given = new FormData(form);
    const body = { name: given.get("name"), password: given.get("password"), code: given.get("code") ?? "" };
    let answer: Response, said: Told & Session;
    try {
      answer = await fetch(address, {
        method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
      });
      said = await answer.json() as Told & Session;
    } catch {
      told.textContent = "the page's server does not answer";
      return;
    }
    if (answer.ok) return done(said);
    told.textContent = said.error ?? String(answer.status);
    if (said.code) {
      code.hidden = false;
      code.querySelector("input")!.focus();
    }
  };
  return form;
}

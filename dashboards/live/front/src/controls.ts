// Halt (a reason, no login) and resume (a login and a reason).

import { byId } from "./dom";

export interface Answer { error?: string; code?: boolean; heard?: boolean; unwritten?: string; proof?: string; name?: string; by?: string }

export async function post(path: string, body: object, headers: Record<string, string> = {}): Promise<Answer> {
  try {
    const answer = await fetch(path, {
      method: "POST", headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body), credentials: "same-origin",
    });
    return (await answer.json()) as Answer;
  } catch {
    return { error: "the page's server does not answer; on the machine itself: tickhouse halt --by NAME --reason TEXT" };
  }
}

export function dialog(name: string, submit: (form: FormData) => Promise<Answer>, done: (answer: Answer) => string): () => void {
  const box = byId<HTMLDialogElement>(`${name}-dialog`);
  const form = box.querySelector("form")!;
  const told = box.querySelector<HTMLElement>(".told")!;
  const button = box.querySelector<HTMLButtonElement>("button[type=submit]")!;
  form.onsubmit = async (event) => {
    event.preventDefault();
    button.disabled = true;
    told.className = "told";
    told.textContent = "…";
    const answer = await submit(new FormData(form));
    button.disabled = false;
    told.className = answer.error ? "told bad" : "told";
    told.textContent = answer.error ?? "";
    if (answer.code) {
      const code = form.elements.namedItem("code") as HTMLInputElement;
      code.parentElement!.hidden = false;
      code.focus();
    }
    if (!answer.error) {
      say(done(answer));
      form.reset();
      box.close();
    }
  };
  box.querySelector<HTMLButtonElement>("button[value=cancel]")!.onclick = () => box.close();
  return () => {
    told.textContent = "";
    if (!box.open) box.showModal();
  };
}

interface Known { name: string; role: string; proof: string }
let known: Known | undefined;

/** Who is signed in at any page of the home, and may allow risk. */
async function signedIn(): Promise<Known | undefined> {
  const answer = await fetch("/api/session", { credentials: "same-origin" }).catch(() => undefined);
  const who = answer?.ok ? (await answer.json()) as Known : undefined;
  return who?.name && ["admin", "risk"].includes(who.role) ? who : undefined;
}

/** Before a dialog that is for who signed in: without fields for who is, with a code for who has one. */
export async function knowing(box: HTMLDialogElement, login: boolean): Promise<void> {
  known = login ? await signedIn() : undefined;
  const form = box.querySelector("form")!;
  for (const name of ["name", "by", "password", "code"]) {
    const field = form.elements.namedItem(name) as HTMLInputElement | null;
    if (!field) continue;
    const wanted = name === "code" ? false : known ? false : name === "password" ? login : true;
    field.required = wanted;
    field.parentElement!.hidden = !wanted;
  }
  const as = box.querySelector<HTMLElement>(".as")!;
  as.hidden = !known;
  as.textContent = known ? `You are signed in as ${known.name}.` : "";
}

/** As who is signed in at the pages; else signed in for one order, and the session ends with it. */
export async function signed(form: FormData, name: string, order: (headers: Record<string, string>) => Promise<Answer>): Promise<Answer> {
  if (known) return order({ "X-Tickhouse-Proof": known.proof });
  const session = await post("/api/sign-in", { name, password: form.get("password"), code: form.get("code") ?? "" });
  if (session.error) return session;
  const done = await order({ "X-Tickhouse-Proof": session.proof ?? "" });
  await post("/api/sign-out", {});
  return done;
}

let hiding = 0;
export function say(text: string): void {
  const toast = byId("toast");
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(hiding);
  hiding = window.setTimeout(() => (toast.hidden = true), 6000);
}

export function controls(): { halt: () => void; resume: () => void } {
  const halt = dialog(
    "halt",
    (form) => {
      localStorage.setItem("by", String(form.get("by")));
      return post("/api/halt", { by: form.get("by"), reason: form.get("reason"), positions: form.get("positions") });
    },
    (answer) => answer.unwritten ? `Halted, but only until execution ends: ${answer.unwritten}`
      : answer.heard ? "Trading is halted; execution has confirmed it." : "The halt is on disk. Execution does not run or has not answered yet.",
  );
  const resume = dialog(
    "resume",
    (form) => signed(form, String(form.get("name")),
      (headers) => post("/api/resume", { reason: form.get("reason") }, headers)),
    (answer) => `Trading is active again, by ${answer.by}.`,
  );
  const by = byId("halt-dialog").querySelector<HTMLInputElement>("input[name=by]")!;
  return {
    halt: () => {
      by.value = localStorage.getItem("by") ?? "";
      halt();
      if (!by.value) by.focus();
    },
    resume: () => void knowing(byId<HTMLDialogElement>("resume-dialog"), true).then(resume),
  };
}

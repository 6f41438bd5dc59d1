// Halt (a reason, no login) and resume (a login and a reason).

import { byId } from "./dom";

export interface Answer { error?: string; heard?: boolean; unwritten?: string; proof?: string; name?: string; by?: string }

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

/** Signed in for one order: the session ends with it. */
export async function signed(name: string, password: string, order: (headers: Record<string, string>) => Promise<Answer>): Promise<Answer> {
  const session = await post("/api/sign-in", { name, password });
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
    (form) => signed(String(form.get("name")), String(form.get("password")),
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
    resume,
  };
}

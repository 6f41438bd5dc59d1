// One dialog for everything that changes something: what it is, its fields, and what came of it. Its
// key is made when it opens, so a second click, or one repeated after a lost answer, does it once.

import { say } from "../controls";
import { byId, el } from "../dom";
import { send } from "./api";

export interface Field { name: string; label: string; kind?: "text" | "long" | "flag" | "number"; choices?: string[]; required?: boolean }
export interface Act { title: string; says?: string; path: string; body: object; fields: Field[]; done: string; go?: string }
type Filled = Record<string, string | number | boolean>;

function input(field: Field): HTMLElement {
  const attributes: Record<string, string> = { name: field.name, ...(field.required ? { required: "" } : {}) };
  if (field.choices) return el("select", attributes, ...field.choices.map((choice) => el("option", { value: choice }, choice.replaceAll("_", " "))));
  if (field.kind === "long") return el("textarea", { ...attributes, rows: "4", maxlength: "2000" });
  if (field.kind === "flag") return el("input", { ...attributes, type: "checkbox" });
  return el("input", { ...attributes, ...(field.kind === "number" ? { type: "number", min: "0", step: "any", value: "0" } : { maxlength: "200" }) });
}

function filled(form: HTMLFormElement, fields: Field[]): Filled {
  const given = new FormData(form);
  return Object.fromEntries(fields.map((field) => {
    const value = String(given.get(field.name) ?? "");
    return [field.name, field.kind === "flag" ? given.has(field.name) : field.kind === "number" ? Number(value) : value];
  }));
}

/** Fields whose name begins with "impact." go together under that name. */
function together(values: Filled): object {
  const body: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    const [group, key] = name.split(".") as [string, string?];
    if (key) body[group] = { ...(body[group] as object), [key]: value };
    else body[name] = value;
  }
  return body;
}

export function act(what: Act, after: () => void): void {
  const box = byId<HTMLDialogElement>("act-dialog");
  const form = box.querySelector("form")!;
  const told = box.querySelector<HTMLElement>(".told")!;
  const go = box.querySelector<HTMLButtonElement>("button[type=submit]")!;
  const key = crypto.randomUUID();
  byId("act-title").textContent = what.title;
  byId("act-says").textContent = what.says ?? "";
  byId("act-fields").replaceChildren(...what.fields.map((field) => field.kind === "flag"
    ? el("label", {}, input(field), field.label) : el("label", {}, field.label, input(field))));
  told.textContent = "";
  go.textContent = what.go ?? "Do it";
  go.disabled = false;
  box.querySelector<HTMLButtonElement>("button[value=cancel]")!.onclick = () => box.close();
  form.onsubmit = async (event) => {
    event.preventDefault();
    go.disabled = true;
    try {
      await send(what.path, { ...what.body, ...together(filled(form, what.fields)) }, key);
      box.close();
      say(what.done);
      after();
    } catch (error) {
      told.className = "told bad";
      told.textContent = String((error as Error).message);
      go.disabled = false;
    }
  };
  box.showModal();
  box.querySelector<HTMLElement>("#act-fields :is(input, select, textarea)")?.focus();
}

export function button(text: string, what: () => Act, after: () => void): HTMLButtonElement {
  const made = el("button", { type: "button" }, text);
  made.onclick = () => act(what(), after);
  return made;
}

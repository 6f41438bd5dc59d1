// What fires, who answered it and until when; answered here as by `tickhouse alerts`.

import { dialog, knowing, post, signed, type Answer } from "./controls";
import { byId, el, fill } from "./dom";
import { age, clock } from "./format";
import type { Alert, Silence, Standing, Store } from "./store";

const LATE_US = 60e6; // watch evaluates every few seconds

/** The newest first; what nobody has answered yet before the rest. */
function inOrder(store: Store): Alert[] {
  return [...store.all<Alert>("alert").values()].sort((a, b) => Number(!!a.by) - Number(!!b.by) || b.time - a.time);
}

function silenceOf(store: Store, alert: Alert): Silence | undefined {
  const active = [...store.all<Silence>("silence").values()];
  return active.find((s) => s.rule === alert.rule && (!s.subject || s.subject === alert.subject));
}

function until(silence: Silence): string {
  return `silenced until ${new Date(silence.until / 1000).toISOString().slice(5, 16).replace("T", " ")} UTC by ${silence.by}: ${silence.reason}`;
}

function line(store: Store, alert: Alert, answer: (alert: Alert) => void): HTMLElement {
  const silence = silenceOf(store, alert);
  const button = el("button", { type: "button", "data-alert": alert.id }, "Answer");
  button.onclick = () => answer(alert);
  return el("li", { class: alert.by || silence ? "known" : alert.severity },
    el("time", { title: `since ${clock(alert.time)} UTC` }, clock(alert.time)),
    el("div", {},
      el("b", {}, `${alert.title}: ${alert.subject}`), " ", el("span", {}, alert.says),
      el("small", {}, el("a", { href: `/runbooks#${alert.runbook}`, target: "_blank" }, "What to do"), `: ${alert.remedy}`),
      alert.by && el("small", {}, `acknowledged by ${alert.by}${alert.note ? `: ${alert.note}` : ""}`),
      silence && el("small", {}, until(silence))),
    button);
}

export function alerts(store: Store, answer: (alert: Alert) => void): void {
  const all = inOrder(store);
  const standing = store.one<Standing>("alerts");
  const late = standing?.evaluated ? store.now - standing.evaluated : 0;
  const others = [...store.all<Silence>("silence").values()].filter((s) => !all.some((a) => silenceOf(store, a) === s));
  const focused = (document.activeElement as HTMLElement | null)?.dataset.alert;
  const place = byId("alerts");
  byId("alerts-card").hidden = !all.length && !others.length && !standing?.problem && late < LATE_US;
  fill(place,
    standing?.problem && el("p", { class: "note warn" }, standing.problem),
    late >= LATE_US && el("p", { class: "note warn" }, `No rule was evaluated for ${age(late)}: does watch run?`),
    all.length > 0 && el("ol", {}, ...all.map((one) => line(store, one, answer))),
    ...others.map((s) => el("p", { class: "note" }, `${s.rule}${s.subject ? ` ${s.subject}` : ""} ${until(s)}`)));
  if (focused) place.querySelector<HTMLElement>(`[data-alert="${CSS.escape(focused)}"]`)?.focus();
}

/** The dialog that answers one alert; without one, the first that nobody has answered. */
export function answering(store: Store): (alert?: Alert) => void {
  const box = byId<HTMLDialogElement>("answer-dialog");
  const field = (name: string) => box.querySelector<HTMLInputElement>(`[name=${name}]`)!;
  let chosen: Alert | undefined;
  const send = (form: FormData, headers: Record<string, string>): Promise<Answer> => {
    const [by, said] = [form.get("by"), form.get("reason")];
    return form.get("answer") === "silence"
      ? post("/api/alerts/silence", { rule: chosen!.rule, subject: chosen!.subject, span: form.get("span"), by, reason: said }, headers)
      : post("/api/alerts/acknowledge", { alert: chosen!.id, by, note: said }, headers);
  };
  const open = dialog("answer", (form) => {
    localStorage.setItem("by", String(form.get("by")));
    return store.one<Standing>("alerts")?.login
      ? signed(form, String(form.get("by")), (headers) => send(form, headers))
      : send(form, {});
  }, (answer) => `Answered by ${answer.by}.`);
  return (alert) => {
    chosen = alert ?? inOrder(store)[0];
    if (!chosen) return;
    const login = store.one<Standing>("alerts")?.login ?? true;
    byId("answer-what").textContent = `${chosen.title}: ${chosen.subject}`;
    void knowing(box, login).then(() => {
      open();
      field("by").value ||= localStorage.getItem("by") ?? "";
      const first = field("by").parentElement!.hidden ? "reason" : !field("by").value ? "by" : login ? "password" : "reason";
      field(first).focus();
    });
  };
}

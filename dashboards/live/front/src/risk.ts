// The tab Risk: what the account can lose now. The server draws it (dashboards/live/risk_page.py), every
// name in it escaped; it is asked again every ten seconds while somebody looks.

import { byId, el } from "./dom";

const EVERY_MS = 10_000;

export class RiskTab {
  private timer = 0;
  private last = "";

  constructor(private readonly place: HTMLElement, private readonly button: HTMLElement) {}

  turn(): void {
    const shown = this.place.hidden;
    this.place.hidden = !shown;
    byId("desk").hidden = shown;
    byId("feeds").hidden = shown;
    this.button.setAttribute("aria-pressed", String(shown));
    clearInterval(this.timer);
    if (!shown) return;
    void this.ask();
    this.timer = window.setInterval(() => void this.ask(), EVERY_MS);
  }

  private async ask(): Promise<void> {
    let text: string;
    try {
      text = await (await fetch("/risk?part=body")).text();
    } catch (error) {
      this.last = "";
      this.place.replaceChildren(el("p", { class: "note warn" }, `No answer: ${String(error)}`));
      return;
    }
    if (text === this.last) return;
    this.last = text;
    const page = new DOMParser().parseFromString(text, "text/html");
    for (const wide of page.querySelectorAll("table, svg")) {
      const scroll = el("div", { class: "wide" });
      wide.replaceWith(scroll);
      scroll.append(wide);
    }
    this.place.replaceChildren(...page.body.childNodes);
  }
}

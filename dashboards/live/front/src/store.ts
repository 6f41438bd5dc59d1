// What the server says, as a map of keyed items; panels ask it and are told which kinds changed.
// Keys are "kind|name"; a null value removes the key (dashboards/live/items.py).

export interface Quote {
  source: string; symbol: string; bid: number; ask: number; time: number; received: number;
  digits?: number; contract?: number; base?: string; quote?: string; session?: string;
}
export type Bar = [time: number, open: number, high: number, low: number, close: number];
export interface Prediction {
  time: number; model: string; p_down: number; p_flat: number; p_up: number; confidence: number;
  agreement: number; veto: boolean; edge: number;
}
export interface Model { simulated: boolean }
export interface SignalItem { feed: string; time: number; side: "long" | "short" | "flat"; price: number; confidence: number }
export interface OrderItem {
  order: string; feed: string; time: number; kind: string; side: string; purpose: string;
  volume: number; price: number; stop: number; reason: string;
}
export interface Fill extends OrderItem { profit: number; mid: number }
export interface Denial extends OrderItem { limit: number; observed: number }
export interface Position { feed: string; account: string; volume: number; price: number; stop: number; realised: number }
export interface Account { account: string; mode: string; currency: string; balance: number; equity: number; margin: number; time: number }
export interface Risk { account: string; mode: string; state: "active" | "reducing" | "halted"; by: string; reason: string; since: number }
export interface Process { process: string; status: string; detail: string; time: number; started: number }
export interface Latency { count: number; p50: number; p99: number; max: number }
export interface Link { up: boolean; since: number; problem: string }
export interface Alert {
  id: string; rule: string; title: string; subject: string; severity: "critical" | "warning"; says: string;
  remedy: string; runbook: string; time: number; by: string; note: string;
}
export interface Silence { rule: string; subject: string; until: number; by: string; reason: string }
export interface Standing { evaluated?: number; login: boolean; problem?: string }
export interface LogLine { time: number; kind: string; text: string; n: number }

interface Item { k: string; v: unknown }
type Listener = (changed: ReadonlyMap<string, ReadonlySet<string>>) => void;

export class Store {
  private readonly items = new Map<string, Map<string, unknown>>();
  private readonly listeners: Listener[] = [];
  private pending = new Map<string, Set<string>>();
  private drawing = false;
  connected = false;
  disconnectedSince = Date.now();

  all<T>(kind: string): Map<string, T> {
    return (this.items.get(kind) ?? new Map()) as Map<string, T>;
  }

  one<T>(kind: string): T | undefined {
    return this.all<T>(kind).get("");
  }

  /** Microseconds, the server's clock. */
  get now(): number {
    return this.one<number>("now") ?? Date.now() * 1000;
  }

  listen(listener: Listener): void {
    this.listeners.push(listener);
  }

  /** Forget everything: a new connection begins with all there is. */
  reset(): void {
    for (const [kind, names] of this.items) for (const name of names.keys()) this.touch(kind, name);
    this.items.clear();
  }

  take(batch: readonly Item[]): void {
    for (const { k, v } of batch) {
      const at = k.indexOf("|");
      const kind = at < 0 ? k : k.slice(0, at);
      const name = at < 0 ? "" : k.slice(at + 1);
      let names = this.items.get(kind);
      if (!names) this.items.set(kind, (names = new Map()));
      if (v === null) names.delete(name);
      else names.set(name, v);
      this.touch(kind, name);
    }
  }

  touch(kind: string, name = ""): void {
    let names = this.pending.get(kind);
    if (!names) this.pending.set(kind, (names = new Set()));
    names.add(name);
    if (this.drawing) return;
    this.drawing = true;
    // One drawing per frame, however many messages; a hidden page still takes them all.
    const draw = () => {
      this.drawing = false;
      const changed = this.pending;
      this.pending = new Map();
      for (const listener of this.listeners) listener(changed);
    };
    if (document.hidden) setTimeout(draw, 250);
    else requestAnimationFrame(draw);
  }
}

/** Keep a connection; after a loss try again, soon at first. */
export function connect(store: Store): void {
  let wait = 250;
  const decoder = new TextDecoder();
  const open = () => {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/live`);
    socket.binaryType = "arraybuffer";
    let first = true;
    socket.onmessage = (event: MessageEvent<ArrayBuffer>) => {
      if (first) {
        first = false;
        wait = 250;
        store.reset();
        store.connected = true;
        store.touch("connection");
      }
      store.take(JSON.parse(decoder.decode(event.data)) as Item[]);
    };
    socket.onclose = () => {
      if (store.connected) store.disconnectedSince = Date.now();
      store.connected = false;
      store.touch("connection");
      setTimeout(open, wait);
      wait = Math.min(wait * 2, 5000);
    };
  };
  open();
}
